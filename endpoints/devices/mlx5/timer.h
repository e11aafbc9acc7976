/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time: retries and polls of queue pairs wake the worker by it.
 */
#ifndef TPHBUF_MLX5_TIMER_H
#define TPHBUF_MLX5_TIMER_H

#include <stdint.h>

struct mlx5;
struct mlx5_timer;

/* CLOCK_MONOTONIC in ns. On any thread, without the lock. */
uint64_t mlx5_time(void);

/* Starts the timer's thread; the fabric's lock is not needed. Return: 0 or -EAGAIN. */
int mlx5_timer_start(struct mlx5 *dev);

/* Ends it; the fabric's lock is not held. */
void mlx5_timer_stop(struct mlx5_timer *timer);

/* The worker shall be woken at @deadline, or earlier if that was wanted before. */
void mlx5_timer_wake_at(struct mlx5_timer *timer, uint64_t deadline);

#endif
