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
 * @ended: it has
 * @abandoned: nobody waits for the thread any more, which frees this at its end
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
	bool ended;
	bool abandoned;
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

static void closer_free(struct vfio_user_closer *closer)
{
	pthread_cond_destroy(&closer->wake);
	pthread_mutex_destroy(&closer->lock);
	free(closer);
}

static void *closer_main(void *arg)
{
	struct vfio_user_closer *closer = arg;
	bool abandoned;

	pthread_mutex_lock(&closer->lock);
	while (closer->count || !closer->stop) {
		if (closer->count)
			close_first(closer);
		else
			pthread_cond_wait(&closer->wake, &closer->lock);
	}
	closer->ended = true;
	abandoned = closer->abandoned;
	pthread_mutex_unlock(&closer->lock);
	if (abandoned)
		closer_free(closer);
	return NULL;
}

/* Whether the thread goes on alone; else it has ended and was waited for. */
static bool abandon(struct vfio_user_closer *closer)
{
	struct timespec until;
	bool ended;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (!pthread_timedjoin_np(closer->thread, NULL, &until))
		return false;
	pthread_mutex_lock(&closer->lock);
	ended = closer->ended;
	closer->abandoned = !ended;
	if (!ended)
		pthread_detach(closer->thread);
	pthread_mutex_unlock(&closer->lock);
	if (ended)
		pthread_join(closer->thread, NULL);
	return !ended;
}

void vfio_user_closer_destroy(struct vfio_user_closer *closer)
{
	if (!closer)
		return;
	pthread_mutex_lock(&closer->lock);
	closer->stop = true;
	closer->notify = -1;
	pthread_cond_signal(&closer->wake);
	pthread_mutex_unlock(&closer->lock);
	if (!closer->started || !abandon(closer))
		closer_free(closer);
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
