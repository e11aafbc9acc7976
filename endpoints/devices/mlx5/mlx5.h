/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RDMA NIC: a ConnectX function that the mlx5 drivers accept, as
 * docs/reference/mlx5.md describes it.
 */
#ifndef TPHBUF_MLX5_H
#define TPHBUF_MLX5_H

#include "../device_type.h"

extern const struct device_type mlx5_type;

#endif
