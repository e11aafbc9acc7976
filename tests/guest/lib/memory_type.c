// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "case.h"
#include "guest.h"
#include "memory_type.h"

void expect_type_at(volatile void *addr, uint64_t length, enum memory_type want, const char *what)
{
	struct page_entries entries;
	uint32_t value;
	uint64_t i;

	for (i = 0; i < length; i += PAGE)
		expect_int(touch_read((volatile uint8_t *)addr + i, &value), 0, "read %s", what);
	entries = page_entries(addr, length);
	expect_int((int64_t)entries.mapped, (int64_t)length, "%s: bytes mapped", what);
	expect_true(entries.type == want, "%s: the entries are %s, want %s", what,
		    memory_type_name(entries.type), memory_type_name(want));
}

void expect_file_type(int fd, uint64_t offset, uint64_t length, enum memory_type want,
		      const char *what)
{
	volatile uint8_t *map = map_shared(fd, offset, length);

	expect_type_at(map, length, want, what);
	munmap((void *)map, length);
}

uint64_t bar_address(const char *name, unsigned int bar)
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

uint64_t kernel_maps(uint64_t phys, uint64_t length)
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

int open_resource(const char *name, const char *file)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device_bdf(name), file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	require_true(fd >= 0, "open %s", path);
	return fd;
}
