/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that copy into a buffer for as long as they are let, and count what
 * became of it.
 */
#ifndef TPHBUF_TESTS_WORKERS_H
#define TPHBUF_TESTS_WORKERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKERS_MAX	8

/**
 * struct workers - threads that copy
 * @engine: device file of the engine
 * @handle: the buffer there
 * @length: bytes of each copy, to offset 0
 * @allowed: error that a copy may end with, besides 0; any other is a failure
 * @ok: copies that ended with 0
 * @refused: copies that ended with @allowed
 * @wrong: copies that ended with anything else
 * @error: the last of those
 */
struct workers {
	int engine;
	uint32_t handle;
	size_t length;
	int allowed;

	unsigned int count;
	pthread_t threads[WORKERS_MAX];
	atomic_bool stop;
	atomic_ullong ok;
	atomic_ullong refused;
	atomic_ullong wrong;
	atomic_int error;
};

/* Starts @count threads, or the case ends. */
void workers_start(struct workers *w, unsigned int count);

/*
 * Waits until @counter has grown by @n; the case fails when it does not within
 * some seconds.
 */
void workers_wait(atomic_ullong *counter, unsigned long long n, const char *what);

/*
 * Ends the threads, and expects that no copy ended in another way than allowed.
 */
void workers_stop(struct workers *w);

#endif
