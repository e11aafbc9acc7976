// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drivers out of their mind: anything may be written anywhere. The device answers with errors or
 * dies the way it should, and works for the next driver. The sanitizers watch. Arguments, for
 * longer runs: a factor and a seed.
 */
#include <linux/pci_regs.h>
#include <pthread.h>

#include "tap.h"
#include "devices/mlx5/command.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

#define COMMAND_ROUNDS	40u
#define REQUEST_ROUNDS	320u
#define REGISTER_WRITES 20000u
#define STORM		20000u

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp one, two;
static uint64_t memory, start;
static unsigned int factor = 1;

static uint32_t number(uint32_t below)
{
	return (uint32_t)random() % below;
}

static void noise(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random();
}

/* A few bytes of a thing that is right. */
static void spoil(uint8_t *bytes, size_t size, unsigned int count)
{
	while (count--) {
		uint8_t *byte = &bytes[number((uint32_t)size)];

		*byte = number(2) ? (uint8_t)random() : (uint8_t)(*byte ^ 1u << number(8));
	}
}

static void open_all(void)
{
	machine.next = start;
	nic_open(nic);
	cq_create(&cq, nic, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &cq);
	qp_create(&two, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&one, &two);
	memory = machine_alloc(4 * PAGE);
}

static bool works(void)
{
	open_all();
	return !qp_write(&one, memory, nic->key, 5000, memory + 2 * PAGE, nic->key);
}

static void registers(void)
{
	uint8_t bytes[8];

	open_all();
	for (unsigned int i = 0; i < factor * REGISTER_WRITES; i++) {
		size_t len = (size_t)1 << number(4);
		uint64_t offset = number(2u << 20) / len * len;

		/* Mostly where something is. */
		if (i % 4)
			offset = (i % 8 < 6 ? nic_uar(nic, 0) : 0) + offset % PAGE / len * len;
		noise(bytes, sizeof(bytes));
		if (i % 3 == 0)
			memset(bytes, 0, sizeof(bytes) - 1);
		if (number(3))
			pci_function_region_write(nic->fn, 0, offset, bytes, len);
		else
			pci_function_region_read(nic->fn, 0, offset, bytes, len);
	}
	ok(works(), "%u accesses to registers", factor * REGISTER_WRITES);
}

static const struct mlx5_command_type *const subjects[] = {
	mlx5_hca_commands,  mlx5_page_commands,	    mlx5_cap_commands, mlx5_vport_commands,
	mlx5_mad_commands,  mlx5_resource_commands, mlx5_eq_commands,  mlx5_cq_commands,
	mlx5_mkey_commands, mlx5_srq_commands,	    mlx5_qp_commands,  mlx5_fault_commands,
};

/* Numbers that are taken, addresses that are there, and nonsense. */
static void compose(struct nic_command *command, const struct mlx5_command_type *type)
{
	size_t size = type->in_size + number(3) * number(2000);
	uint8_t *in = command->in;

	nic_command_init(command, type->opcode, size, type->out_size + number(2) * number(3000));
	switch (number(4)) {
	case 0:
		noise(in, size);
		break;
	case 1:
		spoil(in, size, 1 + number(8));
		break;
	default:
		/* Small numbers in big-endian words. */
		for (size_t i = 4; i + 4 <= size; i += 4) {
			if (number(3) == 0)
				put_be32(in + i, number(4) ? number(80) : number(8) << 24);
		}
	}
	for (size_t i = type->in_size; i + 8 <= size; i += 8)
		put_be64(in + i, number(8) ? RAM + number(1000) * PAGE : NOWHERE);
	ifc_set(cmd_in, in, opcode, type->opcode);
	if (number(20) == 0)
		command->in_size = number(64);
	if (number(20) == 0)
		command->out_size = number(64);
}

static void spoil_delivery(void)
{
	struct mlx5_cmd_layout *entry = machine_at(nic->queue);

	switch (number(4)) {
	case 0:
		spoil((uint8_t *)entry, sizeof(*entry) - 1, 1);
		break;
	case 1:
		spoil((uint8_t *)nic_input_box(nic, 0) + 512, 64, 2);
		break;
	case 2:
		spoil((uint8_t *)nic_output_box(nic, 0) + 512, 64, 2);
		break;
	default:
		break;
	}
}

