// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dma-bufs of a device mapped by the CPU: what can be mapped, what it shows, and
 * by which entries. acc0 has at least 8 MiB behind BAR2; the case on large
 * entries wants 1 GiB.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"

#define HUGE_ENTRY	(2 * MIB)
#define SHARED_RW	PROT_READ | PROT_WRITE, MAP_SHARED

static void same_bytes(void)
{
	struct bar_memory mem = memory_open("acc0");
	uint64_t offset = 3 * PAGE, length = 5 * PAGE;
	volatile uint8_t *map = map_shared(memory_export(&mem, offset, length), 0, length);
	uint8_t page[PAGE];

	for (uint64_t i = 0; i < length; i += 4)
		must_write(map + i, 0x5a000000u + (uint32_t)i, "the mapping");
	for (uint64_t i = 0; i < length; i += PAGE) {
		require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, offset + i, page, PAGE),
			      0, "read the BAR through the device file");
		expect_true(!memcmp(page, (const uint8_t *)map + i, PAGE), "page at 0x%llx",
			    (unsigned long long)i);
	}
	memset(page, 0xc3, sizeof(page));
	require_error(tphbuf_device_bar_write(mem.dev, MEMORY_BAR, offset + PAGE, page, PAGE), 0,
		      "write the BAR through the device file");
	expect_int(must_read(map + PAGE, "what was written"), 0xc3c3c3c3, "bytes");
	expect_int(must_read(map, "the page before"), 0x5a000000, "bytes");
}

static void shared_only(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE);

	expect_error(try_map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, PAGE), -EINVAL, "private");
	expect_error(try_map(fd, PROT_READ, MAP_PRIVATE, 0, PAGE), -EINVAL, "private, read only");
	expect_error(try_map(fd, SHARED_RW, 0, PAGE), 0, "shared");
	expect_error(try_map(fd, PROT_READ, MAP_SHARED, 0, PAGE), 0, "shared, read only");
	expect_error(try_map(fd, PROT_NONE, MAP_SHARED, 0, PAGE), 0, "shared, no access");
}

static void bounds(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, PAGE, 4 * PAGE);

	expect_error(try_map(fd, SHARED_RW, 0, 4 * PAGE), 0, "all");
	expect_error(try_map(fd, SHARED_RW, 3 * PAGE, PAGE), 0, "the last page");
	expect_error(try_map(fd, SHARED_RW, 0, 5 * PAGE), -EINVAL, "a page more");
	expect_error(try_map(fd, SHARED_RW, 3 * PAGE, 2 * PAGE), -EINVAL, "across the end");
	expect_error(try_map(fd, SHARED_RW, 4 * PAGE, PAGE), -EINVAL, "at the end");
	expect_error(try_map(fd, SHARED_RW, 1ull << 40, PAGE), -EINVAL, "far behind the end");
	expect_error(try_map(fd, SHARED_RW, 0x7ffffffffffff000, PAGE), -EINVAL, "the last offset");
	expect_error(try_map(fd, SHARED_RW, 100, PAGE), -EINVAL, "an offset within a page");
	expect_error(try_map(fd, SHARED_RW, 0, 0), -EINVAL, "nothing");
}

static void read_only_file(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct tphbuf_range range = { .length = 2 * PAGE };
	int fd = memory_export_ranges(&mem, &range, 1, O_RDONLY | O_CLOEXEC);
	volatile uint8_t *map;

	require_error(fd < 0 ? fd : 0, 0, "export, read only");
	expect_error(try_map(fd, SHARED_RW, 0, PAGE), -EACCES, "for writing");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	require_true(map != MAP_FAILED, "for reading");
	must_read(map, "a read-only mapping");
	expect_int(touch_write(map, 1), SIGSEGV, "write to it");
	expect_int(mprotect((void *)map, PAGE, PROT_READ | PROT_WRITE), -1, "make it writable");
}

