// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Export, mmap, access and promotion of a dma-buf with the n-th allocation of
 * the call failing, n = 1, 2, ... until none is left to fail: every call ends
 * with an errno that says so or well, and one that fails has changed nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"

/* More allocations than any of the calls makes. */
#define MANY		500u

/* fail-nth of this process, open all the time: opening it allocates. */
static int control;

/*
 * The @n-th allocation from now on fails, or copy from or to the user. What is
 * armed at the moment may hit this very call, and is over then.
 */
static void fail_nth(unsigned int n)
{
	char text[20];
	int length = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(control, text, (size_t)length, 0) != length)
		require_int(errno, EFAULT, "errno of arming a failure");
}

/*
 * Whether the failure that fail_nth() armed has happened; it is disarmed. If
 * not, reading what is left is a chance to fail as well.
 */
static bool has_failed(void)
{
	char left = 0;

	if (pread(control, &left, 1, 0) != 1)
		require_int(errno, EFAULT, "errno of reading what is left");
	fail_nth(0);
	return left == '0';
}

static void prepare(void)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc" };
	char path[80];

	control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	require_true(control >= 0, "open fail-nth (the kernel needs CONFIG_FAULT_INJECTION)");
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", kinds[i]);
		require_error(sysfs_write(path, "N"), 0, "let allocations fail that may wait");
		/* A stack trace for each would drown the kernel log. */
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", kinds[i]);
		require_error(sysfs_write(path, "0"), 0, "be quiet about it");
	}
	require_error(sysfs_write("/sys/kernel/debug/fail_usercopy/verbose", "0"), 0,
		      "be quiet about it");
}

static bool is_failure(int ret)
{
	return ret == -ENOMEM || ret == -EFAULT;
}

static enum memory_type type_of(int fd)
{
	volatile uint8_t *map = map_shared(fd, 0, PAGE);
	enum memory_type type;
	uint32_t value;

	require_int(touch_read(map, &value), 0, "an access: signal");
	type = page_entries(map, PAGE).type;
	munmap((void *)map, PAGE);
	return type;
}

static void export(void)
{
	struct tphbuf_range ranges[] = { { 0, PAGE }, { 2 * PAGE, PAGE } };
	struct bar_memory mem = memory_open("acc0");
	unsigned int n, failed = 0;
	bool more = true;

	prepare();
	for (n = 1; more && n < MANY; n++) {
		int fd;

		fail_nth(n);
		fd = memory_export_ranges(&mem, ranges, 2, O_RDWR | O_CLOEXEC);
		more = has_failed();
		expect_true(fd >= 0 || is_failure(fd), "export %u: %d", n, fd);
		failed += fd < 0;
		if (fd >= 0)
			close(fd);
	}
	diag("%u chances, %u exports failed", n - 2, failed);
	expect_true(failed > 0 && n < MANY, "some failed, and there was an end");
}

static void map_and_access(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE);
	unsigned int n, failed = 0;
	bool more = true;

	prepare();
	for (n = 1; more && n < MANY; n++) {
		uint32_t value;
		void *map;

		fail_nth(n);
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			expect_int(touch_read(map, &value), 0, "access %u: signal", n);
		more = has_failed();
		failed += map == MAP_FAILED;
		if (map != MAP_FAILED)
			munmap(map, PAGE);
	}
	diag("%u chances, %u calls of mmap failed", n - 2, failed);
	expect_true(failed > 0 && n < MANY, "some failed, and there was an end");
}

static void promotion(void)
{
	/* Two separate ranges, so that the second can fail when the first is done. */
	struct tphbuf_range ranges[] = { { 0, PAGE }, { 2 * PAGE, PAGE } };
	unsigned int n, failed = 0;
	bool more = true;

	prepare();
	for (n = 1; more && n < MANY; n++) {
		struct bar_memory mem = memory_open("acc0");
		int fd = memory_export_ranges(&mem, ranges, 2, O_RDWR | O_CLOEXEC), ret;

		require_error(fd < 0 ? fd : 0, 0, "export");
		fail_nth(n);
		ret = wc_set(&mem, fd);
		more = has_failed();
		expect_true(!ret || is_failure(ret), "SET %u: %d", n, ret);
		failed += ret < 0;
		expect_true(type_of(fd) == (ret ? TYPE_UC_MINUS : TYPE_WC),
			    "SET %u ended with %d: %s", n, ret, memory_type_name(type_of(fd)));
		expect_error(wc_set(&mem, fd), 0, "SET once more");
		expect_true(type_of(fd) == TYPE_WC, "then: %s", memory_type_name(type_of(fd)));
		close(fd);
		tphbuf_device_close(mem.dev);
	}
	diag("%u chances, %u promotions failed", n - 2, failed);
	expect_true(failed > 0 && n < MANY, "some failed, and there was an end");
}

static const struct test_case cases[] = {
	{ "export", export },
	{ "map_and_access", map_and_access },
	{ "promotion", promotion },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