static void commands(void)
{
	unsigned int statuses[256] = { 0 }, undelivered = 0, unanswered = 0, kinds = 0;
	struct nic_command command;

	open_all();
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		for (const struct mlx5_command_type *type = subjects[i]; type->handler; type++) {
			for (unsigned int round = 0; round < factor * COMMAND_ROUNDS; round++) {
				struct mlx5_cmd_layout *entry;
				int status;

				compose(&command, type);
				entry = nic_lay_out(nic, &command);
				if (number(4) == 0)
					spoil_delivery();
				if (entry->status_own != 1)
					continue;
				status = nic_ring(nic, &command);
				if (status == NO_ANSWER)
					unanswered++;
				else if (status < 0)
					undelivered++;
				else
					statuses[status]++;
				if (nic_syndrome(nic) || nic_state(nic, MLX5_STATE_HCA) != 2)
					open_all();
			}
		}
	}
	for (unsigned int i = 0; i < 256; i++) {
		if (statuses[i])
			diag("status 0x%x: %u", i, statuses[i]);
		kinds += statuses[i] != 0;
	}
	diag("not delivered: %u, not answered: %u", undelivered, unanswered);
	ok(statuses[0] > 50, "some commands are right");
	ok(kinds > 5 && undelivered > 50, "and many are wrong");
	ok(works(), "spoilt commands");
}

/* A request of one kind, all in order. */
static void compose_request(struct wqe *wqe)
{
	static const uint8_t opcodes[] = { MLX5_OPCODE_RDMA_WRITE, MLX5_OPCODE_RDMA_WRITE_IMM,
					   MLX5_OPCODE_RDMA_READ,  MLX5_OPCODE_SEND,
					   MLX5_OPCODE_SEND_IMM,   MLX5_OPCODE_UMR,
					   MLX5_OPCODE_NOP };
	uint8_t opcode = opcodes[number(sizeof(opcodes))];

	wqe_begin(wqe, opcode, (uint8_t)random());
	if (opcode == MLX5_OPCODE_UMR) {
		put_be32(wqe->bytes + 12, nic->key);
		wqe->size = 48 + 64 + 16 + number(4) * 64;
		spoil(wqe->bytes + 16, wqe->size - 16, number(20));
		return;
	}
	if (opcode != MLX5_OPCODE_SEND && opcode != MLX5_OPCODE_SEND_IMM)
		wqe_remote(wqe, number(4) ? memory + number(4 * PAGE) : PEER, nic->key);
	for (unsigned int i = number(4); i; i--) {
		if (number(2))
			wqe_data(wqe, memory + number(4 * PAGE), 1 + number(4 * PAGE), nic->key);
		else
			wqe_inline(wqe, "0123456789abcdefghijklmnopqrstuvwxyz", number(37));
	}
}

static void requests(void)
{
	struct mlx5_cqe64 *ring;
	unsigned int fine = 0;
	struct wqe wqe;

	for (unsigned int round = 0; round < factor * REQUEST_ROUNDS; round++) {
		struct qp *qp = number(2) ? &one : &two;

		if (round % 5 == 0)
			open_all();
		/* Nobody reads the queues: they begin anew. */
		ring = machine_at(cq.ring);
		for (unsigned int i = 0; i < number(3); i++)
			qp_receive(number(2) ? &one : &two, memory + number(4 * PAGE),
				   number(4 * PAGE), nic->key);
		compose_request(&wqe);
		qp_post(qp, &wqe);
		if (number(5) == 0) {
			spoil(machine_at(qp->ring), RECEIVE_BYTES + (64u << SEND_LOG),
			      1 + number(30));
			spoil(machine_at(qp->doorbell), 8, number(2));
			qp_ring_doorbell(qp);
		}
		if (round % 5 == 4) {
			settle();
			for (unsigned int i = 0; i < 64; i++)
				fine += ring[i].op_own >> 4 == MLX5_CQE_REQ;
		}
	}
	diag("%u requests were fine", fine);
	ok(fine > 20, "some requests are right");
	ok(works(), "spoilt requests");
}

