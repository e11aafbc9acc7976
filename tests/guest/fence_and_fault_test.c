// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault on a dma-buf whose reservation lock is busy. Whoever was given
 * the fd can do that: it adds a fence, and a revocation holds the lock until
 * the fence signals. The thread that faults may wait, but it must not hold up
 * anybody else, and has to go when it is killed.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "sw_fence.h"
#include "waiting_call.h"

#define HUGE_ENTRY	(2 * MIB)
#define LENGTH		(2 * HUGE_ENTRY)

/**
 * struct busy - a dma-buf whose reservation lock is held
 * @mem: its device
 * @fd: the dma-buf
 * @map: a mapping of it, of which only the first page was touched
 * @timeline: signals the fence that the revocation waits for
 * @revoke: the revocation
 */
struct busy {
	struct bar_memory mem;
	int fd;
	volatile uint8_t *map;
	int timeline;
	struct call revoke;
};

static int run_revoke(void *arg)
{
	struct busy *busy = arg;

	return tphbuf_device_disable_memory(busy->mem.dev);
}

static void make_busy(struct busy *busy)
{
	busy->mem = memory_open("acc0");
	busy->fd = memory_export(&busy->mem, 0, LENGTH);
	busy->map = map_shared(busy->fd, 0, LENGTH);
	must_write(busy->map, 1, "the first page");
	busy->timeline = add_fence(busy->fd);
	call_start(&busy->revoke, run_revoke, busy, 'D');
}

static void end_busy(struct busy *busy)
{
	require_error(sw_fence_signal(busy->timeline), 0, "signal the fence");
	expect_error(call_end(&busy->revoke), 0, "the revocation");
}

/* The signal that an access gets. */
static int run_touch(void *arg)
{
	uint32_t value;

	return touch_read(arg, &value);
}

static void waits_and_ends(void)
{
	struct call touch;
	struct busy busy;
	uint32_t value;

	make_busy(&busy);
	expect_int(touch_read(busy.map, &value), 0,
		   "the revocation has not come to the mappings yet: signal");
	call_start(&touch, run_touch, (void *)(busy.map + HUGE_ENTRY), 'S');
	end_busy(&busy);
	expect_int(call_end(&touch), SIGBUS, "the access that waited: signal");
	must_bus(busy.map, "the first page");
	memory_restore(&busy.mem);
	must_write(busy.map + HUGE_ENTRY, 2, "the page, restored");
	must_write(busy.map, 2, "the first page, restored");
}

/* A large entry is not possible here. */
static void waits_for_a_page(void)
{
	struct call touch;
	struct busy busy;

	make_busy(&busy);
	require_true(!munmap((void *)(busy.map + HUGE_ENTRY), PAGE), "a page less");
	call_start(&touch, run_touch, (void *)(busy.map + HUGE_ENTRY + PAGE), 'S');
	end_busy(&busy);
	expect_int(call_end(&touch), SIGBUS, "the access that waited: signal");
}

/* What takes the mmap_lock for writing, and for reading behind a writer. */
static int run_change_mappings(void *arg)
{
	char *page =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (page == MAP_FAILED)
		return -1;
	page[0] = 1;
	if (mprotect(page, PAGE, PROT_READ) || munmap(page, 2 * PAGE))
		return -2;
	return 0;
}

/* The mapping itself, too, while a thread waits in it. */
static int run_split_mapping(void *arg)
{
	return mprotect((char *)arg + HUGE_ENTRY / 2, PAGE, PROT_READ);
}

static void rest_of_the_process_goes_on(void)
{
	struct call touch, change, split;
	struct busy busy;

	make_busy(&busy);
	call_start(&touch, run_touch, (void *)(busy.map + HUGE_ENTRY), 'S');
	call_begin(&change, run_change_mappings, NULL);
	expect_int(call_end(&change), 0, "mappings change while a thread waits");
	call_begin(&split, run_split_mapping, (void *)busy.map);
	expect_int(call_end(&split), 0, "the mapping is split while a thread waits in it");
	expect_true(!atomic_load(&touch.done), "the access waits on");
	end_busy(&busy);
	expect_int(call_end(&touch), SIGBUS, "the access that waited: signal");
}

