// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The send queue of a queue pair. A message goes out packet by packet; the next one is sent when
 * the one before was answered.
 */
#include <errno.h>
#include <stdlib.h>

#include "datagram.h"
#include "dma.h"
#include "eq.h"
#include "fault.h"
#include "link.h"
#include "qp.h"
#include "requester.h"
#include "sg.h"
#include "timer.h"
#include "umr.h"

#define SEND_DOORBELL_OFFSET (MLX5_SND_DBR * sizeof(uint32_t))
#define SEGMENT_SIZE	     MLX5_SEND_WQE_DS
#define BLOCK_SIZE	     MLX5_SEND_WQE_BB
#define RETRY_FOREVER	     7u
#define ACK_TIMEOUT_UNIT     4096ull /* ns; timeout code t means this << t */
#define ACK_TIMEOUT_DEFAULT  14u     /* 67 ms; code 0 would be "never" */

/* Fields of fm_ce_se, byte 11 of the control segment */
#define SOLICITED(wqe) ((wqe)[11] & MLX5_WQE_CTRL_SOLICITED)
#define SIGNALED(wqe)  ((wqe)[11] & MLX5_WQE_CTRL_CQ_UPDATE)

static uint32_t immediate_of(const uint8_t *wqe)
{
	return get_be32(wqe + offsetof(struct mlx5_wqe_ctrl_seg, imm));
}

static struct mlx5_sg requester_sg(const struct mlx5_qp *qp, enum mlx5_access access)
{
	const struct mlx5_requester *requester = &qp->requester;

	return (struct mlx5_sg){
		.segments = requester->wqe + requester->segments,
		.size = requester->size - requester->segments,
		.pd = mlx5_qp_pd(qp),
		.access = access,
	};
}

static void requester_post_completion(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t syndrome)
{
	struct mlx5_requester *requester = &qp->requester;
	uint32_t user_index = (uint32_t)ifc_get(qpc, qp->context, user_index);
	uint32_t opcode_qpn = (uint32_t)requester->opcode << 24 | qp->number;

	if (syndrome) {
		struct mlx5_err_cqe error = {
			.srqn = htobe32(user_index),
			.syndrome = syndrome,
			.s_wqe_opcode_qpn = htobe32(opcode_qpn),
			.wqe_counter = htobe16(requester->index),
			.op_own = MLX5_CQE_REQ_ERR << 4,
		};
		struct mlx5_cqe64 entry;

		memcpy(&entry, &error, sizeof(entry));
		mlx5_cq_post(dev, qp->send_cq, &entry, true);
	} else {
		uint64_t now = mlx5_time();
		struct mlx5_cqe64 entry = {
			.srqn = htobe32(user_index),
			.byte_cnt = htobe32((uint32_t)requester->length),
			.timestamp_h = htobe32((uint32_t)(now >> 32)),
			.timestamp_l = htobe32((uint32_t)now),
			.sop_drop_qpn = htobe32(opcode_qpn),
			.wqe_counter = htobe16(requester->index),
			.op_own = MLX5_CQE_REQ << 4,
		};

		mlx5_cq_post(dev, qp->send_cq, &entry, false);
	}
}

void mlx5_requester_reset(struct mlx5_qp *qp)
{
	free(qp->requester.response);
	memset(&qp->requester, 0, sizeof(qp->requester));
}

/* Ends the current work request with a syndrome, 0: success. */
static void requester_complete(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t syndrome)
{
	struct mlx5_requester *requester = &qp->requester;

	free(requester->response);
	requester->response = NULL;
	requester->token = 0;
	requester->phase = MLX5_REQUESTER_IDLE;
	if (syndrome && syndrome != MLX5_CQE_SYNDROME_WR_FLUSH_ERR)
		dev->counters.failed_work_requests++;
	if (syndrome || SIGNALED(requester->wqe))
		requester_post_completion(dev, qp, syndrome);
	if (syndrome)
		mlx5_qp_fail(dev, qp);
}

/* Answers of memory accesses that end a work request. */
static uint8_t syndrome_of(enum mlx5_memory_result result)
{
	return result == MLX5_MEMORY_BUS_ERROR ? MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR
					       : MLX5_CQE_SYNDROME_LOCAL_PROT_ERR;
}

