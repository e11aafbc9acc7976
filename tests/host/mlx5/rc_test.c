// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reliable queue pairs that work: operations, completions, retries. On one function and between
 * two.
 */
#include "tap.h"
#include "verbs.h"

#define SIZE  20000u
#define PAGES 8u

static struct cq cqs[2];
static struct qp one, two;
static uint64_t from, to;

static void connect_pair(unsigned int second, unsigned int mtu)
{
	cq_create(&cqs[0], &machine.nics[0], 6);
	cq_create(&cqs[1], &machine.nics[second], 6);
	qp_create(&one, &machine.nics[0], MLX5_QPC_ST_RC, &cqs[0]);
	qp_create(&two, &machine.nics[second], MLX5_QPC_ST_RC, &cqs[1]);
	one.not_ready_retry = NOT_READY_FOREVER;
	one.mtu = mtu;
	two.mtu = mtu;
	qp_connect(&one, &two);
	from = machine_alloc(PAGES * PAGE);
	to = machine_alloc(PAGES * PAGE);
	fill(from, PAGES * PAGE, mtu);
}

static void clear(void)
{
	memset(machine_at(to), 0, PAGES * PAGE);
}

static void writes(void)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;
	uint16_t index;

	clear();
	is_int(qp_write(&one, from + 1, one.nic->key, SIZE, to + 3, two.nic->key), 0, "write");
	is_mem((uint8_t *)machine_at(to) + 3, (uint8_t *)machine_at(from) + 1, SIZE, "data");
	is_int(((uint8_t *)machine_at(to))[2] | ((uint8_t *)machine_at(to))[3 + SIZE], 0,
	       "no more");
	is_int(qp_write(&one, from, one.nic->key, 0, to, two.nic->key ^ 0x100),
	       MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR, "a byte count of 0 means 2 GiB");
	qp_reconnect(&one, &two);

	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, 0, 0xabcd00);
	index = qp_post(&one, &wqe);
	ok(cq_poll(&cqs[0], &entry), "of nothing, without segments");
	is_int(cqe_opcode(&entry), MLX5_CQE_REQ, "needs no key");
	is_int(be16toh(entry.wqe_counter), index, "index");
	is_hex(be32toh(entry.sop_drop_qpn), (uint32_t)MLX5_OPCODE_RDMA_WRITE << 24 | one.number,
	       "operation and queue pair");

	/* Three segments, one of them inline; unsignaled before a signaled one. */
	clear();
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, 0);
	wqe_remote(&wqe, to, two.nic->key);
	wqe_data(&wqe, from, 100, one.nic->key);
	wqe_inline(&wqe, "inline data", 11);
	wqe_data(&wqe, from + 100, 5000, one.nic->key);
	qp_post(&one, &wqe);
	ok(cq_is_empty(&cqs[0]), "no completion was asked for");
	is_mem(machine_at(to), machine_at(from), 100, "first segment");
	is_mem((uint8_t *)machine_at(to) + 100, "inline data", 11, "inline data");
	is_mem((uint8_t *)machine_at(to) + 111, (uint8_t *)machine_at(from) + 100, 5000,
	       "the last");
}

static void reads(void)
{
	clear();
	is_int(qp_read(&one, to + 7, one.nic->key, SIZE, from, two.nic->key), 0, "read");
	is_mem((uint8_t *)machine_at(to) + 7, machine_at(from), SIZE, "data");
	is_int(((uint8_t *)machine_at(to))[7 + SIZE], 0, "no more");
}

