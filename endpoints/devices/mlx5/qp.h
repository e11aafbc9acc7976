/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue pairs as objects, with the state of requester (send queue) and responder (receive queue and
 * remote accesses).
 */
#ifndef TPHBUF_MLX5_QP_H
#define TPHBUF_MLX5_QP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "buffer.h"
#include "core.h"
#include "cq.h"
#include "infiniband/packet.h"
#include "srq.h"

#define MLX5_FLUSH_DELAY_FIRST 1000000ull /* ns; then twice as long each time */

#define MLX5_WQE_SIZE_MAX      (MLX5_SEND_WQE_MAX_WQEBBS * MLX5_SEND_WQE_BB)
#define MLX5_RECEIVE_WQE_MAX   1024u

/**
 * enum mlx5_requester_phase - what the requester does next
 * @MLX5_REQUESTER_IDLE: take the next work request
 * @MLX5_REQUESTER_SEND: send the next packet of the current one
 * @MLX5_REQUESTER_ANSWER: wait for the answer to it
 * @MLX5_REQUESTER_TIMER: wait until the deadline, then send it again
 * @MLX5_REQUESTER_FAULT: wait for PAGE_FAULT_RESUME
 */
enum mlx5_requester_phase {
	MLX5_REQUESTER_IDLE,
	MLX5_REQUESTER_SEND,
	MLX5_REQUESTER_ANSWER,
	MLX5_REQUESTER_TIMER,
	MLX5_REQUESTER_FAULT,
};

/**
 * struct mlx5_requester - the send queue at work
 * @phase: see above
 * @broken: the queue cannot be read or says what cannot be; it is left alone until the QP is reset
 * @consumer: basic blocks taken from the queue, counts on without end
 * @index: @consumer of the current work request, as its completion names it
 * @wqe: the current work request; @size bytes
 * @opcode: MLX5_OPCODE_*
 * @segments: offset of its data segments
 * @length: bytes of the message
 * @done: bytes that have been answered
 * @part: bytes in the packet under way
 * @psn: of the packet under way
 * @retries: times that the packet under way was lost
 * @not_ready: times that the responder was not ready for it
 * @response: answer to a read that waits for a page of local memory; owned
 * @token: of the page fault
 */
struct mlx5_requester {
	enum mlx5_requester_phase phase;
	bool broken;
	uint16_t consumer;
	uint16_t index;
	uint8_t wqe[MLX5_WQE_SIZE_MAX];
	size_t size;
	uint8_t opcode;
	size_t segments;
	uint64_t length;
	uint64_t done;
	uint32_t part;
	uint32_t psn;
	unsigned int retries;
	unsigned int not_ready;
	struct ib_packet *response;
	uint32_t token;
};

/**
 * struct mlx5_responder - the receiving side at work
 * @psn: expected next
 * @broken: as of the requester
 * @consumer: receive requests taken from the QP's own queue, counts on without end
 * @has_wqe: a receive request was taken for the message under way
 * @wqe_index: its number, as its completion names it
 * @wqe: its data segments; @wqe_size bytes
 * @offset: bytes of the message received
 * @address: where the message goes, of a write; where it comes from, of a read
 * @key: remote key of the message
 * @message_length: bytes of the message, as its first packet announced
 * @srqn: of an XRC QP: shared receive queue of the message
 * @held: request that waits for a page; owned
 * @token: of the page fault
 */
struct mlx5_responder {
	uint32_t psn;
	bool broken;
	uint16_t consumer;
	bool has_wqe;
	uint16_t wqe_index;
	uint8_t wqe[MLX5_RECEIVE_WQE_MAX];
	size_t wqe_size;
	uint64_t offset;
	uint64_t address;
	uint32_t key;
	uint64_t message_length;
	uint32_t srqn;
	struct ib_packet *held;
	uint32_t token;
};

/**
 * struct mlx5_qp - a queue pair
 * @number: as in commands, work requests, completions and on the wire
 * @context: the QP context (qpc), the truth about all that is not below
 * @state: MLX5_QPC_STATE_*
 * @type: MLX5_QPC_ST_*
 * @send_cq: for the send queue
 * @receive_cq: for the receive queue
 * @srq: shared receive queue, or NULL; each request for an XRC QP names another
 * @ring: both queues, the receive queue first
 * @doorbell: address of the doorbell record
 * @receive_log_stride: log2 of the bytes of a receive request
 * @receive_entries: receive requests that the queue holds, 0: it has none
 * @send_offset: of the send queue in @ring
 * @send_blocks: basic blocks that it holds, 0: it has none
 * @deadline: when the waiting requester goes on, or a failed QP looks for requests to flush
 * @flush_delay: ns, of the latter
 * @is_runnable: linked in dev->runnable by @runnable
 * @is_waiting: linked in dev->waiting by @waiting
 */
struct mlx5_qp {
	uint32_t number;
	uint8_t context[ifc_size(qpc)];
	uint8_t state;
	uint8_t type;
	struct mlx5_cq *send_cq;
	struct mlx5_cq *receive_cq;
	struct mlx5_srq *srq;
	struct mlx5_buffer ring;
	uint64_t doorbell;
	uint8_t receive_log_stride;
	uint32_t receive_entries;
	uint32_t send_offset;
	uint32_t send_blocks;
	struct mlx5_requester requester;
	struct mlx5_responder responder;
	uint64_t deadline;
	uint64_t flush_delay;
	bool is_runnable;
	bool is_waiting;
	TAILQ_ENTRY(mlx5_qp) runnable;
	TAILQ_ENTRY(mlx5_qp) waiting;
};

static inline uint32_t mlx5_qp_pd(const struct mlx5_qp *qp)
{
	return (uint32_t)ifc_get(qpc, qp->context, pd);
}

static inline bool mlx5_qp_is_connected(const struct mlx5_qp *qp)
{
	return qp->type == MLX5_QPC_ST_RC || qp->type == MLX5_QPC_ST_UC ||
	       qp->type == MLX5_QPC_ST_XRC;
}

/* Bytes of payload in a packet. */
static inline uint32_t mlx5_qp_mtu(const struct mlx5_qp *qp)
{
	return 128u << ifc_get(qpc, qp->context, mtu);
}

/* Puts a QP in the list of those that have something to do, and wakes the worker. */
void mlx5_qp_run(struct mlx5 *dev, struct mlx5_qp *qp);

/* Lets a QP run again after @delay ns. */
void mlx5_qp_wait(struct mlx5 *dev, struct mlx5_qp *qp, uint64_t delay);

/* Takes a QP out of both lists. */
void mlx5_qp_stop(struct mlx5 *dev, struct mlx5_qp *qp);

/* Moves to the error state: what is in the queues, and a request that waits for a page, will be
 * flushed. */
void mlx5_qp_fail(struct mlx5 *dev, struct mlx5_qp *qp);

#endif
