// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_WC: its results row by row, and that what the page
 * tables hold is what it promised, in every mapping of a page. acc0 and acc1
 * have at least 8 MiB behind BAR2; dma0 has an MSI-X table that can be exported.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
#include "page_table.h"
#include "vfio_dma_buf.h"

#define HUGE_ENTRY	(2 * MIB)

/* More separate ranges than a device may have: the kernel stops at 1000. */
#define TOO_MANY	1001u

static void expect_type_at(volatile void *addr, uint64_t length, enum memory_type want,
			   const char *what)
{
	struct page_entries entries;
	uint32_t value;

	for (uint64_t i = 0; i < length; i += PAGE)
		expect_int(touch_read((volatile uint8_t *)addr + i, &value), 0, "read %s", what);
	entries = page_entries(addr, length);
	expect_int((int64_t)entries.mapped, (int64_t)length, "%s: bytes mapped", what);
	expect_true(entries.type == want, "%s: the entries are %s, want %s", what,
		    memory_type_name(entries.type), memory_type_name(want));
}

/* Where BAR @bar is in the physical address space. */
static uint64_t bar_address(const char *name, unsigned int bar)
{
	char path[200], line[100] = "";
	uint64_t address = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", device_bdf(name));
	file = fopen(path, "re");
	require_true(file, "open %s", path);
	do
		require_true(fgets(line, sizeof(line), file), "a line for each BAR");
	while (bar--);
	fclose(file);
	require_true(sscanf(line, "0x%" SCNx64, &address) == 1 && address, "BAR: %s", line);
	return address;
}

/* Bytes of [phys, phys + length) that ioremap() of the kernel maps right now. */
static uint64_t kernel_maps(uint64_t phys, uint64_t length)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	uint64_t total = 0;
	char line[400];

	require_true(file, "open /proc/vmallocinfo");
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, "phys=0x"), *size_at = strchr(line, ' ');
		uint64_t from, to;

		if (!at || !size_at || !strstr(line, "ioremap"))
			continue;
		from = strtoull(at + strlen("phys="), NULL, 16);
		/* The size has a guard page in it. */
		to = from + strtoull(size_at, NULL, 10) - PAGE;
		if (from < phys + length && to > phys)
			total += (to < phys + length ? to : phys + length) -
				 (from > phys ? from : phys);
	}
	fclose(file);
	return total;
}

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

static void bad_arguments(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev), fd = memory_export(&mem, 0, PAGE);
	struct raw_set_wc arg = raw_wc(fd), *page;

	for (arg.argsz = 8; arg.argsz < sizeof(arg); arg.argsz++)
		expect_error(raw_feature(device, &arg), -EINVAL, "argsz %u", arg.argsz);
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require_true(page != MAP_FAILED && !munmap((uint8_t *)page + PAGE, PAGE),
		     "a page before a hole");
	page = (void *)((uint8_t *)page + PAGE - 12);
	memcpy(page, &(struct raw_set_wc){ .argsz = sizeof(arg), .feature = arg.feature,
					   .dmabuf_fd = fd }, 12);
	expect_error(raw_feature(device, page), -EFAULT, "an argument that ends in a hole");
	for (unsigned int bit = 0; bit < 32; bit++) {
		arg = raw_wc(fd);
		arg.flags = 1u << bit;
		expect_error(raw_feature(device, &arg), -EINVAL, "flag bit %u", bit);
	}
	arg = raw_wc(-1);
	arg.flags = 1;
	expect_error(raw_feature(device, &arg), -EINVAL, "the flag is looked at before the fd");
	expect_type_at(map_shared(fd, 0, PAGE), PAGE, TYPE_UC_MINUS, "after all these");
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
	expect_type_at(map_shared(theirs, 0, PAGE), PAGE, TYPE_UC_MINUS, "that one");
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
	expect_type_at(map_shared(fd, 0, HUGE_ENTRY), HUGE_ENTRY, TYPE_UC_MINUS, "before");
	require_error(wc_set(&mem, fd), 0, "SET");
	map = map_shared(fd, 0, HUGE_ENTRY);
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after");
	expect_int((int64_t)page_entries(map, HUGE_ENTRY).smallest, HUGE_ENTRY,
		   "bytes of the entry");
	expect_error(wc_set(&mem, fd), 0, "SET once more");
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after the second");
	expect_true(memtype_of(phys + HUGE_ENTRY, HUGE_ENTRY) == TYPE_WC,
		    "the PAT memtype list: %s",
		    memory_type_name(memtype_of(phys + HUGE_ENTRY, HUGE_ENTRY)));
	expect_int((int64_t)kernel_maps(phys + HUGE_ENTRY, HUGE_ENTRY), 0, "bytes the kernel maps");

	expect_type_at(map_shared(small, 0, 3 * PAGE), 3 * PAGE, TYPE_UC_MINUS, "another range");
	require_error(wc_set(&mem, small), 0, "SET for it");
	expect_type_at(map_shared(small, 0, 3 * PAGE), 3 * PAGE, TYPE_WC, "another range");
}