/* Rings and records in memory that is not there, or not the driver's. */
static void wild_addresses(void)
{
	static const uint64_t places[] = { 0, NOWHERE, UINT64_MAX - 0xfff, 1ull << 63, PEER };
	unsigned int dead = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct nic_command command;
		struct cq wild;
		uint8_t *context;
		struct wqe wqe;

		open_all();
		wild = cq;
		nic_command_begin(&command, CREATE_CQ, create_cq);
		context = ifc_at(create_cq_in, command.in, cq_context);
		ifc_set(cqc, context, uar_page, nic->uar);
		ifc_set(cqc, context, c_eqn_or_apu_element, nic->eq);
		ifc_set(cqc, context, dbr_addr, places[i]);
		nic_command_add_pages(&command, &places[i], 1);
		nic_must(nic, &command);
		wild.number = (uint32_t)ifc_get(create_cq_out, command.out, cqn);
		qp_create(&one, nic, MLX5_QPC_ST_RC, &wild);
		qp_connect(&one, &one);
		for (unsigned int j = 0; j < 3; j++) {
			wqe_begin(&wqe, MLX5_OPCODE_NOP, MLX5_WQE_CTRL_CQ_UPDATE);
			qp_post(&one, &wqe);
		}
		settle();
		dead += nic_syndrome(nic) != 0;
	}
	is_int(dead, 0, "a completion queue that is not there is not fatal");
	ok(works(), "wild addresses");
}

static void wild_event_queue(void)
{
	struct nic_command command;
	uint8_t *context;
	uint64_t page = NOWHERE;

	open_all();
	nic_command_begin(&command, DESTROY_EQ, destroy_eq);
	nic_command_begin(&command, CREATE_EQ, create_eq);
	context = ifc_at(create_eq_in, command.in, eq_context_entry);
	ifc_set(eqc, context, uar_page, nic->uar);
	/* Commands. */
	ifc_at(create_eq_in, command.in, event_bitmask[0])[6] = 1u << (MLX5_EVENT_TYPE_CMD % 8);
	nic_command_add_pages(&command, &page, 1);
	nic_must(nic, &command);
	nic_command_begin(&command, QUERY_ISSI, query_issi);
	nic_execute(nic, &command);
	ok(until(nic_syndrome(nic)), "an event queue that is not there is fatal");
	ok(works(), "wild event queue");
}

static void *storm(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (unsigned int i = 0; i < STORM; i++) {
		uint32_t value = (uint32_t)rand_r(&seed);

		switch (i % 4) {
		case 0:
			nic_write64(nic, nic_uar(nic, MLX5_BF_OFFSET),
				    (value & 1 ? one.number : two.number) << 8);
			break;
		case 1:
			nic_write64(nic, nic_uar(nic, MLX5_CQ_DOORBELL),
				    (uint64_t)value << 32 | cq.number);
			break;
		case 2:
			nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), value);
			break;
		default:
			nic_write64(nic, nic_uar(nic, MLX5_BF_OFFSET), (uint64_t)value << 8);
		}
	}
	return NULL;
}

static void storms(void)
{
	pthread_t threads[2];
	bool right = true;

	open_all();
	for (uintptr_t i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, storm, (void *)(i + 1)))
			give_up("pthread_create");
	}
	for (unsigned int i = 0; i < 50 && right; i++)
		right = !qp_write(&one, memory, nic->key, 5000, memory + 2 * PAGE, nic->key);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ok(right, "work goes on in a storm of doorbells");
	ok(until(nic_state(nic, MLX5_STATE_BAD_DOORBELLS) > STORM / 4), "which counts");
	ok(works(), "and after it");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		factor = (unsigned int)atoi(argv[1]);
	machine_setup(1, "");
	start = machine.next;
	srandom(argc > 2 ? (unsigned int)atoi(argv[2]) : 20);
	registers();
	commands();
	requests();
	wild_addresses();
	wild_event_queue();
	storms();
	nic_close(nic);
	is_int(nic_state(nic, MLX5_STATE_QPS) + nic_state(nic, MLX5_STATE_MKEYS) +
		       nic_state(nic, MLX5_STATE_CQS) + nic_state(nic, MLX5_STATE_EQS) +
		       nic_state(nic, MLX5_STATE_TRANSLATIONS) + nic_state(nic, MLX5_STATE_PDS),
	       0, "objects left");
	machine_teardown();
	return done_testing();
}
