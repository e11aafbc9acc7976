// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended reliable connections: each message names the shared receive queue that it is for, whose
 * protection domain and completion queue count.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

#define LOG_STRIDE 5
#define LENGTH	   3000u
#define USER_INDEX 0x1234u

/**
 * struct srq - a shared receive queue
 * @number: as the device knows it
 * @ring: its requests
 * @doorbell: the doorbell record
 * @posted: requests posted
 */
struct srq {
	uint32_t number;
	uint64_t ring;
	uint64_t doorbell;
	uint32_t posted;
};

static struct nic *nic = &machine.nics[0], *remote = &machine.nics[1];
static struct cq send_cq, unused_cq, receive_cq;
static struct srq srq, foreign;
static struct qp one, two;
static uint64_t from, to;
static uint32_t pd, key;

static uint32_t domain_create(struct nic *owner)
{
	struct nic_command command;

	nic_command_begin(&command, ALLOC_XRCD, alloc_xrcd);
	nic_must(owner, &command);
	return (uint32_t)ifc_get(alloc_xrcd_out, command.out, xrcd);
}

static void srq_create(struct srq *queue, uint32_t xrcd)
{
	struct nic_command command;
	uint8_t *context;

	*queue = (struct srq){ .ring = machine_alloc(PAGE), .doorbell = machine_alloc(PAGE) };
	nic_command_begin(&command, CREATE_XRC_SRQ, create_xrc_srq);
	context = ifc_at(create_xrc_srq_in, command.in, xrc_srq_context_entry);
	ifc_set(xrc_srqc, context, pd, pd);
	ifc_set(xrc_srqc, context, xrcd, xrcd);
	ifc_set(xrc_srqc, context, cqn, receive_cq.number);
	ifc_set(xrc_srqc, context, user_index, USER_INDEX);
	ifc_set(xrc_srqc, context, log_xrc_srq_size, 3);
	ifc_set(xrc_srqc, context, log_rq_stride, LOG_STRIDE - 4);
	ifc_set(xrc_srqc, context, db_record_addr_h, queue->doorbell >> 32);
	ifc_set(xrc_srqc, context, db_record_addr_l, (uint32_t)queue->doorbell >> 2);
	nic_command_add_pages(&command, &queue->ring, 1);
	nic_must(remote, &command);
	queue->number = (uint32_t)ifc_get(create_xrc_srq_out, command.out, xrc_srqn);
}

static void srq_post(struct srq *queue, uint64_t address, uint32_t by_key)
{
	uint8_t *entry = (uint8_t *)machine_at(queue->ring) + (queue->posted % 8 << LOG_STRIDE);
	struct mlx5_wqe_srq_next_seg link = {
		.next_wqe_index = htobe16((uint16_t)((queue->posted + 1) % 8)),
	};
	struct mlx5_wqe_data_seg segment = {
		.byte_count = htobe32(LENGTH),
		.lkey = htobe32(by_key),
		.addr = htobe64(address),
	};

	memcpy(entry, &link, sizeof(link));
	memcpy(entry + sizeof(link), &segment, sizeof(segment));
	queue->posted++;
	__atomic_store_n((uint32_t *)machine_at(queue->doorbell), htobe32(queue->posted),
			 __ATOMIC_RELEASE);
}

/* Syndrome of a send or, with @write, of a write by @by_key. */
static int message(uint32_t srqn, bool write, uint32_t by_key)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	wqe_begin(&wqe, write ? MLX5_OPCODE_RDMA_WRITE : MLX5_OPCODE_SEND, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_xrc(&wqe, srqn);
	if (write)
		wqe_remote(&wqe, to, by_key);
	wqe_data(&wqe, from, LENGTH, nic->key);
	qp_post(&one, &wqe);
	if (!cq_poll(&send_cq, &entry))
		return -1;
	return cqe_opcode(&entry) == MLX5_CQE_REQ ? 0 : cqe_syndrome(&entry);
}

