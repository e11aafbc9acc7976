// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event queues and completion queues: owner bits, arming, interrupts, overruns.
 */
#include "tap.h"
#include "verbs.h"

#define VECTOR 1

static struct nic *nic = &machine.nics[0];

/* Without work requests a NOP makes a completion. */
static void complete_one(struct qp *qp)
{
	struct wqe wqe;

	wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
	qp_post(qp, &wqe);
}

static unsigned int interrupts(void)
{
	unsigned int was;

	settle();
	was = nic_interrupts(nic) >> VECTOR & 1;
	__atomic_store_n(&nic->interrupts, 0, __ATOMIC_RELAXED);
	return was;
}

static bool take_event(uint32_t cq_number)
{
	struct mlx5_eqe event;

	return nic_event(nic, &event) && event.type == MLX5_EVENT_TYPE_COMP &&
	       be32toh(event.data.comp.cqn) == cq_number;
}

static void arming(struct qp *qp, struct cq *cq)
{
	struct mlx5_cqe64 entry;

	complete_one(qp);
	ok(cq_poll(cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "a completion");
	ok(nic_no_event(nic), "no event without arming");
	cq_arm(cq, false);
	ok(nic_no_event(nic), "nor for what was read");
	complete_one(qp);
	ok(take_event(cq->number), "an event");
	is_int(interrupts(), 1, "and an interrupt");
	complete_one(qp);
	ok(nic_no_event(nic), "one event for one arming");

	/* As IB programs do it: arm, then read what is there. */
	nic_arm_events(nic);
	cq_arm(cq, false);
	ok(take_event(cq->number), "at once for a completion that came after the event");
	is_int(interrupts(), 1, "with an interrupt");
	nic_arm_events(nic);
	cq_arm(cq, false);
	ok(nic_no_event(nic), "but not again for those that an event has told");
	ok(cq_poll(cq, &entry) && cq_poll(cq, &entry), "they are there");

	complete_one(qp);
	ok(take_event(cq->number), "armed all the same");
	ok(cq_poll(cq, &entry), "read");
	is_int(interrupts(), 1, "interrupt");
	cq_arm(cq, true);
	complete_one(qp);
	ok(nic_no_event(nic), "a successful send is not solicited");
	ok(cq_poll(cq, &entry), "read");
	is_int(interrupts(), 0, "no interrupt");
	nic_arm_events(nic);
}

static void event_arming(struct qp *qp, struct cq *cq)
{
	struct mlx5_cqe64 entry;

	/* Two events and one interrupt: the event queue was not armed in between. */
	cq_arm(cq, false);
	complete_one(qp);
	ok(take_event(cq->number) && cq_poll(cq, &entry), "first");
	is_int(interrupts(), 1, "interrupt");
	cq_arm(cq, false);
	complete_one(qp);
	ok(take_event(cq->number) && cq_poll(cq, &entry), "second");
	is_int(interrupts(), 0, "no interrupt");
	nic->eq_consumer--;
	nic_arm_events(nic);
	nic->eq_consumer++;
	is_int(interrupts(), 1, "at once for an event that was not read");
	nic_arm_events(nic);
	is_int(interrupts(), 0, "none when all was read");
}

/* Around both rings several times: owner bits. */
static void wrapping(struct qp *qp, struct cq *cq)
{
	struct mlx5_cqe64 entry;
	bool right = true;

	for (unsigned int i = 0; i < 3u << EQ_LOG && right; i++) {
		cq_arm(cq, false);
		complete_one(qp);
		right = take_event(cq->number) && cq_poll(cq, &entry) &&
			be16toh(entry.wqe_counter) == (uint16_t)(qp->send_head - 1);
		nic_arm_events(nic);
	}
	ok(right, "three times around both rings");
}

static void full_cq(void)
{
	struct mlx5_cqe64 entry;
	struct mlx5_eqe event;
	struct cq cq;
	struct qp qp;

	cq_create(&cq, nic, 2);
	qp_create(&qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&qp, &qp);
	for (unsigned int i = 0; i < 5; i++)
		complete_one(&qp);
	ok(nic_event(nic, &event) && event.type == MLX5_EVENT_TYPE_CQ_ERROR &&
		   be32toh(event.data.cq_err.cqn) == cq.number && event.data.cq_err.syndrome == 1,
	   "an overrun is told");
	for (unsigned int i = 0; i < 4; i++)
		ok(cq_poll(&cq, &entry), "completion %u was written before", i);
	complete_one(&qp);
	ok(cq_is_empty(&cq), "nothing follows");
	is_int(nic_syndrome(nic), 0, "the device goes on");
	nic_arm_events(nic);
}

static void full_eq(struct qp *qp, struct cq *cq)
{
	struct mlx5_cqe64 entry;

	for (unsigned int i = 0; i <= 1u << EQ_LOG && !nic_syndrome(nic); i++) {
		cq_arm(cq, false);
		complete_one(qp);
		if (i < 1u << EQ_LOG && !cq_poll(cq, &entry))
			break;
	}
	ok(until(nic_syndrome(nic)), "an event queue that is full is fatal");
	is_hex(nic_syndrome(nic), MLX5_INITIAL_SEG_HEALTH_SYNDROME_ASYNCHRONOUS_EQ_BUF_OVERRUN,
	       "syndrome");
}

static int create_eq(unsigned int log, unsigned int vector, uint32_t uar, unsigned int pages)
{
	const uint64_t addresses[2] = { RAM, RAM };
	struct nic_command command;
	uint8_t *context;

	nic_command_begin(&command, CREATE_EQ, create_eq);
	context = ifc_at(create_eq_in, command.in, eq_context_entry);
	ifc_set(eqc, context, log_eq_size, log);
	ifc_set(eqc, context, uar_page, uar);
	ifc_set(eqc, context, intr, vector);
	nic_command_add_pages(&command, addresses, pages);
	return nic_execute(nic, &command);
}

static void mistakes(void)
{
	uint64_t bad = nic_state(nic, MLX5_STATE_BAD_DOORBELLS);
	struct nic_command command;

	is_int(create_eq(6, 0, nic->uar, 1), MLX5_CMD_STAT_OK, "an event queue");
	is_int(create_eq(6, 8, nic->uar, 1), MLX5_CMD_STAT_BAD_PARAM_ERR, "no such vector");
	is_int(create_eq(6, 0, 500, 1), MLX5_CMD_STAT_BAD_PARAM_ERR, "no such UAR");
	is_int(create_eq(7, 0, nic->uar, 1), MLX5_CMD_STAT_BAD_PARAM_ERR, "a page too few");
	is_int(create_eq(31, 0, nic->uar, 1), MLX5_CMD_STAT_BAD_PARAM_ERR, "too many entries");
	nic_command_begin(&command, DESTROY_EQ, destroy_eq);
	ifc_set(destroy_eq_in, command.in, eq_number, nic->eq);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_STATE_ERR, "one in use");
	ifc_set(destroy_eq_in, command.in, eq_number, 200);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_ERR, "one that is not there");

	nic_write(nic, nic_uar(nic, 0x40), 200u << 24);
	nic_write(nic, nic_uar(nic, 0x48), 20u << 24);
	nic_write64(nic, nic_uar(nic, MLX5_CQ_DOORBELL), 0xffffff);
	nic_write64(nic, nic_uar(nic, MLX5_CQ_DOORBELL), 4000);
	ok(until(nic_state(nic, MLX5_STATE_BAD_DOORBELLS) == bad + 4), "doorbells for nobody");
	bad = nic_state(nic, MLX5_STATE_BAD_REGISTERS);
	nic_write(nic, nic_uar(nic, 0x60), 1);
	nic_write(nic, 600 * PAGE % 0x1ff000, 1);
	nic_write(nic, 0x204, 1);
	nic_write(nic, MLX5_STATE_PAGE, 1);
	is_int(nic_state(nic, MLX5_STATE_BAD_REGISTERS) - bad, 4, "registers that are none");
}

static void wrong_consumer(void)
{
	nic->eq_consumer += 5;
	nic_arm_events(nic);
	ok(until(nic_syndrome(nic)), "events read that never came: fatal");
	is_hex(nic_syndrome(nic), MLX5_INITIAL_SEG_HEALTH_SYNDROME_EQ_INV, "syndrome");
}

int main(void)
{
	struct cq cq;
	struct qp qp;

	machine_setup(1, "");
	nic_open(nic);
	cq_create(&cq, nic, 6);
	qp_create(&qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&qp, &qp);
	arming(&qp, &cq);
	event_arming(&qp, &cq);
	wrapping(&qp, &cq);
	full_cq();
	mistakes();
	full_eq(&qp, &cq);
	nic_open(nic);
	wrong_consumer();
	machine_teardown();
	return done_testing();
}
