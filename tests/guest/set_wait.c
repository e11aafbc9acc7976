// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH while its locks are taken. A revocation holds
 * memory_lock and the reservation lock of the buffer while it waits for a
 * fence, which the test signals in the end. SET through the device itself then
 * waits for memory_lock, SET through another device, which has a memory_lock of
 * its own, for the reservation lock.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "sw_fence.h"
#include "vfio_tph.h"
#include "wire.h"

#define SETTLE_MS	200
#define WAIT_MS		10000

struct call {
	pthread_t thread;
	int (*run)(void *arg);
	void *arg;
	atomic_int tid;
	atomic_bool done;
	int result;
};

static void pause_ms(long ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static void *call_thread(void *arg)
{
	struct call *call = arg;

	atomic_store(&call->tid, (int)syscall(SYS_gettid));
	call->result = call->run(call->arg);
	atomic_store(&call->done, true);
	return NULL;
}

/*
 * State of a thread as the kernel tells it: 'S' interruptible, 'D' not, 'R'
 * running; 0 when it has ended.
 */
static char thread_state(struct call *call)
{
	char path[64], text[200], *at;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&call->tid));
	file = fopen(path, "re");
	if (!file)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = 0;
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : 0;
}

/*
 * Starts a call in a thread, and returns when it waits in the kernel, in the
 * way that is expected of it.
 */
static void call_start(struct call *call, int (*run)(void *arg), void *arg, char state)
{
	int ms;

	*call = (struct call){ .run = run, .arg = arg };
	require_true(!pthread_create(&call->thread, NULL, call_thread, call), "start a thread");
	for (ms = 0; ms < WAIT_MS && (!atomic_load(&call->tid) || thread_state(call) != state); ms++)
		pause_ms(1);
	pause_ms(SETTLE_MS);
	require_true(!atomic_load(&call->done), "the call waits");
	require_int(thread_state(call), state, "state of the waiting thread");
}

static int call_end(struct call *call)
{
	int ms;

	for (ms = 0; ms < WAIT_MS && !atomic_load(&call->done); ms++)
		pause_ms(1);
	require_true(atomic_load(&call->done), "the call returns within %d s", WAIT_MS / 1000);
	require_true(!pthread_join(call->thread, NULL), "end a thread");
	return call->result;
}

static int run_revoke(void *arg)
{
	struct accelerator *acc = arg;

	return tphbuf_device_disable_memory(acc->dev);
}

/* A SET through a device. */
struct set_call {
	struct accelerator *acc;
	struct raw_set_tph arg;
};

static int run_set(void *arg)
{
	struct set_call *set = arg;

	return raw_feature(tphbuf_device_fd(set->acc->dev), &set->arg);
}

static struct set_call set_of(struct accelerator *acc, int fd)
{
	struct set_call set = { .acc = acc, .arg = raw_set(fd) };

	set.arg.flags = RAW_TPH_ST | RAW_TPH_ST_EXT;
	set.arg.steering_tag_ext = 0x0032;
	return set;
}

static void on_signal(int number)
{
	(void)number;
}

static void catch_signal(int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	require_true(!sigaction(SIGUSR1, &action, NULL), "catch a signal");
}

/*
 * The fence of the case. Threads that wait for it in a way that nothing
 * interrupts keep the process from ending.
 */
static int case_timeline = -1;

static void signal_fence(void)
{
	sw_fence_signal(case_timeline);
}

static int add_fence(int fd)
{
	int timeline = sw_fence_add(fd);

	require_error(timeline < 0 ? timeline : 0, 0,
		      "add a fence (the kernel needs CONFIG_SW_SYNC)");
	case_timeline = timeline;
	at_failure(signal_fence);
	return timeline;
}

static void set_is_interrupted(struct accelerator *through, struct accelerator *owner, int flags)
{
	struct tphbuf_tag tag = tag_ext(0x0031, 1);
	int fd = acc_export(owner, 0, 4 * PAGE, &tag), timeline = add_fence(fd);
	struct set_call set = set_of(through, fd);
	struct call revoke, call;
	struct wire_path path;

	catch_signal(flags);
	call_start(&revoke, run_revoke, owner, 'D');
	call_start(&call, run_set, &set, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR, "SET that a signal interrupted");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");

	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(owner, true);
	path = wire_path(owner, "dma0", fd);
	expect_writes(&path, wire_ext(0x0031, 1), "the tag is as it was before");
}

