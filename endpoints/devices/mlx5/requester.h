/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The send queue of a queue pair at work.
 */
#ifndef TPHBUF_MLX5_REQUESTER_H
#define TPHBUF_MLX5_REQUESTER_H

#include <stdbool.h>
#include <stdint.h>

struct ib_packet;
struct mlx5;
struct mlx5_qp;

/* Goes on with the send queue. Return: false when nothing is left to do for now. */
bool mlx5_requester_step(struct mlx5 *dev, struct mlx5_qp *qp);

/* Takes an answer over. */
void mlx5_requester_answer(struct mlx5 *dev, struct mlx5_qp *qp, struct ib_packet *answer);

/* The driver has handled the page fault. */
void mlx5_requester_resume(struct mlx5 *dev, struct mlx5_qp *qp, bool error);

/* Drops what is under way. */
void mlx5_requester_reset(struct mlx5_qp *qp);

/* Completes the next work request as flushed. Return: false when there is none. */
bool mlx5_requester_flush(struct mlx5 *dev, struct mlx5_qp *qp);

#endif
