// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_WC: its results row by row, that the page tables
 * hold what it promised, and that the kernel's own accesses go on. acc0 and acc1
 * have at least 8 MiB behind BAR2; dma0 has an MSI-X table.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "bar_memory.h"
#include "case.h"
#include "foreign.h"
#include "guest.h"
#include "memory_type.h"
#include "vfio_dma_buf.h"

#define HUGE_ENTRY (2 * MIB)

/* More separate ranges than a device may have: the kernel stops at 1000. */
#define TOO_MANY 1001u

static void probe(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev);
	struct raw_set_wc arg = raw_wc(-1);

	expect_error(wc_probe(&mem), 0, "PROBE with SET");
	arg.feature |= RAW_FEATURE_PROBE;
	arg.argsz = 8;
	expect_error(raw_feature(device, &arg), 0, "PROBE with SET, the header alone");
	arg.feature = RAW_FEATURE_PROBE | RAW_FEATURE_DMA_BUF_WC;
	expect_error(raw_feature(device, &arg), 0, "PROBE alone");
	arg.feature |= RAW_FEATURE_GET;
	expect_error(raw_feature(device, &arg), -EINVAL, "PROBE with GET");
	arg = raw_wc(memory_export(&mem, 0, PAGE));
	arg.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_WC;
	expect_error(raw_feature(device, &arg), -EINVAL, "GET");
}

static void not_prefetchable(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct {
		struct raw_get_dma_buf get;
		struct raw_range range;
	} arg = { raw_get(0, O_RDWR | O_CLOEXEC, 1), { 0, PAGE } };
	int fd = raw_feature(tphbuf_device_fd(mem.dev), &arg);

	require_error(fd < 0 ? fd : 0, 0, "export a page of BAR0");
	expect_error(wc_set(&mem, fd), -EOPNOTSUPP, "SET for registers");
}

static void bad_arguments(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev), fd = memory_export(&mem, 0, PAGE);
	struct raw_set_wc arg = raw_wc(fd), *page;
	unsigned int bit;

	for (arg.argsz = 8; arg.argsz < sizeof(arg); arg.argsz++)
		expect_error(raw_feature(device, &arg), -EINVAL, "argsz %u", arg.argsz);
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require_true(page != MAP_FAILED && !munmap((uint8_t *)page + PAGE, PAGE),
		     "a page before a hole");
	page = (void *)((uint8_t *)page + PAGE - 12);
	memcpy(page,
	       &(struct raw_set_wc){
		       .argsz = sizeof(arg), .feature = arg.feature, .dmabuf_fd = fd },
	       12);
	expect_error(raw_feature(device, page), -EFAULT, "an argument that ends in a hole");
	for (bit = 0; bit < 32; bit++) {
		arg = raw_wc(fd);
		arg.memattr ^= 1u << bit;
		expect_error(raw_feature(device, &arg), -ENOENT, "memory attribute %u",
			     arg.memattr);
	}
	arg = raw_wc(-1);
	arg.memattr = 0;
	expect_error(raw_feature(device, &arg), -ENOENT,
		     "the attribute is inspected before the fd");
	expect_file_type(fd, 0, PAGE, TYPE_UC_MINUS, "after all these");
}

static void bad_buffers(void)
{
	struct bar_memory mem = memory_open("acc0"), other = memory_open("acc1");
	int ours = memory_export(&mem, 0, PAGE), theirs = memory_export(&other, 0, PAGE);
	int foreign = foreign_udmabuf(PAGE), file = memfd_create("no dma-buf", MFD_CLOEXEC);
	int closed = dup(file);

	require_true(foreign >= 0 && file >= 0 && closed >= 0, "files");
	close(closed);
	expect_error(wc_set(&mem, -1), -EBADF, "no fd");
	expect_error(wc_set(&mem, closed), -EBADF, "a closed fd");
	expect_error(wc_set(&mem, file), -EINVAL, "a file that is no dma-buf");
	expect_error(wc_set(&mem, tphbuf_device_fd(mem.dev)), -EINVAL, "the device itself");
	expect_error(wc_set(&mem, foreign), -ENXIO, "a dma-buf of another exporter");
	expect_error(wc_set(&mem, theirs), -EXDEV, "a dma-buf of another device");
	expect_file_type(theirs, 0, PAGE, TYPE_UC_MINUS, "that one");
	tphbuf_device_close(mem.dev);
	expect_error(wc_set(&other, ours), -ENODEV, "a dma-buf whose device was closed");
	mem = memory_open("acc0");
	expect_error(wc_set(&mem, ours), -ENODEV, "the same, its device opened again");
}

