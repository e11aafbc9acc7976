// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared receive queues: taking requests, limits, commands.
 */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "cq.h"
#include "dma.h"
#include "eq.h"
#include "srq.h"

#define NEXT_SEGMENT_SIZE sizeof(struct mlx5_wqe_srq_next_seg)
#define LOG_STRIDE_MIN	  5 /* the link and one data segment */
#define LOG_STRIDE_MAX	  10
#define WQE_MAX		  (1u << LOG_STRIDE_MAX)

static enum mlx5_srq_result srq_broken(struct mlx5 *dev, struct mlx5_srq *srq, int ret)
{
	if (ret == -ECANCELED)
		return MLX5_SRQ_STOPPED;
	mlx5_event_queue(dev, MLX5_EVENT_TYPE_SRQ_CATAS_ERROR, srq->number);
	return MLX5_SRQ_BROKEN;
}

static void check_limit(struct mlx5 *dev, struct mlx5_srq *srq, uint16_t left)
{
	if (left >= srq->limit)
		return;
	srq->limit = 0;
	mlx5_event_queue(dev, MLX5_EVENT_TYPE_SRQ_RQ_LIMIT, srq->number);
}

enum mlx5_srq_result mlx5_srq_take(struct mlx5 *dev, struct mlx5_srq *srq, uint8_t *wqe,
				   size_t *size, uint16_t *index)
{
	size_t stride = 1u << srq->log_stride;
	uint8_t entry[WQE_MAX];
	uint32_t posted;
	uint16_t left;
	int ret;

	ret = mlx5_dma_read_be32(dev, srq->doorbell, &posted);
	if (ret)
		return srq_broken(dev, srq, ret);
	left = (uint16_t)(posted - srq->taken);
	if (!left)
		return MLX5_SRQ_EMPTY;
	if (left > 1u << srq->log_entries || stride - NEXT_SEGMENT_SIZE > *size)
		return srq_broken(dev, srq, -EINVAL);
	ret = mlx5_buffer_read(dev, &srq->ring, (uint64_t)srq->next << srq->log_stride, entry,
			       stride);
	if (ret)
		return srq_broken(dev, srq, ret);
	*index = srq->next;
	*size = stride - NEXT_SEGMENT_SIZE;
	memcpy(wqe, entry + NEXT_SEGMENT_SIZE, *size);
	srq->next = get_be16(entry + offsetof(struct mlx5_wqe_srq_next_seg, next_wqe_index));
	srq->next &= (uint16_t)((1u << srq->log_entries) - 1);
	srq->taken++;
	check_limit(dev, srq, left - 1);
	return MLX5_SRQ_TAKEN;
}

/* What the two kinds of context say alike. */
struct shape {
	uint32_t pd;
	unsigned int log_entries;
	unsigned int log_stride;
	unsigned int log_page_size;
	unsigned int page_offset;
	uint64_t doorbell;
	const uint8_t *pages;
	bool elsewhere; /* memory by umem id, or another way to lay out requests */
};

