// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unreliable connections: what arrives, what is lost, and that the sender does not learn of it.
 */
#include "tap.h"
#include "verbs.h"

#define SIZE	20000u
#define BAD_KEY 0xdead00u

static struct cq send_cq, receive_cq;
static struct qp one, two;
static uint64_t from, to;

static void clear(void)
{
	memset(machine_at(to), 0, 8 * PAGE);
}

static bool take(struct cq *cq, unsigned int opcode, struct mlx5_cqe64 *entry)
{
	return cq_poll(cq, entry) && cqe_opcode(entry) == opcode;
}

/* Both go on, and the next message gets through. */
static void works(const char *after)
{
	is_int(qp_state(&one), MLX5_QPC_STATE_RTS, "%s: the sender goes on", after);
	is_int(qp_state(&two), MLX5_QPC_STATE_RTS, "%s: the receiver goes on", after);
	ok(cq_is_empty(&receive_cq), "%s: nothing was received", after);
	clear();
	is_int(qp_write(&one, from, one.nic->key, SIZE, to, two.nic->key), 0, "%s: a write", after);
	is_mem(machine_at(to), machine_at(from), SIZE, "%s: arrives", after);
	ok(nic_no_event(two.nic), "%s: no event", after);
}

static void arrives(void)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	works("connected");
	clear();
	qp_receive(&two, to, SIZE, two.nic->key);
	is_int(qp_send(&one, from, one.nic->key, SIZE), 0, "send");
	ok(take(&receive_cq, MLX5_CQE_RESP_SEND, &entry), "received");
	is_int(be32toh(entry.byte_cnt), SIZE, "bytes");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");

	clear();
	qp_receive(&two, 0, 16, BAD_KEY);
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE_IMM, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_immediate(&wqe, 7);
	wqe_remote(&wqe, to, two.nic->key);
	wqe_data(&wqe, from, SIZE, one.nic->key);
	qp_post(&one, &wqe);
	ok(take(&send_cq, MLX5_CQE_REQ, &entry), "write with immediate");
	ok(take(&receive_cq, MLX5_CQE_RESP_WR_IMM, &entry), "told");
	is_hex(get_be32(&entry.immediate), 7, "immediate data");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
}

static void lost(void)
{
	struct mlx5_cqe64 entry;

	is_int(qp_send(&one, from, one.nic->key, SIZE), 0, "a send that nobody waits for");
	works("without a receive request");
	is_int(qp_write(&one, from, one.nic->key, SIZE, to, BAD_KEY), 0, "a write by a bad rkey");
	works("bad rkey");

	/* Its receive request is there for the next send, whatever comes in between. */
	clear();
	qp_receive(&two, to, SIZE - 1, two.nic->key);
	is_int(qp_send(&one, from, one.nic->key, SIZE), 0, "a send that does not fit");
	works("too long");
	clear();
	is_int(qp_send(&one, from, one.nic->key, 100), 0, "one that fits");
	ok(take(&receive_cq, MLX5_CQE_RESP_SEND, &entry), "received");
	is_int(be32toh(entry.byte_cnt), 100, "bytes");
	is_mem(machine_at(to), machine_at(from), 100, "data");

	two.access = 0;
	qp_reconnect(&one, &two);
	is_int(qp_write(&one, from, one.nic->key, 64, to, two.nic->key), 0, "no writes allowed");
	two.access = MLX5_QP_OPTPAR_RWE;
	qp_reconnect(&one, &two);
	works("no rights");
	qp_simple(&two, MLX5_CMD_OP_2RST_QP);
	is_int(qp_write(&one, from, one.nic->key, SIZE, to, two.nic->key), 0, "a peer in reset");
	qp_reconnect(&one, &two);
	one.psn_skew = 1;
	qp_reconnect(&one, &two);
	works("a packet number that is not expected");
	one.psn_skew = 0;
	qp_reconnect(&one, &two);
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_init(&one);
	qp_rtr(&one, &(struct qp){ .number = two.number, .lid = 999 });
	qp_rts(&one);
	is_int(qp_write(&one, from, one.nic->key, SIZE, to, two.nic->key), 0, "no such port");
	qp_reconnect(&one, &two);
	works("no such port");
}

static void fails(void)
{
	const struct mlx5_wqe_atomic_seg operands = { .swap_add = htobe64(1) };
	struct mlx5_cqe64 entry;

	is_int(qp_read(&one, to, one.nic->key, 64, from, two.nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR, "reads are for reliable connections");
	qp_reconnect(&one, &two);
	is_int(qp_atomic(&one, &operands, false, to, one.nic->key, from, two.nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR, "and so are atomics");
	qp_reconnect(&one, &two);
	is_int(qp_write(&one, from, BAD_KEY, 64, to, two.nic->key),
	       MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "bad lkey");
	qp_reconnect(&one, &two);
	qp_receive(&two, to, 64, BAD_KEY);
	is_int(qp_send(&one, from, one.nic->key, 64), 0, "a receive request with a bad lkey");
	ok(take(&receive_cq, MLX5_CQE_RESP_ERR, &entry), "is the receiver's error");
	is_int(cqe_syndrome(&entry), MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "syndrome");
	is_int(qp_state(&two), MLX5_QPC_STATE_ERR, "receiver");
	is_int(qp_state(&one), MLX5_QPC_STATE_RTS, "the sender does not notice");
	qp_reconnect(&one, &two);
	one.mtu = 0;
	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_init(&one);
	is_int(qp_rtr(&one, &two), MLX5_CMD_STAT_BAD_PARAM_ERR, "no MTU");
	one.mtu = 3;
}

int main(void)
{
	machine_setup(2, "");
	nic_open(&machine.nics[0]);
	nic_open(&machine.nics[1]);
	for (unsigned int second = 0; second < 2; second++) {
		diag("function 0 to function %u", second);
		cq_create(&send_cq, &machine.nics[0], 6);
		cq_create(&receive_cq, &machine.nics[second], 6);
		qp_create(&one, &machine.nics[0], MLX5_QPC_ST_UC, &send_cq);
		qp_create(&two, &machine.nics[second], MLX5_QPC_ST_UC, &receive_cq);
		one.mtu = 3;
		two.mtu = 3;
		two.access = MLX5_QP_OPTPAR_RWE;
		qp_connect(&one, &two);
		from = machine_alloc(8 * PAGE);
		to = machine_alloc(8 * PAGE);
		fill(from, 8 * PAGE, second);
		arrives();
		lost();
		fails();
		qp_destroy(&one);
		qp_destroy(&two);
	}
	machine_teardown();
	return done_testing();
}
