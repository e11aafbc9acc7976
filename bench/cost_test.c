// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the calls of the series cost, in instructions of the guest, user space
 * and kernel together. The machine has one processor, and its time stamp
 * counter counts instructions (-icount shift=0), so the smallest of some rounds,
 * which no interrupt was in, is the same in every run.
 *
 * Each row has a reference, which is what the lab's compiler and configuration
 * gave, and fails above it by more than 2 %. Registrations wait for the NIC, and
 * are only compared with one another.
 *
 * acc0 completes extended tags, nic0 sends them from a table of 64 entries.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bar_memory.h"
#include "nic.h"
#include "vfio_dma_buf.h"

#define ROUNDS		64
#define MANY_RANGES	4096u
#define MARGIN		0.02
#define REGISTRATIONS	200
#define TAGS_IN_USE	62

#define RAW_GET_SIZE(n)	(sizeof(struct raw_get_dma_buf) + (n) * sizeof(struct raw_range))

static struct bar_memory mem;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void row(const char *name, uint64_t value, uint64_t reference)
{
	diag("%-52s %8" PRIu64, name, value);
	expect_true(value > 0, "%s: something was counted", name);
	expect_true(!reference || value <= reference * (1 + MARGIN),
		    "%s: %" PRIu64 " instructions, the reference is %" PRIu64, name, value,
		    reference);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Reading the counter twice, which is part of each measurement. */
static uint64_t overhead(void)
{
	uint64_t best = UINT64_MAX;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = __rdtsc();

		best = least(best, __rdtsc() - start);
	}
	return best;
}

static struct raw_get_dma_buf *ranges_of_pages(unsigned int count)
{
	struct raw_get_dma_buf *get = calloc(1, RAW_GET_SIZE(count));
	struct raw_range *range = (void *)(get + 1);
	unsigned int i;

	require_true(get, "memory");
	*get = raw_get(MEMORY_BAR, O_RDWR | O_CLOEXEC, count);
	for (i = 0; i < count; i++)
		range[i] = (struct raw_range){ 2 * i * PAGE, PAGE };
	return get;
}

static int export(struct raw_get_dma_buf *get)
{
	int fd = raw_feature(tphbuf_device_fd(mem.dev), get);

	require_error(fd < 0 ? fd : 0, 0, "export");
	return fd;
}

static void export_and_close(void)
{
	struct raw_get_dma_buf *get = ranges_of_pages(1);
	uint64_t exported = UINT64_MAX, closed = UINT64_MAX, start, zero = overhead();
	unsigned int i;
	int fd;

	mem = memory_open("acc0");
	for (i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		fd = raw_feature(tphbuf_device_fd(mem.dev), get);
		exported = least(exported, __rdtsc() - start);
		require_error(fd < 0 ? fd : 0, 0, "export");
		start = __rdtsc();
		close(fd);
		closed = least(closed, __rdtsc() - start);
	}
	row("export of one range", exported - zero, 4890);
	row("close of a dma-buf", closed - zero, 2851);
}

/* Faults of a mapping of @length bytes at @offset of a file, by one write at @at. */
static uint64_t fault(int fd, uint64_t offset, size_t length, uint64_t at, bool aligned)
{
	uint64_t best = UINT64_MAX, start;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* Room to choose an address that suits a 2 MiB entry. */
		uint8_t *room = mmap(NULL, length + 4 * MIB, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uintptr_t base = ((uintptr_t)room + 2 * MIB - 1) & ~(2 * MIB - 1);
		volatile uint8_t *map;

		require_true(room != MAP_FAILED, "room");
		map = mmap((void *)(base + (aligned ? 0 : PAGE)), length, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
		require_true(map != MAP_FAILED, "map: errno %d", errno);
		start = __rdtsc();
		map[at] = 1;
		best = least(best, __rdtsc() - start);
		munmap(room, length + 4 * MIB);
	}
	return best;
}

static void device_faults(void)
{
	uint64_t zero = overhead();
	int fd;

	mem = memory_open("acc0");
	fd = tphbuf_device_fd(mem.dev);
	row("fault of the device file, 4 KiB", fault(fd, mem.file_offset, PAGE, 0, true) - zero,
	    6072);
	row("fault of the device file, 2 MiB",
	    fault(fd, mem.file_offset, 2 * MIB, 0, true) - zero, 2132);
}

static void faults(void)
{
	uint64_t zero = overhead();
	struct raw_get_dma_buf *one = ranges_of_pages(1), *many = ranges_of_pages(MANY_RANGES);
	uint64_t first, last;

	mem = memory_open("acc0");
	first = fault(export(one), 0, PAGE, 0, true) - zero;
	row("fault of a dma-buf of 1 range", first, 6048);
	last = fault(export(many), (MANY_RANGES - 1) * PAGE, PAGE, 0, true) - zero;
	row("fault of a dma-buf of 4096 ranges, the last", last, 6168);
	expect_true(last < first + first / 4, "a fault does not depend on the number of ranges");
}

static uint64_t set_cost(int fd, uint32_t what)
{
	struct raw_set_tph set = raw_set(fd);
	uint64_t best = UINT64_MAX, start;
	unsigned int i;
	int ret;

	set.feature = what | RAW_FEATURE_DMA_BUF_TPH;
	for (i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		ret = raw_feature(tphbuf_device_fd(mem.dev), &set);
		best = least(best, __rdtsc() - start);
		require_error(ret, 0, "SET or PROBE");
	}
	return best;
}

static void set_and_probe(void)
{
	static const unsigned int counts[] = { 1, 100, 10000 };
	struct raw_get_dma_buf *get = ranges_of_pages(1);
	struct rlimit files = { 20000, 20000 };
	uint64_t zero = overhead(), costs[3];
	unsigned int exported = 0, i;
	int fd = -1;

	require_true(!setrlimit(RLIMIT_NOFILE, &files), "open that many files");
	mem = memory_open("acc0");
	for (i = 0; i < 3; i++) {
		char name[40];

		for (; exported < counts[i]; exported++)
			fd = export(get);
		costs[i] = set_cost(fd, RAW_FEATURE_SET) - zero;
		snprintf(name, sizeof(name), "SET, %u buffers of the device", counts[i]);
		row(name, costs[i], 870);
		expect_int(costs[i], costs[0], "SET does not depend on the number of buffers");
	}
	row("PROBE", set_cost(fd, RAW_FEATURE_PROBE | RAW_FEATURE_SET) - zero, 630);
}

static uint64_t module_count(const char *file, const char *arguments)
{
	char path[80];
	uint64_t value = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "/sys/kernel/debug/tph_bench/%s", file);
	require_error(sysfs_write(path, arguments), 0, "%s of tph_bench", file);
	stream = fopen(path, "re");
	require_true(stream && fscanf(stream, "%" SCNu64, &value) == 1, "read %s", path);
	fclose(stream);
	return value;
}

