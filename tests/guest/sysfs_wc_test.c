// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of a BAR through sysfs, which root can make beside those of VFIO. The
 * PAT code of x86 keeps track of both: a page that was never promoted stays
 * uncached, and a page that is mapped uncached is not promoted. acc0 has at
 * least 8 MiB behind BAR2.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "memory_type.h"

static volatile uint8_t *map_resource(const char *file, uint64_t offset, uint64_t length)
{
	int fd = open_resource("acc0", file);
	volatile uint8_t *map =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (map == MAP_FAILED)
		skip_case("%s cannot be mapped: %s", file, strerror(errno));
	close(fd);
	return map;
}

/* Pages 0 and 1 are promoted; root asks for write-combining in page 4. */
static void page_never_promoted(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 4 * PAGE, PAGE);
	volatile uint8_t *before = map_shared(fd, 0, PAGE), *sysfs;
	volatile uint8_t *device =
		map_shared(tphbuf_device_fd(mem.dev), mem.file_offset + 4 * PAGE, PAGE);

	must_read(before, "through the dma-buf");
	must_read(device, "through the device file");
	require_error(wc_set(&mem, memory_export(&mem, 0, 2 * PAGE)), 0, "SET for pages 0 and 1");
	sysfs = map_resource("resource2_wc", 4 * PAGE, PAGE);
	expect_type_at(sysfs, PAGE, TYPE_UC_MINUS, "what root gets");
	expect_type_at(before, PAGE, TYPE_UC_MINUS, "through the dma-buf");
	expect_type_at(device, PAGE, TYPE_UC_MINUS, "through the device file");
	memory_revoke(&mem);
	memory_restore(&mem);
	expect_type_at(before, PAGE, TYPE_UC_MINUS, "through the dma-buf, filled again");
	expect_type_at(device, PAGE, TYPE_UC_MINUS, "through the device file, filled again");
	expect_file_type(fd, 0, PAGE, TYPE_UC_MINUS, "through a new mapping of the dma-buf");
	munmap((void *)sysfs, PAGE);

	/* And what was promoted is write-combining for root too. */
	sysfs = map_resource("resource2", 0, 2 * PAGE);
	expect_type_at(sysfs, 2 * PAGE, TYPE_WC, "root's mapping of pages 0 and 1");
}

static void used_through_sysfs(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * PAGE);
	volatile uint8_t *sysfs = map_resource("resource2", PAGE, PAGE);

	expect_error(wc_set(&mem, fd), -EBUSY, "SET with a mapping in sysfs");
	expect_file_type(fd, 0, 2 * PAGE, TYPE_UC_MINUS, "nothing has changed");
	expect_int((int64_t)kernel_maps(bar_address("acc0", MEMORY_BAR), mem.size),
		   (int64_t)mem.size, "bytes of the BAR that the kernel maps");
	munmap((void *)sysfs, PAGE);
	expect_error(wc_set(&mem, fd), 0, "SET without it");
	expect_file_type(fd, 0, 2 * PAGE, TYPE_WC, "now");
	expect_type_at(map_resource("resource2", PAGE, PAGE), PAGE, TYPE_WC, "through sysfs");
}

/* The SET that fails takes back what it did itself, and nothing that was there before. */
static void failed_set_takes_back_its_own(void)
{
	struct tphbuf_range ranges[] = {
		{ 4 * PAGE, PAGE }, { 8 * PAGE, PAGE }, { PAGE, 2 * PAGE }, { 12 * PAGE, PAGE }
	};
	struct bar_memory mem = memory_open("acc0");
	uint64_t phys = bar_address("acc0", MEMORY_BAR);
	int first = memory_export(&mem, 0, 2 * PAGE), other = memory_export(&mem, 64 * PAGE, PAGE);
	int fd = memory_export_ranges(&mem, ranges, 4, O_RDWR | O_CLOEXEC);
	volatile uint8_t *kept, *sysfs;
	uint32_t value = 0x12345678, got;

	require_error(fd < 0 ? fd : 0, 0, "export four ranges");
	require_error(wc_set(&mem, first), 0, "SET for pages 0 and 1");
	require_error(wc_set(&mem, other), 0, "SET for page 64");
	kept = map_shared(first, 0, 2 * PAGE);
	must_write(kept + PAGE, value, "page 1");
	sysfs = map_resource("resource2", 8 * PAGE, PAGE);
	expect_error(wc_set(&mem, fd), -EBUSY, "SET for pages 1, 2, 4, 8 and 12, and 8 is in use");

	expect_type_at(kept, 2 * PAGE, TYPE_WC, "pages 0 and 1, as they were mapped");
	expect_file_type(first, 0, 2 * PAGE, TYPE_WC, "pages 0 and 1, mapped again");
	expect_file_type(other, 0, PAGE, TYPE_WC, "page 64");
	expect_file_type(fd, 0, 2 * PAGE, TYPE_UC_MINUS, "pages 4 and 8");
	expect_file_type(fd, 3 * PAGE, 2 * PAGE, TYPE_UC_MINUS, "pages 2 and 12");
	expect_true(memtype_of(phys, 2 * PAGE) == TYPE_WC &&
			    memtype_of(phys + 2 * PAGE, 62 * PAGE) == TYPE_UC_MINUS &&
			    memtype_of(phys + 64 * PAGE, PAGE) == TYPE_WC,
		    "what is tracked");
	expect_int((int64_t)kernel_maps(phys, mem.size), (int64_t)mem.size,
		   "bytes that the kernel maps");
	require_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, PAGE, &got, 4), 0, "read page 1");
	expect_int(got, value, "what the mapping wrote");
	require_error(tphbuf_device_bar_write(mem.dev, MEMORY_BAR, 12 * PAGE, &value, 4), 0,
		      "write page 12");

	munmap((void *)sysfs, PAGE);
	expect_error(wc_set(&mem, fd), 0, "SET when nothing is in the way");
	expect_file_type(fd, 0, 5 * PAGE, TYPE_WC, "all of it");
}

static const struct test_case cases[] = {
	{ "page_never_promoted", page_never_promoted },
	{ "used_through_sysfs", used_through_sysfs },
	{ "failed_set_takes_back_its_own", failed_set_takes_back_its_own },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