/* Basic blocks that the driver has posted and that were not taken yet; -errno when the queue cannot
 * be used. */
static int posted_blocks(struct mlx5 *dev, struct mlx5_qp *qp)
{
	uint32_t producer;
	uint16_t blocks;
	int ret;

	if (!qp->send_blocks || qp->requester.broken)
		return 0;
	ret = mlx5_dma_read_be32(dev, qp->doorbell + SEND_DOORBELL_OFFSET, &producer);
	if (ret)
		return ret;
	blocks = (uint16_t)((uint16_t)producer - qp->requester.consumer);
	return blocks <= qp->send_blocks ? blocks : -ERANGE;
}

static int read_block(struct mlx5 *dev, struct mlx5_qp *qp, uint16_t number, void *to)
{
	uint64_t offset = (uint64_t)(number % qp->send_blocks) * BLOCK_SIZE;

	return mlx5_buffer_read(dev, &qp->ring, qp->send_offset + offset, to, BLOCK_SIZE);
}

/*
 * Takes the next work request out of the queue. Return: 1, 0 when there is none, -ECANCELED, or
 * another -errno when the queue is broken; then requester->wqe is not to be looked at.
 */
static int take_request(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	int posted = posted_blocks(dev, qp);
	size_t blocks;
	int ret;

	if (posted <= 0)
		return posted;
	ret = read_block(dev, qp, requester->consumer, requester->wqe);
	if (ret)
		return ret;
	requester->size = (get_be32(requester->wqe + 4) & MLX5_WQE_CTRL_DS_MASK) * SEGMENT_SIZE;
	blocks = (requester->size + BLOCK_SIZE - 1) / BLOCK_SIZE;
	if (!requester->size || blocks > (size_t)posted ||
	    requester->size > sizeof(requester->wqe) ||
	    get_be32(requester->wqe + 4) >> MLX5_WQE_CTRL_QPN_SHIFT != qp->number)
		return -EINVAL;
	for (size_t i = 1; i < blocks; i++) {
		ret = read_block(dev, qp, (uint16_t)(requester->consumer + i),
				 requester->wqe + i * BLOCK_SIZE);
		if (ret)
			return ret;
	}
	requester->opcode = (uint8_t)get_be32(requester->wqe);
	requester->index = requester->consumer;
	requester->consumer = (uint16_t)(requester->consumer + blocks);
	requester->length = 0;
	requester->done = 0;
	requester->retries = 0;
	requester->not_ready = 0;
	return 1;
}

/* The queue itself is wrong: no work request can be blamed, and none flushed. */
static void break_queue(struct mlx5 *dev, struct mlx5_qp *qp)
{
	qp->requester.broken = true;
	mlx5_event_queue(dev, MLX5_EVENT_TYPE_WQ_CATAS_ERROR, qp->number);
	mlx5_qp_fail(dev, qp);
}

static bool is_write(uint8_t opcode)
{
	return opcode == MLX5_OPCODE_RDMA_WRITE || opcode == MLX5_OPCODE_RDMA_WRITE_IMM;
}

static bool is_atomic(uint8_t opcode)
{
	return opcode == MLX5_OPCODE_ATOMIC_CS || opcode == MLX5_OPCODE_ATOMIC_FA;
}

/* Operations whose answer brings the data. */
static bool is_fetch(uint8_t opcode)
{
	return opcode == MLX5_OPCODE_RDMA_READ || is_atomic(opcode);
}

/* Whether the connection of a queue pair has the operation: nothing comes back over an unreliable
 * one. */
static bool can_send(const struct mlx5_qp *qp, uint8_t opcode)
{
	return is_write(opcode) || opcode == MLX5_OPCODE_SEND || opcode == MLX5_OPCODE_SEND_IMM ||
	       (is_fetch(opcode) && qp->type != MLX5_QPC_ST_UC);
}

/* Where the remote address is, or the data when there is none. */
static size_t remote_segment(const struct mlx5_qp *qp)
{
	return sizeof(struct mlx5_wqe_ctrl_seg) +
	       (qp->type == MLX5_QPC_ST_XRC ? sizeof(struct mlx5_wqe_xrc_seg) : 0);
}

