// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of queue pairs: creation, transitions, end.
 */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "qp.h"
#include "qp_command.h"
#include "requester.h"
#include "responder.h"

#define MTU_CODE_MAX		    5u

#define RECEIVE_LOG_STRIDE(context) (ifc_get(qpc, (context), log_rq_stride) + 4)
#define RECEIVE_STRIDE(context)	    (1ull << RECEIVE_LOG_STRIDE(context))

/*
 * The states are those that the driver's commands lead to: no SQD and no SQER, for which there is
 * no way in. All state transitions with a context are laid out alike.
 */
#define TRANSITION_LIKE(type)                                                                   \
	_Static_assert(ifc_bit_offset(type##_in, qpn) == ifc_bit_offset(rst2init_qp_in, qpn) && \
			       ifc_bit_offset(type##_in, opt_param_mask) ==                     \
				       ifc_bit_offset(rst2init_qp_in, opt_param_mask) &&        \
			       ifc_bit_offset(type##_in, qpc) ==                                \
				       ifc_bit_offset(rst2init_qp_in, qpc),                     \
		       #type)

TRANSITION_LIKE(init2init_qp);
TRANSITION_LIKE(init2rtr_qp);
TRANSITION_LIKE(rtr2rts_qp);
TRANSITION_LIKE(rts2rts_qp);
_Static_assert(ifc_bit_offset(qp_2err_in, qpn) == ifc_bit_offset(rst2init_qp_in, qpn), "2ERR");
_Static_assert(ifc_bit_offset(qp_2rst_in, qpn) == ifc_bit_offset(rst2init_qp_in, qpn), "2RST");
_Static_assert(ifc_bit_offset(destroy_qp_in, qpn) == ifc_bit_offset(rst2init_qp_in, qpn),
	       "DESTROY");

static void drop_references(struct mlx5 *dev, struct mlx5_qp *qp)
{
	qp->send_cq->users--;
	qp->receive_cq->users--;
	if (qp->srq)
		qp->srq->users--;
	for (unsigned int i = 0; i < 2; i++) {
		if (dev->special_qp[i] == qp)
			dev->special_qp[i] = NULL;
	}
}

static void reset_traffic(struct mlx5 *dev, struct mlx5_qp *qp)
{
	mlx5_qp_stop(dev, qp);
	mlx5_requester_reset(qp);
	mlx5_responder_reset(dev, qp);
}

void mlx5_qp_destroy(struct mlx5 *dev, struct mlx5_qp *qp)
{
	reset_traffic(dev, qp);
	drop_references(dev, qp);
	mlx5_table_remove(&dev->qps, qp->number);
	mlx5_buffer_free(&qp->ring);
	free(qp);
}

/* The types that are modelled. */
static bool type_known(uint8_t type)
{
	switch (type) {
	case MLX5_QPC_ST_RC:
	case MLX5_QPC_ST_UC:
	case MLX5_QPC_ST_XRC:
	case MLX5_QPC_ST_UD:
	case MLX5_QPC_ST_QP0:
	case MLX5_QPC_ST_QP1:
	case MLX5_QPC_ST_REG_UMR:
		return true;
	default:
		return false;
	}
}

static bool context_known(const struct mlx5_command *command, const uint8_t *context)
{
	return type_known((uint8_t)ifc_get(qpc, context, st)) &&
	       !ifc_get(create_qp_in, command->in, wq_umem_valid) &&
	       !ifc_get(qpc, context, dbr_umem_valid) && !ifc_get(qpc, context, wq_signature) &&
	       !ifc_get(qpc, context, cs_req) && !ifc_get(qpc, context, cs_res) &&
	       !ifc_get(qpc, context, ulp_stateless_offload_mode) &&
	       !ifc_get(qpc, context, offload_type) && ifc_get(qpc, context, dbr_addr) % 8 == 0 &&
	       RECEIVE_STRIDE(context) <= MLX5_RECEIVE_WQE_MAX;
}

/* Sizes of both queues. Return: bytes of the buffer. */
static uint64_t qp_shape(struct mlx5_qp *qp)
{
	uint64_t receive_type = ifc_get(qpc, qp->context, rq_type);
	uint64_t size = 0;

	qp->receive_log_stride = (uint8_t)RECEIVE_LOG_STRIDE(qp->context);
	if (receive_type == MLX5_NON_ZERO_RQ) {
		qp->receive_entries = 1u << ifc_get(qpc, qp->context, log_rq_size);
		size = (uint64_t)qp->receive_entries << qp->receive_log_stride;
	}
	qp->send_offset = (uint32_t)size;
	if (!ifc_get(qpc, qp->context, no_sq)) {
		qp->send_blocks = 1u << ifc_get(qpc, qp->context, log_sq_size);
		size += (uint64_t)qp->send_blocks * MLX5_SEND_WQE_BB;
	}
	return size;
}

/* Looks up what the context names. */
static uint8_t qp_resolve(struct mlx5 *dev, struct mlx5_qp *qp)
{
	const uint8_t *context = qp->context;

	qp->send_cq = mlx5_table_get(&dev->cqs, ifc_get(qpc, context, cqn_snd));
	qp->receive_cq = mlx5_table_get(&dev->cqs, ifc_get(qpc, context, cqn_rcv));
	if (!qp->send_cq || !qp->receive_cq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	/* Doorbells are for send queues. */
	if (!ifc_get(qpc, context, no_sq) &&
	    !mlx5_table_get(&dev->uars, ifc_get(qpc, context, uar_page)))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	/* The PD of a UMR queue comes with its first transition. */
	if (qp->type != MLX5_QPC_ST_REG_UMR &&
	    !mlx5_table_get(&dev->pds, ifc_get(qpc, context, pd)))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (qp->type == MLX5_QPC_ST_XRC)
		return mlx5_table_get(&dev->xrcds, ifc_get(qpc, context, xrcd))
			       ? MLX5_CMD_STAT_OK
			       : MLX5_CMD_STAT_BAD_RES_ERR;
	switch (ifc_get(qpc, context, rq_type)) {
	case MLX5_SRQ_RQ:
		qp->srq = mlx5_table_get(&dev->srqs, ifc_get(qpc, context, srqn_rmpn_xrqn));
		return qp->srq ? MLX5_CMD_STAT_OK : MLX5_CMD_STAT_BAD_RES_ERR;
	case MLX5_NON_ZERO_RQ:
	case MLX5_ZERO_LEN_RQ:
		return MLX5_CMD_STAT_OK;
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
}

static uint8_t qp_set_up(struct mlx5 *dev, struct mlx5_qp *qp, const struct mlx5_command *command)
{
	uint8_t status = qp_resolve(dev, qp);
	int ret;

	if (status)
		return status;
	ret = mlx5_buffer_init(&qp->ring, ifc_at(create_qp_in, command->in, pas),
			       command->in_size - ifc_size(create_qp_in),
			       (unsigned int)ifc_get(qpc, qp->context, log_page_size),
			       (unsigned int)ifc_get(qpc, qp->context, page_offset), qp_shape(qp));
	if (ret)
		return ret == -ENOMEM ? MLX5_CMD_STAT_NO_RES_ERR : MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (mlx5_table_add(&dev->qps, qp, &qp->number)) {
		mlx5_buffer_free(&qp->ring);
		return MLX5_CMD_STAT_LIM_ERR;
	}
	qp->send_cq->users++;
	qp->receive_cq->users++;
	if (qp->srq)
		qp->srq->users++;
	if (qp->type == MLX5_QPC_ST_QP0 || qp->type == MLX5_QPC_ST_QP1)
		dev->special_qp[qp->type == MLX5_QPC_ST_QP1] = qp;
	return MLX5_CMD_STAT_OK;
}

static uint8_t qp_create(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_qp_in, command->in, qpc);
	struct mlx5_qp *qp;
	uint8_t status;

	if (!context_known(command, context))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return MLX5_CMD_STAT_NO_RES_ERR;
	memcpy(qp->context, context, sizeof(qp->context));
	qp->type = (uint8_t)ifc_get(qpc, context, st);
	qp->state = MLX5_QPC_STATE_RST;
	qp->doorbell = ifc_get(qpc, context, dbr_addr);
	status = qp_set_up(dev, qp, command);
	if (status) {
		free(qp);
		return status;
	}
	ifc_set(create_qp_out, command->out, qpn, qp->number);
	return MLX5_CMD_STAT_OK;
}

static struct mlx5_qp *qp_find(struct mlx5 *dev, const struct mlx5_command *command)
{
	return mlx5_table_get(&dev->qps, ifc_get(rst2init_qp_in, command->in, qpn));
}

static uint8_t qp_destroy(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_qp *qp = qp_find(dev, command);

	if (!qp)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	mlx5_qp_destroy(dev, qp);
	return MLX5_CMD_STAT_OK;
}

static uint8_t qp_query(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_qp *qp = mlx5_table_get(&dev->qps, ifc_get(query_qp_in, command->in, qpn));
	uint8_t *context = ifc_at(query_qp_out, command->out, qpc);

	if (!qp)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(context, qp->context, sizeof(qp->context));
	ifc_set(qpc, context, state, qp->state);
	ifc_set(qpc, context, next_send_psn, qp->requester.psn);
	ifc_set(qpc, context, next_rcv_psn, qp->responder.psn);
	ifc_set(qpc, context, hw_sq_wqebb_counter, qp->requester.consumer);
	ifc_set(qpc, context, hw_rq_counter, qp->responder.consumer);
	return MLX5_CMD_STAT_OK;
}

/* Attributes that a bit of the mask makes part of a transition. */
static void copy_optional(uint8_t *to, const uint8_t *from, uint64_t mask)
{
	if (mask & MLX5_QP_OPTPAR_RRE)
		ifc_copy(qpc, to, from, rre);
	if (mask & MLX5_QP_OPTPAR_RWE)
		ifc_copy(qpc, to, from, rwe);
	if (mask & MLX5_QP_OPTPAR_RAE) {
		ifc_copy(qpc, to, from, rae);
		ifc_copy(qpc, to, from, atomic_mode);
	}
	if (mask & MLX5_QP_OPTPAR_PKEY_INDEX)
		ifc_copy(qpc, to, from, primary_address_path.pkey_index);
	if (mask & MLX5_QP_OPTPAR_PRI_PORT)
		ifc_copy(qpc, to, from, primary_address_path.vhca_port_num);
	if (mask & MLX5_QP_OPTPAR_Q_KEY)
		ifc_copy(qpc, to, from, q_key);
	if (mask & MLX5_QP_OPTPAR_RNR_TIMEOUT)
		ifc_copy(qpc, to, from, min_rnr_nak);
}

/* Takes over from the driver's context what a transition is for. Return: MLX5_CMD_STAT_*. */
typedef uint8_t transition_handler(struct mlx5 *dev, struct mlx5_qp *qp, const uint8_t *from);

static uint8_t enter_init(struct mlx5 *dev, struct mlx5_qp *qp, const uint8_t *from)
{
	if (!mlx5_table_get(&dev->pds, ifc_get(qpc, from, pd)))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (qp->type == MLX5_QPC_ST_REG_UMR)
		ifc_copy(qpc, qp->context, from, pd);
	copy_optional(qp->context, from,
		      MLX5_QP_OPTPAR_RRE | MLX5_QP_OPTPAR_RWE | MLX5_QP_OPTPAR_RAE |
			      MLX5_QP_OPTPAR_PKEY_INDEX | MLX5_QP_OPTPAR_PRI_PORT |
			      MLX5_QP_OPTPAR_Q_KEY);
	return MLX5_CMD_STAT_OK;
}

static uint8_t enter_rtr(struct mlx5 *dev, struct mlx5_qp *qp, const uint8_t *from)
{
	uint64_t mtu = ifc_get(qpc, from, mtu);
	uint64_t pkey_index = ifc_get(qpc, qp->context, primary_address_path.pkey_index);
	uint64_t port = ifc_get(qpc, qp->context, primary_address_path.vhca_port_num);

	(void)dev;
	if (mlx5_qp_is_connected(qp) && (!mtu || mtu > MTU_CODE_MAX))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	ifc_copy(qpc, qp->context, from, mtu);
	ifc_copy(qpc, qp->context, from, log_msg_max);
	ifc_copy(qpc, qp->context, from, remote_qpn);
	ifc_copy(qpc, qp->context, from, log_rra_max);
	ifc_copy(qpc, qp->context, from, min_rnr_nak);
	memcpy(ifc_at(qpc, qp->context, primary_address_path),
	       ifc_at(qpc, from, primary_address_path), ifc_size(ads));
	/* The path is new, these of its members are optional here. */
	ifc_set(qpc, qp->context, primary_address_path.pkey_index, pkey_index);
	ifc_set(qpc, qp->context, primary_address_path.vhca_port_num, port);
	qp->responder.psn = (uint32_t)ifc_get(qpc, from, next_rcv_psn);
	return MLX5_CMD_STAT_OK;
}

static uint8_t enter_rts(struct mlx5 *dev, struct mlx5_qp *qp, const uint8_t *from)
{
	(void)dev;
	ifc_copy(qpc, qp->context, from, retry_count);
	ifc_copy(qpc, qp->context, from, rnr_retry);
	ifc_copy(qpc, qp->context, from, log_sra_max);
	ifc_copy(qpc, qp->context, from, primary_address_path.ack_timeout);
	qp->requester.psn = (uint32_t)ifc_get(qpc, from, next_send_psn);
	return MLX5_CMD_STAT_OK;
}

static const struct transition {
	uint16_t opcode;
	uint8_t from;
	uint8_t to;
	transition_handler *enter;
} transitions[] = {
	{ MLX5_CMD_OP_RST2INIT_QP, MLX5_QPC_STATE_RST, MLX5_QPC_STATE_INIT, enter_init },
	{ MLX5_CMD_OP_INIT2INIT_QP, MLX5_QPC_STATE_INIT, MLX5_QPC_STATE_INIT, NULL },
	{ MLX5_CMD_OP_INIT2RTR_QP, MLX5_QPC_STATE_INIT, MLX5_QPC_STATE_RTR, enter_rtr },
	{ MLX5_CMD_OP_RTR2RTS_QP, MLX5_QPC_STATE_RTR, MLX5_QPC_STATE_RTS, enter_rts },
	{ MLX5_CMD_OP_RTS2RTS_QP, MLX5_QPC_STATE_RTS, MLX5_QPC_STATE_RTS, NULL },
};

static uint8_t qp_modify(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *from = ifc_at(rst2init_qp_in, command->in, qpc);
	uint64_t opcode = ifc_get(rst2init_qp_in, command->in, opcode);
	const struct transition *transition = transitions;
	struct mlx5_qp *qp = qp_find(dev, command);
	uint8_t status = MLX5_CMD_STAT_OK;

	if (!qp)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	while (transition->opcode != opcode)
		transition++;
	if (qp->state != transition->from)
		return MLX5_CMD_STAT_BAD_QP_STATE_ERR;
	if (ifc_get(qpc, from, st) != qp->type)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (transition->enter)
		status = transition->enter(dev, qp, from);
	if (status)
		return status;
	copy_optional(qp->context, from, ifc_get(rst2init_qp_in, command->in, opt_param_mask));
	qp->state = transition->to;
	/* Work requests may have been posted before. */
	mlx5_qp_run(dev, qp);
	return MLX5_CMD_STAT_OK;
}

static uint8_t qp_to_error(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_qp *qp = qp_find(dev, command);

	if (!qp)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	mlx5_qp_fail(dev, qp);
	return MLX5_CMD_STAT_OK;
}

static uint8_t qp_to_reset(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_qp *qp = qp_find(dev, command);

	if (!qp)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	reset_traffic(dev, qp);
	qp->state = MLX5_QPC_STATE_RST;
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_qp_commands[] = {
	MLX5_COMMAND(CREATE_QP, INITIALIZED, create_qp, qp_create),
	MLX5_COMMAND(DESTROY_QP, INITIALIZED, destroy_qp, qp_destroy),
	MLX5_COMMAND(QUERY_QP, INITIALIZED, query_qp, qp_query),
	MLX5_COMMAND(RST2INIT_QP, INITIALIZED, rst2init_qp, qp_modify),
	MLX5_COMMAND(INIT2INIT_QP, INITIALIZED, init2init_qp, qp_modify),
	MLX5_COMMAND(INIT2RTR_QP, INITIALIZED, init2rtr_qp, qp_modify),
	MLX5_COMMAND(RTR2RTS_QP, INITIALIZED, rtr2rts_qp, qp_modify),
	MLX5_COMMAND(RTS2RTS_QP, INITIALIZED, rts2rts_qp, qp_modify),
	MLX5_COMMAND(2ERR_QP, INITIALIZED, qp_2err, qp_to_error),
	MLX5_COMMAND(2RST_QP, INITIALIZED, qp_2rst, qp_to_reset),
	{ 0 },
};