static void real_in_the_entries(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, HUGE_ENTRY, HUGE_ENTRY),
	    small = memory_export(&mem, 0, 3 * PAGE);
	uint64_t phys = bar_address("acc0", MEMORY_BAR);
	volatile uint8_t *map;

	expect_true(kernel_maps(phys, mem.size) == mem.size, "the kernel maps the BAR at first");
	expect_file_type(fd, 0, HUGE_ENTRY, TYPE_UC_MINUS, "before");
	require_error(wc_set(&mem, fd), 0, "SET");
	map = map_shared(fd, 0, HUGE_ENTRY);
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after");
	expect_int((int64_t)page_entries(map, HUGE_ENTRY).smallest, HUGE_ENTRY,
		   "bytes of the entry");
	expect_error(wc_set(&mem, fd), 0, "SET once more, while it is mapped");
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after the second");

	expect_file_type(small, 0, 3 * PAGE, TYPE_UC_MINUS, "another range");
	require_error(wc_set(&mem, small), 0, "SET for it");
	expect_file_type(small, 0, 3 * PAGE, TYPE_WC, "another range");

	/* What the kernel maps, and what the PAT code tracks because of it. */
	expect_int((int64_t)kernel_maps(phys, mem.size), (int64_t)mem.size,
		   "bytes that the kernel maps");
	expect_true(memtype_of(phys, 3 * PAGE) == TYPE_WC, "three pages are tracked as %s",
		    memory_type_name(memtype_of(phys, 3 * PAGE)));
	expect_true(memtype_of(phys + 3 * PAGE, HUGE_ENTRY - 3 * PAGE) == TYPE_UC_MINUS,
		    "the pages behind them as %s",
		    memory_type_name(memtype_of(phys + 3 * PAGE, HUGE_ENTRY - 3 * PAGE)));
	expect_true(memtype_of(phys + HUGE_ENTRY, HUGE_ENTRY) == TYPE_WC, "2 MiB as %s",
		    memory_type_name(memtype_of(phys + HUGE_ENTRY, HUGE_ENTRY)));
	expect_true(memtype_of(phys + 2 * HUGE_ENTRY, mem.size - 2 * HUGE_ENTRY) == TYPE_UC_MINUS,
		    "the rest as %s",
		    memory_type_name(memtype_of(phys + 2 * HUGE_ENTRY, mem.size - 2 * HUGE_ENTRY)));
}

/* Promoted one by one, and large entries reach across the seams. */
static void neighbours_become_one(void)
{
	struct bar_memory mem = memory_open("acc0");
	int all = memory_export(&mem, HUGE_ENTRY, HUGE_ENTRY);
	volatile uint8_t *map;
	uint64_t i;

	for (i = 0; i < HUGE_ENTRY; i += HUGE_ENTRY / 4)
		require_error(wc_set(&mem, memory_export(&mem, HUGE_ENTRY + i, HUGE_ENTRY / 4)), 0,
			      "SET at 0x%llx", (unsigned long long)i);
	map = map_shared(all, 0, HUGE_ENTRY);
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "all of them");
	expect_int((int64_t)page_entries(map, HUGE_ENTRY).smallest, HUGE_ENTRY,
		   "bytes of the entry");
	expect_error(wc_set(&mem, all), 0, "SET for all of them");
}

static void device_file_goes_on(void)
{
	struct bar_memory mem = memory_open("acc0");
	uint64_t from = MIB - 3 * PAGE, length = 6 * PAGE, i;
	int fd = memory_export(&mem, MIB - PAGE, 2 * PAGE);
	uint8_t *want = malloc(length), *got = malloc(length);
	volatile uint8_t *map;

	require_true(want && got, "buffers");
	require_error(wc_set(&mem, fd), 0, "SET");
	fill_bytes(want, length, 7);
	require_error(tphbuf_device_bar_write(mem.dev, MEMORY_BAR, from, want, length), 0,
		      "write across both types");
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, from, got, length), 0,
		      "read it back");
	expect_true(!memcmp(got, want, length), "the same bytes");
	map = map_shared(fd, 0, 2 * PAGE);
	for (i = 0; i < 2 * PAGE; i++)
		if (map[i] != want[2 * PAGE + i])
			break;
	expect_int((int64_t)i, 2 * PAGE, "bytes that the mapping has in common");
	/* Offsets within a page, and lengths that no window is a multiple of. */
	require_error(tphbuf_device_bar_write(mem.dev, MEMORY_BAR, MIB - 5, want, 11), 0,
		      "write 11 bytes");
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, MIB - 5, got, 11), 0,
		      "read 11 bytes");
	expect_true(!memcmp(got, want, 11), "11 bytes");
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, mem.size - 3, got, 3), 0,
		      "the last three");
	expect_int((int64_t)kernel_maps(bar_address("acc0", MEMORY_BAR), mem.size),
		   (int64_t)mem.size, "bytes that the kernel keeps mapped");
	memory_revoke(&mem);
	expect_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, from, got, 8), -EIO,
		     "read, no memory");
	memory_restore(&mem);
	free(want);
	free(got);
}