/* Looks at a work request for the remote side. Return: syndrome, 0 when it can start. */
static uint8_t prepare_request(struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	struct mlx5_sg sg;

	if (!can_send(qp, requester->opcode))
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	requester->segments = remote_segment(qp);
	if (is_write(requester->opcode) || is_fetch(requester->opcode))
		requester->segments += sizeof(struct mlx5_wqe_raddr_seg);
	if (is_atomic(requester->opcode))
		requester->segments += sizeof(struct mlx5_wqe_atomic_seg);
	if (requester->segments > requester->size)
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	sg = requester_sg(qp, is_fetch(requester->opcode) ? MLX5_ACCESS_LOCAL_WRITE
							  : MLX5_ACCESS_LOCAL_READ);
	if (!mlx5_sg_length(&sg, &requester->length))
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	if (is_atomic(requester->opcode) && requester->length != IB_ATOMIC_SIZE)
		return MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR;
	if (requester->length > 1ull << ifc_get(qpc, qp->context, log_msg_max))
		return MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR;
	return 0;
}

static void start_request(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	uint8_t syndrome;

	dev->counters.work_requests++;
	switch (requester->opcode) {
	case MLX5_OPCODE_NOP:
		requester_complete(dev, qp, 0);
		return;
	case MLX5_OPCODE_UMR:
		syndrome = mlx5_umr_execute(dev, qp);
		break;
	default:
		if (!mlx5_qp_is_connected(qp)) {
			syndrome = mlx5_datagram_send(dev, qp);
			break;
		}
		syndrome = prepare_request(qp);
		if (!syndrome) {
			requester->phase = MLX5_REQUESTER_SEND;
			return;
		}
	}
	/* A reset or fatal error meanwhile: nothing is left to complete. */
	if (!dev->reset_pending && !dev->health_syndrome)
		requester_complete(dev, qp, syndrome);
}

static void raise_fault(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t type)
{
	struct mlx5_requester *requester = &qp->requester;

	requester->token = mlx5_fault_raise_wqe(dev, qp, type, requester->index, requester->done,
						requester->part);
	if (requester->token)
		requester->phase = MLX5_REQUESTER_FAULT;
	else
		requester_complete(dev, qp, MLX5_CQE_SYNDROME_LOCAL_PROT_ERR);
}

static void wait_for_retry(struct mlx5 *dev, struct mlx5_qp *qp, uint64_t delay)
{
	qp->requester.phase = MLX5_REQUESTER_TIMER;
	mlx5_qp_wait(dev, qp, delay);
}

/* The packet under way has done its job. */
static void packet_answered(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;

	requester->done += requester->part;
	requester->psn = (requester->psn + 1) & IB_PSN_MASK;
	requester->retries = 0;
	requester->not_ready = 0;
	if (requester->done == requester->length)
		requester_complete(dev, qp, 0);
	else
		requester->phase = MLX5_REQUESTER_SEND;
	mlx5_qp_run(dev, qp);
}

static void packet_lost(struct mlx5 *dev, struct mlx5_qp *qp)
{
	uint64_t timeout = ifc_get(qpc, qp->context, primary_address_path.ack_timeout);

	if (qp->type == MLX5_QPC_ST_UC)
		packet_answered(dev, qp);
	else if (qp->requester.retries++ < ifc_get(qpc, qp->context, retry_count))
		wait_for_retry(dev, qp,
			       ACK_TIMEOUT_UNIT << (timeout ? timeout : ACK_TIMEOUT_DEFAULT));
	else
		requester_complete(dev, qp, MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR);
}

static void address_packet(const struct mlx5_qp *qp, struct ib_packet *packet)
{
	const struct mlx5_requester *requester = &qp->requester;
	const uint8_t *xrc = requester->wqe + sizeof(struct mlx5_wqe_ctrl_seg);
	const uint8_t *raddr = requester->wqe + remote_segment(qp);

	packet->source_qpn = qp->number;
	packet->destination_lid = (uint16_t)ifc_get(qpc, qp->context, primary_address_path.rlid);
	packet->destination_qpn = (uint32_t)ifc_get(qpc, qp->context, remote_qpn);
	packet->psn = requester->psn;
	packet->first = !requester->done;
	packet->last = requester->done + requester->part == requester->length;
	packet->solicited = SOLICITED(requester->wqe);
	packet->has_immediate = packet->last && (requester->opcode == MLX5_OPCODE_SEND_IMM ||
						 requester->opcode == MLX5_OPCODE_RDMA_WRITE_IMM);
	packet->immediate = immediate_of(requester->wqe);
	if (qp->type == MLX5_QPC_ST_XRC)
		packet->srqn = get_be32(xrc + offsetof(struct mlx5_wqe_xrc_seg, xrc_srqn));
	if (requester->segments > remote_segment(qp)) {
		packet->address = get_be64(raddr + offsetof(struct mlx5_wqe_raddr_seg, raddr));
		packet->key = get_be32(raddr + offsetof(struct mlx5_wqe_raddr_seg, rkey));
		packet->message_length = (uint32_t)requester->length;
	}
}