static void no_aliases_differ(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, HUGE_ENTRY + PAGE, 2 * PAGE);
	int overlap = memory_export(&mem, HUGE_ENTRY, HUGE_ENTRY);
	volatile uint8_t *own = map_shared(fd, 0, 2 * PAGE);
	volatile uint8_t *other = map_shared(overlap, 0, HUGE_ENTRY);
	volatile uint8_t *bar = map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, 4 * MIB);

	expect_type_at(own, 2 * PAGE, TYPE_UC_MINUS, "own, before");
	expect_type_at(other, HUGE_ENTRY, TYPE_UC_MINUS, "overlapping, before");
	expect_type_at(bar, 4 * MIB, TYPE_UC_MINUS, "device file, before");
	require_error(wc_set(&mem, fd), 0, "SET");
	for (unsigned int round = 0; round < 2; round++) {
		expect_type_at(own, 2 * PAGE, TYPE_WC, "own");
		expect_type_at(other, PAGE, TYPE_UC_MINUS, "overlapping, the page before");
		expect_type_at(other + PAGE, 2 * PAGE, TYPE_WC, "overlapping, the same pages");
		expect_type_at(other + 3 * PAGE, HUGE_ENTRY - 3 * PAGE, TYPE_UC_MINUS,
			       "overlapping, behind them");
		expect_type_at(bar, HUGE_ENTRY + PAGE, TYPE_UC_MINUS, "device file, before them");
		expect_type_at(bar + HUGE_ENTRY + PAGE, 2 * PAGE, TYPE_WC,
			       "device file, the same pages");
		expect_type_at(bar + HUGE_ENTRY + 3 * PAGE, HUGE_ENTRY - 3 * PAGE, TYPE_UC_MINUS,
			       "device file, behind them");
		/* And once more with mappings made after SET. */
		own = map_shared(fd, 0, 2 * PAGE);
		other = map_shared(overlap, 0, HUGE_ENTRY);
		bar = map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, 4 * MIB);
	}

	require_error(wc_set(&mem, overlap), 0, "SET of the rest");
	expect_type_at(other, HUGE_ENTRY, TYPE_WC, "overlapping, in the end");
	expect_type_at(bar + HUGE_ENTRY, HUGE_ENTRY, TYPE_WC, "device file, in the end");
	expect_type_at(bar, HUGE_ENTRY, TYPE_UC_MINUS, "device file, what nobody asked for");
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
	expect_int((int64_t)kernel_maps(bar_address("acc0", MEMORY_BAR), mem.size), 0,
		   "bytes that the kernel keeps mapped");
	memory_revoke(&mem);
	expect_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, from, got, 8), -EIO,
		     "read, no memory");
	memory_restore(&mem);
	free(want);
	free(got);
}

