/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that wait in the kernel while a revocation, which itself waits for a
 * fence of the test, holds memory_lock and the reservation lock of a buffer.
 */
#ifndef TPHBUF_TESTS_WAITING_CALL_H
#define TPHBUF_TESTS_WAITING_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define SETTLE_MS	200
#define WAIT_MS		10000

/**
 * struct call - a call in a thread of its own
 * @thread: the thread
 * @run: what it does; the value is in @result when it has ended
 * @arg: for @run
 * @tid: number of the thread, 0 until it runs
 * @done: @run has returned
 */
struct call {
	pthread_t thread;
	int (*run)(void *arg);
	void *arg;
	atomic_int tid;
	atomic_bool done;
	int result;
};

void pause_ms(long ms);

/*
 * Starts a call, and returns when it waits in the kernel as is expected of it:
 * @state is 'S' for an interruptible wait and 'D' for another.
 */
void call_start(struct call *call, int (*run)(void *arg), void *arg, char state);

/* Starts a call that may wait or not. */
void call_begin(struct call *call, int (*run)(void *arg), void *arg);

/* Waits until the call returns, or the case ends. Returns its result. */
int call_end(struct call *call);

/*
 * Adds a fence to a dma-buf, once a case; returns the timeline for
 * sw_fence_signal(). It is signaled as well when a requirement of the case fails:
 * threads that wait for it in a way that nothing interrupts would keep the
 * process from ending.
 */
int add_fence(int dmabuf);

/* SIGUSR1 interrupts calls of this process; @flags are those of sigaction(). */
void catch_signal(int flags);

#endif
