// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The receiving side of a connected queue pair. Memory is written and read by the rights, and with
 * the processing hint, of the key that the request names; a request whose memory is not present
 * waits here until the driver has brought it.
 */
#include <errno.h>
#include <stdlib.h>

#include "dma.h"
#include "eq.h"
#include "fault.h"
#include "link.h"
#include "qp.h"
#include "responder.h"
#include "sg.h"
#include "timer.h"

/**
 * enum outcome - what became of a request
 * @DONE: it was answered
 * @HELD: it waits for a page
 * @STOPPED: reset or fatal error: leave everything
 */
enum outcome {
	DONE,
	HELD,
	STOPPED,
};

/* The shared queue of the message under way; NULL: the QP has its own, or the queue is gone. */
static struct mlx5_srq *shared_queue(struct mlx5 *dev, const struct mlx5_qp *qp)
{
	if (qp->type != MLX5_QPC_ST_XRC)
		return qp->srq;
	return mlx5_srq_of_domain(dev, qp->responder.srqn,
				  (uint32_t)ifc_get(qpc, qp->context, xrcd));
}

/* Memory is that of the shared queue where the QP belongs to a domain and not to a program. */
static uint32_t memory_pd(struct mlx5 *dev, const struct mlx5_qp *qp)
{
	const struct mlx5_srq *srq = qp->type == MLX5_QPC_ST_XRC ? shared_queue(dev, qp) : NULL;

	return srq ? srq->pd : mlx5_qp_pd(qp);
}

_Static_assert(offsetof(struct mlx5_err_cqe, srqn) == offsetof(struct mlx5_cqe64, srqn), "srqn");

/* Posts the completion of a receive request. */
static void post_completion(struct mlx5 *dev, struct mlx5_qp *qp, struct mlx5_cqe64 *entry,
			    bool solicited)
{
	const struct mlx5_srq *srq = shared_queue(dev, qp);

	if (qp->type != MLX5_QPC_ST_XRC) {
		entry->srqn = htobe32((uint32_t)ifc_get(qpc, qp->context, user_index));
		mlx5_cq_post(dev, qp->receive_cq, entry, solicited);
	} else if (srq) {
		entry->srqn = htobe32((uint32_t)ifc_get(xrc_srqc, srq->context, user_index));
		mlx5_cq_post(dev, srq->cq, entry, solicited);
	}
}

static struct mlx5_sg responder_sg(struct mlx5 *dev, const struct mlx5_qp *qp)
{
	const struct mlx5_responder *responder = &qp->responder;
	const struct mlx5_srq *srq = shared_queue(dev, qp);

	return (struct mlx5_sg){
		.segments = responder->wqe,
		.size = responder->wqe_size,
		.pd = srq ? srq->pd : mlx5_qp_pd(qp),
		.access = MLX5_ACCESS_LOCAL_WRITE,
		.receive = true,
	};
}

static void end_message(struct mlx5_qp *qp)
{
	qp->responder.has_wqe = false;
	qp->responder.offset = 0;
}

void mlx5_responder_error(struct mlx5 *dev, struct mlx5_qp *qp, uint8_t syndrome)
{
	struct mlx5_err_cqe error = {
		.syndrome = syndrome,
		.s_wqe_opcode_qpn = htobe32(qp->number),
		.wqe_counter = htobe16(qp->responder.wqe_index),
		.op_own = MLX5_CQE_RESP_ERR << 4,
	};
	struct mlx5_cqe64 entry;

	memcpy(&entry, &error, sizeof(entry));
	post_completion(dev, qp, &entry, true);
	end_message(qp);
}

static void post_success(struct mlx5 *dev, struct mlx5_qp *qp, const struct ib_packet *last)
{
	uint8_t opcode = last->kind == IB_PACKET_WRITE ? MLX5_CQE_RESP_WR_IMM
			 : last->has_immediate	       ? MLX5_CQE_RESP_SEND_IMM
						       : MLX5_CQE_RESP_SEND;
	uint64_t now = mlx5_time();
	struct mlx5_cqe64 entry = {
		.slid = htobe16(last->source_lid),
		.flags_rqpn = htobe32(last->source_qpn),
		.byte_cnt = htobe32((uint32_t)qp->responder.offset),
		.timestamp_h = htobe32((uint32_t)(now >> 32)),
		.timestamp_l = htobe32((uint32_t)now),
		.sop_drop_qpn = htobe32(qp->number),
		.wqe_counter = htobe16(qp->responder.wqe_index),
		.op_own = (uint8_t)(opcode << 4),
	};

	/* Immediate data goes through as the sender's driver wrote it. */
	if (last->has_immediate)
		put_be32(&entry.immediate, last->immediate);
	post_completion(dev, qp, &entry, last->solicited);
}

