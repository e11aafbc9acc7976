// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dma-bufs of a device mapped by the CPU: what a revocation and the end of the
 * device do to a mapping, also after the process forked, moved it, cut it or
 * changed its protection. acc0 has at least 8 MiB behind BAR2.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"
#include "vfio_dma_buf.h"

#define HUGE_ENTRY	(2 * MIB)
#define SHARED_RW	PROT_READ | PROT_WRITE, MAP_SHARED

static void revocation(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * HUGE_ENTRY);
	volatile uint8_t *before = map_shared(fd, 0, 2 * HUGE_ENTRY), *during;
	struct page_entries entries;

	must_write(before, 0x01020304, "the first page");
	must_write(before + HUGE_ENTRY + PAGE, 0x05060708, "the second half");
	memory_revoke(&mem);
	entries = page_entries(before, 2 * HUGE_ENTRY);
	expect_int((int64_t)entries.mapped, 0, "bytes that are still mapped after the revocation");
	must_bus(before, "what was mapped before");
	must_bus(before + HUGE_ENTRY + PAGE, "the second half");
	during = map_shared(fd, PAGE, PAGE);
	must_bus(during, "what was mapped during");
	memory_restore(&mem);
	expect_int(must_read(before, "after"), 0x01020304, "bytes survive");
	expect_int(must_read(before + HUGE_ENTRY + PAGE, "after"), 0x05060708, "bytes survive");
	must_write(during, 0x0a0b0c0d, "what was mapped during");
	expect_int(must_read(before + PAGE, "the same page"), 0x0a0b0c0d, "one page");
}

static void exported_while_revoked(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map;

	memory_revoke(&mem);
	map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	must_bus(map, "before memory is decoded");
	memory_restore(&mem);
	must_write(map, 1, "afterwards");
}

static void reset_revokes(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	int ret;

	must_write(map, 1, "before");
	ret = raw_reset(tphbuf_device_fd(mem.dev));
	if (ret)
		skip_case("the device has no reset");
	expect_int((int64_t)page_entries(map, PAGE).mapped, 0, "bytes mapped after the reset");
	memory_restore(&mem);
	must_read(map, "afterwards");
}

static int low_power(struct bar_memory *mem, bool enter)
{
	struct raw_set_wc arg = { .argsz = 8 };

	arg.feature = RAW_FEATURE_SET |
		      (enter ? RAW_FEATURE_LOW_POWER_ENTRY : RAW_FEATURE_LOW_POWER_EXIT);
	return raw_feature(tphbuf_device_fd(mem->dev), &arg);
}

static void low_power_revokes(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE), *late;

	must_write(map, 1, "before");
	require_error(low_power(&mem, true), 0, "enter low power");
	expect_int((int64_t)page_entries(map, PAGE).mapped, 0, "bytes mapped in low power");
	must_bus(map, "in low power");

	/* Each of these wakes the device up for a moment, and gives access to nobody. */
	memory_revoke(&mem);
	memory_restore(&mem);
	must_bus(map, "after a write to the command register");
	raw_reset(tphbuf_device_fd(mem.dev));
	memory_restore(&mem);
	must_bus(map, "after a reset");
	late = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	must_bus(late, "exported in low power");

	require_error(low_power(&mem, false), 0, "leave low power");
	must_write(map, 2, "afterwards");
	must_write(late, 3, "what was exported in low power, afterwards");
}

static void power_path(char *path, size_t size, const char *attribute)
{
	snprintf(path, size, "/sys/bus/pci/devices/%s/power/%s", device_bdf("acc0"), attribute);
}

static void wait_suspended(void)
{
	char path[128], status[32] = "";

	power_path(path, sizeof(path), "runtime_status");
	for (int i = 0; i < 100; i++) {
		FILE *file = fopen(path, "re");

		require_true(file && fgets(status, sizeof(status), file), "%s: %m", path);
		fclose(file);
		if (!strcmp(status, "suspended\n"))
			return;
		usleep(50000);
	}
	require_true(false, "the device is still %s", status);
}

/*
 * With an eventfd that tells of it, a wake-up, here by who administers the machine, is the end of
 * low power.
 */
static void wake_up_restores(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	struct raw_wakeup arg = { .argsz = sizeof(arg) };
	char path[128];
	uint64_t count;

	must_write(map, 1, "before");
	arg.feature = RAW_FEATURE_SET | RAW_FEATURE_LOW_POWER_WAKEUP;
	arg.eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	require_error(raw_feature(tphbuf_device_fd(mem.dev), &arg), 0, "enter low power");
	wait_suspended();
	must_bus(map, "in low power");

	power_path(path, sizeof(path), "control");
	require_error(sysfs_write(path, "on"), 0, "wake up");
	require_error(sysfs_write(path, "auto"), 0, "allow low power");
	require_true(read(arg.eventfd, &count, sizeof(count)) == sizeof(count),
		     "no word of the wake-up: %m");
	must_write(map, 2, "afterwards");
	close(arg.eventfd);
}

static void end_of_device(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * PAGE);
	volatile uint8_t *map = map_shared(fd, 0, 2 * PAGE);

	must_write(map, 1, "while it is open");
	tphbuf_device_close(mem.dev);
	expect_int((int64_t)page_entries(map, 2 * PAGE).mapped, 0, "bytes mapped after the close");
	must_bus(map, "after the close");
	must_bus(map + PAGE, "a page that was never touched");
	expect_error(try_map(fd, SHARED_RW, 0, PAGE), -ENODEV, "a new mapping");

	/* Its next user has nothing to do with the old dma-buf. */
	mem = memory_open("acc0");
	must_bus(map, "after somebody opened the device again");
	expect_error(try_map(fd, SHARED_RW, 0, PAGE), -ENODEV, "a new mapping then");
	must_write(map_shared(memory_export(&mem, 0, PAGE), 0, PAGE), 2, "a new dma-buf");
}

