/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side of a queue pair at work.
 */
#ifndef TPHBUF_MLX5_RESPONDER_H
#define TPHBUF_MLX5_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

struct ib_packet;
struct mlx5;
struct mlx5_qp;

/* Takes a request over. */
void mlx5_responder_request(struct mlx5 *dev, struct mlx5_qp *qp, struct ib_packet *request);

/* The driver has handled the page fault. */
void mlx5_responder_resume(struct mlx5 *dev, struct mlx5_qp *qp, bool error);

/* Lets go of a request that waits for a page, if there is one; its sender hears that it is lost. */
void mlx5_responder_drop(struct mlx5 *dev, struct mlx5_qp *qp);

/* Drops what is under way. */
void mlx5_responder_reset(struct mlx5 *dev, struct mlx5_qp *qp);

/* Completes the next receive request as flushed. Return: false when there is none. */
bool mlx5_responder_flush(struct mlx5 *dev, struct mlx5_qp *qp);

/*
 * Gets a receive request for the message under way. Return: 1, 0 when there is none, -ECANCELED, or
 * another -errno: then the QP has failed.
 */
int mlx5_responder_take(struct mlx5 *dev, struct mlx5_qp *qp);

/* Completes the current receive request with a syndrome. */
void mlx5_responder_error(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t syndrome);

#endif
