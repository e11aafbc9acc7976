// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reliable queue pairs that fail: syndromes, states, flushing, and what a broken queue does.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

static struct nic *nic = &machine.nics[0];
static struct cq send_cq, receive_cq;
static struct qp one, two;
static uint64_t memory;

static void recover(void)
{
	qp_reconnect(&one, &two);
}

static void is_failed(struct qp *qp, const char *what)
{
	is_int(qp_state(qp), MLX5_QPC_STATE_ERR, "%s: in the error state", what);
}

static bool take(struct cq *cq, unsigned int opcode, uint8_t syndrome)
{
	struct mlx5_cqe64 entry;

	return cq_poll(cq, &entry) && cqe_opcode(&entry) == opcode &&
	       cqe_syndrome(&entry) == syndrome;
}

static bool take_event(uint8_t type, uint32_t number)
{
	struct mlx5_eqe event;
	bool right = nic_event(nic, &event) && event.type == type &&
		     (be32toh(event.data.qp_srq.qp_srq_n) & 0xffffff) == number;

	nic_arm_events(nic);
	return right;
}

static void remote_access(void)
{
	struct wqe wqe;

	/* The next requests are flushed, on both sides. */
	qp_receive(&two, memory, 64, nic->key);
	for (unsigned int i = 0; i < 3; i++) {
		wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, 0);
		wqe_remote(&wqe, memory, 0xdead00);
		wqe_data(&wqe, memory, 64, nic->key);
		qp_post(&one, &wqe);
	}
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR), "bad rkey");
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_WR_FLUSH_ERR), "flushed");
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_WR_FLUSH_ERR), "flushed");
	ok(take(&receive_cq, MLX5_CQE_RESP_ERR, MLX5_CQE_SYNDROME_WR_FLUSH_ERR),
	   "flushed at the responder");
	ok(take_event(MLX5_EVENT_TYPE_WQ_ACCESS_ERROR, two.number), "an event");
	is_failed(&one, "requester");
	is_failed(&two, "responder");
	/* Requests that come later come without anybody ringing. */
	wqe_begin(&wqe, MLX5_OPCODE_NOP, 0);
	qp_post(&one, &wqe);
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_WR_FLUSH_ERR), "later: flushed");
	qp_receive(&two, memory, 64, nic->key);
	ok(take(&receive_cq, MLX5_CQE_RESP_ERR, MLX5_CQE_SYNDROME_WR_FLUSH_ERR),
	   "later, receive: flushed");
	recover();
	is_int(qp_write(&one, memory, nic->key, 64, memory + PAGE, nic->key), 0,
	       "works after a reset");
	two.access = 0;
	recover();
	is_int(qp_write(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "a queue pair that allows no writes");
	take_event(MLX5_EVENT_TYPE_WQ_ACCESS_ERROR, two.number);
	recover();
	is_int(qp_read(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "nor reads");
	take_event(MLX5_EVENT_TYPE_WQ_ACCESS_ERROR, two.number);
	two.access = MLX5_QP_OPTPAR_RWE | MLX5_QP_OPTPAR_RRE | MLX5_QP_OPTPAR_RAE;
	recover();
}

static void local(void)
{
	struct wqe wqe;

	is_int(qp_write(&one, memory, 0xdead00, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "bad lkey");
	is_failed(&one, "bad lkey");
	is_int(qp_state(&two), MLX5_QPC_STATE_RTS, "the other side hears nothing");
	recover();
	is_int(qp_read(&one, memory, 0xdead00, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "bad lkey of a read");
	recover();
	is_int(qp_write(&one, memory, nic->key, 2u << 20, memory, nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR, "longer than log_msg_max");
	recover();
	wqe_begin(&wqe, MLX5_OPCODE_ATOMIC_CS, 0);
	qp_post(&one, &wqe);
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR),
	   "an atomic without operands");
	recover();
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, 0);
	qp_post(&one, &wqe);
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR),
	   "a write without address");
	recover();
	wqe_begin(&wqe, MLX5_OPCODE_SEND, 0);
	wqe_inline(&wqe, "", 0);
	put_be32(wqe.bytes + 16, (uint32_t)MLX5_INLINE_SEG | 1000);
	qp_post(&one, &wqe);
	ok(take(&send_cq, MLX5_CQE_REQ_ERR, MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR),
	   "inline data beyond the request");
	recover();
	is_int(qp_write(&one, NOWHERE, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR, "a bus address that is not there");
	recover();
	is_int(qp_write(&one, memory, nic->key, 64, NOWHERE, nic->key),
	       MLX5_CQE_SYNDROME_REMOTE_OP_ERR, "nor at the responder");
	take_event(MLX5_EVENT_TYPE_WQ_INVAL_REQ_ERROR, two.number);
	recover();
}

