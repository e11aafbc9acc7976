// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared receive queues (RMP): the list of requests that the driver keeps, its limit, and what a
 * driver that spoils it gets.
 */
#include "tap.h"
#include "verbs.h"

#define LOG_ENTRIES 3
#define ENTRIES	    (1u << LOG_ENTRIES)
#define LOG_STRIDE  6
#define LENGTH	    32u

static struct nic *nic = &machine.nics[0];
static struct cq send_cq, receive_cq;
static struct qp one, two;
static uint64_t ring, doorbell, memory;
static uint32_t srq, posted;

static void create(void)
{
	struct nic_command command;
	uint8_t *wq = ifc_at(rmpc, ifc_at(create_rmp_in, command.in, ctx), wq);

	ring = machine_alloc(PAGE);
	doorbell = machine_alloc(PAGE);
	nic_command_begin(&command, CREATE_RMP, create_rmp);
	ifc_set(wq, wq, pd, nic->pd);
	ifc_set(wq, wq, log_wq_sz, LOG_ENTRIES);
	ifc_set(wq, wq, log_wq_stride, LOG_STRIDE);
	ifc_set(wq, wq, dbr_addr, doorbell);
	nic_command_add_pages(&command, &ring, 1);
	nic_must(nic, &command);
	srq = (uint32_t)ifc_get(create_rmp_out, command.out, rmpn);
}

/* Writes request @number, with @next as the link to the one after it, and hands it over. */
static void post(unsigned int number, uint16_t next)
{
	uint8_t *entry = (uint8_t *)machine_at(ring) + (number << LOG_STRIDE);
	struct mlx5_wqe_srq_next_seg link = { .next_wqe_index = htobe16(next) };
	struct mlx5_wqe_data_seg segment = {
		.byte_count = htobe32(LENGTH),
		.lkey = htobe32(nic->key),
		.addr = htobe64(memory + PAGE + number * LENGTH),
	};
	struct mlx5_wqe_data_seg end = { .lkey = htobe32(0x100) };

	memcpy(entry, &link, sizeof(link));
	memcpy(entry + sizeof(link), &segment, sizeof(segment));
	memcpy(entry + sizeof(link) + sizeof(segment), &end, sizeof(end));
	posted++;
	__atomic_store_n((uint32_t *)machine_at(doorbell), htobe32(posted), __ATOMIC_RELEASE);
}

/* Number of the request that a message was put into, -1: it arrived nowhere. */
static int receive(void)
{
	struct mlx5_cqe64 entry;

	if (qp_send(&one, memory, nic->key, LENGTH) || !cq_poll(&receive_cq, &entry) ||
	    cqe_opcode(&entry) != MLX5_CQE_RESP_SEND)
		return -1;
	return be16toh(entry.wqe_counter);
}

static bool event(uint8_t type)
{
	struct mlx5_eqe eqe;
	bool right = nic_event(nic, &eqe) && eqe.type == type &&
		     (be32toh(eqe.data.qp_srq.qp_srq_n) & 0xffffff) == srq;

	nic_arm_events(nic);
	return right;
}

static void order(void)
{
	fill(memory, LENGTH, 1);
	post(0, 5);
	post(5, 2);
	post(2, 3);
	is_int(receive(), 0, "the first request");
	is_mem(machine_at(memory + PAGE), machine_at(memory), LENGTH, "data");
	is_int(receive(), 5, "the one that it links to");
	is_int(receive(), 2, "and so on");
}

static void limit(void)
{
	struct nic_command command;

	nic_command_begin(&command, MODIFY_RMP, modify_rmp);
	ifc_set(modify_rmp_in, command.in, rmpn, srq);
	ifc_set(modify_rmp_in, command.in, ctx.state, MLX5_RMPC_STATE_RDY);
	ifc_set(modify_rmp_in, command.in, bitmask.lwm, 1);
	ifc_set(modify_rmp_in, command.in, ctx.wq.lwm, 2);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "a limit of two");
	post(3, 4);
	post(4, 1);
	post(1, 6);
	is_int(receive(), 3, "two are left");
	ok(nic_no_event(nic), "no event");
	is_int(receive(), 4, "one is left");
	ok(event(MLX5_EVENT_TYPE_SRQ_RQ_LIMIT), "the event");
	is_int(receive(), 1, "none");
	ok(nic_no_event(nic), "and no second event");
	nic_command_begin(&command, DESTROY_RMP, destroy_rmp);
	ifc_set(destroy_rmp_in, command.in, rmpn, srq);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_RES_STATE_ERR, "in use");
}

/* The link stands in memory of the driver: what it names is always within the queue. */
static void hostile_link(void)
{
	post(6, 0xfff0 | 7);
	post(7, 0);
	is_int(receive(), 6, "a request whose link is beyond the queue");
	is_int(receive(), 7, "the link counts modulo the size of the queue");
}

static void hostile_doorbell(void)
{
	posted += ENTRIES;
	post(0, 1);
	is_int(qp_send(&one, memory, nic->key, LENGTH), MLX5_CQE_SYNDROME_REMOTE_OP_ERR,
	       "more requests than the queue holds");
	ok(event(MLX5_EVENT_TYPE_SRQ_CATAS_ERROR), "the queue's event");
	is_int(nic_syndrome(nic), 0, "the device goes on");
}

int main(void)
{
	machine_setup(1, "");
	nic_open(nic);
	cq_create(&send_cq, nic, 6);
	cq_create(&receive_cq, nic, 6);
	memory = machine_alloc(2 * PAGE);
	create();
	qp_create(&one, nic, MLX5_QPC_ST_RC, &send_cq);
	qp_create_on_srq(&two, nic, &receive_cq, srq);
	qp_connect(&one, &two);
	order();
	limit();
	hostile_link();
	hostile_doorbell();
	machine_teardown();
	return done_testing();
}
