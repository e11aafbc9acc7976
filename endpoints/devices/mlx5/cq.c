// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion queues: completions, arming, commands.
 */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "cq.h"
#include "dma.h"
#include "doorbell.h"
#include "eq.h"

#define COUNTER_MASK 0xffffffu /* doorbells carry 24 bits */

/* Syndromes of a completion queue error event */
#define CQ_ERROR_OVERRUN 1
#define CQ_ERROR_ACCESS	 2

static void cq_fail(struct mlx5 *dev, struct mlx5_cq *cq, uint8_t syndrome)
{
	cq->failed = true;
	mlx5_event_cq_error(dev, cq->number, syndrome);
}

static void cq_notify(struct mlx5 *dev, struct mlx5_cq *cq)
{
	cq->arm = MLX5_CQ_UNARMED;
	cq->told = cq->producer;
	mlx5_event_completion(dev, cq->eq, cq->number);
}

/* The doorbell record tells how far the driver has read; it is looked at only when the queue seems
 * full. */
static int find_room(struct mlx5 *dev, struct mlx5_cq *cq)
{
	uint32_t entries = 1u << cq->log_entries;
	uint32_t consumer;
	int ret;

	if (cq->overrun_ignored || ((cq->producer - cq->consumer) & COUNTER_MASK) < entries)
		return 0;
	ret = mlx5_dma_read_be32(dev, cq->doorbell, &consumer);
	if (ret)
		return ret;
	cq->consumer = consumer & COUNTER_MASK;
	return ((cq->producer - cq->consumer) & COUNTER_MASK) < entries ? 0 : -ENOSPC;
}

/* Adds an entry. Return: false when the queue has failed, or a reset came. */
static bool add_entry(struct mlx5 *dev, struct mlx5_cq *cq, struct mlx5_cqe64 *entry)
{
	uint32_t entries = 1u << cq->log_entries;
	uint64_t offset = (uint64_t)(cq->producer % entries) * cq->entry_size;
	int ret;

	if (cq->failed)
		return false;
	ret = find_room(dev, cq);
	if (!ret) {
		entry->op_own = (uint8_t)(entry->op_own | (cq->producer >> cq->log_entries & 1));
		ret = mlx5_buffer_write_entry(dev, &cq->ring,
					      offset + cq->entry_size - sizeof(*entry), entry);
	}
	if (ret) {
		if (ret != -ECANCELED)
			cq_fail(dev, cq, ret == -ENOSPC ? CQ_ERROR_OVERRUN : CQ_ERROR_ACCESS);
		return false;
	}
	cq->producer++;
	return true;
}

void mlx5_cq_post(struct mlx5 *dev, struct mlx5_cq *cq, struct mlx5_cqe64 *entry, bool solicited)
{
	if (!add_entry(dev, cq, entry))
		return;
	if (solicited)
		cq->solicited = cq->producer;
	if (cq->arm == MLX5_CQ_ANY || (cq->arm == MLX5_CQ_SOLICITED && solicited))
		cq_notify(dev, cq);
}

/* An event comes at once for a completion that the driver has neither read nor been told of. */
static void cq_arm(struct mlx5 *dev, struct mlx5_cq *cq, uint32_t value)
{
	uint32_t position, unread;

	cq->arm = value & MLX5_CQ_DB_REQ_NOT_SOL ? MLX5_CQ_SOLICITED : MLX5_CQ_ANY;
	position = cq->arm == MLX5_CQ_ANY ? cq->producer : cq->solicited;
	/* As a signed distance of 24 bits: a solicited completion may lie behind the driver's
	 * position. */
	unread = (position - (value & COUNTER_MASK)) & COUNTER_MASK;
	if (unread && unread <= COUNTER_MASK / 2 && (int32_t)(position - cq->told) > 0)
		cq_notify(dev, cq);
}

bool mlx5_cq_work(struct mlx5 *dev)
{
	struct mlx5_cq *cq;
	uint32_t *number = &dev->doorbells.last_cq;

	if (!dev->doorbells.any_cq)
		return false;
	if (!mlx5_doorbell_take(dev->doorbells.cqs, 1u << MLX5_LOG_CQS, number)) {
		dev->doorbells.any_cq = false;
		return false;
	}
	cq = mlx5_table_get(&dev->cqs, *number);
	if (cq)
		cq_arm(dev, cq, dev->doorbells.cq_value[*number]);
	else
		dev->counters.bad_doorbells++;
	return true;
}

static unsigned int entry_size(const uint8_t *context)
{
	switch (ifc_get(cqc, context, cqe_sz)) {
	case CQE_STRIDE_64:
		return 64;
	case CQE_STRIDE_128:
	case CQE_STRIDE_128_PAD:
		return 128;
	default:
		return 0;
	}
}

/* The entries that a context describes; the command ends with their pages. */
static uint8_t ring_init(struct mlx5_buffer *ring, const struct mlx5_command *command,
			 const uint8_t *pages, const uint8_t *context)
{
	unsigned int log_entries = (unsigned int)ifc_get(cqc, context, log_cq_size);
	unsigned int size = entry_size(context);
	int ret;

	if (!size || log_entries > MLX5_LOG_CQ_ENTRIES)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	ret = mlx5_buffer_init(ring, pages, command->in_size - (size_t)(pages - command->in),
			       (unsigned int)ifc_get(cqc, context, log_page_size),
			       (unsigned int)ifc_get(cqc, context, page_offset),
			       (uint64_t)size << log_entries);
	if (ret)
		return ret == -ENOMEM ? MLX5_CMD_STAT_NO_RES_ERR : MLX5_CMD_STAT_BAD_PARAM_ERR;
	return MLX5_CMD_STAT_OK;
}