static void survives(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, HUGE_ENTRY);
	volatile uint8_t *map;

	memory_revoke(&mem);
	require_error(wc_set(&mem, fd), 0, "SET while revoked");
	memory_restore(&mem);
	map = map_shared(fd, 0, HUGE_ENTRY);
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after a revocation");
	require_true(!mprotect((void *)map, PAGE, PROT_READ), "read only");
	require_true(!mprotect((void *)map, PAGE, PROT_READ | PROT_WRITE), "writable again");
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after mprotect");
	require_true(!munmap((void *)(map + PAGE), PAGE), "a hole");
	expect_type_at(map + 2 * PAGE, PAGE, TYPE_WC, "behind a hole");
	memory_revoke(&mem);
	memory_restore(&mem);
	expect_type_at(map, PAGE, TYPE_WC, "revoked and restored");
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

static void used_through_sysfs(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * PAGE), file;
	volatile uint8_t *map = map_shared(fd, 0, 2 * PAGE), *sysfs;
	char path[200];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", device_bdf("acc0"),
		 MEMORY_BAR);
	file = open(path, O_RDWR | O_CLOEXEC);
	require_true(file >= 0, "open %s", path);
	sysfs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE);
	if (sysfs == MAP_FAILED)
		skip_case("%s cannot be mapped: %s", path, strerror(errno));
	expect_error(wc_set(&mem, fd), -EBUSY, "SET with a mapping in sysfs");
	expect_type_at(map, 2 * PAGE, TYPE_UC_MINUS, "nothing has changed");
	expect_true(kernel_maps(bar_address("acc0", MEMORY_BAR), mem.size) == mem.size,
		    "the kernel maps the BAR");
	munmap((void *)sysfs, PAGE);
	expect_error(wc_set(&mem, fd), 0, "SET without it");
	expect_type_at(map, 2 * PAGE, TYPE_WC, "now");
	sysfs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE);
	require_true(sysfs != MAP_FAILED, "map it through sysfs again");
	expect_type_at(sysfs, PAGE, TYPE_WC, "through sysfs");
}

static int ioeventfd(struct bar_memory *mem, int event)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = mem->file_offset + 8 * MIB - 8,
		.data = 1,
		.fd = event,
	};

	return ioctl(tphbuf_device_fd(mem->dev), VFIO_DEVICE_IOEVENTFD, &arg) ? -errno : 0;
}

static void used_by_ioeventfd(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE), event = eventfd(0, EFD_CLOEXEC);

	require_error(ioeventfd(&mem, event), 0, "an ioeventfd in the BAR");
	expect_error(wc_set(&mem, fd), -EBUSY, "SET");
	require_error(ioeventfd(&mem, -1), 0, "remove it");
	expect_error(wc_set(&mem, fd), 0, "SET then");
	expect_error(ioeventfd(&mem, event), -EBUSY, "an ioeventfd after SET");
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
	if (fd < 0)
		skip_case("the table of %s cannot be exported: %s", name, strerror(-fd));
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
	volatile uint8_t *map;
	int fd;

	require_true(arg, "memory");
	arg->get = raw_get(MEMORY_BAR, O_RDWR | O_CLOEXEC, TOO_MANY);
	for (unsigned int i = 0; i < TOO_MANY; i++)
		arg->ranges[i] = (struct raw_range){ .offset = 2 * PAGE * i, .length = PAGE };
	fd = raw_feature(tphbuf_device_fd(mem.dev), arg);
	require_error(fd < 0 ? fd : 0, 0, "export %u pages", TOO_MANY);
	map = map_shared(fd, 0, TOO_MANY * PAGE);
	expect_error(wc_set(&mem, fd), -ENOSPC, "SET");
	expect_type_at(map, TOO_MANY * PAGE, TYPE_UC_MINUS, "none has changed");
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
	{ "bad_arguments", bad_arguments },
	{ "bad_buffers", bad_buffers },
	{ "real_in_the_entries", real_in_the_entries },
	{ "no_aliases_differ", no_aliases_differ },
	{ "device_file_goes_on", device_file_goes_on },
	{ "survives", survives },
	{ "until_the_device_is_closed", until_the_device_is_closed },
	{ "used_through_sysfs", used_through_sysfs },
	{ "used_by_ioeventfd", used_by_ioeventfd },
	{ "msix_table", msix_table },
	{ "too_many_ranges", too_many_ranges },
	{ "page_twice", page_twice },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
