// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mmap() of a dma-buf, and VFIO_DEVICE_FEATURE_DMA_BUF_WC, while a revocation
 * holds memory_lock and the reservation lock because it waits for a fence,
 * which the test signals in the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"
#include "sw_fence.h"
#include "vfio_dma_buf.h"
#include "waiting_call.h"

static int run_revoke(void *arg)
{
	struct bar_memory *mem = arg;

	return tphbuf_device_disable_memory(mem->dev);
}

/* SET for a dma-buf through a device. */
struct set_call {
	struct bar_memory *mem;
	int fd;
};

static int run_set(void *arg)
{
	struct set_call *set = arg;

	return wc_set(set->mem, set->fd);
}

static int run_map(void *arg)
{
	return try_map(*(int *)arg, PROT_READ, MAP_SHARED, 0, PAGE);
}

static enum memory_type type_at(volatile uint8_t *map)
{
	uint32_t value;

	expect_int(touch_read(map, &value), 0, "an access in the end: signal");
	return page_entries(map, PAGE).type;
}

/* The fence of @timeline lets it end; nothing has made the page of @fd write-combining. */
static void revocation_ends(struct bar_memory *mem, int timeline, struct call *revoke, int fd)
{
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(revoke), 0, "the revocation");
	memory_restore(mem);
	expect_true(type_at(map_shared(fd, 0, PAGE)) == TYPE_UC_MINUS, "uncached in the end");
}

static void mmap_interrupted(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE), timeline = add_fence(fd);
	struct call revoke, map;

	catch_signal(0);
	call_start(&revoke, run_revoke, &mem, 'D');
	call_start(&map, run_map, &fd, 'S');
	require_true(!pthread_kill(map.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&map), -EINTR, "mmap that a signal interrupted");
	call_start(&map, run_map, &fd, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&map), 0, "mmap without a signal");
	expect_error(call_end(&revoke), 0, "the revocation");
}

/* Another buffer than the one that is revoked: the lock of the device is left to wait for. */
static void set_waits(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fenced = memory_export(&mem, 0, PAGE), timeline = add_fence(fenced);
	int fd = memory_export(&mem, PAGE, PAGE);
	struct set_call arg = { .mem = &mem, .fd = fd };
	struct call revoke, set;

	catch_signal(0);
	call_start(&revoke, run_revoke, &mem, 'D');
	call_start(&set, run_set, &arg, 'D');
	require_true(!pthread_kill(set.thread, SIGUSR1), "send a signal that does not kill");
	pause_ms(SETTLE_MS);
	expect_true(!atomic_load(&set.done), "it waits on");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&set), 0, "SET after the wait");
	expect_error(call_end(&revoke), 0, "the revocation");
	memory_restore(&mem);
	expect_true(type_at(map_shared(fd, 0, PAGE)) == TYPE_WC, "write-combining in the end");
}

/* The buffer that is revoked, whose reservation lock any holder of it can keep busy. */
static void set_interrupted(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE), timeline = add_fence(fd);
	struct set_call arg = { .mem = &mem, .fd = fd };
	struct call revoke, set;

	catch_signal(SA_RESTART);
	call_start(&revoke, run_revoke, &mem, 'D');
	call_start(&set, run_set, &arg, 'S');
	require_true(!pthread_kill(set.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&set), -EINTR, "SET that a signal interrupted");
	revocation_ends(&mem, timeline, &revoke, fd);
}

static void waiting_set_is_killed(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fenced = memory_export(&mem, 0, PAGE), timeline = add_fence(fenced), status, ms;
	int fd = memory_export(&mem, PAGE, PAGE);
	struct call revoke;
	pid_t pid;

	call_start(&revoke, run_revoke, &mem, 'D');
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid)
		_exit(wc_set(&mem, fd) ? 1 : 0);
	pause_ms(SETTLE_MS);
	require_int(waitpid(pid, &status, WNOHANG), 0, "the child waits");
	kill(pid, SIGKILL);
	for (ms = 0; ms < WAIT_MS && waitpid(pid, &status, WNOHANG) != pid; ms++)
		pause_ms(1);
	expect_true(ms < WAIT_MS && WIFSIGNALED(status), "it dies");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");
	revocation_ends(&mem, timeline, &revoke, fd);
}

/* A device of its own has locks of its own: the reservation lock is what is left to wait for. */
static void set_through_another_device_interrupted(void)
{
	struct bar_memory mem = memory_open("acc0"), other = memory_open("acc1");
	int fd = memory_export(&mem, 0, PAGE), timeline = add_fence(fd);
	struct set_call arg = { .mem = &other, .fd = fd };
	struct call revoke, set;

	catch_signal(SA_RESTART);
	call_start(&revoke, run_revoke, &mem, 'D');
	call_start(&set, run_set, &arg, 'S');
	require_true(!pthread_kill(set.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&set), -EINTR, "SET that a signal interrupted");
	call_start(&set, run_set, &arg, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&set), -EXDEV,
		     "without a signal it sees that the buffer is not its own");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static const struct test_case cases[] = {
	{ "mmap_interrupted", mmap_interrupted },
	{ "set_waits", set_waits },
	{ "set_interrupted", set_interrupted },
	{ "waiting_set_is_killed", waiting_set_is_killed },
	{ "set_through_another_device_interrupted", set_through_another_device_interrupted },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