static uint8_t cq_create(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_cq_in, command->in, cq_context);
	struct mlx5_eq *eq = mlx5_table_get(&dev->eqs, ifc_get(cqc, context, c_eqn_or_apu_element));
	struct mlx5_cq *cq;
	uint8_t status;

	if (!eq || ifc_get(cqc, context, cqe_comp_en) ||
	    ifc_get(create_cq_in, command->in, cq_umem_valid) ||
	    ifc_get(cqc, context, dbr_umem_valid) || ifc_get(cqc, context, dbr_addr) % 8 ||
	    !mlx5_table_get(&dev->uars, ifc_get(cqc, context, uar_page)))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return MLX5_CMD_STAT_NO_RES_ERR;
	status = ring_init(&cq->ring, command, ifc_at(create_cq_in, command->in, pas), context);
	if (status) {
		free(cq);
		return status;
	}
	if (mlx5_table_add(&dev->cqs, cq, &cq->number)) {
		mlx5_buffer_free(&cq->ring);
		free(cq);
		return MLX5_CMD_STAT_LIM_ERR;
	}
	cq->log_entries = (uint8_t)ifc_get(cqc, context, log_cq_size);
	cq->entry_size = (uint8_t)entry_size(context);
	cq->overrun_ignored = ifc_get(cqc, context, oi);
	cq->doorbell = ifc_get(cqc, context, dbr_addr);
	cq->eq = eq;
	eq->cqs++;
	memcpy(cq->context, context, sizeof(cq->context));
	ifc_set(create_cq_out, command->out, cqn, cq->number);
	return MLX5_CMD_STAT_OK;
}

void mlx5_cq_destroy(struct mlx5 *dev, struct mlx5_cq *cq)
{
	mlx5_table_remove(&dev->cqs, cq->number);
	cq->eq->cqs--;
	mlx5_buffer_free(&cq->ring);
	free(cq);
}

static uint8_t cq_destroy(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_cq *cq = mlx5_table_get(&dev->cqs, ifc_get(destroy_cq_in, command->in, cqn));

	if (!cq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (cq->users)
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	mlx5_cq_destroy(dev, cq);
	return MLX5_CMD_STAT_OK;
}

static uint8_t cq_query(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_cq *cq = mlx5_table_get(&dev->cqs, ifc_get(query_cq_in, command->in, cqn));
	uint8_t *context = ifc_at(query_cq_out, command->out, cq_context);

	if (!cq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(context, cq->context, sizeof(cq->context));
	ifc_set(cqc, context, consumer_counter, cq->consumer);
	ifc_set(cqc, context, producer_counter, cq->producer);
	return MLX5_CMD_STAT_OK;
}

/* Whether the entries that the driver has not read, and the one that ends the old ring, fit into a
 * new one. */
static bool ring_holds_unread(struct mlx5 *dev, struct mlx5_cq *cq, uint64_t log_entries)
{
	uint32_t consumer;

	if (mlx5_dma_read_be32(dev, cq->doorbell, &consumer))
		return false;
	cq->consumer = consumer & COUNTER_MASK;
	return ((cq->producer - cq->consumer) & COUNTER_MASK) < 1u << log_entries;
}

/* A last entry in the old ring says that the next one is in the new ring. */
static uint8_t cq_resize(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_cq *cq = mlx5_table_get(&dev->cqs, ifc_get(modify_cq_in, command->in, cqn));
	const uint8_t *context = ifc_at(modify_cq_in, command->in, cq_context);
	struct mlx5_cqe64 last = { .op_own = MLX5_CQE_RESIZE_CQ << 4 };
	struct mlx5_buffer ring = { 0 };
	uint8_t status;

	if (!cq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (ifc_get(modify_cq_in, command->in, op_mod) != MLX5_CQ_OPMOD_RESIZE ||
	    ifc_get(modify_cq_in, command->in, cq_umem_valid))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	status = ring_init(&ring, command, ifc_at(modify_cq_in, command->in, pas), context);
	if (status)
		return status;
	if (!ring_holds_unread(dev, cq, ifc_get(cqc, context, log_cq_size)))
		status = MLX5_CMD_STAT_BAD_SIZE_OUTS_CQES_ERR;
	else if (!add_entry(dev, cq, &last))
		status = MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	if (status) {
		mlx5_buffer_free(&ring);
		return status;
	}
	mlx5_buffer_free(&cq->ring);
	cq->ring = ring;
	cq->log_entries = (uint8_t)ifc_get(cqc, context, log_cq_size);
	cq->entry_size = (uint8_t)entry_size(context);
	ifc_copy(cqc, cq->context, context, log_cq_size);
	ifc_copy(cqc, cq->context, context, log_page_size);
	ifc_copy(cqc, cq->context, context, page_offset);
	ifc_copy(cqc, cq->context, context, cqe_sz);
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_cq_commands[] = {
	MLX5_COMMAND(CREATE_CQ, INITIALIZED, create_cq, cq_create),
	MLX5_COMMAND(DESTROY_CQ, INITIALIZED, destroy_cq, cq_destroy),
	MLX5_COMMAND(QUERY_CQ, INITIALIZED, query_cq, cq_query),
	MLX5_COMMAND(MODIFY_CQ, INITIALIZED, modify_cq, cq_resize),
	{ 0 },
};
