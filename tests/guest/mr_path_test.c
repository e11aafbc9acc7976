// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What mlx5 says of the path of a memory region, and whether the tag arrives:
 * through a switch, through the host bridge of the machine, or not at all where
 * P2PDMA does not know the host bridge.
 *
 * TPHBUF_PATHS lists "DEVICE:NIC:PATH", with "switch", "host_bridge" or
 * "refused" for the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)
#define TAG		0x0021
#define PATHS_MAX	16

struct expected_path {
	char device[16];
	char nic[16];
	char path[16];
};

static struct expected_path paths[PATHS_MAX];
static unsigned int path_count;

static bool read_paths(void)
{
	const char *text = getenv("TPHBUF_PATHS");
	int length;

	for (; text && *text; text += length) {
		struct expected_path *path = &paths[path_count];

		length = 0;
		if (path_count == PATHS_MAX ||
		    sscanf(text, " %15[^:]:%15[^:]:%15[a-z_]%n", path->device, path->nic,
			   path->path, &length) != 3 || !length)
			return false;
		path_count++;
	}
	return path_count > 0;
}

/* The fabric is one whose root complex drops hints. */
static void expect_arrival(struct nic *nic, struct nic_region *region, struct accelerator *acc,
			   bool tagged, const char *what)
{
	struct accelerator_counters before = acc_count(acc, true, TAG), seen;
	uint8_t data[256];

	fill_bytes(data, sizeof(data), 1);
	expect_int(nic_write(nic, region, 0, data, sizeof(data)), IBV_WC_SUCCESS, "%s: write",
		   what);
	seen = acc_count_since(acc, true, TAG, &before);
	expect_true(seen.writes > 0, "%s: writes arrive", what);
	expect_int(seen.with_tag, tagged ? seen.writes : 0, "%s: writes with the tag", what);
	expect_int(seen.untagged, tagged ? 0 : seen.writes, "%s: writes without a tag", what);
}

static void look_at(const struct expected_path *path)
{
	struct tphbuf_tag tag = tag_ext(TAG, 2);
	struct accelerator acc = acc_open(path->device);
	struct nic nic = nic_open(path->nic);
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct rdma_nic_hints hints;
	struct nic_region region;
	char what[40];

	snprintf(what, sizeof(what), "%s to %s", path->nic, path->device);
	region = nic_register(&nic, fd, BUFFER_SIZE);
	hints = nic_hints(&nic, &region);
	expect_true(!strcmp(hints.path, path->path), "%s: the path is \"%s\", want \"%s\"", what,
		    hints.path, path->path);
	expect_true(hints.tagged && hints.st == TAG, "%s: the region has the tag (%s)", what,
		    hints.state);
	expect_arrival(&nic, &region, &acc, !strcmp(path->path, "switch"), what);
	nic_deregister(&nic, &region);
	nic_close(&nic);
}

static void expect_refused(const struct expected_path *path)
{
	struct accelerator acc = acc_open(path->device);
	struct nic nic = nic_open(path->nic);
	int fd = acc_export(&acc, 0, BUFFER_SIZE, NULL);
	struct ibv_mr *mr = NULL;

	expect_true(rdma_nic_register(&nic.rdma, fd, BUFFER_SIZE, &mr) < 0,
		    "%s to %s: the region is refused", path->nic, path->device);
	nic_close(&nic);
}

static void all_with(const char *word)
{
	for (unsigned int i = 0; i < path_count; i++)
		if (!strcmp(paths[i].path, word)) {
			if (!strcmp(word, "refused"))
				expect_refused(&paths[i]);
			else
				look_at(&paths[i]);
		}
}

static void through_switch(void)
{
	all_with("switch");
}

static void through_host_bridge(void)
{
	all_with("host_bridge");
}

static void refused(void)
{
	all_with("refused");
}

static const struct test_case cases[] = {
	{ "switch", through_switch },
	{ "host_bridge", through_host_bridge },
	{ "refused", refused },
};

/* The cases that the machine has a path for. */
int main(int argc, char **argv)
{
	struct test_case own[sizeof(cases) / sizeof(cases[0])];
	size_t count = 0;

	if (!read_paths()) {
		fprintf(stderr, "TPHBUF_PATHS: expected DEVICE:NIC:PATH...\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned int n = 0; n < path_count; n++)
			if (!strcmp(paths[n].path, cases[i].name)) {
				own[count++] = cases[i];
				break;
			}
	return run_cases(own, count, argc, argv, devices_unbind);
}
