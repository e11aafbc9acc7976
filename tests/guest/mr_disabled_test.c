// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TPH of a NIC that is disabled under its memory regions, as by a write to its
 * ST table that fails. Nothing is sent with a hint from then on, nothing fails,
 * and the driver says so. acc0 completes extended tags, nic0 sends them from a
 * table, nic1 without one.
 */
#include <string.h>

#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)

static void disable(const char *name)
{
	require_error(sysfs_write("/sys/kernel/debug/tph_fault/disable", device_bdf(name)), 0,
		      "disable TPH of %s", name);
}

/* A driver that takes the device anew enables TPH. */
static void enable(const char *name)
{
	require_error(sysfs_write("/sys/bus/pci/drivers/mlx5_core/unbind", device_bdf(name)), 0,
		      "unbind %s", name);
	require_error(sysfs_write("/sys/bus/pci/drivers/mlx5_core/bind", device_bdf(name)), 0,
		      "bind %s", name);
}

static void expect_disabled(struct nic *nic, struct nic_region *region, const char *what)
{
	struct rdma_nic_hints hints = nic_hints(nic, region);

	expect_true(!strcmp(hints.state, "disabled"), "%s: the driver says \"%s\"", what,
		    hints.state);
}

static void under_regions(const char *name)
{
	struct tphbuf_tag first = tag_ext(0x0011, 1), second = tag_ext(0x0012, 2);
	struct accelerator acc = acc_open("acc0");
	struct nic nic = nic_open(name);
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &first);
	struct nic_region tagged = nic_register(&nic, fd, BUFFER_SIZE);
	struct nic_region dmah = nic_register_dmah(&nic, fd, BUFFER_SIZE, nic_alloc_dmah(&nic, 2));
	struct wire_path path = nic_path(&nic, &tagged, &acc, 0);
	struct wire_path dmah_path = nic_path(&nic, &dmah, &acc, 0), again_path;
	struct nic_region again;

	expect_writes(&path, wire_ext(0x0011, 1), "before");
	expect_published(&nic, &tagged, 0x0011, 1, "before");
	disable(name);
	expect_writes(&path, wire_none(), "disabled");
	expect_disabled(&nic, &tagged, "disabled");
	expect_writes(&dmah_path, wire_none(), "disabled, with a DMAH");
	expect_disabled(&nic, &dmah, "disabled, with a DMAH");

	/* A wrong tag cannot be sent, so a replaced one is no reason to fail. */
	acc_set_tag(&acc, fd, &second);
	acc_decode(&acc, false);
	acc_decode(&acc, true);
	expect_writes(&path, wire_none(), "another tag, a new mapping");
	expect_disabled(&nic, &tagged, "another tag, a new mapping");

	again = nic_register(&nic, fd, BUFFER_SIZE);
	again_path = nic_path(&nic, &again, &acc, 0);
	expect_writes(&again_path, wire_none(), "registered while disabled");
	expect_disabled(&nic, &again, "registered while disabled");
	nic_deregister(&nic, &again);
	nic_deregister(&nic, &dmah);
	nic_deregister(&nic, &tagged);
}

static void with_a_table(void)
{
	under_regions("nic0");
}

static void without_a_table(void)
{
	under_regions("nic1");
}

/* The cases before ended with their NIC disabled; this one starts from there. */
static void enabled_again(void)
{
	struct tphbuf_tag tag = tag_ext(0x0021, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct nic_region region;
	struct wire_path path;
	struct nic nic;

	enable("nic0");
	nic = nic_open("nic0");
	region = nic_register(&nic, fd, BUFFER_SIZE);
	path = nic_path(&nic, &region, &acc, 0);
	expect_writes(&path, wire_ext(0x0021, 1), "a driver that took the NIC anew");
	expect_published(&nic, &region, 0x0021, 1, "a driver that took the NIC anew");
}

static const struct test_case cases[] = {
	{ "with_a_table", with_a_table },
	{ "without_a_table", without_a_table },
	{ "enabled_again", enabled_again },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
