/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-mode memory registration.
 */
#ifndef TPHBUF_MLX5_UMR_H
#define TPHBUF_MLX5_UMR_H

#include <stdint.h>

struct mlx5;
struct mlx5_qp;

/* Executes the current work request, a UMR. Return: the syndrome, 0 for success. */
uint8_t mlx5_umr_execute(struct mlx5 *dev, struct mlx5_qp *qp);

#endif
