// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A completion queue gets other memory: the old ring ends with an entry that says so, and the count
 * of entries goes on in the new one.
 */
#include "tap.h"
#include "verbs.h"

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp qp;

static int resize(unsigned int log, uint64_t ring, unsigned int modifier)
{
	struct nic_command command;
	uint8_t *context;

	nic_command_begin(&command, MODIFY_CQ, modify_cq);
	context = ifc_at(modify_cq_in, command.in, cq_context);
	ifc_set(modify_cq_in, command.in, op_mod, modifier);
	ifc_set(modify_cq_in, command.in, cqn, cq.number);
	ifc_set(cqc, context, log_cq_size, log);
	nic_command_add_pages(&command, &ring, 1);
	return nic_execute(nic, &command);
}

/* Requests that complete, in order of their index. */
static void post(unsigned int count)
{
	struct wqe wqe;

	while (count--) {
		wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
		qp_post(&qp, &wqe);
		settle();
	}
}

static bool take(unsigned int index)
{
	struct mlx5_cqe64 entry;

	return cq_poll(&cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ &&
	       be16toh(entry.wqe_counter) == index;
}

/* The last entry of the old ring; then the new one counts. */
static void follow(unsigned int log, uint64_t ring)
{
	struct mlx5_cqe64 entry;

	ok(cq_poll(&cq, &entry), "the old ring has one more entry");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESIZE_CQ, "its end");
	cq.ring = ring;
	cq.log = log;
}

int main(void)
{
	uint64_t larger, smaller;

	machine_setup(1, "");
	nic_open(nic);
	cq_create(&cq, nic, 2);
	qp_create(&qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&qp, &qp);
	larger = machine_alloc(PAGE);
	smaller = machine_alloc(PAGE);

	post(2);
	is_int(resize(4, larger, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_OK, "larger");
	post(2);
	ok(take(0) && take(1), "what was there before");
	follow(4, larger);
	ok(take(2) && take(3), "what came after it");
	post(8);
	is_int(resize(3, smaller, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_BAD_SIZE_OUTS_CQES_ERR,
	       "too small for what is unread");
	ok(take(4) && take(5) && take(6), "which is still there");
	is_int(resize(3, smaller, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_OK, "smaller");
	for (unsigned int i = 7; i < 12; i++)
		ok(take(i), "unread entry %u", i);
	follow(3, smaller);
	for (unsigned int i = 12; i < 32; i++) {
		post(1);
		ok(take(i), "entry %u of the smaller ring", i);
	}
	is_int(resize(4, larger, 0), MLX5_CMD_STAT_BAD_PARAM_ERR, "moderation is not announced");
	is_int(resize(30, larger, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_BAD_PARAM_ERR, "too large");
	is_int(resize(7, larger, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_BAD_PARAM_ERR,
	       "more entries than pages");
	cq.number = 4000;
	is_int(resize(4, larger, MLX5_CQ_OPMOD_RESIZE), MLX5_CMD_STAT_BAD_RES_ERR, "no such queue");
	machine_teardown();
	return done_testing();
}
