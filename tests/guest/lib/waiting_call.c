// SPDX-License-Identifier: GPL-2.0-or-later
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "sw_fence.h"
#include "waiting_call.h"

void pause_ms(long ms)
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

void call_begin(struct call *call, int (*run)(void *arg), void *arg)
{
	*call = (struct call){ .run = run, .arg = arg };
	require_true(!pthread_create(&call->thread, NULL, call_thread, call), "start a thread");
}

void call_start(struct call *call, int (*run)(void *arg), void *arg, char state)
{
	call_begin(call, run, arg);
	for (int ms = 0;
	     ms < WAIT_MS && (!atomic_load(&call->tid) || thread_state(call) != state); ms++)
		pause_ms(1);
	pause_ms(SETTLE_MS);
	require_true(!atomic_load(&call->done), "the call waits");
	require_int(thread_state(call), state, "state of the waiting thread");
}

int call_end(struct call *call)
{
	for (int ms = 0; ms < WAIT_MS && !atomic_load(&call->done); ms++)
		pause_ms(1);
	require_true(atomic_load(&call->done), "the call returns within %d s", WAIT_MS / 1000);
	require_true(!pthread_join(call->thread, NULL), "end a thread");
	return call->result;
}

static void on_signal(int number)
{
	(void)number;
}

void catch_signal(int flags)
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

int add_fence(int fd)
{
	int timeline = sw_fence_add(fd);

	require_error(timeline < 0 ? timeline : 0, 0,
		      "add a fence (the kernel needs CONFIG_SW_SYNC)");
	case_timeline = timeline;
	at_failure(signal_fence);
	return timeline;
}