static void ranges_map_as_one(void)
{
	struct bar_memory mem = memory_open("acc0");
	/*
	 * Out of order, one page twice, and the first a page short of what a
	 * large entry maps, which the alignment alone would allow.
	 */
	struct tphbuf_range ranges[] = {
		{ .offset = 4 * MIB, .length = HUGE_ENTRY - PAGE },
		{ .offset = 7 * PAGE, .length = PAGE },
		{ .offset = 2 * PAGE, .length = 3 * PAGE },
		{ .offset = 7 * PAGE, .length = PAGE },
		{ .offset = HUGE_ENTRY, .length = HUGE_ENTRY },
	};
	const uint64_t second = HUGE_ENTRY - PAGE, fourth = HUGE_ENTRY + 3 * PAGE;
	const uint64_t total = fourth + PAGE + HUGE_ENTRY;
	int fd = memory_export_ranges(&mem, ranges, 5, O_RDWR | O_CLOEXEC);
	volatile uint8_t *bar, *map;
	uint64_t at = 0;

	require_error(fd < 0 ? fd : 0, 0, "export five ranges");
	bar = map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, 6 * MIB);
	for (uint64_t i = 0; i < 6 * MIB; i += PAGE)
		*(volatile uint32_t *)(bar + i) = 0xba000000u + (uint32_t)(i / PAGE);

	map = map_shared(fd, 0, total);
	expect_int((uintptr_t)map % HUGE_ENTRY, 0, "the address, modulo a large entry");
	for (unsigned int r = 0; r < 5; r++)
		for (uint64_t i = 0; i < ranges[r].length; i += PAGE, at += PAGE)
			expect_int(must_read(map + at, "a page"),
				   0xba000000u + (ranges[r].offset + i) / PAGE,
				   "range %u, page %llu", r, (unsigned long long)(i / PAGE));
	expect_error(try_map(fd, SHARED_RW, 0, total + PAGE), -EINVAL, "more than the ranges");

	/* The same page through two places of one mapping. */
	must_write(map + second, 0x11223344, "the second range");
	expect_int(must_read(map + fourth, "the fourth"), 0x11223344, "one page");
}

static void has_a_name(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *map = map_shared(memory_export(&mem, 0, PAGE), 0, PAGE);
	char line[300], start[40], want[80];
	bool found = false;
	FILE *maps;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)map);
	snprintf(want, sizeof(want), "vfio:%s:BAR%u", device_bdf("acc0"), MEMORY_BAR);
	maps = fopen("/proc/self/maps", "re");
	require_true(maps, "open /proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		if (strncmp(line, start, strlen(start)))
			continue;
		diag("%s", strtok(line, "\n"));
		found = strstr(line, want);
	}
	fclose(maps);
	expect_true(found, "the line of the mapping has \"%s\"", want);
}

static void large_entries(void)
{
	struct bar_memory mem = memory_open("acc0");
	const uint64_t length = 1024 * MIB;
	struct page_entries entries;
	struct rusage before, after;
	volatile uint8_t *map;
	long faults;

	if (mem.size < length)
		skip_case("BAR2 has %llu MiB", (unsigned long long)(mem.size / MIB));
	map = map_shared(memory_export(&mem, 0, length), 0, length);
	getrusage(RUSAGE_SELF, &before);
	for (uint64_t i = 0; i < length; i += 256 * 1024)
		(void)*(map + i);
	getrusage(RUSAGE_SELF, &after);
	faults = after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt;
	diag("%ld faults for 1 GiB at %p", faults, (void *)map);
	expect_true(faults > 0 && faults <= 512, "%ld faults, at most 512", faults);
	entries = page_entries(map, length);
	expect_int((int64_t)entries.mapped, (int64_t)length, "bytes mapped");
	expect_true(entries.smallest >= HUGE_ENTRY, "the smallest entry maps 0x%llx bytes",
		    (unsigned long long)entries.smallest);
}

static void uncached(void)
{
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *large = map_shared(memory_export(&mem, 0, HUGE_ENTRY), 0, HUGE_ENTRY);
	volatile uint8_t *small = map_shared(memory_export(&mem, HUGE_ENTRY, PAGE), 0, PAGE);
	struct page_entries entries;

	must_write(large, 1, "a large range");
	must_write(small, 1, "a small one");
	entries = page_entries(large, HUGE_ENTRY);
	expect_true(entries.type == TYPE_UC_MINUS, "large: %s", memory_type_name(entries.type));
	expect_int((int64_t)entries.smallest, HUGE_ENTRY, "bytes of its entry");
	entries = page_entries(small, PAGE);
	expect_true(entries.type == TYPE_UC_MINUS, "small: %s", memory_type_name(entries.type));
	expect_int((int64_t)entries.smallest, PAGE, "bytes of its entry");
}