static enum ib_packet_kind kind_of(uint8_t opcode)
{
	switch (opcode) {
	case MLX5_OPCODE_RDMA_READ:
		return IB_PACKET_READ;
	case MLX5_OPCODE_ATOMIC_CS:
		return IB_PACKET_COMPARE_SWAP;
	case MLX5_OPCODE_ATOMIC_FA:
		return IB_PACKET_FETCH_ADD;
	default:
		return is_write(opcode) ? IB_PACKET_WRITE : IB_PACKET_SEND;
	}
}

static void add_operands(const struct mlx5_qp *qp, struct ib_packet *packet)
{
	const uint8_t *segment = qp->requester.wqe + remote_segment(qp) +
				 sizeof(struct mlx5_wqe_raddr_seg);

	packet->swap_add = get_be64(segment + offsetof(struct mlx5_wqe_atomic_seg, swap_add));
	packet->compare = get_be64(segment + offsetof(struct mlx5_wqe_atomic_seg, compare));
}

static void send_packet(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	bool fetch = is_fetch(requester->opcode);
	struct mlx5_sg sg = requester_sg(qp, MLX5_ACCESS_LOCAL_READ);
	enum mlx5_memory_result result = MLX5_MEMORY_OK;
	uint64_t left = requester->length - requester->done;
	struct ib_packet *packet;

	requester->part = left < mlx5_qp_mtu(qp) ? (uint32_t)left : mlx5_qp_mtu(qp);
	packet = ib_packet_new(fetch ? 0 : requester->part);
	if (!packet) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_FW_INTERNAL_ERR, qp->number);
		return;
	}
	if (!fetch)
		result = mlx5_sg_read(dev, &sg, requester->done, packet->payload, requester->part);
	if (result) {
		free(packet);
		if (result == MLX5_MEMORY_ABSENT)
			raise_fault(dev, qp, MLX5_WQE_PF_TYPE_REQ_SEND_OR_WRITE);
		else if (result != MLX5_MEMORY_STOPPED)
			requester_complete(dev, qp, syndrome_of(result));
		return;
	}
	packet->kind = kind_of(requester->opcode);
	address_packet(qp, packet);
	if (is_atomic(requester->opcode))
		add_operands(qp, packet);
	if (fetch) {
		packet->address += requester->done;
		packet->message_length = requester->part;
	}
	requester->phase = MLX5_REQUESTER_ANSWER;
	if (!ib_port_send(&dev->port, packet))
		packet_lost(dev, qp);
}

bool mlx5_requester_step(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	int ret;

	switch (requester->phase) {
	case MLX5_REQUESTER_IDLE:
		ret = take_request(dev, qp);
		if (ret > 0) {
			start_request(dev, qp);
			return true;
		}
		if (ret && ret != -ECANCELED)
			break_queue(dev, qp);
		return false;
	case MLX5_REQUESTER_TIMER:
		if (mlx5_time() < qp->deadline)
			return false;
		__attribute__((fallthrough));
	case MLX5_REQUESTER_SEND:
		send_packet(dev, qp);
		return requester->phase == MLX5_REQUESTER_IDLE;
	case MLX5_REQUESTER_ANSWER:
	case MLX5_REQUESTER_FAULT:
		break;
	}
	return false;
}

bool mlx5_requester_flush(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;

	if (requester->phase == MLX5_REQUESTER_IDLE) {
		int ret = take_request(dev, qp);

		if (ret < 0 && ret != -ECANCELED)
			break_queue(dev, qp);
		if (ret <= 0)
			return false;
	}
	requester_complete(dev, qp, MLX5_CQE_SYNDROME_WR_FLUSH_ERR);
	return true;
}