static void memory_lock_interrupted(void)
{
	struct accelerator acc = acc_open("acc0");

	set_is_interrupted(&acc, &acc, 0);
}

/*
 * The call is not restarted behind the back of the caller, whatever the handler
 * asks for.
 */
static void memory_lock_interrupted_sa_restart(void)
{
	struct accelerator acc = acc_open("acc0");

	set_is_interrupted(&acc, &acc, SA_RESTART);
}

static void resv_lock_interrupted(void)
{
	struct accelerator acc = acc_open("acc0"), other = acc_open("acc1");
	struct set_call set;
	int fd, timeline;
	struct call revoke, call;

	fd = acc_export(&acc, 0, PAGE, NULL);
	timeline = add_fence(fd);
	set = set_of(&other, fd);
	set.arg.flags = RAW_TPH_ST;
	catch_signal(0);
	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_set, &set, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR, "SET through another device that a signal interrupted");

	call_start(&call, run_set, &set, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), -EINVAL, "without a signal it sees that the buffer is not its own");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static void set_waits(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 4 * PAGE, NULL), timeline = add_fence(fd);
	struct set_call set = set_of(&acc, fd);
	struct call revoke, call;
	struct wire_path path;

	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_set, &set, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), 0, "SET after the wait");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(&acc, true);
	path = wire_path(&acc, "dma0", fd);
	expect_writes(&path, wire_ext(0x0032, 1), "the tag is there after the revocation");
}

/* What is refused before a lock is taken does not wait for it. */
static void early_errors_do_not_wait(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL), timeline = add_fence(fd);
	struct set_call set = set_of(&acc, fd);
	struct call revoke;

	call_start(&revoke, run_revoke, &acc, 'D');
	set.arg.flags = 1u << 7;
	expect_error(run_set(&set), -EINVAL, "bad flag");
	set = set_of(&acc, -1);
	expect_error(run_set(&set), -EBADF, "bad fd");
	set = set_of(&acc, STDIN_FILENO);
	expect_error(run_set(&set), -EINVAL, "no dma-buf");
	set.arg.feature |= RAW_FEATURE_PROBE;
	expect_error(run_set(&set), 0, "PROBE");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static void waiting_set_is_killed(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL), timeline = add_fence(fd), status, ms;
	struct call revoke;
	pid_t pid;

	call_start(&revoke, run_revoke, &acc, 'D');
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		struct set_call set = set_of(&acc, fd);

		_exit(run_set(&set) ? 1 : 0);
	}
	pause_ms(SETTLE_MS);
	require_int(waitpid(pid, &status, WNOHANG), 0, "the child waits");
	kill(pid, SIGKILL);
	for (ms = 0; ms < WAIT_MS && waitpid(pid, &status, WNOHANG) != pid; ms++)
		pause_ms(1);
	expect_true(ms < WAIT_MS && WIFSIGNALED(status), "it dies while the revocation waits on");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static int run_copy(void *arg)
{
	static uint32_t word;
	const struct wire_path *path = arg;

	return dma_engine_write(path->engine, path->handle, 0, &word, sizeof(word));
}

/*
 * The importer, too, waits for the reservation lock in a way that a signal
 * ends.
 */
static void importer_interrupted(void)
{
	struct tphbuf_tag tag = tag_ext(0x0033, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 4 * PAGE, &tag), timeline;
	struct wire_path path = wire_path(&acc, "dma0", fd);
	struct call revoke, call;

	expect_writes(&path, wire_ext(0x0033, 1), "before");
	timeline = add_fence(fd);
	catch_signal(0);
	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_copy, &path, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR, "a copy that a signal interrupted");
	call_start(&call, run_copy, &path, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), -ENODEV, "without a signal it sees that the buffer is revoked");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x0033, 1), "after");
}

static const struct test_case cases[] = {
	{ "memory_lock_interrupted", memory_lock_interrupted },
	{ "memory_lock_interrupted_sa_restart", memory_lock_interrupted_sa_restart },
	{ "resv_lock_interrupted", resv_lock_interrupted },
	{ "set_waits", set_waits },
	{ "early_errors_do_not_wait", early_errors_do_not_wait },
	{ "waiting_set_is_killed", waiting_set_is_killed },
	{ "importer_interrupted", importer_interrupted },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
