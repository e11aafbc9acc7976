/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion queues, memory keys and queue pairs of the tests' driver.
 */
#ifndef TPHBUF_TESTS_VERBS_H
#define TPHBUF_TESTS_VERBS_H

#include "devices/mlx5/qp.h"
#include "nic.h"

#define SEND_LOG    4 /* blocks in a send queue */
#define RECEIVE_LOG 3 /* requests in a receive queue */
#define STRIDE_LOG  6 /* of a receive request: four segments */
/* The send queue is behind the receive queue. */
#define RECEIVE_BYTES (1u << (RECEIVE_LOG + STRIDE_LOG))

/* Rights of a key */
#define LOCAL_READ    1u
#define LOCAL_WRITE   2u
#define REMOTE_READ   4u
#define REMOTE_WRITE  8u
#define REMOTE_ATOMIC 16u
#define ALL_RIGHTS    31u

/**
 * struct cq - a completion queue
 * @nic: its function
 * @number: as the device knows it
 * @log: log2 of the entries
 * @ring: the entries
 * @doorbell: the doorbell record
 * @consumer: completions read
 */
struct cq {
	struct nic *nic;
	uint32_t number;
	unsigned int log;
	uint64_t ring;
	uint64_t doorbell;
	uint32_t consumer;
};

void cq_create(struct cq *cq, struct nic *nic, unsigned int log);

/* The next completion; false when none comes. */
bool cq_poll(struct cq *cq, struct mlx5_cqe64 *entry);
bool cq_is_empty(struct cq *cq);

/* @solicited: waits for solicited completions only */
void cq_arm(struct cq *cq, bool solicited);

static inline unsigned int cqe_opcode(const struct mlx5_cqe64 *entry)
{
	return entry->op_own >> 4;
}

static inline uint8_t cqe_syndrome(const struct mlx5_cqe64 *entry)
{
	return ((const struct mlx5_err_cqe *)entry)->syndrome;
}

/**
 * struct key_options - a memory key; what is 0 has the value in brackets
 * @pd: protection domain (the function's)
 * @rights: ALL_RIGHTS and the like (all)
 * @start: first address
 * @length: bytes (those of the pages)
 * @pages: page entries; without MLX5_MTT_* a page is not present
 * @count: of them
 * @entries: room for page entries (@count)
 * @log_page: log2 of the page size (12)
 * @umr: may be changed by UMR
 * @is_free: starts in the free state
 * @relaxed: writes and reads may be reordered
 * @tph: carries hints
 * @ph: processing hint
 * @st_index: entry of the ST table, or the tag
 */
struct key_options {
	uint32_t pd;
	unsigned int rights;
	uint64_t start;
	uint64_t length;
	const uint64_t *pages;
	unsigned int count;
	unsigned int entries;
	unsigned int log_page;
	bool umr;
	bool is_free;
	bool relaxed;
	bool tph;
	unsigned int ph;
	unsigned int st_index;
};

/* Fills in CREATE_MKEY. */
void key_command(struct nic_command *command, const struct nic *nic,
		 const struct key_options *options);

/* Makes a key that has to work; its low byte is 0. */
uint32_t key_create(struct nic *nic, const struct key_options *options);
int key_destroy(struct nic *nic, uint32_t key);

/* A key for @count pages from @address on, present and at @start. */
uint32_t key_for_pages(struct nic *nic, uint64_t address, unsigned int count, uint64_t start);

#define NOT_READY_FOREVER 7u

/**
 * struct qp - a queue pair
 * @nic: its function
 * @number: as the device knows it
 * @type: MLX5_QPC_ST_*
 * @cq: for both queues
 * @ring: receive requests, then send blocks
 * @doorbell: the doorbell record
 * @receive_head: requests posted
 * @send_head: blocks posted
 * @access: MLX5_QP_OPTPAR_RWE, RRE and RAE, for remote accesses
 * @mtu: code, 1..5
 * @not_ready_retry: times that a receiver which is not ready is asked again; NOT_READY_FOREVER
 * @lid: of the port
 * @psn_skew: packets that it counts more than its peer
 */