static void mapping_outlives_fd(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE);
	volatile uint8_t *map = map_shared(fd, 0, PAGE);

	close(fd);
	must_write(map, 0x77, "with the fd closed");
	memory_revoke(&mem);
	must_bus(map, "revoked, with the fd closed");
	memory_restore(&mem);
	expect_int(must_read(map, "again"), 0x77, "bytes");
}

static void child_shares(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map =
		map_shared(memory_export(&mem, 0, 2 * HUGE_ENTRY), 0, 2 * HUGE_ENTRY);
	int status, go[2], said[2];
	char byte = 0;
	pid_t pid;

	must_write(map, 0x100, "in the parent");
	require_true(!pipe(go) && !pipe(said), "pipes");
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		expect_int(must_read(map, "in the child"), 0x100, "what the parent wrote");
		must_write(map + PAGE, 0x200, "in the child");
		require_true(write(said[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 1, "talk");
		must_bus(map, "revoked, in the child");
		require_true(write(said[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 1, "talk");
		expect_int(must_read(map, "restored, in the child"), 0x100, "bytes");
		_exit(0);
	}
	require_true(read(said[0], &byte, 1) == 1, "hear the child");
	expect_int(must_read(map + PAGE, "in the parent"), 0x200, "what the child wrote");
	memory_revoke(&mem);
	must_bus(map, "revoked, in the parent");
	require_true(write(go[1], &byte, 1) == 1 && read(said[0], &byte, 1) == 1, "talk");
	memory_restore(&mem);
	require_true(write(go[1], &byte, 1) == 1, "tell the child");
	require_true(waitpid(pid, &status, 0) == pid && !status, "the child ends well");
}

static void moved(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, 4 * PAGE), 0, 4 * PAGE), *there;
	void *room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require_true(room != MAP_FAILED, "room");
	must_write(map + 2 * PAGE, 0x1234, "before the move");
	expect_true(mremap((void *)map, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED,
		    "it cannot grow");
	there = mremap((void *)map, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	require_true(there == room, "move");
	expect_int(must_read(there + 2 * PAGE, "after the move"), 0x1234, "bytes");
	must_write(there + 3 * PAGE, 0x5678, "a page that was not touched before");
	memory_revoke(&mem);
	must_bus(there + 2 * PAGE, "revoked after the move");
	memory_restore(&mem);
	expect_int(must_read(there + 3 * PAGE, "restored"), 0x5678, "bytes");
	there = mremap((void *)there, 4 * PAGE, 3 * PAGE, 0);
	require_true(there == room, "shrink");
	expect_int(must_read(there + 2 * PAGE, "the last page"), 0x1234, "bytes");
}

static void unmapped_in_part(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map =
		map_shared(memory_export(&mem, 0, 2 * HUGE_ENTRY), 0, 2 * HUGE_ENTRY);
	uint32_t value;

	must_write(map, 0x1, "the first page");
	must_write(map + HUGE_ENTRY, 0x2, "the second half");
	/* A hole in the middle of what a large entry maps. */
	require_true(!munmap((void *)(map + 5 * PAGE), 2 * PAGE), "unmap two pages");
	expect_int(touch_read(map + 5 * PAGE, &value), SIGSEGV, "read the hole");
	expect_int(must_read(map, "before the hole"), 0x1, "bytes");
	must_write(map + 4 * PAGE, 0x3, "right before the hole");
	must_write(map + 7 * PAGE, 0x4, "right behind the hole");
	expect_int(must_read(map + HUGE_ENTRY, "far behind it"), 0x2, "bytes");
	memory_revoke(&mem);
	must_bus(map + 4 * PAGE, "before the hole, revoked");
	must_bus(map + 7 * PAGE, "behind the hole, revoked");
	expect_int(touch_read(map + 5 * PAGE, &value), SIGSEGV, "the hole is still a hole");
	memory_restore(&mem);
	expect_int(must_read(map + 7 * PAGE, "restored"), 0x4, "bytes");
}

static void protection(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, HUGE_ENTRY), 0, HUGE_ENTRY);
	enum memory_type type;
	uint32_t value;

	must_write(map, 0x1, "writable");
	type = page_entries(map, HUGE_ENTRY).type;
	require_true(!mprotect((void *)map, HUGE_ENTRY, PROT_READ), "read only");
	expect_int(must_read(map, "read only"), 0x1, "bytes");
	expect_int(touch_write(map, 0x2), SIGSEGV, "write, read only");
	require_true(!mprotect((void *)map, HUGE_ENTRY, PROT_READ | PROT_WRITE), "writable again");
	must_write(map, 0x3, "writable again");
	require_true(!mprotect((void *)(map + PAGE), PAGE, PROT_NONE), "a page without access");
	expect_int(touch_read(map + PAGE, &value), SIGSEGV, "read it");
	expect_int(must_read(map, "the page before"), 0x3, "bytes");
	must_write(map + 2 * PAGE, 0x4, "the page behind");
	expect_true(page_entries(map, PAGE).type == type, "the memory type is as before");
}

static const struct test_case cases[] = {
	{ "revoke", revocation },
	{ "exported_while_revoked", exported_while_revoked },
	{ "reset_revokes", reset_revokes },
	{ "low_power_revokes", low_power_revokes },
	{ "wake_up_restores", wake_up_restores },
	{ "end_of_device", end_of_device },
	{ "mapping_outlives_fd", mapping_outlives_fd },
	{ "child_shares", child_shares },
	{ "moved", moved },
	{ "unmapped_in_part", unmapped_in_part },
	{ "protection", protection },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