/* Receive requests that the driver has posted to the QP's own queue and that were not taken yet, or
 * -errno. */
static int posted_requests(struct mlx5 *dev, struct mlx5_qp *qp)
{
	uint32_t producer;
	uint16_t posted;
	int ret;

	if (!qp->receive_entries || qp->responder.broken)
		return 0;
	ret = mlx5_dma_read_be32(dev, qp->doorbell + MLX5_RCV_DBR * sizeof(uint32_t), &producer);
	if (ret)
		return ret;
	posted = (uint16_t)((uint16_t)producer - qp->responder.consumer);
	return posted <= qp->receive_entries ? posted : -ERANGE;
}

/* Takes a request from the QP's own queue. Return: 1, 0 when there is none, or -errno. */
static int take_own(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_responder *responder = &qp->responder;
	int posted = posted_requests(dev, qp);
	uint64_t offset;
	int ret;

	if (posted <= 0)
		return posted;
	offset = (uint64_t)(responder->consumer % qp->receive_entries) << qp->receive_log_stride;
	responder->wqe_size = 1u << qp->receive_log_stride;
	ret = mlx5_buffer_read(dev, &qp->ring, offset, responder->wqe, responder->wqe_size);
	if (ret)
		return ret;
	responder->wqe_index = responder->consumer++;
	return 1;
}

int mlx5_responder_take(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_responder *responder = &qp->responder;
	struct mlx5_srq *srq = shared_queue(dev, qp);
	int ret;

	if (responder->has_wqe)
		return 1;
	if (srq) {
		static const int results[] = {
			[MLX5_SRQ_TAKEN] = 1,
			[MLX5_SRQ_EMPTY] = 0,
			[MLX5_SRQ_STOPPED] = -ECANCELED,
			[MLX5_SRQ_BROKEN] = -EINVAL,
		};

		responder->wqe_size = sizeof(responder->wqe);
		ret = results[mlx5_srq_take(dev, srq, responder->wqe, &responder->wqe_size,
					    &responder->wqe_index)];
	} else {
		ret = take_own(dev, qp);
	}
	responder->has_wqe = ret > 0;
	if (ret < 0 && ret != -ECANCELED) {
		responder->broken = true;
		mlx5_event_queue(dev, MLX5_EVENT_TYPE_WQ_CATAS_ERROR, qp->number);
		mlx5_qp_fail(dev, qp);
	}
	return ret;
}

/* An unreliable connection refuses nothing. What it cannot receive is lost, and so is the rest of
 * the message, whose packet numbers are then beyond the expected one. */
static enum outcome drop_message(struct mlx5 *dev, struct mlx5_qp *qp,
				 const struct ib_packet *request)
{
	qp->responder.offset = 0;
	dev->port.counters.dropped_packets++;
	mlx5_link_answer(dev, request, IB_PACKET_LOST, 0);
	return DONE;
}

/*
 * Refuses a request: the requester hears why, this side's receive request completes with @local as
 * syndrome, and without one an event says that there was an error.
 */
static enum outcome refuse_request(struct mlx5 *dev, struct mlx5_qp *qp,
				   const struct ib_packet *request, enum ib_nak why, uint8_t local)
{
	/* This side's own memory is its own fault. */
	if (qp->type == MLX5_QPC_ST_UC && local != MLX5_CQE_SYNDROME_LOCAL_PROT_ERR)
		return drop_message(dev, qp, request);
	mlx5_link_answer(dev, request, IB_PACKET_NAK, (uint8_t)why);
	if (qp->responder.has_wqe)
		mlx5_responder_error(dev, qp, local);
	else
		mlx5_event_queue(dev,
				 why == IB_NAK_REMOTE_ACCESS ? MLX5_EVENT_TYPE_WQ_ACCESS_ERROR
							     : MLX5_EVENT_TYPE_WQ_INVAL_REQ_ERROR,
				 qp->number);
	mlx5_qp_fail(dev, qp);
	return DONE;
}

static enum outcome refuse_access(struct mlx5 *dev, struct mlx5_qp *qp,
				  const struct ib_packet *request)
{
	return refuse_request(dev, qp, request, IB_NAK_REMOTE_ACCESS,
			      MLX5_CQE_SYNDROME_LOCAL_ACCESS_ERR);
}