static void query(void)
{
	struct tphbuf_tag tag = tag_ext(0x41, 1);
	struct accelerator acc = acc_open("acc0");
	char text[20];

	snprintf(text, sizeof(text), "%d", acc_export(&acc, 0, PAGE, &tag));
	row("query, beyond lock and unlock", module_count("query", text), 58);
}

static void st_index(void)
{
	char text[40];
	uint64_t one, many;

	snprintf(text, sizeof(text), "%s 1", device_bdf("nic0"));
	one = module_count("st_index", text);
	row("index of a known tag and back, 1 tag in use", one, 568);
	snprintf(text, sizeof(text), "%s %u", device_bdf("nic0"), TAGS_IN_USE);
	many = module_count("st_index", text);
	row("index of a known tag and back, 62 tags in use", many, 568);
	expect_int(many, one, "it does not depend on the number of tags");
}

/* Of this thread, without the time that it waits for the NIC. */
static uint64_t own_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The median: how often an interrupt comes in the middle differs. */
static uint64_t registration(struct nic *nic, int fd)
{
	static uint64_t costs[REGISTRATIONS];
	for (unsigned int i = 0; i < REGISTRATIONS; i++) {
		uint64_t start = own_time();
		struct nic_region region = nic_register(nic, fd, PAGE);

		costs[i] = own_time() - start;
		nic_deregister(nic, &region);
	}
	qsort(costs, REGISTRATIONS, sizeof(costs[0]), compare);
	return costs[REGISTRATIONS / 2];
}

static void untagged_registration(void)
{
	struct accelerator acc = acc_open("acc0");
	struct nic nic = nic_open("nic0");
	int fd = acc_export(&acc, 0, PAGE, NULL);

	/* So that the pool has memory keys. */
	nic_register(&nic, fd, PAGE);
	registration(&nic, fd);
	row("registration without a tag, pooled", registration(&nic, fd), 0);
}

static void registrations(void)
{
	struct tphbuf_tag tag = tag_ext(0x41, 1);
	struct accelerator acc = acc_open("acc0");
	struct nic nic = nic_open("nic0");
	int plain = acc_export(&acc, 0, PAGE, NULL), tagged = acc_export(&acc, PAGE, PAGE, &tag);
	int other = acc_export(&acc, 2 * PAGE, PAGE, NULL);
	uint64_t without, with, full;
	unsigned int i;

	/* So that the pools have memory keys, and the tag an entry. */
	nic_register(&nic, plain, PAGE);
	nic_register(&nic, tagged, PAGE);
	registration(&nic, plain);
	registration(&nic, tagged);
	without = registration(&nic, plain);
	row("registration without a tag, beside", without, 0);
	with = registration(&nic, tagged);
	row("registration with a known tag, pooled, 1 in use", with, 0);
	for (i = 1; i < TAGS_IN_USE; i++) {
		struct tphbuf_tag more = tag_ext(0x41 + i, 1);

		acc_set_tag(&acc, other, &more);
		nic_register(&nic, other, PAGE);
	}
	full = registration(&nic, tagged);
	row("registration with a known tag, pooled, 62 in use", full, 0);
	diag("tagged beside untagged: %+.2f %%", 100.0 * ((double)with - without) / without);
	diag("62 tags in use beside 1: %+.2f %%", 100.0 * ((double)full - with) / with);
	expect_true(with < without * 1.03, "a tag costs a registration little");
	expect_true(full < with * 1.03, "a registration does not depend on the number of tags");
}

static const struct test_case cases[] = {
	{ "export_and_close", export_and_close },
	{ "device_faults", device_faults },
	{ "faults", faults },
	{ "set_and_probe", set_and_probe },
	{ "query", query },
	{ "st_index", st_index },
	{ "untagged_registration", untagged_registration },
	{ "registrations", registrations },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