static void receiving(void)
{
	qp_receive(&two, memory, 63, nic->key);
	is_int(qp_send(&one, memory, nic->key, 64), MLX5_CQE_SYNDROME_REMOTE_INVAL_REQ_ERR,
	       "a send that does not fit");
	ok(take(&receive_cq, MLX5_CQE_RESP_ERR, MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR), "receiver");
	is_failed(&two, "receiver");
	recover();
	qp_receive(&two, memory, 64, 0xdead00);
	is_int(qp_send(&one, memory, nic->key, 64), MLX5_CQE_SYNDROME_REMOTE_OP_ERR,
	       "a receive request with a bad lkey");
	ok(take(&receive_cq, MLX5_CQE_RESP_ERR, MLX5_CQE_SYNDROME_LOCAL_PROT_ERR), "receiver");
	recover();
	is_int(qp_send(&one, memory, nic->key, 64), MLX5_CQE_SYNDROME_RNR_RETRY_EXC_ERR,
	       "no receive request at all");
	is_int(qp_state(&two), MLX5_QPC_STATE_RTS, "the receiver goes on");
	recover();
}

static void nobody(void)
{
	struct qp other;

	qp_create(&other, nic, MLX5_QPC_ST_RC, &receive_cq);
	qp_simple(&two, MLX5_CMD_OP_2RST_QP);
	is_int(qp_write(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR, "a peer in reset");
	recover();
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_init(&one);
	qp_rtr(&one, &(struct qp){ .number = 4000, .lid = 1 });
	qp_rts(&one);
	is_int(qp_write(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR, "no such queue pair");
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_init(&one);
	qp_rtr(&one, &(struct qp){ .number = two.number, .lid = 999 });
	qp_rts(&one);
	is_int(qp_write(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR, "no such port");
	/* A queue pair that is connected to another one does not take it. */
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_simple(&two, MLX5_CMD_OP_2RST_QP);
	qp_connect(&two, &other);
	qp_init(&one);
	qp_rtr(&one, &two);
	qp_rts(&one);
	is_int(qp_write(&one, memory, nic->key, 64, memory, nic->key),
	       MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR, "somebody else's peer");
	is_int(qp_state(&two), MLX5_QPC_STATE_RTS, "which does not notice");
	qp_destroy(&other);
	/* A request that is not the next one, as after a lost packet, is not executed. */
	fill(memory, 64, 1);
	fill(memory + PAGE, 64, 2);
	one.psn_skew = 1;
	recover();
	is_int(qp_write(&one, memory, nic->key, 64, memory + PAGE, nic->key),
	       MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR, "a packet number that is not expected");
	ok(memcmp(machine_at(memory), machine_at(memory + PAGE), 64), "nothing was written");
	one.psn_skew = 0;
	recover();
}

static void states(void)
{
	struct nic_command command;

	is_int(qp_rts(&one), MLX5_CMD_STAT_BAD_QP_STATE_ERR, "RTS from RTS");
	is_int(qp_init(&one), MLX5_CMD_STAT_BAD_QP_STATE_ERR, "INIT from RTS");
	is_int(qp_simple(&one, MLX5_CMD_OP_2ERR_QP), MLX5_CMD_STAT_OK, "to the error state");
	is_failed(&one, "2ERR");
	is_int(qp_rts(&one), MLX5_CMD_STAT_BAD_QP_STATE_ERR, "RTS from ERR");
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	one.mtu = 0;
	qp_init(&one);
	is_int(qp_rtr(&one, &two), MLX5_CMD_STAT_BAD_PARAM_ERR, "no MTU");
	one.mtu = 5;
	one.type = MLX5_QPC_ST_UD;
	is_int(qp_rtr(&one, &two), MLX5_CMD_STAT_BAD_PARAM_ERR, "another type");
	one.type = MLX5_QPC_ST_RC;
	is_int(qp_rtr(&one, &two), MLX5_CMD_STAT_OK, "right");
	recover();
	nic_command_begin(&command, 2RST_QP, qp_2rst);
	ifc_set(qp_2rst_in, command.in, qpn, 4000);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_ERR, "no such queue pair");
	nic_command_begin(&command, DEALLOC_PD, dealloc_pd);
	ifc_set(dealloc_pd_in, command.in, pd, nic->pd);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_STATE_ERR,
	       "a protection domain in use");
	nic_command_begin(&command, DESTROY_CQ, destroy_cq);
	ifc_set(destroy_cq_in, command.in, cqn, send_cq.number);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_STATE_ERR,
	       "a completion queue in use");
}