static enum outcome answer_not_ready(struct mlx5 *dev, struct mlx5_qp *qp,
				     const struct ib_packet *request)
{
	if (qp->type == MLX5_QPC_ST_UC)
		return drop_message(dev, qp, request);
	mlx5_link_answer(dev, request, IB_PACKET_RNR_NAK,
			 (uint8_t)ifc_get(qpc, qp->context, min_rnr_nak));
	return DONE;
}

static enum outcome acknowledge_request(struct mlx5 *dev, struct mlx5_qp *qp,
					const struct ib_packet *request)
{
	struct mlx5_responder *responder = &qp->responder;

	responder->psn = (responder->psn + 1) & IB_PSN_MASK;
	responder->offset += request->length;
	if (request->last) {
		/* A write has nothing to do with a receive request that a lost message had
		 * taken. */
		if (request->kind == IB_PACKET_SEND || request->has_immediate) {
			post_success(dev, qp, request);
			responder->has_wqe = false;
		}
		responder->offset = 0;
	}
	mlx5_link_answer(dev, request, IB_PACKET_ACK, 0);
	return DONE;
}

static enum outcome receive_send(struct mlx5 *dev, struct mlx5_qp *qp,
				 const struct ib_packet *request)
{
	struct mlx5_responder *responder = &qp->responder;
	enum mlx5_memory_result result;
	uint64_t room;
	struct mlx5_sg sg;
	int ret;

	ret = mlx5_responder_take(dev, qp);
	if (ret == -ECANCELED)
		return STOPPED;
	if (ret < 0)
		return refuse_request(dev, qp, request, IB_NAK_REMOTE_OPERATION, 0);
	if (!ret)
		return answer_not_ready(dev, qp, request);
	sg = responder_sg(dev, qp);
	if (!mlx5_sg_length(&sg, &room) || responder->offset + request->length > room)
		return refuse_request(dev, qp, request, IB_NAK_INVALID_REQUEST,
				      MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR);
	result = mlx5_sg_write(dev, &sg, responder->offset, request->payload, request->length);
	switch (result) {
	case MLX5_MEMORY_OK:
		return acknowledge_request(dev, qp, request);
	case MLX5_MEMORY_STOPPED:
		return STOPPED;
	case MLX5_MEMORY_ABSENT:
		responder->token =
			mlx5_fault_raise_wqe(dev, qp, MLX5_WQE_PF_TYPE_RESP, responder->wqe_index,
					     responder->offset, request->length);
		if (responder->token)
			return HELD;
		break;
	default:
		break;
	}
	return refuse_request(dev, qp, request, IB_NAK_REMOTE_OPERATION,
			      MLX5_CQE_SYNDROME_LOCAL_PROT_ERR);
}

static struct mlx5_region remote_region(struct mlx5 *dev, const struct mlx5_qp *qp, uint32_t key,
					uint64_t address, enum mlx5_access access)
{
	return (struct mlx5_region){
		.key = key, .pd = memory_pd(dev, qp), .access = access, .address = address
	};
}

/* What an access through a remote key came to, when it was not successful; @length bytes were
 * wanted of the message. */
static enum outcome remote_failure(struct mlx5 *dev, struct mlx5_qp *qp,
				   const struct ib_packet *request, enum mlx5_memory_result result,
				   uint32_t length)
{
	struct mlx5_responder *responder = &qp->responder;

	switch (result) {
	case MLX5_MEMORY_STOPPED:
		return STOPPED;
	case MLX5_MEMORY_ABSENT:
		responder->token = mlx5_fault_raise_rdma(dev, responder, length,
							 request->kind != IB_PACKET_READ);
		return responder->token ? HELD : refuse_access(dev, qp, request);
	case MLX5_MEMORY_BUS_ERROR:
		return refuse_request(dev, qp, request, IB_NAK_REMOTE_OPERATION,
				      MLX5_CQE_SYNDROME_LOCAL_ACCESS_ERR);
	default:
		return refuse_access(dev, qp, request);
	}
}

static void note_message(struct mlx5_responder *responder, const struct ib_packet *request)
{
	responder->address = request->address;
	responder->key = request->key;
	responder->message_length = request->message_length;
}