static atomic_int handled;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&handled, 1);
}

static void signal_is_handled(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct call touch;
	struct busy busy;
	unsigned int ms;

	require_true(!sigaction(SIGUSR1, &action, NULL), "catch a signal");
	make_busy(&busy);
	call_start(&touch, run_touch, (void *)(busy.map + HUGE_ENTRY), 'S');
	require_true(!pthread_kill(touch.thread, SIGUSR1), "send a signal");
	for (ms = 0; ms < WAIT_MS && !atomic_load(&handled); ms++)
		pause_ms(1);
	expect_int(atomic_load(&handled), 1, "times that the handler ran");
	pause_ms(SETTLE_MS);
	expect_true(!atomic_load(&touch.done), "the access waits on");
	end_busy(&busy);
	expect_int(call_end(&touch), SIGBUS, "the access that waited: signal");
}

/* Runs @act in a child, which waits in it, and dies of SIGKILL. */
static void killed_in(void (*act)(struct busy *busy))
{
	struct busy busy;
	int status, ms;
	pid_t pid;

	make_busy(&busy);
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		act(&busy);
		_exit(0);
	}
	pause_ms(SETTLE_MS);
	require_int(waitpid(pid, &status, WNOHANG), 0, "the child waits");
	kill(pid, SIGKILL);
	for (ms = 0; ms < WAIT_MS && waitpid(pid, &status, WNOHANG) != pid; ms++)
		pause_ms(1);
	expect_true(ms < WAIT_MS && WIFSIGNALED(status), "the child dies");
	expect_true(!atomic_load(&busy.revoke.done), "the revocation waits on");
	end_busy(&busy);
}

static void act_touch(struct busy *busy)
{
	uint32_t value;

	touch_read(busy->map + HUGE_ENTRY, &value);
}

static void killed_in_an_access(void)
{
	killed_in(act_touch);
}

/* The kernel reads from the mapping on behalf of the process. */
static int copy_from(volatile uint8_t *at)
{
	int fds[2];

	if (pipe(fds))
		return -1;
	return write(fds[1], (const void *)at, 16) == 16 ? 0 : -errno;
}

static void act_copy(struct busy *busy)
{
	copy_from(busy->map + HUGE_ENTRY);
}

static void killed_in_an_access_by_the_kernel(void)
{
	killed_in(act_copy);
}

static int run_copy(void *arg)
{
	struct rusage usage;
	int ret = copy_from(arg);

	getrusage(RUSAGE_THREAD, &usage);
	diag("the copy took %ld ms of a processor",
	     usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000);
	expect_true(usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec <
			    (long)limit(1) * 500000,
		    "it does not spin");
	return ret;
}

/* A signal that does not kill ends no access by the kernel; the wait is still a wait. */
static void kernel_waits_on_after_a_signal(void)
{
	struct call copy;
	struct busy busy;

	catch_signal(0);
	make_busy(&busy);
	call_start(&copy, run_copy, (void *)(busy.map + HUGE_ENTRY), 'S');
	require_true(!pthread_kill(copy.thread, SIGUSR1), "send a signal");
	pause_ms(2000);
	expect_true(!atomic_load(&copy.done), "the copy waits on");
	end_busy(&busy);
	expect_error(call_end(&copy), -EFAULT, "the copy");
}

static const struct test_case cases[] = {
	{ "waits_and_ends", waits_and_ends },
	{ "waits_for_a_page", waits_for_a_page },
	{ "rest_of_the_process_goes_on", rest_of_the_process_goes_on },
	{ "signal_is_handled", signal_is_handled },
	{ "killed_in_an_access", killed_in_an_access },
	{ "killed_in_an_access_by_the_kernel", killed_in_an_access_by_the_kernel },
	{ "kernel_waits_on_after_a_signal", kernel_waits_on_after_a_signal },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
