// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Teardown, resets and clients that go, at rest and in the middle of everything: nothing is left,
 * and the function works again.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

static struct nic *nic = &machine.nics[0];
static struct nic *other = &machine.nics[1];
static struct cq cqs[2];
static struct qp one, two;
static uint64_t memory;

/* Every count of the state page but that of the UARs' first, which are objects. */
static uint64_t left(struct nic *which)
{
	uint64_t sum = 0;

	for (unsigned int i = MLX5_STATE_HCA; i <= MLX5_STATE_TRANSLATIONS; i++)
		sum += nic_state(which, (enum mlx5_state_register)i);
	return sum;
}

static void open_all(struct nic *second)
{
	if (nic_state(nic, MLX5_STATE_HCA) != 2)
		nic_open(nic);
	if (second != nic && nic_state(second, MLX5_STATE_HCA) != 2)
		nic_open(second);
	cq_create(&cqs[0], nic, 6);
	cq_create(&cqs[1], second, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &cqs[0]);
	qp_create(&two, second, MLX5_QPC_ST_RC, &cqs[1]);
	qp_connect(&one, &two);
}

static bool works(void)
{
	return !qp_write(&one, memory, one.nic->key, 64, memory + PAGE, two.nic->key);
}

static void teardown(void)
{
	open_all(nic);
	key_for_pages(nic, memory, 3, 0);
	ok(works(), "works");
	ok(left(nic) > 10, "objects");
	nic_close(nic);
	is_int(left(nic), 0, "none after teardown");
}

static void function_reset(void)
{
	open_all(other);
	ok(works(), "works");
	pci_function_reset(nic->fn);
	nic_configure(nic);
	ok(until(!left(nic)), "nothing is left after a reset");
	is_hex(nic_read(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz)) >> 8 & 7, 1,
	       "a driver can see it");
	nic_connect(nic);
	open_all(other);
	ok(works(), "works again");
}

static void client_gone(void)
{
	pci_function_connect(nic->fn, NULL, NULL);
	nic_connect(nic);
	ok(until(!left(nic)), "nothing is left when the client goes");
	open_all(other);
	ok(works(), "works for the next one");
}

static void new_queue(void)
{
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)nic->queue);
	ok(until(!left(nic)), "nothing is left when a driver starts anew");
	open_all(other);
	ok(works(), "works");
}

static void set_gate(void (*gate)(void))
{
	__atomic_store_n(&machine.gate, gate, __ATOMIC_RELEASE);
}

/* The gate was passed and the function is empty. */
static void is_emptied(void)
{
	ok(until(!__atomic_load_n(&machine.gate, __ATOMIC_ACQUIRE)), "it happens");
	/* As after a reset; otherwise nothing changes. */
	nic_configure(nic);
	ok(until(!left(nic)), "nothing is left");
}

static void reset_first(void)
{
	pci_function_reset(nic->fn);
	set_gate(NULL);
}

static void restart_first(void)
{
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)nic->queue);
	set_gate(NULL);
}

static void break_first(void)
{
	set_gate(NULL);
	/* Another slot's command is fatal, but only after this access. */
	nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), 2);
}

static void post_write(struct qp *from, uint64_t local, uint32_t local_key, uint64_t remote,
		       uint32_t remote_key)
{
	struct wqe wqe;

	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, remote, remote_key);
	wqe_data(&wqe, local, 9000, local_key);
	qp_post(from, &wqe);
}

/* Each access to NOWHERE is a chance for @gate. */
static void in_the_middle(const char *what, void (*gate)(void))
{
	struct nic_command command;

	diag("%s while the device reads data", what);
	set_gate(gate);
	post_write(&one, NOWHERE, nic->key, memory, other->key);
	is_emptied();
	open_all(other);
	ok(works(), "works again");

	diag("%s while the responder writes data", what);
	set_gate(gate);
	post_write(&two, memory, other->key, NOWHERE, nic->key);
	is_emptied();
	{
		struct mlx5_cqe64 entry;

		ok(cq_poll(&cqs[1], &entry) &&
			   cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR,
		   "the requester on the other function hears nothing any more");
	}
	open_all(other);
	ok(works(), "works again");

	diag("%s while the device reads a command", what);
	nic_command_begin(&command, QUERY_HCA_CAP, query_hca_cap);
	command.in_size = 1600;
	nic_lay_out(nic, &command);
	nic_input_box(nic, 1)->next = htobe64(NOWHERE);
	set_gate(gate);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), 1);
	is_emptied();
	open_all(other);
	ok(works(), "works again");

	diag("%s while the device reads a work request", what);
	{
		uint64_t page = NOWHERE;
		struct qp lost;
		uint8_t *context;

		lost = one;
		nic_command_begin(&command, CREATE_QP, create_qp);
		context = ifc_at(create_qp_in, command.in, qpc);
		ifc_set(qpc, context, st, MLX5_QPC_ST_RC);
		ifc_set(qpc, context, pd, nic->pd);
		ifc_set(qpc, context, uar_page, nic->uar);
		ifc_set(qpc, context, cqn_snd, cqs[0].number);
		ifc_set(qpc, context, cqn_rcv, cqs[0].number);
		ifc_set(qpc, context, log_sq_size, 4);
		ifc_set(qpc, context, dbr_addr, one.doorbell);
		nic_command_add_pages(&command, &page, 1);
		nic_must(nic, &command);
		lost.number = (uint32_t)ifc_get(create_qp_out, command.out, qpn);
		qp_init(&lost);
		qp_rtr(&lost, &two);
		put_be32((uint8_t *)machine_at(one.doorbell) + 4, 1);
		set_gate(gate);
		/* The transition makes the queue run; its answer may be lost. */
		if (qp_rts(&lost))
			diag("the command was lost as well");
	}
	is_emptied();
	open_all(other);
	ok(works(), "works again");
}

/* A fatal error while another access is under way. */
static void fatal_in_the_middle(void)
{
	struct nic_command command;

	/* Slot 1 with its doorbell: the entry cannot be read. */
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_h), NOWHERE >> 32);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)NOWHERE);
	set_gate(break_first);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), 1);
	ok(until(nic_syndrome(nic)), "fatal");
	nic_open(nic);
	nic_command_begin(&command, QUERY_ISSI, query_issi);
	is_int(nic_execute(nic, &command), 0, "works again");
}

static void opened_and_closed(void)
{
	bool right = true;

	for (unsigned int i = 0; i < 50 && right; i++) {
		machine.next = memory + 8 * PAGE;
		open_all(nic);
		right = works();
		nic_close(nic);
		right = right && !left(nic);
	}
	ok(right, "50 drivers one after the other");
}

int main(void)
{
	machine_setup(2, "");
	memory = machine_alloc(8 * PAGE);
	teardown();
	function_reset();
	client_gone();
	new_queue();
	in_the_middle("reset", reset_first);
	in_the_middle("a new command queue", restart_first);
	fatal_in_the_middle();
	opened_and_closed();
	machine_teardown();
	/* With everything open. */
	machine_setup(2, "");
	memory = machine_alloc(8 * PAGE);
	open_all(other);
	ok(works(), "works");
	machine_teardown();
	return done_testing();
}
