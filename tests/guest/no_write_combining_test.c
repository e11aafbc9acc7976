// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_WC where the CPU cannot map PCI memory
 * write-combining: a kernel that was started with nopat. mmap works, uncached.
 */
#include <stdio.h>
#include <string.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "vfio_dma_buf.h"

static struct bar_memory open_without_pat(void)
{
	char cmdline[2000] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	require_true(file && fgets(cmdline, sizeof(cmdline), file), "read the command line");
	fclose(file);
	require_true(strstr(cmdline, "nopat"), "the kernel was started with nopat");
	return memory_open("acc0");
}

static void refused(void)
{
	struct bar_memory mem = open_without_pat();
	struct raw_set_wc arg = raw_wc(memory_export(&mem, 0, PAGE));
	int device = tphbuf_device_fd(mem.dev);

	expect_error(wc_probe(&mem), -EOPNOTSUPP, "PROBE");
	expect_error(raw_feature(device, &arg), -EOPNOTSUPP, "SET");
	arg.memattr = 0;
	expect_error(raw_feature(device, &arg), -EOPNOTSUPP,
		     "SET that is wrong in another way too");
	arg.argsz = 8;
	expect_error(raw_feature(device, &arg), -EOPNOTSUPP, "SET, the header alone");
}

static void mapped(void)
{
	struct bar_memory mem = open_without_pat();
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	uint32_t value = 0;

	expect_int(touch_write(map, 0x12345678), 0, "write: signal");
	expect_int(touch_read(map, &value), 0, "read: signal");
	expect_int(value, 0x12345678, "what was written");
}

static const struct test_case cases[] = {
	{ "refused", refused },
	{ "mapped", mapped },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
