// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Export, mmap, access and promotion of a dma-buf with the n-th allocation of
 * the call failing, n = 1, 2, ... until none is left to fail: every call ends
 * with an errno that says so or well, and one that fails has changed nothing,
 * even if there is no memory to undo it at once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "fail_nth.h"
#include "guest.h"
#include "memory_type.h"
#include "page_table.h"

/* The smallest BAR: for all that ioremap() maps, KASAN allocates a shadow. */
#define DEVICE		"acc1"
/* Bytes of allocations, more than a promotion needs. */
#define PLENTY		16384u
/* About as much as an allocation. */
#define STEP		128u
/* Allocations that fail one after the other when memory is short, then there is some. */
#define SHORTAGE	6u
#define FAILSLAB	"/sys/kernel/debug/failslab/"

/* Two separate ranges, so that the second can fail when the first is done. */
static struct tphbuf_range apart[] = { { PAGE, PAGE }, { 3 * PAGE, PAGE } };

/*
 * Whether the ranges above are WC, in the kernel and for mmap(), which refuses
 * pages of two types. (A dump of the page tables takes too long.)
 */
static void expect_promoted(struct bar_memory *mem, bool promoted, const char *what, unsigned int n)
{
	uint64_t phys = bar_address(DEVICE, MEMORY_BAR);

	for (unsigned int i = 0; i < 2; i++) {
		enum memory_type type = memtype_of(phys + apart[i].offset, apart[i].length);

		expect_true((type == TYPE_WC) == promoted, "%s %u: range %u is %s", what, n, i,
			    memory_type_name(type));
		expect_error(try_map(tphbuf_device_fd(mem->dev), PROT_READ, MAP_SHARED,
				     mem->file_offset + apart[i].offset - PAGE, 2 * PAGE),
			     promoted ? -EBUSY : 0, "%s %u: mmap() around the edge of range %u",
			     what, n, i);
	}
}

static void export(void)
{
	struct tphbuf_range ranges[] = { { 0, PAGE }, { 2 * PAGE, PAGE } };
	struct bar_memory mem = memory_open(DEVICE);
	unsigned int n, failed = 0;
	bool more = true;

	fail_nth_open();
	for (n = 1; more && n < FAIL_NTH_MANY; n++) {
		int fd;

		fail_nth(n);
		fd = memory_export_ranges(&mem, ranges, 2, O_RDWR | O_CLOEXEC);
		more = fail_nth_done();
		expect_true(fd >= 0 || is_injected(fd), "export %u: %d", n, fd);
		failed += fd < 0;
		if (fd >= 0)
			close(fd);
	}
	diag("%u chances, %u exports failed", n - 2, failed);
	expect_true(failed > 0 && n < FAIL_NTH_MANY, "some failed, and there was an end");
}

static void map_and_access(void)
{
	struct bar_memory mem = memory_open(DEVICE);
	int fd = memory_export(&mem, 0, PAGE);
	unsigned int n, failed = 0;
	bool more = true;

	fail_nth_open();
	for (n = 1; more && n < FAIL_NTH_MANY; n++) {
		uint32_t value;
		void *map;

		fail_nth(n);
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			expect_int(touch_read(map, &value), 0, "access %u: signal", n);
		more = fail_nth_done();
		failed += map == MAP_FAILED;
		if (map != MAP_FAILED)
			munmap(map, PAGE);
	}
	diag("%u chances, %u calls of mmap failed", n - 2, failed);
	expect_true(failed > 0 && n < FAIL_NTH_MANY, "some failed, and there was an end");
}

