// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A read() from the device file that waits in the middle, because the memory
 * that it reads into is not there: nothing else that is done with the device
 * waits for it. The memory is a dma-buf of another device whose reservation
 * lock is busy. acc0 is read, acc1 has the memory.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "sw_fence.h"
#include "vfio_dma_buf.h"
#include "waiting_call.h"

/**
 * struct blocked - a reader that waits
 * @mem: the device that is read
 * @other: the device with the memory that is read into
 * @into: a page of it, not touched yet
 * @bar: BAR that is read, at offset 0
 * @timeline: ends the wait
 * @revoke: what makes the page wait
 * @reader: the reader
 */
struct blocked {
	struct bar_memory mem;
	struct bar_memory other;
	volatile uint8_t *into;
	unsigned int bar;
	int timeline;
	struct call revoke;
	struct call reader;
};

static int run_revoke(void *arg)
{
	struct blocked *blocked = arg;

	return tphbuf_device_disable_memory(blocked->other.dev);
}

static int run_read(void *arg)
{
	struct blocked *blocked = arg;

	return tphbuf_device_bar_read(blocked->mem.dev, blocked->bar, 0, (void *)blocked->into, 16);
}

static void block_reader(struct blocked *blocked, unsigned int bar)
{
	int fd;

	blocked->mem = memory_open("acc0");
	blocked->other = memory_open("acc1");
	blocked->bar = bar;
	fd = memory_export(&blocked->other, 0, PAGE);
	blocked->into = map_shared(fd, 0, PAGE);
	blocked->timeline = add_fence(fd);
	call_start(&blocked->revoke, run_revoke, blocked, 'D');
	call_start(&blocked->reader, run_read, blocked, 'S');
}

static void end_reader(struct blocked *blocked)
{
	expect_true(!atomic_load(&blocked->reader.done), "the reader waits on");
	require_error(sw_fence_signal(blocked->timeline), 0, "signal the fence");
	expect_error(call_end(&blocked->revoke), 0, "the revocation of the other device");
	expect_error(call_end(&blocked->reader), -EFAULT, "the reader");
	memory_restore(&blocked->other);
	expect_error(run_read(blocked), 0, "the same read again");
}

static void expect_call(int (*run)(void *arg), struct blocked *blocked, const char *what)
{
	struct call call;

	diag("%s", what);
	call_begin(&call, run, blocked);
	expect_error(call_end(&call), 0, "%s", what);
}

/* Off and on takes memory_lock for writing, and revokes. */
static int run_config_write(void *arg)
{
	struct blocked *blocked = arg;
	int ret = tphbuf_device_disable_memory(blocked->mem.dev);

	return ret ? ret : tphbuf_device_enable_memory(blocked->mem.dev);
}

static int run_export_and_map(void *arg)
{
	struct blocked *blocked = arg;
	int fd = memory_export(&blocked->mem, 0, 4 * PAGE);
	volatile uint8_t *map = map_shared(fd, 0, 4 * PAGE);

	must_write(map, 1, "the new mapping");
	munmap((void *)map, 4 * PAGE);
	return close(fd) ? -errno : 0;
}

static int run_map_device_file(void *arg)
{
	struct blocked *blocked = arg;
	volatile uint8_t *map =
		map_shared(tphbuf_device_fd(blocked->mem.dev), blocked->mem.file_offset, PAGE);

	must_write(map, 1, "the device file");
	return munmap((void *)map, PAGE) ? -errno : 0;
}

static int run_set_all(void *arg)
{
	struct blocked *blocked = arg;
	int fd = memory_export(&blocked->mem, 4 * PAGE, PAGE), ret;
	struct raw_set_tph tag = raw_set(fd);

	ret = raw_feature(tphbuf_device_fd(blocked->mem.dev), &tag);
	if (!ret && !wc_probe(&blocked->mem))
		ret = wc_set(&blocked->mem, fd);
	if (!ret && !revoke_probe(&blocked->mem))
		ret = revoke_set(&blocked->mem, fd);
	close(fd);
	return ret;
}

static int run_reset(void *arg)
{
	struct blocked *blocked = arg;
	int ret = raw_reset(tphbuf_device_fd(blocked->mem.dev));

	return ret ? ret : tphbuf_device_enable_memory(blocked->mem.dev);
}

static void one_after_the_other(unsigned int bar)
{
	struct blocked blocked;

	block_reader(&blocked, bar);
	expect_call(run_config_write, &blocked, "a write to the command register");
	expect_call(run_export_and_map, &blocked, "an export, and mmap");
	expect_call(run_map_device_file, &blocked, "mmap of the device file");
	expect_call(run_set_all, &blocked, "SET of hints, of write-combining, and REVOKE");
	expect_call(run_reset, &blocked, "a reset");
	end_reader(&blocked);
}

static void memory_is_read(void)
{
	one_after_the_other(MEMORY_BAR);
}

static void registers_are_read(void)
{
	one_after_the_other(0);
}

#define ROUNDS	20

static int run_config_writes(void *arg)
{
	int ret = 0;

	for (int i = 0; i < ROUNDS && !ret; i++)
		ret = run_config_write(arg);
	return ret;
}

static int run_exports_and_maps(void *arg)
{
	struct blocked *blocked = arg;

	for (int i = 0; i < ROUNDS; i++) {
		int fd = memory_export(&blocked->mem, 0, 4 * PAGE);

		munmap((void *)map_shared(fd, 0, 4 * PAGE), 4 * PAGE);
		close(fd);
	}
	return 0;
}

/* Each of the three has a lock that another one wants, if there is a circle. */
static void all_at_once(void)
{
	struct blocked blocked;
	struct call writer, exporter;

	block_reader(&blocked, MEMORY_BAR);
	call_begin(&writer, run_config_writes, &blocked);
	call_begin(&exporter, run_exports_and_maps, &blocked);
	expect_error(call_end(&exporter), 0, "exports and mmap");
	expect_error(call_end(&writer), 0, "writes to the command register");
	end_reader(&blocked);
}

static const struct test_case cases[] = {
	{ "memory_is_read", memory_is_read },
	{ "registers_are_read", registers_are_read },
	{ "all_at_once", all_at_once },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