static void arrives(void)
{
	struct mlx5_cqe64 entry;

	srq_post(&srq, to, key);
	is_int(message(srq.number, false, 0), 0, "send");
	ok(cq_poll(&receive_cq, &entry), "the completion is in the queue of the SRQ");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_SEND, "a send");
	is_hex(be32toh(entry.srqn), USER_INDEX, "for the user index of the SRQ");
	is_hex(be32toh(entry.sop_drop_qpn) & 0xffffff, two.number, "by the QP");
	is_int(be32toh(entry.byte_cnt), LENGTH, "bytes");
	is_mem(machine_at(to), machine_at(from), LENGTH, "data");
	memset(machine_at(to), 0, LENGTH);
	is_int(message(srq.number, true, key), 0, "write by a key of the domain of the SRQ");
	is_mem(machine_at(to), machine_at(from), LENGTH, "data");
	ok(cq_is_empty(&unused_cq), "nothing in the queue of the QP");
}

static void refused(void)
{
	struct mlx5_cqe64 entry;

	is_int(message(srq.number, true, remote->key), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "a key of the domain of the QP");
	qp_reconnect(&one, &two);
	is_int(message(foreign.number, false, 0), MLX5_CQE_SYNDROME_REMOTE_INVAL_REQ_ERR,
	       "an SRQ of another XRC domain");
	qp_reconnect(&one, &two);
	is_int(message(4000, true, key), MLX5_CQE_SYNDROME_REMOTE_INVAL_REQ_ERR, "no such SRQ");
	qp_reconnect(&one, &two);
	srq_post(&srq, to, remote->key);
	is_int(message(srq.number, false, 0), MLX5_CQE_SYNDROME_REMOTE_OP_ERR,
	       "a receive request with a key of another domain");
	ok(cq_poll(&receive_cq, &entry), "which the queue of the SRQ says");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_ERR, "an error");
	is_int(cqe_syndrome(&entry), MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "syndrome");
	is_hex(be32toh(entry.srqn), USER_INDEX, "for the user index of the SRQ");
	qp_reconnect(&one, &two);
	is_int(message(srq.number, false, 0), MLX5_CQE_SYNDROME_RNR_RETRY_EXC_ERR,
	       "no receive request");
	qp_reconnect(&one, &two);
	is_int(message(srq.number, true, key), 0, "works after all of it");
}

/* A target has no send queue, hence no doorbells. */
static void target(uint32_t xrcd)
{
	struct nic_command command;
	uint8_t *context;

	nic_command_begin(&command, CREATE_QP, create_qp);
	context = ifc_at(create_qp_in, command.in, qpc);
	ifc_set(qpc, context, st, MLX5_QPC_ST_XRC);
	ifc_set(qpc, context, pd, remote->pd);
	ifc_set(qpc, context, cqn_snd, unused_cq.number);
	ifc_set(qpc, context, cqn_rcv, unused_cq.number);
	ifc_set(qpc, context, rq_type, MLX5_SRQ_RQ);
	ifc_set(qpc, context, no_sq, 1);
	ifc_set(qpc, context, xrcd, xrcd);
	is_int(nic_execute(remote, &command), MLX5_CMD_STAT_OK, "a QP that only receives");
}

int main(void)
{
	struct key_options options = { .count = 1 };
	struct nic_command command;
	uint64_t page;
	uint32_t xrcd;

	machine_setup(2, "");
	nic_open(nic);
	nic_open(remote);
	nic_command_begin(&command, ALLOC_PD, alloc_pd);
	nic_must(remote, &command);
	pd = (uint32_t)ifc_get(alloc_pd_out, command.out, pd);
	from = machine_alloc(PAGE);
	to = machine_alloc(PAGE);
	fill(from, PAGE, 1);
	page = to | MLX5_MTT_READ | MLX5_MTT_WRITE;
	options.pages = &page;
	options.pd = pd;
	options.start = to;
	key = key_create(remote, &options);
	cq_create(&send_cq, nic, 6);
	cq_create(&unused_cq, remote, 6);
	cq_create(&receive_cq, remote, 6);
	xrcd = domain_create(remote);
	srq_create(&srq, xrcd);
	srq_create(&foreign, domain_create(remote));
	qp_create_xrc(&one, nic, &send_cq, domain_create(nic));
	qp_create_xrc(&two, remote, &unused_cq, xrcd);
	one.mtu = 3;
	two.mtu = 3;
	qp_connect(&one, &two);
	arrives();
	refused();
	target(xrcd);
	machine_teardown();
	return done_testing();
}