static uint8_t srq_make(struct mlx5 *dev, const struct mlx5_command *command,
			const struct shape *shape, struct mlx5_srq **result)
{
	struct mlx5_srq *srq;
	int ret;

	if (shape->elsewhere || shape->log_stride < LOG_STRIDE_MIN ||
	    shape->log_stride > LOG_STRIDE_MAX || shape->log_entries > MLX5_LOG_QUEUE_ENTRIES ||
	    shape->doorbell % 4)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (!mlx5_table_get(&dev->pds, shape->pd))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return MLX5_CMD_STAT_NO_RES_ERR;
	ret = mlx5_buffer_init(&srq->ring, shape->pages,
			       command->in_size - (size_t)(shape->pages - command->in),
			       shape->log_page_size, shape->page_offset,
			       1ull << (shape->log_entries + shape->log_stride));
	if (ret) {
		free(srq);
		return ret == -ENOMEM ? MLX5_CMD_STAT_NO_RES_ERR : MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	if (mlx5_table_add(&dev->srqs, srq, &srq->number)) {
		mlx5_buffer_free(&srq->ring);
		free(srq);
		return MLX5_CMD_STAT_LIM_ERR;
	}
	srq->pd = shape->pd;
	srq->log_entries = (uint8_t)shape->log_entries;
	srq->log_stride = (uint8_t)shape->log_stride;
	srq->doorbell = shape->doorbell;
	*result = srq;
	return MLX5_CMD_STAT_OK;
}

static uint8_t create_rmp(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_rmp_in, command->in, ctx);
	const uint8_t *wq = ifc_at(rmpc, context, wq);
	struct shape shape = {
		.pd = (uint32_t)ifc_get(wq, wq, pd),
		.log_entries = (unsigned int)ifc_get(wq, wq, log_wq_sz),
		.log_stride = (unsigned int)ifc_get(wq, wq, log_wq_stride),
		.log_page_size = (unsigned int)ifc_get(wq, wq, log_wq_pg_sz),
		.page_offset = (unsigned int)ifc_get(wq, wq, page_offset),
		.doorbell = ifc_get(wq, wq, dbr_addr),
		.pages = ifc_at(wq, wq, pas),
		.elsewhere = ifc_get(wq, wq, wq_umem_valid) || ifc_get(wq, wq, dbr_umem_valid) ||
			     ifc_get(wq, wq, wq_signature) ||
			     ifc_get(rmpc, context, basic_cyclic_rcv_wqe),
	};
	struct mlx5_srq *srq;
	uint8_t status;

	status = srq_make(dev, command, &shape, &srq);
	if (status)
		return status;
	srq->limit = (uint16_t)ifc_get(wq, wq, lwm);
	memcpy(srq->context, context, ifc_size(rmpc));
	ifc_set(create_rmp_out, command->out, rmpn, srq->number);
	return MLX5_CMD_STAT_OK;
}

static uint8_t create_xrc_srq(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_xrc_srq_in, command->in, xrc_srq_context_entry);
	struct mlx5_cq *cq = mlx5_table_get(&dev->cqs, ifc_get(xrc_srqc, context, cqn));
	struct shape shape = {
		.pd = (uint32_t)ifc_get(xrc_srqc, context, pd),
		.log_entries = (unsigned int)ifc_get(xrc_srqc, context, log_xrc_srq_size),
		.log_stride = (unsigned int)ifc_get(xrc_srqc, context, log_rq_stride) + 4,
		.log_page_size = (unsigned int)ifc_get(xrc_srqc, context, log_page_size),
		.page_offset = (unsigned int)ifc_get(xrc_srqc, context, page_offset),
		.doorbell = ifc_get(xrc_srqc, context, db_record_addr_h) << 32 |
			    ifc_get(xrc_srqc, context, db_record_addr_l) << 2,
		.pages = ifc_at(create_xrc_srq_in, command->in, pas),
		.elsewhere = ifc_get(create_xrc_srq_in, command->in, xrc_srq_umem_valid) ||
			     ifc_get(xrc_srqc, context, dbr_umem_valid) ||
			     ifc_get(xrc_srqc, context, wq_signature) ||
			     ifc_get(xrc_srqc, context, basic_cyclic_rcv_wqe),
	};
	struct mlx5_srq *srq;
	uint8_t status;

	if (!cq || !mlx5_table_get(&dev->xrcds, ifc_get(xrc_srqc, context, xrcd)))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	status = srq_make(dev, command, &shape, &srq);
	if (status)
		return status;
	srq->is_xrc = true;
	srq->limit = (uint16_t)ifc_get(xrc_srqc, context, lwm);
	srq->cq = cq;
	cq->users++;
	memcpy(srq->context, context, ifc_size(xrc_srqc));
	ifc_set(create_xrc_srq_out, command->out, xrc_srqn, srq->number);
	return MLX5_CMD_STAT_OK;
}

static struct mlx5_srq *srq_find(struct mlx5 *dev, uint64_t number, bool is_xrc)
{
	struct mlx5_srq *srq = mlx5_table_get(&dev->srqs, number);

	return srq && srq->is_xrc == is_xrc ? srq : NULL;
}