static void create_with(const char *what, unsigned int type, unsigned int stride, unsigned int log,
			int want)
{
	struct nic_command command;
	uint64_t page = RAM;
	uint8_t *context;

	nic_command_begin(&command, CREATE_QP, create_qp);
	context = ifc_at(create_qp_in, command.in, qpc);
	ifc_set(qpc, context, st, type);
	ifc_set(qpc, context, pd, nic->pd);
	ifc_set(qpc, context, uar_page, nic->uar);
	ifc_set(qpc, context, cqn_snd, send_cq.number);
	ifc_set(qpc, context, cqn_rcv, send_cq.number);
	ifc_set(qpc, context, log_rq_stride, stride);
	ifc_set(qpc, context, log_sq_size, log);
	nic_command_add_pages(&command, &page, 1);
	is_int(nic_execute(nic, &command), want, "%s", what);
	if (want)
		return;
	qp_simple(&(struct qp){ .nic = nic,
				.number = (uint32_t)ifc_get(create_qp_out, command.out, qpn) },
		  MLX5_CMD_OP_DESTROY_QP);
}

static void shapes(void)
{
	create_with("a small one", MLX5_QPC_ST_RC, 0, 0, MLX5_CMD_STAT_OK);
	create_with("DC", MLX5_QPC_ST_DCI, 0, 0, MLX5_CMD_STAT_BAD_PARAM_ERR);
	create_with("XRC without a domain", MLX5_QPC_ST_XRC, 0, 0, MLX5_CMD_STAT_BAD_RES_ERR);
	create_with("receive requests of 2 KiB", MLX5_QPC_ST_RC, 7, 0, MLX5_CMD_STAT_BAD_PARAM_ERR);
	create_with("a buffer that is too small", MLX5_QPC_ST_RC, 0, 6,
		    MLX5_CMD_STAT_BAD_PARAM_ERR);
}

/* The doorbell record is somewhere in memory that the driver can write: anything may stand there.
 */
static void broken_queue(void)
{
	uint8_t *doorbell = machine_at(one.doorbell);
	uint8_t *ring = (uint8_t *)machine_at(one.ring) + RECEIVE_BYTES;
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	put_be32(doorbell + 4 * MLX5_SND_DBR, 0x7777);
	qp_ring_doorbell(&one);
	ok(take_event(MLX5_EVENT_TYPE_WQ_CATAS_ERROR, one.number), "more requests than there are");
	is_failed(&one, "broken");
	ok(cq_is_empty(&send_cq), "no completion");
	recover();
	put_be32(ring + 4, one.number << 8);
	put_be32(doorbell + 4 * MLX5_SND_DBR, 1);
	qp_ring_doorbell(&one);
	ok(take_event(MLX5_EVENT_TYPE_WQ_CATAS_ERROR, one.number), "a request without size");
	recover();
	put_be32(ring + 4, one.number << 8 | 8);
	put_be32(doorbell + 4 * MLX5_SND_DBR, 1);
	qp_ring_doorbell(&one);
	ok(take_event(MLX5_EVENT_TYPE_WQ_CATAS_ERROR, one.number), "one longer than posted");
	recover();
	put_be32(ring + 4, two.number << 8 | 1);
	put_be32(doorbell + 4 * MLX5_SND_DBR, 1);
	qp_ring_doorbell(&one);
	ok(take_event(MLX5_EVENT_TYPE_WQ_CATAS_ERROR, one.number), "one for another queue pair");
	recover();
	wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe.size = 63 * 16;
	qp_post(&one, &wqe);
	ok(cq_poll(&send_cq, &entry), "the largest size");
	recover();
	put_be32(machine_at(two.doorbell), 0x4444);
	is_int(qp_send(&one, memory, nic->key, 64), MLX5_CQE_SYNDROME_REMOTE_OP_ERR,
	       "a broken receive queue");
	is_failed(&two, "receiver");
	take_event(MLX5_EVENT_TYPE_WQ_CATAS_ERROR, two.number);
	take_event(MLX5_EVENT_TYPE_WQ_INVAL_REQ_ERROR, two.number);
	recover();
	is_int(qp_write(&one, memory, nic->key, 64, memory + PAGE, nic->key), 0, "works after it");
	is_int(nic_syndrome(nic), 0, "the device goes on");
}

int main(void)
{
	machine_setup(1, "");
	nic_open(nic);
	cq_create(&send_cq, nic, 6);
	cq_create(&receive_cq, nic, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &send_cq);
	qp_create(&two, nic, MLX5_QPC_ST_RC, &receive_cq);
	memory = machine_alloc(4 * PAGE);
	qp_connect(&one, &two);
	remote_access();
	local();
	receiving();
	nobody();
	states();
	shapes();
	broken_queue();
	machine_teardown();
	return done_testing();
}