static void promotion(void)
{
	unsigned int n, failed = 0;
	bool more = true;

	fail_nth_open();
	for (n = 1; more && n < FAIL_NTH_MANY; n++) {
		struct bar_memory mem = memory_open(DEVICE);
		int fd = memory_export_ranges(&mem, apart, 2, O_RDWR | O_CLOEXEC), ret;

		require_error(fd < 0 ? fd : 0, 0, "export");
		fail_nth(n);
		ret = wc_set(&mem, fd);
		more = fail_nth_done();
		expect_true(!ret || is_injected(ret), "SET %u: %d", n, ret);
		failed += ret < 0;
		expect_promoted(&mem, !ret, "SET", n);
		expect_error(wc_set(&mem, fd), 0, "SET once more");
		expect_promoted(&mem, true, "SET after SET", n);
		close(fd);
		tphbuf_device_close(mem.dev);
	}
	diag("%u chances, %u promotions failed", n - 2, failed);
	expect_true(failed > 0 && n < FAIL_NTH_MANY, "some failed, and there was an end");
}

static void failslab(const char *name, unsigned int value)
{
	char path[80], text[20];

	snprintf(path, sizeof(path), FAILSLAB "%s", name);
	snprintf(text, sizeof(text), "%u", value);
	require_error(sysfs_write(path, text), 0, "write %s", path);
}

static unsigned int failures_left(void)
{
	unsigned int left = 0;
	FILE *file = fopen(FAILSLAB "times", "re");

	require_true(file && fscanf(file, "%u", &left) == 1, "read " FAILSLAB "times");
	fclose(file);
	return left;
}

/* SET while there are @space bytes of memory, and none for the next few allocations. */
static int wc_set_short_of_memory(struct bar_memory *mem, int fd, unsigned int space)
{
	int self = open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC), ret;

	require_true(self >= 0, "open make-it-fail");
	failslab("space", space);
	failslab("times", SHORTAGE);
	failslab("probability", 100);
	require_true(write(self, "1", 1) == 1, "let this thread fail");
	ret = wc_set(mem, fd);
	require_true(pwrite(self, "0", 1, 0) == 1, "stop it");
	failslab("probability", 0);
	close(self);
	return ret;
}

/* Not even undoing it has memory at once, and yet the BAR is what it was. */
static void promotion_short_of_memory(void)
{
	unsigned int space, failed = 0, undone = 0, left = 0;
	uint8_t bytes[6 * PAGE];

	fail_nth_open();
	failslab("interval", 1);
	require_error(sysfs_write(FAILSLAB "task-filter", "Y"), 0, "this process alone");
	for (space = 0; left < SHORTAGE && space < PLENTY; space += STEP) {
		struct bar_memory mem = memory_open(DEVICE);
		uint64_t phys = bar_address(DEVICE, MEMORY_BAR);
		int fd = memory_export_ranges(&mem, apart, 2, O_RDWR | O_CLOEXEC), ret;

		require_error(fd < 0 ? fd : 0, 0, "export");
		ret = wc_set_short_of_memory(&mem, fd, space);
		left = failures_left();
		expect_true(!ret || ret == -ENOMEM, "SET with %u bytes: %d", space, ret);
		failed += ret < 0;
		undone += ret < 0 && !left;
		expect_error(tphbuf_device_bar_read(mem.dev, MEMORY_BAR, 0, bytes, sizeof(bytes)),
			     0, "read() after SET with %u bytes", space);
		expect_int((int64_t)kernel_maps(phys, mem.size), (int64_t)mem.size,
			   "bytes that the kernel maps after SET with %u bytes", space);
		expect_promoted(&mem, !ret, "SET with bytes", space);
		expect_error(wc_set(&mem, fd), 0, "SET once more");
		close(fd);
		tphbuf_device_close(mem.dev);
	}
	diag("%u promotions failed, in %u undoing them was short of memory too", failed, undone);
	expect_true(undone > 0 && space < PLENTY, "some failed twice, and there was an end");
}

static const struct test_case cases[] = {
	{ "export", export },
	{ "map_and_access", map_and_access },
	{ "promotion", promotion },
	{ "promotion_short_of_memory", promotion_short_of_memory },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