static enum outcome receive_write(struct mlx5 *dev, struct mlx5_qp *qp,
				  const struct ib_packet *request)
{
	struct mlx5_responder *responder = &qp->responder;
	enum mlx5_memory_result result;
	struct mlx5_region region;

	if (request->first) {
		note_message(responder, request);
		region =
			remote_region(dev, qp, request->key, request->address,
				      MLX5_ACCESS_REMOTE_WRITE);
		if (!ifc_get(qpc, qp->context, rwe) ||
		    !mlx5_memory_allowed(dev, &region, request->message_length))
			return refuse_access(dev, qp, request);
	}
	if (responder->offset + request->length > responder->message_length)
		return refuse_request(dev, qp, request, IB_NAK_INVALID_REQUEST,
				      MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR);
	if (request->has_immediate) {
		int ret = mlx5_responder_take(dev, qp);

		if (ret == -ECANCELED)
			return STOPPED;
		if (ret < 0)
			return refuse_request(dev, qp, request, IB_NAK_REMOTE_OPERATION, 0);
		if (!ret)
			return answer_not_ready(dev, qp, request);
	}
	region = remote_region(dev, qp, responder->key, responder->address + responder->offset,
			       MLX5_ACCESS_REMOTE_WRITE);
	result = mlx5_memory_write(dev, &region, request->payload, request->length);
	if (!result)
		return acknowledge_request(dev, qp, request);
	return remote_failure(dev, qp, request, result, request->length);
}

static void respond(struct mlx5 *dev, struct mlx5_qp *qp, const struct ib_packet *request,
		    struct ib_packet *response, enum ib_packet_kind kind)
{
	response->kind = kind;
	response->source_qpn = qp->number;
	response->destination_lid = request->source_lid;
	response->destination_qpn = request->source_qpn;
	response->psn = request->psn;
	qp->responder.psn = (qp->responder.psn + 1) & IB_PSN_MASK;
	ib_port_send(&dev->port, response);
}

static enum outcome receive_read(struct mlx5 *dev, struct mlx5_qp *qp,
				 const struct ib_packet *request)
{
	struct mlx5_region region =
		remote_region(dev, qp, request->key, request->address, MLX5_ACCESS_REMOTE_READ);
	enum mlx5_memory_result result;
	struct ib_packet *response;

	note_message(&qp->responder, request);
	if (!ifc_get(qpc, qp->context, rre) || request->message_length > mlx5_qp_mtu(qp))
		return refuse_access(dev, qp, request);
	response = ib_packet_new(request->message_length);
	if (!response) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_FW_INTERNAL_ERR, qp->number);
		return STOPPED;
	}
	result = mlx5_memory_read(dev, &region, response->payload, response->length);
	if (result) {
		free(response);
		return remote_failure(dev, qp, request, result, request->message_length);
	}
	respond(dev, qp, request, response, IB_PACKET_READ_RESPONSE);
	return DONE;
}

static enum outcome receive_atomic(struct mlx5 *dev, struct mlx5_qp *qp,
				   const struct ib_packet *request)
{
	struct mlx5_region region =
		remote_region(dev, qp, request->key, request->address, MLX5_ACCESS_REMOTE_ATOMIC);
	struct mlx5_atomic atomic = {
		.compare_swap = request->kind == IB_PACKET_COMPARE_SWAP,
		.swap_add = request->swap_add,
		.compare = request->compare,
	};
	enum mlx5_memory_result result;
	struct ib_packet *response;
	uint64_t before;

	note_message(&qp->responder, request);
	if (request->address % IB_ATOMIC_SIZE)
		return refuse_request(dev, qp, request, IB_NAK_INVALID_REQUEST,
				      MLX5_CQE_SYNDROME_LOCAL_ACCESS_ERR);
	if (!ifc_get(qpc, qp->context, rae))
		return refuse_access(dev, qp, request);
	response = ib_packet_new(IB_ATOMIC_SIZE);
	if (!response) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_FW_INTERNAL_ERR, qp->number);
		return STOPPED;
	}
	result = mlx5_memory_atomic(dev, &region, &atomic, &before);
	if (result) {
		free(response);
		return remote_failure(dev, qp, request, result, IB_ATOMIC_SIZE);
	}
	put_be64(response->payload, before);
	respond(dev, qp, request, response, IB_PACKET_ATOMIC_RESPONSE);
	return DONE;
}

static bool can_receive(const struct mlx5_qp *qp)
{
	return mlx5_qp_is_connected(qp) &&
	       (qp->state == MLX5_QPC_STATE_RTR || qp->state == MLX5_QPC_STATE_RTS);
}