struct qp {
	struct nic *nic;
	uint32_t number;
	unsigned int type;
	struct cq *cq;
	uint64_t ring;
	uint64_t doorbell;
	uint16_t receive_head;
	uint16_t send_head;
	unsigned int access;
	unsigned int mtu;
	unsigned int not_ready_retry;
	uint16_t lid;
	uint32_t psn_skew;
};

void qp_create(struct qp *qp, struct nic *nic, unsigned int type, struct cq *cq);

/* A reliable one that takes receive requests from a shared queue; it has none of its own. */
void qp_create_on_srq(struct qp *qp, struct nic *nic, struct cq *cq, uint32_t srq);

/* One of an XRC domain, which sends and receives. */
void qp_create_xrc(struct qp *qp, struct nic *nic, struct cq *cq, uint32_t xrcd);
int qp_destroy(struct qp *qp);

/* The transitions; return: MLX5_CMD_STAT_*. */
int qp_init(struct qp *qp);
int qp_rtr(struct qp *qp, const struct qp *remote);
int qp_rts(struct qp *qp);
int qp_simple(struct qp *qp, uint16_t opcode); /* 2RST, 2ERR */

/* Two that have to work: everything up to RTS. */
void qp_connect(struct qp *one, struct qp *two);
void qp_reconnect(struct qp *one, struct qp *two);

/* MLX5_QPC_STATE_* */
unsigned int qp_state(struct qp *qp);

/* Send requests: a control segment, then what is added. */
struct wqe {
	uint8_t bytes[MLX5_WQE_SIZE_MAX];
	size_t size;
};

void wqe_begin(struct wqe *wqe, uint8_t opcode, uint8_t flags);
void wqe_immediate(struct wqe *wqe, uint32_t immediate);
void wqe_xrc(struct wqe *wqe, uint32_t srqn);
void wqe_remote(struct wqe *wqe, uint64_t address, uint32_t key);
void wqe_data(struct wqe *wqe, uint64_t address, uint32_t length, uint32_t key);
void wqe_inline(struct wqe *wqe, const void *data, uint32_t length);
void wqe_add(struct wqe *wqe, const void *bytes, size_t size);

/* Hands a request over; returns its index, as its completion names it. */
uint16_t qp_post(struct qp *qp, struct wqe *wqe);

/* The doorbell without a request. */
void qp_ring_doorbell(struct qp *qp);

void qp_receive(struct qp *qp, uint64_t address, uint32_t length, uint32_t key);

/* One request with one data segment, signaled; returns the syndrome of its completion, 0: success,
 * -1: none came. */
int qp_write(struct qp *qp, uint64_t from, uint32_t from_key, uint32_t length, uint64_t to,
	     uint32_t to_key);
int qp_read(struct qp *qp, uint64_t to, uint32_t to_key, uint32_t length, uint64_t from,
	    uint32_t from_key);
int qp_atomic(struct qp *qp, const struct mlx5_wqe_atomic_seg *operands, bool compare_swap,
	      uint64_t to, uint32_t to_key, uint64_t address, uint32_t key);
int qp_send(struct qp *qp, uint64_t from, uint32_t from_key, uint32_t length);

/* A UMR queue ready to use. */
void umr_create(struct qp *qp, struct nic *nic, struct cq *cq);

/**
 * struct umr - a change of a memory key
 * @key: the key
 * @flags: MLX5_UMR_*; inline is set for a list
 * @mask: MLX5_MKEY_MASK_*
 * @context: new values
 * @first: number of the first page entry, even
 * @pages: page entries
 * @count: of them, even
 */
struct umr {
	uint32_t key;
	uint8_t flags;
	uint64_t mask;
	uint8_t context[ifc_size(mkc)];
	unsigned int first;
	const uint64_t *pages;
	unsigned int count;
};

void umr_begin(struct wqe *wqe, const struct umr *umr);

/* Returns the syndrome. */
int umr_execute(struct qp *qp, const struct umr *umr);

/* Bytes that a test can recognize. */
void fill(uint64_t address, size_t length, unsigned int seed);

#endif
