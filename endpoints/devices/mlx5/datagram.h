/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unreliable datagrams.
 */
#ifndef TPHBUF_MLX5_DATAGRAM_H
#define TPHBUF_MLX5_DATAGRAM_H

#include <stdint.h>

struct ib_packet;
struct mlx5;
struct mlx5_qp;

/* Sends the current work request as a datagram. Return: the syndrome, 0 for success. */
uint8_t mlx5_datagram_send(struct mlx5 *dev, struct mlx5_qp *qp);

/* Delivers a datagram; it is freed by the caller. */
void mlx5_datagram_receive(struct mlx5 *dev, struct mlx5_qp *qp, const struct ib_packet *packet);

#endif
