// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that closes what belongs to clients.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "closer.h"

/* More than full: a message with as many descriptors as can be, and a few sockets. */
#define WAITING_MAX	(VFIO_USER_CLOSING_MAX + 512u)
#define PATIENCE_S	1

/**
 * struct vfio_user_closer - a thread and what it has to do
 * @lock: guards all else but @thread
 * @wake: signalled when there is something to do, or @stop
 * @thread: exists when @started
 * @started: something was to be closed once
 * @stop: the thread shall end when nothing is left
 * @notify: eventfd that is told when nothing is left, or -1
 * @fds: ring of descriptors that wait
 * @first: index in @fds of the first
 * @count: how many wait, the one that is being closed included
 */
struct vfio_user_closer {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool started;
	bool stop;
	int notify;
	int fds[WAITING_MAX];
	unsigned int first;
	unsigned int count;
};

struct vfio_user_closer *vfio_user_closer_create(void)
{
	struct vfio_user_closer *closer = calloc(1, sizeof(*closer));

	if (!closer)
		return NULL;
	pthread_mutex_init(&closer->lock, NULL);
	pthread_cond_init(&closer->wake, NULL);
	closer->notify = -1;
	return closer;
}

static void close_first(struct vfio_user_closer *closer)
{
	static const uint64_t one = 1;
	int fd = closer->fds[closer->first];

	pthread_mutex_unlock(&closer->lock);
	close(fd);
	pthread_mutex_lock(&closer->lock);
	closer->first = (closer->first + 1) % WAITING_MAX;
	closer->count--;
	if (closer->notify >= 0 && !closer->count) {
		(void)!write(closer->notify, &one, sizeof(one));
		closer->notify = -1;
	}
}

static void *closer_main(void *arg)
{
	struct vfio_user_closer *closer = arg;

	pthread_mutex_lock(&closer->lock);
	while (closer->count || !closer->stop) {
		if (closer->count)
			close_first(closer);
		else
			pthread_cond_wait(&closer->wake, &closer->lock);
	}
	pthread_mutex_unlock(&closer->lock);
	return NULL;
}

void vfio_user_closer_destroy(struct vfio_user_closer *closer)
{
	struct timespec until;

	if (!closer)
		return;
	pthread_mutex_lock(&closer->lock);
	closer->stop = true;
	closer->notify = -1;
	pthread_cond_signal(&closer->wake);
	pthread_mutex_unlock(&closer->lock);
	if (closer->started) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += PATIENCE_S;
		if (pthread_timedjoin_np(closer->thread, NULL, &until)) {
			/* Its thread goes on to use it. */
			pthread_detach(closer->thread);
			return;
		}
	}
	pthread_cond_destroy(&closer->wake);
	pthread_mutex_destroy(&closer->lock);
	free(closer);
}

void vfio_user_closer_close(struct vfio_user_closer *closer, int fd)
{
	bool kept = false;

	pthread_mutex_lock(&closer->lock);
	if (!closer->started)
		closer->started = !pthread_create(&closer->thread, NULL, closer_main, closer);
	if (closer->started && closer->count < WAITING_MAX) {
		closer->fds[(closer->first + closer->count++) % WAITING_MAX] = fd;
		pthread_cond_signal(&closer->wake);
		kept = true;
	}
	pthread_mutex_unlock(&closer->lock);
	/* Without a thread there is no better way. */
	if (!kept)
		close(fd);
}

bool vfio_user_closer_is_full(struct vfio_user_closer *closer)
{
	bool full;

	pthread_mutex_lock(&closer->lock);
	full = closer->count >= VFIO_USER_CLOSING_MAX;
	pthread_mutex_unlock(&closer->lock);
	return full;
}

void vfio_user_closer_notify(struct vfio_user_closer *closer, int fd)
{
	static const uint64_t one = 1;

	pthread_mutex_lock(&closer->lock);
	if (!closer->count)
		(void)!write(fd, &one, sizeof(one));
	else
		closer->notify = fd;
	pthread_mutex_unlock(&closer->lock);
}