struct mlx5_srq *mlx5_srq_of_domain(struct mlx5 *dev, uint32_t number, uint32_t xrcd)
{
	struct mlx5_srq *srq = srq_find(dev, number, true);

	return srq && ifc_get(xrc_srqc, srq->context, xrcd) == xrcd ? srq : NULL;
}

void mlx5_srq_destroy(struct mlx5 *dev, struct mlx5_srq *srq)
{
	mlx5_table_remove(&dev->srqs, srq->number);
	if (srq->cq)
		srq->cq->users--;
	mlx5_buffer_free(&srq->ring);
	free(srq);
}

static uint8_t srq_destroy(struct mlx5 *dev, struct mlx5_srq *srq)
{
	if (!srq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (srq->users)
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	mlx5_srq_destroy(dev, srq);
	return MLX5_CMD_STAT_OK;
}

static uint8_t destroy_rmp(struct mlx5 *dev, struct mlx5_command *command)
{
	return srq_destroy(dev, srq_find(dev, ifc_get(destroy_rmp_in, command->in, rmpn), false));
}

static uint8_t destroy_xrc_srq(struct mlx5 *dev, struct mlx5_command *command)
{
	return srq_destroy(dev,
			   srq_find(dev, ifc_get(destroy_xrc_srq_in, command->in, xrc_srqn), true));
}

static uint8_t query_rmp(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_srq *srq = srq_find(dev, ifc_get(query_rmp_in, command->in, rmpn), false);
	uint8_t *context = ifc_at(query_rmp_out, command->out, rmp_context);

	if (!srq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(context, srq->context, ifc_size(rmpc));
	ifc_set(rmpc, context, wq.lwm, srq->limit);
	return MLX5_CMD_STAT_OK;
}

static uint8_t query_xrc_srq(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_srq *srq =
		srq_find(dev, ifc_get(query_xrc_srq_in, command->in, xrc_srqn), true);
	uint8_t *context = ifc_at(query_xrc_srq_out, command->out, xrc_srq_context_entry);

	if (!srq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(context, srq->context, ifc_size(xrc_srqc));
	ifc_set(xrc_srqc, context, lwm, srq->limit);
	return MLX5_CMD_STAT_OK;
}

/* The limit is all that may be changed. */
static uint8_t modify_rmp(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_srq *srq = srq_find(dev, ifc_get(modify_rmp_in, command->in, rmpn), false);

	if (!srq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (ifc_get(modify_rmp_in, command->in, ctx.state) != MLX5_RMPC_STATE_RDY)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (ifc_get(modify_rmp_in, command->in, bitmask.lwm))
		srq->limit = (uint16_t)ifc_get(modify_rmp_in, command->in, ctx.wq.lwm);
	return MLX5_CMD_STAT_OK;
}

static uint8_t arm_xrc_srq(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_srq *srq = srq_find(dev, ifc_get(arm_xrc_srq_in, command->in, xrc_srqn), true);

	if (!srq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	srq->limit = (uint16_t)ifc_get(arm_xrc_srq_in, command->in, lwm);
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_srq_commands[] = {
	MLX5_COMMAND(CREATE_RMP, INITIALIZED, create_rmp, create_rmp),
	MLX5_COMMAND(MODIFY_RMP, INITIALIZED, modify_rmp, modify_rmp),
	MLX5_COMMAND(DESTROY_RMP, INITIALIZED, destroy_rmp, destroy_rmp),
	MLX5_COMMAND(QUERY_RMP, INITIALIZED, query_rmp, query_rmp),
	MLX5_COMMAND(CREATE_XRC_SRQ, INITIALIZED, create_xrc_srq, create_xrc_srq),
	MLX5_COMMAND(DESTROY_XRC_SRQ, INITIALIZED, destroy_xrc_srq, destroy_xrc_srq),
	MLX5_COMMAND(QUERY_XRC_SRQ, INITIALIZED, query_xrc_srq, query_xrc_srq),
	MLX5_COMMAND(ARM_XRC_SRQ, INITIALIZED, arm_xrc_srq, arm_xrc_srq),
	{ 0 },
};
