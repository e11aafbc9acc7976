/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of queue pairs.
 */
#ifndef TPHBUF_MLX5_QP_COMMAND_H
#define TPHBUF_MLX5_QP_COMMAND_H

struct mlx5;
struct mlx5_qp;

/* Ends what is under way and frees the queue pair. */
void mlx5_qp_destroy(struct mlx5 *dev, struct mlx5_qp *qp);

#endif
