// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hints of memory regions: which one a region gets, from whom, and what the
 * driver says about it. acc0 completes extended tags, acc1 8-bit ones. nic0
 * sends extended tags, nic2 8-bit ones, both from a table of 64 entries.
 */
#include <string.h>

#include "foreign.h"
#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)
#define OTHER_OFFSET	(1u << 20)

/* One NIC, one accelerator, one buffer, not registered yet. */
struct setup {
	struct accelerator acc;
	struct nic nic;
	int fd;
};

static struct setup setup(const char *nic, const char *acc, const struct tphbuf_tag *tag)
{
	struct setup s = { .acc = acc_open(acc), .nic = nic_open(nic) };

	s.fd = acc_export(&s.acc, 0, BUFFER_SIZE, tag);
	return s;
}

/* Registers the buffer, looks at one copy, and deregisters it. */
static void expect_region(struct setup *s, struct wire_hint hint, const char *state,
			  const char *what)
{
	struct nic_region region = nic_register(&s->nic, s->fd, BUFFER_SIZE);
	struct wire_path path = nic_path(&s->nic, &region, &s->acc, 0);

	expect_writes(&path, hint, what);
	if (hint.tagged)
		expect_published(&s->nic, &region, hint.st, hint.ph, what);
	else
		expect_unhinted(&s->nic, &region, state, what);
	nic_deregister(&s->nic, &region);
}

static void nothing_published(void)
{
	struct setup s = setup("nic0", "acc0", NULL);

	expect_region(&s, wire_none(), "unpublished", "nothing published");
	nic_close(&s.nic);
}

static void every_hint(void)
{
	struct setup s = setup("nic0", "acc0", NULL);

	for (uint8_t ph = 0; ph < 4; ph++) {
		struct tphbuf_tag tag = tag_ext(0x0031, ph);

		acc_set_tag(&s.acc, s.fd, &tag);
		expect_region(&s, wire_ext(0x0031, ph), NULL, "published");
	}
	nic_close(&s.nic);
}

/* An entry of the table like that of any other tag, and not the reserved one. */
static void zero_is_a_tag(void)
{
	struct tphbuf_tag tag = tag_ext(0, 0);
	struct setup s = setup("nic0", "acc0", &tag);
	struct nic_region region = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	struct wire_path path = nic_path(&s.nic, &region, &s.acc, 0);

	expect_writes(&path, wire_ext(0, 0), "tag 0, hint 0");
	expect_true(expect_published(&s.nic, &region, 0, 0, "tag 0, hint 0") > 0,
		    "the index is not the reserved one");
}

/* Thousands of TLPs through two regions in turn. */
static void two_tags_interleaved(void)
{
	struct tphbuf_tag tag_a = tag_ext(0x0041, 1), tag_b = tag_ext(0x0042, 2);
	struct setup s = setup("nic0", "acc0", &tag_a);
	struct nic_region a = nic_register(&s.nic, s.fd, BUFFER_SIZE), b;
	int fd = acc_export(&s.acc, OTHER_OFFSET, BUFFER_SIZE, &tag_b);
	struct wire_path path_a = nic_path(&s.nic, &a, &s.acc, 0), path_b;

	b = nic_register(&s.nic, fd, BUFFER_SIZE);
	path_b = nic_path(&s.nic, &b, &s.acc, OTHER_OFFSET);
	for (int i = 0; i < 60; i++) {
		expect_writes(&path_a, wire_ext(0x0041, 1), "first region");
		expect_writes(&path_b, wire_ext(0x0042, 2), "second region");
	}
}

static void same_tag_same_entry(void)
{
	struct tphbuf_tag tag = tag_ext(0x0051, 1), other = tag_ext(0x0052, 1);
	struct setup s = setup("nic0", "acc0", &tag);
	struct nic_region region[3];
	struct wire_path path;
	int index[3];

	for (int i = 0; i < 3; i++) {
		if (i == 2)
			acc_set_tag(&s.acc, s.fd, &other);
		region[i] = nic_register(&s.nic, s.fd, BUFFER_SIZE);
		index[i] =
			expect_published(&s.nic, &region[i], i < 2 ? 0x0051 : 0x0052, 1, "region");
	}
	expect_int(index[1], index[0], "the entry of the same tag");
	expect_true(index[2] != index[0], "another tag has another entry");

	/* The first user leaves, the entry stays for the second. */
	nic_deregister(&s.nic, &region[0]);
	tag = tag_ext(0x0053, 1);
	acc_set_tag(&s.acc, s.fd, &tag);
	region[0] = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	expect_true(expect_published(&s.nic, &region[0], 0x0053, 1, "third tag") != index[1],
		    "the entry that is in use is not given away");
	path = nic_path(&s.nic, &region[1], &s.acc, 0);
	expect_writes(&path, wire_ext(0x0051, 1), "the other user of the entry");
}

static void set_is_for_new_regions(void)
{
	struct tphbuf_tag first = tag_ext(0x0061, 1), second = tag_ext(0x0062, 2);
	struct setup s = setup("nic0", "acc0", &first);
	struct nic_region old = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	struct wire_path path = nic_path(&s.nic, &old, &s.acc, 0);

	acc_set_tag(&s.acc, s.fd, &second);
	expect_writes(&path, wire_ext(0x0061, 1), "the region that exists keeps its tag");
	expect_region(&s, wire_ext(0x0062, 2), NULL, "a new region has the new one");
	require_error(tphbuf_clear_tag(s.acc.dev, s.fd, NULL), 0, "clear");
	expect_region(&s, wire_none(), "unpublished", "a region after the clear");
	expect_writes(&path, wire_ext(0x0061, 1), "the first region");
}

