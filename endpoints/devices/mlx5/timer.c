// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timer: a thread that wakes the worker when a deadline comes.
 */
#include <errno.h>
#include <time.h>

#include "core.h"
#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "timer.h"

#define NS 1000000000ull

uint64_t mlx5_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

/* Waits until something changes or @deadline comes. Return: whether it came. */
static bool wait_until(struct mlx5_timer *timer, uint64_t deadline)
{
	struct timespec at = { .tv_sec = (time_t)(deadline / NS),
			       .tv_nsec = (long)(deadline % NS) };

	return pthread_cond_timedwait(&timer->changed, &timer->mutex, &at) == ETIMEDOUT;
}

static void *timer_main(void *arg)
{
	struct mlx5 *dev = arg;
	struct mlx5_timer *timer = &dev->timer;

	pthread_mutex_lock(&timer->mutex);
	while (!timer->stop) {
		if (!timer->deadline) {
			pthread_cond_wait(&timer->changed, &timer->mutex);
			continue;
		}
		if (!wait_until(timer, timer->deadline))
			continue;
		timer->deadline = 0;
		/* The fabric's lock comes before the mutex. */
		pthread_mutex_unlock(&timer->mutex);
		fabric_lock(pci_function_fabric(dev->fn));
		mlx5_kick(dev);
		fabric_unlock(pci_function_fabric(dev->fn));
		pthread_mutex_lock(&timer->mutex);
	}
	pthread_mutex_unlock(&timer->mutex);
	return NULL;
}

int mlx5_timer_start(struct mlx5 *dev)
{
	struct mlx5_timer *timer = &dev->timer;
	pthread_condattr_t attributes;

	pthread_mutex_init(&timer->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&timer->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!pthread_create(&timer->thread, NULL, timer_main, dev))
		return 0;
	pthread_cond_destroy(&timer->changed);
	pthread_mutex_destroy(&timer->mutex);
	return -EAGAIN;
}

void mlx5_timer_stop(struct mlx5_timer *timer)
{
	pthread_mutex_lock(&timer->mutex);
	timer->stop = true;
	pthread_cond_signal(&timer->changed);
	pthread_mutex_unlock(&timer->mutex);
	pthread_join(timer->thread, NULL);
	pthread_cond_destroy(&timer->changed);
	pthread_mutex_destroy(&timer->mutex);
}

void mlx5_timer_wake_at(struct mlx5_timer *timer, uint64_t deadline)
{
	pthread_mutex_lock(&timer->mutex);
	if (!timer->deadline || deadline < timer->deadline) {
		timer->deadline = deadline;
		pthread_cond_signal(&timer->changed);
	}
	pthread_mutex_unlock(&timer->mutex);
}