static void sends(void)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	clear();
	qp_receive(&two, to, SIZE, two.nic->key);
	qp_receive(&two, to + 6 * PAGE, 50, two.nic->key);
	is_int(qp_send(&one, from, one.nic->key, SIZE), 0, "send");
	ok(cq_poll(&cqs[1], &entry), "received");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_SEND, "a send");
	is_int(be32toh(entry.byte_cnt), SIZE, "bytes");
	is_hex(be32toh(entry.sop_drop_qpn) & 0xffffff, two.number, "queue pair");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");

	wqe_begin(&wqe, MLX5_OPCODE_SEND_IMM, MLX5_WQE_CTRL_CQ_UPDATE | MLX5_WQE_CTRL_SOLICITED);
	wqe_immediate(&wqe, 0x12345678);
	wqe_inline(&wqe, "hello", 5);
	qp_post(&one, &wqe);
	ok(cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "send with immediate");
	ok(cq_poll(&cqs[1], &entry), "received");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_SEND_IMM, "with immediate");
	is_hex(get_be32(&entry.immediate), 0x12345678, "immediate data");
	is_int(be32toh(entry.byte_cnt), 5, "bytes");
	is_mem(machine_at(to + 6 * PAGE), "hello", 6, "data");

	qp_receive(&two, 0, 16, 0xbad00);
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE_IMM, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_immediate(&wqe, 7);
	wqe_remote(&wqe, to + PAGE, two.nic->key);
	wqe_data(&wqe, from, SIZE / 2, one.nic->key);
	qp_post(&one, &wqe);
	ok(cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "write with immediate");
	ok(cq_poll(&cqs[1], &entry), "told");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_WR_IMM, "as a write");
	is_hex(get_be32(&entry.immediate), 7, "immediate data");
	is_int(be32toh(entry.byte_cnt), SIZE / 2, "bytes");
	is_mem(machine_at(to + PAGE), machine_at(from), SIZE / 2,
	       "data; the receive request's memory "
	       "does not matter");
}

/* No receive request at first: the requester waits and tries again, however long this program is
 * kept from its processor. */
static void not_ready(void)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	clear();
	wqe_begin(&wqe, MLX5_OPCODE_SEND, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_inline(&wqe, "patience", 8);
	qp_post(&one, &wqe);
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, to + 100, two.nic->key);
	wqe_inline(&wqe, "later", 5);
	qp_post(&one, &wqe);
	settle();
	qp_receive(&two, to, 16, two.nic->key);
	ok(cq_poll(&cqs[1], &entry), "received in the end");
	ok(cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "sent");
	is_mem(machine_at(to), "patience", 8, "data");
	ok(cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "the next one after it");
	is_mem(machine_at(to + 100), "later", 5, "data");
}

/* More work than the queue holds, so that it goes around, with requests of different size. */
static void many(void)
{
	struct mlx5_cqe64 entry;
	uint8_t data[200];
	struct wqe wqe;
	bool right = true;

	for (unsigned int i = 0; i < 300 && right; i++) {
		uint32_t length = i % sizeof(data);

		memset(data, (int)i, sizeof(data));
		wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
		wqe_remote(&wqe, to + i, two.nic->key);
		wqe_inline(&wqe, data, length);
		qp_post(&one, &wqe);
		right = cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ &&
			!memcmp(machine_at(to + i), data, length);
	}
	ok(right, "300 requests of 0 to 199 bytes");
}

/* What is posted before the queue pair sends is sent then. */
static void early(void)
{
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	qp_simple(&one, MLX5_CMD_OP_2RST_QP);
	qp_simple(&two, MLX5_CMD_OP_2RST_QP);
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, to, two.nic->key);
	wqe_inline(&wqe, "early", 5);
	qp_post(&one, &wqe);
	ok(cq_is_empty(&cqs[0]), "nothing happens in reset");
	qp_connect(&one, &two);
	ok(cq_poll(&cqs[0], &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "sent when it can");
	is_mem(machine_at(to), "early", 5, "data");
}

static void all(unsigned int second, unsigned int mtu)
{
	diag("function 0 to function %u, MTU %u", second, 128 << mtu);
	connect_pair(second, mtu);
	writes();
	reads();
	sends();
	not_ready();
	many();
	early();
	qp_destroy(&one);
	qp_destroy(&two);
}

int main(void)
{
	machine_setup(2, "");
	nic_open(&machine.nics[0]);
	nic_open(&machine.nics[1]);
	all(0, 5);
	all(0, 1);
	all(1, 3);
	is_int(nic_state(&machine.nics[1], MLX5_STATE_QPS), 0, "queue pairs left");
	is_int(nic_state(&machine.nics[1], MLX5_STATE_DMA_ERRORS), 0, "DMA errors");
	machine_teardown();
	return done_testing();
}