/* An unreliable connection begins again with each message, whatever it has missed. */
static bool is_in_order(const struct mlx5_qp *qp, const struct ib_packet *request)
{
	return request->psn == qp->responder.psn ||
	       (qp->type == MLX5_QPC_ST_UC && request->first);
}

/* The sender is the peer, nothing else is under way, and nothing was missed. */
static bool is_expected(const struct mlx5_qp *qp, const struct ib_packet *request)
{
	const uint8_t *path = ifc_at(qpc, qp->context, primary_address_path);

	return request->source_qpn == ifc_get(qpc, qp->context, remote_qpn) &&
	       request->source_lid == ifc_get(ads, path, rlid) && !qp->responder.held &&
	       is_in_order(qp, request);
}

static bool has_operation(const struct mlx5_qp *qp, enum ib_packet_kind kind)
{
	return qp->type != MLX5_QPC_ST_UC || kind == IB_PACKET_SEND || kind == IB_PACKET_WRITE;
}

static enum outcome execute_request(struct mlx5 *dev, struct mlx5_qp *qp,
				    const struct ib_packet *request)
{
	if (request->first)
		qp->responder.srqn = request->srqn;
	if (qp->type == MLX5_QPC_ST_XRC && !shared_queue(dev, qp))
		return refuse_request(dev, qp, request, IB_NAK_INVALID_REQUEST,
				      MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR);
	switch (request->kind) {
	case IB_PACKET_SEND:
		return receive_send(dev, qp, request);
	case IB_PACKET_WRITE:
		return receive_write(dev, qp, request);
	case IB_PACKET_COMPARE_SWAP:
	case IB_PACKET_FETCH_ADD:
		return receive_atomic(dev, qp, request);
	default:
		return receive_read(dev, qp, request);
	}
}

static void process_request(struct mlx5 *dev, struct mlx5_qp *qp, struct ib_packet *request)
{
	enum outcome outcome = execute_request(dev, qp, request);

	if (outcome == HELD) {
		qp->responder.held = request;
		return;
	}
	/* The sender may be on another function, which goes on. */
	if (outcome == STOPPED)
		mlx5_link_answer(dev, request, IB_PACKET_LOST, 0);
	free(request);
}

void mlx5_responder_request(struct mlx5 *dev, struct mlx5_qp *qp, struct ib_packet *request)
{
	if (!can_receive(qp) || !has_operation(qp, request->kind) || !is_expected(qp, request)) {
		dev->port.counters.dropped_packets++;
		mlx5_link_answer(dev, request, IB_PACKET_LOST, 0);
		free(request);
		return;
	}
	/* What is left of an earlier message is lost. */
	if (request->first && qp->type == MLX5_QPC_ST_UC) {
		qp->responder.offset = 0;
		qp->responder.psn = request->psn;
	}
	process_request(dev, qp, request);
}

void mlx5_responder_drop(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct ib_packet *held = qp->responder.held;

	if (!held)
		return;
	qp->responder.held = NULL;
	qp->responder.token = 0;
	mlx5_link_answer(dev, held, IB_PACKET_LOST, 0);
	free(held);
}

void mlx5_responder_resume(struct mlx5 *dev, struct mlx5_qp *qp, bool error)
{
	struct ib_packet *request = qp->responder.held;

	/* The QP has failed since, and was not flushed yet. */
	if (!can_receive(qp)) {
		mlx5_responder_drop(dev, qp);
		return;
	}
	qp->responder.held = NULL;
	qp->responder.token = 0;
	if (!error) {
		process_request(dev, qp, request);
		return;
	}
	if (request->kind == IB_PACKET_SEND)
		refuse_request(dev, qp, request, IB_NAK_REMOTE_OPERATION,
			       MLX5_CQE_SYNDROME_LOCAL_PROT_ERR);
	else
		refuse_access(dev, qp, request);
	free(request);
}

void mlx5_responder_reset(struct mlx5 *dev, struct mlx5_qp *qp)
{
	mlx5_responder_drop(dev, qp);
	memset(&qp->responder, 0, sizeof(qp->responder));
}

bool mlx5_responder_flush(struct mlx5 *dev, struct mlx5_qp *qp)
{
	/* Requests of a shared queue stay there for others. */
	if (!qp->responder.has_wqe && (qp->srq || take_own(dev, qp) <= 0))
		return false;
	mlx5_responder_error(dev, qp, MLX5_CQE_SYNDROME_WR_FLUSH_ERR);
	return true;
}
