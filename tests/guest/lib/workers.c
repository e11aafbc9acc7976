// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case.h"
#include "dma_engine_user.h"
#include "workers.h"

#define WAIT_SECONDS	30

static void *work(void *arg)
{
	struct workers *w = arg;
	uint8_t *data = malloc(w->length);

	if (!data)
		return NULL;
	memset(data, 0x5a, w->length);
	while (!atomic_load(&w->stop)) {
		int ret = dma_engine_write(w->engine, w->handle, 0, data, w->length);

		if (!ret) {
			atomic_fetch_add(&w->ok, 1);
		} else if (ret == w->allowed) {
			atomic_fetch_add(&w->refused, 1);
		} else {
			atomic_store(&w->error, ret);
			atomic_fetch_add(&w->wrong, 1);
		}
	}
	free(data);
	return NULL;
}

void workers_start(struct workers *w, unsigned int count)
{
	while (w->count < count) {
		require_true(!pthread_create(&w->threads[w->count], NULL, work, w),
			     "start a thread");
		w->count++;
	}
}

void workers_wait(atomic_ullong *counter, unsigned long long n, const char *what)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned long long goal = atomic_load(counter) + n;
	unsigned int seconds = limit(WAIT_SECONDS);

	for (unsigned int i = 0; i < seconds * 1000 && atomic_load(counter) < goal; i++)
		nanosleep(&pause, NULL);
	require_true(atomic_load(counter) >= goal, "%s: %llu more in %u s", what, n, seconds);
}

void workers_stop(struct workers *w)
{
	atomic_store(&w->stop, true);
	for (unsigned int i = 0; i < w->count; i++)
		require_true(!pthread_join(w->threads[i], NULL), "end a thread");
	expect_int(atomic_load(&w->wrong), 0, "copies that ended in a way that is not allowed");
	if (atomic_load(&w->wrong))
		expect_error(atomic_load(&w->error), 0, "how one of them ended");
}