/* A tag of one namespace is not a tag of the other. */
static void namespaces(void)
{
	struct tphbuf_tag narrow = tag_8bit(0x07, 1), wide = tag_ext(0x0071, 2);
	struct tphbuf_tag both = tag_both(0x08, 0x0072, 3);
	struct setup s = setup("nic0", "acc0", &narrow), t = s;

	t.nic = nic_open("nic2");
	expect_region(&s, wire_none(), "unpublished", "8-bit tag, extended requester");
	expect_region(&t, wire_8bit(0x07, 1), NULL, "8-bit tag, 8-bit requester");
	acc_set_tag(&s.acc, s.fd, &wide);
	expect_region(&s, wire_ext(0x0071, 2), NULL, "extended tag, extended requester");
	expect_region(&t, wire_none(), "unpublished", "extended tag, 8-bit requester");
	acc_set_tag(&s.acc, s.fd, &both);
	expect_region(&s, wire_ext(0x0072, 3), NULL, "both tags, extended requester");
	expect_region(&t, wire_8bit(0x08, 3), NULL, "both tags, 8-bit requester");
}

static void narrow_completer(void)
{
	struct tphbuf_tag narrow = tag_8bit(0x09, 2);
	struct setup s = setup("nic2", "acc1", &narrow);

	expect_region(&s, wire_8bit(0x09, 2), NULL, "8-bit from end to end");
}

/* Without a CPU it has no tag, which is sent as 0. */
static void dmah_wins(void)
{
	struct tphbuf_tag tag = tag_ext(0x0081, 1);
	struct setup s = setup("nic0", "acc0", &tag);
	uint32_t dmah = nic_alloc_dmah(&s.nic, 2);
	struct nic_region region = nic_register_dmah(&s.nic, s.fd, BUFFER_SIZE, dmah);
	struct wire_path path = nic_path(&s.nic, &region, &s.acc, 0);
	struct rdma_nic_hints hints = nic_hints(&s.nic, &region);

	expect_writes(&path, wire_ext(0, 2), "with the hint of the DMAH");
	expect_true(!strcmp(hints.state, "dmah"), "the driver says \"%s\"", hints.state);
	expect_int(hints.ph, 2, "hint shown");
	expect_true(!hints.tagged, "no tag shown");
	nic_deregister(&s.nic, &region);
	expect_region(&s, wire_ext(0x0081, 1), NULL, "without DMAH");
}

/* All devices of the machine are on the root bus, with the host bridge between any two. */
static void path_is_shown(void)
{
	struct tphbuf_tag tag = tag_ext(0x0091, 1);
	struct setup s = setup("nic0", "acc0", &tag);
	struct nic_region region = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	struct nic_region memory = { .lkey = s.nic.buffer_mr->lkey };
	struct rdma_nic_hints hints = nic_hints(&s.nic, &region);

	expect_true(!strcmp(hints.path, "host_bridge"), "the driver says \"%s\"", hints.path);
	nic_deregister(&s.nic, &region);
	require_error(tphbuf_clear_tag(s.acc.dev, s.fd, NULL), 0, "clear");
	region = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	hints = nic_hints(&s.nic, &region);
	expect_true(!strcmp(hints.path, "host_bridge"), "without a tag: \"%s\"", hints.path);
	hints = nic_hints(&s.nic, &memory);
	expect_true(!hints.path[0], "ordinary memory: \"%s\"", hints.path);
}

/* Exporters that know no hints. */
static void foreign_buffers(void)
{
	struct nic nic = nic_open("nic0");
	int fd[2] = { foreign_udmabuf(BUFFER_SIZE), foreign_system_heap(BUFFER_SIZE) };

	for (int i = 0; i < 2; i++) {
		struct nic_region region;

		require_error(fd[i] < 0 ? fd[i] : 0, 0, "a buffer in system memory");
		region = nic_register(&nic, fd[i], BUFFER_SIZE);
		expect_unhinted(&nic, &region, "unsupported", "system memory");
		nic_deregister(&nic, &region);
	}
}

/* What is not a dma-buf shows what it showed before. */
static void ordinary_memory(void)
{
	struct nic nic = nic_open("nic0");
	struct nic_region region = { .lkey = nic.buffer_mr->lkey };

	expect_unhinted(&nic, &region, "", "ordinary memory");
}

static const struct test_case cases[] = {
	{ "nothing_published", nothing_published },
	{ "every_hint", every_hint },
	{ "zero_is_a_tag", zero_is_a_tag },
	{ "two_tags_interleaved", two_tags_interleaved },
	{ "same_tag_same_entry", same_tag_same_entry },
	{ "set_is_for_new_regions", set_is_for_new_regions },
	{ "namespaces", namespaces },
	{ "narrow_completer", narrow_completer },
	{ "dmah_wins", dmah_wins },
	{ "path_is_shown", path_is_shown },
	{ "foreign_buffers", foreign_buffers },
	{ "ordinary_memory", ordinary_memory },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
