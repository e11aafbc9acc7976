/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The function's link to the InfiniBand subnet.
 */
#ifndef TPHBUF_MLX5_LINK_H
#define TPHBUF_MLX5_LINK_H

#include <stdint.h>

#include "infiniband/subnet.h"

struct mlx5;

/* Joins the subnet of @fabric, which is not locked. Return: as ib_port_join(). */
int mlx5_link_join(struct mlx5 *dev, struct fabric *fabric, uint16_t lid);

/* As ib_port_answer() and ib_port_flush(); without memory for an answer the function stops. */
void mlx5_link_answer(struct mlx5 *dev, const struct ib_packet *request, enum ib_packet_kind kind,
		      uint8_t code);
void mlx5_link_flush(struct mlx5 *dev);

#endif