/* The device file maps as it always did, and shows the same memory. */
static void device_file(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev);
	volatile uint8_t *buffer =
		map_shared(memory_export(&mem, 0, 2 * HUGE_ENTRY), 0, 2 * HUGE_ENTRY);
	uint8_t *room = mmap(NULL, 3 * HUGE_ENTRY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct page_entries entries;
	volatile uint8_t *map;

	expect_error(try_map(device, PROT_READ | PROT_WRITE, MAP_PRIVATE, mem.file_offset, PAGE),
		     -EINVAL, "private");
	expect_error(try_map(device, SHARED_RW, mem.file_offset + mem.size, PAGE), -EINVAL,
		     "behind the BAR");
	expect_error(try_map(device, SHARED_RW, mem.file_offset + mem.size - PAGE, 2 * PAGE),
		     -EINVAL, "across its end");
	require_true(room != MAP_FAILED, "room");
	room += -(uintptr_t)room % HUGE_ENTRY;
	map = mmap(room, 2 * HUGE_ENTRY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, device,
		   (off_t)mem.file_offset);
	require_true(map == room, "map two large entries");
	must_write(map + 5 * PAGE, 0x600d, "the device file");
	expect_int(must_read(buffer + 5 * PAGE, "the dma-buf"), 0x600d, "bytes");
	must_write(buffer + HUGE_ENTRY, 0x600e, "the dma-buf");
	expect_int(must_read(map + HUGE_ENTRY, "the device file"), 0x600e, "bytes");
	entries = page_entries(map, 2 * HUGE_ENTRY);
	expect_true(entries.type == TYPE_UC_MINUS, "its entries: %s",
		    memory_type_name(entries.type));
	expect_int((int64_t)entries.smallest, HUGE_ENTRY, "bytes of an entry");
	expect_int((int64_t)entries.mapped, 2 * HUGE_ENTRY, "bytes mapped");
	memory_revoke(&mem);
	must_bus(map, "without memory decoding");
	memory_restore(&mem);
	expect_int(must_read(map + 5 * PAGE, "with it again"), 0x600d, "bytes");
}

/* The kernel's copies from and to a mapping fault as those of the process do. */
static void kernel_copies(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE);
	volatile uint8_t *map = map_shared(fd, 0, 4 * PAGE);
	uint8_t config[64];

	must_write(map, 0x11112222, "the first page");
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, 0, (void *)(map + PAGE), 8), 0,
		      "read the BAR into a page that is not mapped yet");
	expect_int(must_read(map + PAGE, "what was read"), 0x11112222, "bytes");
	require_error(
		tphbuf_device_bar_write(mem.dev, MEMORY_BAR, 2 * PAGE, (void *)(map + PAGE), 8), 0,
		"write the BAR from the mapping");
	expect_int(must_read(map + 2 * PAGE, "what was written"), 0x11112222, "bytes");

	munmap((void *)map, 4 * PAGE);
	require_error(wc_set(&mem, fd), 0, "SET, which splits the kernel's mapping");
	map = map_shared(fd, 0, 4 * PAGE);
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, 0, (void *)(map + 3 * PAGE), 8),
		      0, "read the BAR into the mapping");
	expect_int(must_read(map + 3 * PAGE, "what was read"), 0x11112222, "bytes");

	memory_revoke(&mem);
	expect_error(tphbuf_device_config_read(mem.dev, 0, (void *)map, sizeof(config)), -EFAULT,
		     "read configuration space into a revoked mapping");
	memory_restore(&mem);
	require_error(tphbuf_device_config_read(mem.dev, 0, (void *)map, sizeof(config)), 0,
		      "read configuration space into the mapping");
	require_error(tphbuf_device_config_read(mem.dev, 0, config, sizeof(config)), 0,
		      "and into memory");
	expect_true(!memcmp((const uint8_t *)map, config, sizeof(config)), "the same bytes");
}

static const struct test_case cases[] = {
	{ "same_bytes", same_bytes },
	{ "shared_only", shared_only },
	{ "bounds", bounds },
	{ "read_only_file", read_only_file },
	{ "ranges_map_as_one", ranges_map_as_one },
	{ "has_a_name", has_a_name },
	{ "large_entries", large_entries },
	{ "uncached", uncached },
	{ "device_file", device_file },
	{ "kernel_copies", kernel_copies },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
