/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion queues.
 */
#ifndef TPHBUF_MLX5_CQ_H
#define TPHBUF_MLX5_CQ_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "core.h"

struct mlx5_eq;

/**
 * enum mlx5_cq_arm - what the driver waits for
 * @MLX5_CQ_ANY: any completion
 * @MLX5_CQ_SOLICITED: a completion that the sender marked, or an error
 */
enum mlx5_cq_arm {
	MLX5_CQ_UNARMED,
	MLX5_CQ_ANY,
	MLX5_CQ_SOLICITED,
};

/**
 * struct mlx5_cq - a completion queue
 * @number: as in commands, doorbells and events
 * @log_entries: log2 of its size
 * @entry_size: 64 or 128 bytes; the completion is in the last 64
 * @overrun_ignored: the driver does not want to hear of a full queue
 * @failed: overrun or unreachable; nothing is added any more
 * @arm: see above
 * @producer: entries written, counts on without end
 * @consumer: the driver's position, 24 bits, as last seen
 * @told: @producer at the last completion event
 * @solicited: @producer behind the last solicited completion
 * @users: QPs and SRQs that report here
 * @eq: where completion events go
 * @doorbell: address of the doorbell record
 */
struct mlx5_cq {
	uint32_t number;
	uint8_t log_entries;
	uint8_t entry_size;
	bool overrun_ignored;
	bool failed;
	enum mlx5_cq_arm arm;
	uint32_t producer;
	uint32_t consumer;
	uint32_t told;
	uint32_t solicited;
	uint32_t users;
	struct mlx5_eq *eq;
	uint64_t doorbell;
	uint8_t context[ifc_size(cqc)];
	struct mlx5_buffer ring;
};

/**
 * mlx5_cq_post() - add a completion
 * @dev: the device
 * @cq: the queue
 * @entry: complete but for the owner bit
 * @solicited: wakes a driver that waits for solicited completions
 *
 * A queue that is full or cannot be written fails for good, with an event for the driver.
 */
void mlx5_cq_post(struct mlx5 *dev, struct mlx5_cq *cq, struct mlx5_cqe64 *entry, bool solicited);

/* Looks at one doorbell. Return: false when none is waiting. */
bool mlx5_cq_work(struct mlx5 *dev);

void mlx5_cq_destroy(struct mlx5 *dev, struct mlx5_cq *cq);

#endif
