/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queues: entries in memory, doorbells of the driver, interrupts.
 */
#ifndef TPHBUF_MLX5_EQ_H
#define TPHBUF_MLX5_EQ_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "core.h"

/**
 * struct mlx5_eq - an event queue
 * @number: as in commands and doorbells
 * @log_entries: log2 of its size
 * @vector: MSI-X vector
 * @armed: the next entry sends an interrupt
 * @producer: entries written, counts on without end
 * @consumer: the driver's position, 24 bits, from its last doorbell
 * @events: asynchronous event types that belong here
 * @cqs: completion queues that report here
 * @context: as given, for QUERY_EQ
 * @ring: the entries
 */
struct mlx5_eq {
	uint8_t number;
	uint8_t log_entries;
	uint16_t vector;
	bool armed;
	uint32_t producer;
	uint32_t consumer;
	uint64_t events[4];
	uint32_t cqs;
	uint8_t context[ifc_size(eqc)];
	struct mlx5_buffer ring;
};

/* The queue for an asynchronous event type, NULL when the driver made none. */
struct mlx5_eq *mlx5_eq_for_event(struct mlx5 *dev, uint8_t type);

/* Looks at one doorbell. Return: false when none is waiting. */
bool mlx5_eq_work(struct mlx5 *dev);

/*
 * The events. An event without a queue is lost, as on the real device. A full queue or one that
 * cannot be written is fatal.
 */
void mlx5_event_command(struct mlx5 *dev, struct mlx5_eq *eq, unsigned int slot);
void mlx5_event_completion(struct mlx5 *dev, struct mlx5_eq *eq, uint32_t cq_number);
void mlx5_event_cq_error(struct mlx5 *dev, uint32_t cq_number, uint8_t syndrome);

/* @type: MLX5_EVENT_TYPE_* of those that name a QP or SRQ. */
void mlx5_event_queue(struct mlx5 *dev, uint8_t type, uint32_t number);

/* @subtype: MLX5_PFAULT_SUBTYPE_*. Return: false when the driver has no queue for page faults. */
bool mlx5_event_page_fault(struct mlx5 *dev, uint8_t subtype,
			   const struct mlx5_eqe_page_fault *fault);

void mlx5_eq_destroy(struct mlx5 *dev, struct mlx5_eq *eq);

#endif
