/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive queues that several QPs share: receive memory pools (RMP) and XRC shared receive queues.
 */
#ifndef TPHBUF_MLX5_SRQ_H
#define TPHBUF_MLX5_SRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "core.h"

struct mlx5_cq;

/**
 * struct mlx5_srq - a shared receive queue
 * @number: as in commands; RMPs and XRC SRQs share the numbers
 * @is_xrc: made by CREATE_XRC_SRQ
 * @pd: protection domain of its memory
 * @log_entries: log2 of its size
 * @log_stride: log2 of the bytes of a request
 * @next: number of the next request in the linked list; the driver keeps the list
 * @taken: requests taken since the queue was made, 16 bits as the doorbell record
 * @limit: an event tells when fewer requests are left; 0: none
 * @users: QPs
 * @cq: of an XRC SRQ
 * @doorbell: address of the doorbell record: requests posted since the queue was made
 * @context: as given, for queries; an rmpc or xrc_srqc
 */
struct mlx5_srq {
	uint32_t number;
	bool is_xrc;
	uint32_t pd;
	uint8_t log_entries;
	uint8_t log_stride;
	uint16_t next;
	uint16_t taken;
	uint16_t limit;
	uint32_t users;
	struct mlx5_cq *cq;
	uint64_t doorbell;
	uint8_t context[ifc_size(rmpc)];
	struct mlx5_buffer ring;
};

enum mlx5_srq_result {
	MLX5_SRQ_TAKEN,
	MLX5_SRQ_EMPTY,
	MLX5_SRQ_STOPPED, /* reset or fatal error */
	MLX5_SRQ_BROKEN,  /* ring or doorbell record cannot be used; the driver got an event */
};

/**
 * mlx5_srq_take() - take a receive request
 * @dev: the device
 * @srq: the queue
 * @wqe: receives its data segments
 * @size: in: room; out: bytes
 * @index: out: its number
 */
enum mlx5_srq_result mlx5_srq_take(struct mlx5 *dev, struct mlx5_srq *srq, uint8_t *wqe,
				   size_t *size, uint16_t *index);

/* The XRC SRQ of a number in an XRC domain; NULL when there is none. */
struct mlx5_srq *mlx5_srq_of_domain(struct mlx5 *dev, uint32_t number, uint32_t xrcd);

void mlx5_srq_destroy(struct mlx5 *dev, struct mlx5_srq *srq);

#endif
