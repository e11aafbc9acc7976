// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page faults, transport scheme: the QP stops and the driver hears of it.
 */
#include "eq.h"
#include "fault.h"
#include "qp.h"

#define TOKEN_MASK 0xffffffu /* as wide as in PAGE_FAULT_RESUME */

/* Tokens count up, so that one for a QP that is gone is not taken for another's. 0 means none. */
static uint32_t next_token(struct mlx5 *dev)
{
	dev->fault_token = (dev->fault_token + 1) & TOKEN_MASK;
	if (!dev->fault_token)
		dev->fault_token = 1;
	dev->counters.page_faults++;
	return dev->fault_token;
}

uint32_t mlx5_fault_raise_wqe(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t type, uint16_t index,
			      uint64_t committed, uint32_t length)
{
	struct mlx5_eqe_page_fault fault = { 0 };
	uint32_t token;

	if (!mlx5_eq_for_event(dev, MLX5_EVENT_TYPE_PAGE_FAULT))
		return 0;
	token = next_token(dev);
	fault.wqe.bytes_committed = htobe32((uint32_t)committed);
	fault.wqe.wqe_index = htobe16(index);
	fault.wqe.packet_length = htobe16((uint16_t)length);
	fault.wqe.token = htobe32(token);
	fault.wqe.pftype_wq = htobe32((uint32_t)type << 24 | qp->number);
	mlx5_event_page_fault(dev, MLX5_PFAULT_SUBTYPE_WQE, &fault);
	return token;
}

uint32_t mlx5_fault_raise_rdma(struct mlx5 *dev, const struct mlx5_responder *responder,
			       uint32_t length, bool write)
{
	uint32_t type = MLX5_PFAULT_RDMA | (write ? MLX5_PFAULT_WRITE : 0);
	struct mlx5_eqe_page_fault fault = { 0 };
	uint32_t token;

	if (!mlx5_eq_for_event(dev, MLX5_EVENT_TYPE_PAGE_FAULT))
		return 0;
	token = next_token(dev);
	fault.rdma.bytes_committed = htobe32((uint32_t)responder->offset);
	fault.rdma.r_key = htobe32(responder->key);
	fault.rdma.packet_length = htobe16((uint16_t)length);
	fault.rdma.rdma_op_len = htobe32((uint32_t)responder->message_length);
	fault.rdma.rdma_va = htobe64(responder->address);
	fault.rdma.pftype_token = htobe32(type << 24 | token);
	mlx5_event_page_fault(dev, MLX5_PFAULT_SUBTYPE_RDMA, &fault);
	return token;
}