static void take_response(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	struct mlx5_sg sg = requester_sg(qp, MLX5_ACCESS_LOCAL_WRITE);
	enum mlx5_memory_result result = MLX5_MEMORY_DENIED;

	if (requester->response->length == requester->part)
		result = mlx5_sg_write(dev, &sg, requester->done, requester->response->payload,
				       requester->part);
	switch (result) {
	case MLX5_MEMORY_OK:
		free(requester->response);
		requester->response = NULL;
		packet_answered(dev, qp);
		break;
	case MLX5_MEMORY_ABSENT:
		raise_fault(dev, qp, MLX5_WQE_PF_TYPE_REQ_READ_OR_ATOMIC);
		break;
	case MLX5_MEMORY_STOPPED:
		break;
	default:
		requester_complete(dev, qp, syndrome_of(result));
	}
}

/* Delay in ns that a timer field of a not-ready answer means (InfiniBand Architecture
 * Specification, table 45). */
static uint64_t not_ready_delay(uint8_t code)
{
	static const uint32_t hundredths_of_ms[32] = {
		65536, 1,    2,	   3,	 4,    6,     8,     12,    16,	   24,	  32,
		48,    64,   96,   128,	 192,  256,   384,   512,   768,   1024,  1536,
		2048,  3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152,
	};

	return hundredths_of_ms[code % 32] * 10000ull;
}

/* How a work request completes that the responder has refused. */
static uint8_t syndrome_of_nak(uint8_t nak)
{
	switch (nak) {
	case IB_NAK_INVALID_REQUEST:
		return MLX5_CQE_SYNDROME_REMOTE_INVAL_REQ_ERR;
	case IB_NAK_REMOTE_ACCESS:
		return MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR;
	default:
		return MLX5_CQE_SYNDROME_REMOTE_OP_ERR;
	}
}

void mlx5_requester_answer(struct mlx5 *dev, struct mlx5_qp *qp, struct ib_packet *answer)
{
	struct mlx5_requester *requester = &qp->requester;
	uint64_t limit = ifc_get(qpc, qp->context, rnr_retry);

	if (requester->phase != MLX5_REQUESTER_ANSWER || answer->psn != requester->psn ||
	    qp->state != MLX5_QPC_STATE_RTS) {
		dev->port.counters.dropped_packets++;
		free(answer);
		return;
	}
	/* The value is big-endian on the wire. */
	if (answer->kind == IB_PACKET_ATOMIC_RESPONSE && dev->atomic_host_endian)
		put_le64(answer->payload, get_be64(answer->payload));
	if (answer->kind == IB_PACKET_READ_RESPONSE || answer->kind == IB_PACKET_ATOMIC_RESPONSE) {
		requester->response = answer;
		take_response(dev, qp);
		return;
	}
	/* An unreliable connection does not learn what became of a packet: the answer only paces
	 * it. */
	switch (qp->type == MLX5_QPC_ST_UC ? IB_PACKET_ACK : answer->kind) {
	case IB_PACKET_ACK:
		packet_answered(dev, qp);
		break;
	case IB_PACKET_RNR_NAK:
		if (limit == RETRY_FOREVER || requester->not_ready++ < limit)
			wait_for_retry(dev, qp, not_ready_delay(answer->code));
		else
			requester_complete(dev, qp, MLX5_CQE_SYNDROME_RNR_RETRY_EXC_ERR);
		break;
	case IB_PACKET_LOST:
		packet_lost(dev, qp);
		break;
	default:
		requester_complete(dev, qp, syndrome_of_nak(answer->code));
	}
	free(answer);
}

void mlx5_requester_resume(struct mlx5 *dev, struct mlx5_qp *qp, bool error)
{
	struct mlx5_requester *requester = &qp->requester;

	requester->token = 0;
	if (error) {
		requester_complete(dev, qp, MLX5_CQE_SYNDROME_LOCAL_PROT_ERR);
	} else if (requester->response) {
		requester->phase = MLX5_REQUESTER_ANSWER;
		take_response(dev, qp);
	} else {
		requester->phase = MLX5_REQUESTER_SEND;
		mlx5_qp_run(dev, qp);
	}
}
