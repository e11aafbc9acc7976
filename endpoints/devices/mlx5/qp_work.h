/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue pairs on the worker. Each function does a little, so that others have their turn, and
 * returns false when there was nothing to do.
 */
#ifndef TPHBUF_MLX5_QP_WORK_H
#define TPHBUF_MLX5_QP_WORK_H

#include <stdbool.h>

struct mlx5;

/* Looks at one doorbell. */
bool mlx5_qp_doorbell_work(struct mlx5 *dev);

/* Hands one packet that arrived to its queue pair. */
bool mlx5_qp_packet_work(struct mlx5 *dev);

/* Does a part of what one queue pair has to do: at most one packet's worth. */
bool mlx5_qp_work(struct mlx5 *dev);

/* Wakes the queue pairs whose time has come, and sets the timer for the others. */
void mlx5_qp_timer_work(struct mlx5 *dev);

#endif
