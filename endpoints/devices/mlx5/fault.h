/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults, as they are reported.
 */
#ifndef TPHBUF_MLX5_FAULT_H
#define TPHBUF_MLX5_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct mlx5;
struct mlx5_qp;
struct mlx5_responder;

/**
 * mlx5_fault_raise_wqe() - report a page fault of a work request's own memory
 * @dev: the device
 * @qp: its QP
 * @type: MLX5_WQE_PF_TYPE_*
 * @index: number of the work request
 * @committed: bytes of it that are done
 * @length: bytes wanted next
 *
 * Return: the token that the driver will resume with, 0 when it does not handle page faults.
 */
uint32_t mlx5_fault_raise_wqe(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t type, uint16_t index,
			      uint64_t committed, uint32_t length);

/**
 * mlx5_fault_raise_rdma() - report a page fault of an access through a remote key
 * @dev: the device
 * @responder: the message that it is part of
 * @length: bytes wanted next
 * @write: the access writes
 *
 * Return: as mlx5_fault_raise_wqe().
 */
uint32_t mlx5_fault_raise_rdma(struct mlx5 *dev, const struct mlx5_responder *responder,
			       uint32_t length, bool write);

#endif