static void until_the_device_is_closed(void)
{
	struct bar_memory mem = memory_open("acc0");
	uint64_t phys = bar_address("acc0", MEMORY_BAR);
	int fd = memory_export(&mem, 0, 2 * PAGE);

	require_error(wc_set(&mem, fd), 0, "SET");
	close(fd);
	fd = memory_export(&mem, PAGE, 2 * PAGE);
	expect_type_at(map_shared(fd, 0, PAGE), PAGE, TYPE_WC, "the same page, exported again");
	expect_type_at(map_shared(fd, PAGE, PAGE), PAGE, TYPE_UC_MINUS, "the page behind");
	munmap((void *)map_shared(fd, 0, PAGE), PAGE);
	tphbuf_device_close(mem.dev);
	expect_true(memtype_of(phys, mem.size) == TYPE_NONE, "no memtype is left: %s",
		    memory_type_name(memtype_of(phys, mem.size)));
	mem = memory_open("acc0");
	expect_true(kernel_maps(phys, mem.size) == mem.size, "the kernel maps the BAR again");
	expect_type_at(map_shared(memory_export(&mem, 0, 2 * PAGE), 0, 2 * PAGE), 2 * PAGE,
		       TYPE_UC_MINUS, "the next user's");
}

static int ioeventfd(struct bar_memory *mem, uint64_t offset, int event)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = mem->file_offset + offset,
		.data = 0x600d,
		.fd = event,
	};

	return ioctl(tphbuf_device_fd(mem->dev), VFIO_DEVICE_IOEVENTFD, &arg) ? -errno : 0;
}

/* What is at @offset of the BAR after the eventfd was signalled. */
static uint32_t after_event(struct bar_memory *mem, uint64_t offset, int event)
{
	uint32_t value = 0;
	unsigned int ms;

	require_error(tphbuf_device_bar_write(mem->dev, MEMORY_BAR, offset, &value, 4), 0,
		      "clear it");
	require_true(!eventfd_write(event, 1), "signal the eventfd");
	/* A thread of the kernel writes if the lock was taken. */
	for (ms = 0; ms < 1000 && !value; ms++) {
		require_error(tphbuf_device_bar_read(mem->dev, MEMORY_BAR, offset, &value, 4), 0,
			      "read it");
		usleep(1000);
	}
	return value;
}

static void ioeventfds_go_on(void)
{
	struct bar_memory mem = memory_open("acc0");
	uint64_t before = PAGE - 4, behind = 3 * PAGE, far = 8 * MIB - 8;
	int fd = memory_export(&mem, PAGE, 2 * PAGE),
	    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int second = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    third = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	require_error(ioeventfd(&mem, before, event), 0, "an ioeventfd in front of the pages");
	require_error(ioeventfd(&mem, behind, second), 0, "one behind them");
	expect_int(after_event(&mem, before, event), 0x600d, "in front, before SET");
	require_error(wc_set(&mem, fd), 0, "SET between them");
	expect_int(after_event(&mem, before, event), 0x600d, "in front, after SET");
	expect_int(after_event(&mem, behind, second), 0x600d, "behind, after SET");
	require_error(ioeventfd(&mem, far, third), 0, "a new one");
	expect_int(after_event(&mem, far, third), 0x600d, "the new one");
	expect_error(ioeventfd(&mem, PAGE, eventfd(0, EFD_CLOEXEC)), -EBUSY,
		     "one on a promoted page");
	require_error(ioeventfd(&mem, behind, -1), 0, "remove the one behind");
	expect_error(wc_set(&mem, memory_export(&mem, 3 * PAGE, PAGE)), 0, "SET for its page then");
	expect_int(after_event(&mem, before, event), 0x600d, "in front, in the end");
}

static void used_by_ioeventfd(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * PAGE), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	require_error(ioeventfd(&mem, 2 * PAGE - 4, event), 0, "an ioeventfd in the last page");
	expect_error(wc_set(&mem, fd), -EBUSY, "SET");
	expect_file_type(fd, 0, 2 * PAGE, TYPE_UC_MINUS, "nothing has changed");
	expect_int(after_event(&mem, 2 * PAGE - 4, event), 0x600d, "what it writes");
	require_error(ioeventfd(&mem, 2 * PAGE - 4, -1), 0, "remove it");
	expect_error(wc_set(&mem, fd), 0, "SET then");
	expect_error(ioeventfd(&mem, 2 * PAGE - 4, event), -EBUSY, "an ioeventfd after SET");
}

