/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HCA capabilities: what the function can do at most, and what the driver chose.
 */
#ifndef TPHBUF_MLX5_CAP_H
#define TPHBUF_MLX5_CAP_H

struct mlx5;

/* Back to the capabilities before any SET_HCA_CAP. */
void mlx5_caps_reset(struct mlx5 *dev);

#endif