static void msix_table(void)
{
	const char *name = "dma0";
	struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	struct bar_memory mem = { 0 };
	struct {
		struct raw_get_dma_buf get;
		struct raw_range range;
	} arg;
	uint8_t cap = 0, head[2];
	uint32_t table;
	int fd;

	if (!device_exists(name))
		skip_case("no %s", name);
	require_error(tphbuf_device_open(device_bdf(name), &options, &mem.dev, NULL), 0, "open %s",
		      name);
	require_error(tphbuf_device_enable_memory(mem.dev), 0, "enable its memory");
	require_error(tphbuf_device_config_read(mem.dev, 0x34, &cap, 1), 0, "capabilities");
	for (; cap; cap = head[1]) {
		require_error(tphbuf_device_config_read(mem.dev, cap, head, 2), 0, "capability");
		if (head[0] == 0x11)
			break;
	}
	if (!cap)
		skip_case("%s has no MSI-X", name);
	require_error(tphbuf_device_config_read(mem.dev, cap + 4u, &table, 4), 0, "table");
	arg.get = raw_get(table & 7, O_RDWR | O_CLOEXEC, 1);
	arg.range = (struct raw_range){ .offset = (table & ~7u) / PAGE * PAGE, .length = PAGE };
	fd = raw_feature(tphbuf_device_fd(mem.dev), &arg);
	require_error(fd < 0 ? fd : 0, 0, "export the table of %s", name);
	expect_error(wc_set(&mem, fd), -EBUSY, "SET for the MSI-X table");
	expect_type_at(map_shared(fd, 0, PAGE), PAGE, TYPE_UC_MINUS, "the table");
}

static void too_many_ranges(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct {
		struct raw_get_dma_buf get;
		struct raw_range ranges[TOO_MANY];
	} *arg = calloc(1, sizeof(*arg));
	uint64_t phys = bar_address("acc0", MEMORY_BAR);
	unsigned int i;
	int fd;

	require_true(arg, "memory");
	arg->get = raw_get(MEMORY_BAR, O_RDWR | O_CLOEXEC, TOO_MANY);
	for (i = 0; i < TOO_MANY; i++)
		arg->ranges[i] = (struct raw_range){ .offset = 2 * PAGE * i, .length = PAGE };
	fd = raw_feature(tphbuf_device_fd(mem.dev), arg);
	require_error(fd < 0 ? fd : 0, 0, "export %u pages", TOO_MANY);
	expect_error(wc_set(&mem, fd), -ENOSPC, "SET");
	expect_file_type(fd, 0, TOO_MANY * PAGE, TYPE_UC_MINUS, "none has changed");
	expect_true(memtype_of(phys, mem.size) == TYPE_UC_MINUS, "nor in the memtype list");
	close(fd);

	arg->get = raw_get(MEMORY_BAR, O_RDWR | O_CLOEXEC, TOO_MANY - 1);
	fd = raw_feature(tphbuf_device_fd(mem.dev), arg);
	require_error(fd < 0 ? fd : 0, 0, "export one less");
	expect_error(wc_set(&mem, fd), 0, "SET");
	expect_type_at(map_shared(fd, 0, (TOO_MANY - 1) * PAGE), (TOO_MANY - 1) * PAGE, TYPE_WC,
		       "all of them");
	free(arg);
}

static void page_twice(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct tphbuf_range ranges[] = {
		{ .offset = 4 * PAGE, .length = 2 * PAGE },
		{ .offset = 5 * PAGE, .length = 3 * PAGE },
		{ .offset = 4 * PAGE, .length = PAGE },
	};
	int fd = memory_export_ranges(&mem, ranges, 3, O_RDWR | O_CLOEXEC);

	require_error(fd < 0 ? fd : 0, 0, "export ranges that overlap");
	require_error(wc_set(&mem, fd), 0, "SET");
	expect_type_at(map_shared(fd, 0, 6 * PAGE), 6 * PAGE, TYPE_WC, "all of it");
}

static const struct test_case cases[] = {
	{ "probe", probe },
	{ "not_prefetchable", not_prefetchable },
	{ "bad_arguments", bad_arguments },
	{ "bad_buffers", bad_buffers },
	{ "real_in_the_entries", real_in_the_entries },
	{ "neighbours_become_one", neighbours_become_one },
	{ "device_file_goes_on", device_file_goes_on },
	{ "until_the_device_is_closed", until_the_device_is_closed },
	{ "ioeventfds_go_on", ioeventfds_go_on },
	{ "used_by_ioeventfd", used_by_ioeventfd },
	{ "msix_table", msix_table },
	{ "too_many_ranges", too_many_ranges },
	{ "page_twice", page_twice },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
