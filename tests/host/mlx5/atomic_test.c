// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Atomic operations of 8 bytes: toward guest memory and toward a peer, as AtomicOps and without
 * them, byte order of the result, rights.
 */
#include <linux/pci_regs.h>

#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

#define NO_RIGHT (ALL_RIGHTS & ~REMOTE_ATOMIC)

static struct nic *nic = &machine.nics[0];
static struct cq send_cq, receive_cq;
static struct qp one, two;
static uint64_t memory, result;

static int fetch_add(uint64_t add, uint64_t address, uint32_t key)
{
	struct mlx5_wqe_atomic_seg operands = { .swap_add = htobe64(add) };

	return qp_atomic(&one, &operands, false, result, nic->key, address, key);
}

static int compare_swap(uint64_t compare, uint64_t swap, uint64_t address, uint32_t key)
{
	struct mlx5_wqe_atomic_seg operands = { .swap_add = htobe64(swap),
						.compare = htobe64(compare) };

	return qp_atomic(&one, &operands, true, result, nic->key, address, key);
}

static void recover(void)
{
	nic_arm_events(nic);
	qp_reconnect(&one, &two);
}

static int set_byte_order(uint64_t mode)
{
	struct nic_command command;

	nic_command_begin(&command, SET_HCA_CAP, set_hca_cap);
	ifc_set(set_hca_cap_in, command.in, op_mod, MLX5_CAP_ATOMIC << 1);
	ifc_set(atomic_caps, ifc_at(set_hca_cap_in, command.in, capability),
		atomic_req_8B_endianness_mode, mode);
	return nic_execute(nic, &command);
}

/* What the driver asks before it announces atomics. */
static void capabilities(void)
{
	struct nic_command command;
	const uint8_t *caps = ifc_at(query_hca_cap_out, command.out, capability);

	nic_command_begin(&command, QUERY_HCA_CAP, query_hca_cap);
	ifc_set(query_hca_cap_in, command.in, op_mod, MLX5_CAP_ATOMIC << 1 | 1);
	nic_must(nic, &command);
	is_hex(ifc_get(atomic_caps, caps, atomic_operations), 3, "compare and swap, fetch and add");
	is_hex(ifc_get(atomic_caps, caps, atomic_size_qp), 8, "of 8 bytes");
	is_int(ifc_get(atomic_caps, caps, supported_atomic_req_8B_endianness_mode_1), 1,
	       "the driver's byte order can be had");
	is_int(ifc_get(atomic_caps, caps, atomic_req_8B_endianness_mode), 0, "and is not chosen");
	is_int(set_byte_order(1), MLX5_CMD_STAT_BAD_SYS_STATE_ERR, "too late to choose");
}

static void guest_memory(void)
{
	uint64_t *word = machine_at(memory);

	*word = htole64(40);
	is_int(fetch_add(2, memory, nic->key), 0, "fetch and add");
	is_int(le64toh(*word), 42, "sum");
	is_int(get_be64(machine_at(result)), 40, "value before, big-endian");
	is_int(compare_swap(41, 1, memory, nic->key), 0, "compare and swap, another value");
	is_int(le64toh(*word), 42, "nothing changed");
	is_int(get_be64(machine_at(result)), 42, "value before");
	is_int(compare_swap(42, 0x1122334455667788, memory, nic->key), 0, "the value");
	is_hex(le64toh(*word), 0x1122334455667788, "swapped");
	is_int(get_be64(machine_at(result)), 42, "value before");
}

static void peer(void)
{
	uint8_t *word = machine.peer->memory + 0x40;

	memset(word, 0, 8);
	is_int(fetch_add(7, PEER + 0x40, nic->key), 0, "fetch and add");
	is_int(compare_swap(7, 9, PEER + 0x40, nic->key), 0, "compare and swap");
	is_int(word[0], 9, "swapped");
	is_int(get_be64(machine_at(result)), 7, "value before");
	is_int(machine.peer->atomics, 2, "as AtomicOps");
	is_int(machine.peer->writes + machine.peer->reads, 0, "and nothing else");
	is_int(machine.peer->bad_tlps, 0, "that a link could carry");
}

/* A driver that clears AtomicOp Requester Enable gets the same by a read and a write. */
static void not_enabled(void)
{
	unsigned int control =
		pci_config_cap(pci_function_config(nic->fn), PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL2;
	uint16_t off = 0, on = PCI_EXP_DEVCTL2_ATOMIC_REQ;

	pci_function_region_write(nic->fn, PCI_REGION_CONFIG, control, &off, 2);
	is_int(fetch_add(1, PEER + 0x40, nic->key), 0, "fetch and add");
	is_int(machine.peer->memory[0x40], 10, "sum");
	is_int(get_be64(machine_at(result)), 9, "value before");
	is_int(compare_swap(11, 12, PEER + 0x40, nic->key), 0, "compare and swap, another value");
	is_int(machine.peer->memory[0x40], 10, "nothing changed");
	is_int(compare_swap(10, 12, PEER + 0x40, nic->key), 0, "the value");
	is_int(machine.peer->memory[0x40], 12, "swapped");
	is_int(machine.peer->atomics, 2, "without AtomicOps");
	is_int(nic_state(nic, MLX5_STATE_DMA_ERRORS), 0, "and without errors");
	pci_function_region_write(nic->fn, PCI_REGION_CONFIG, control, &on, 2);
}

static void refusals(void)
{
	const uint64_t page = memory | MLX5_MTT_READ | MLX5_MTT_WRITE;
	uint32_t key = key_create(
		nic, &(struct key_options){ .pages = &page, .count = 1, .rights = NO_RIGHT });
	uint64_t *word = machine_at(memory);
	struct mlx5_cqe64 entry;
	struct wqe wqe;
	uint32_t small;

	*word = 5;
	is_int(fetch_add(1, memory + 4, nic->key), MLX5_CQE_SYNDROME_REMOTE_INVAL_REQ_ERR,
	       "not aligned");
	recover();
	is_int(fetch_add(1, 0, key), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "a key without the right");
	recover();
	small = key_create(nic, &(struct key_options){ .pages = &page, .count = 1, .length = 12 });
	is_int(fetch_add(1, 8, small), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "beyond the end of a key");
	recover();
	two.access &= ~(unsigned int)MLX5_QP_OPTPAR_RAE;
	recover();
	is_int(fetch_add(1, memory, nic->key), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "a queue pair that allows none");
	two.access |= MLX5_QP_OPTPAR_RAE;
	recover();
	wqe_begin(&wqe, MLX5_OPCODE_ATOMIC_FA, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, memory, nic->key);
	wqe_add(&wqe, &(struct mlx5_wqe_atomic_seg){ 0 }, sizeof(struct mlx5_wqe_atomic_seg));
	wqe_data(&wqe, result, 16, nic->key);
	qp_post(&one, &wqe);
	ok(cq_poll(&send_cq, &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR,
	   "room for another length");
	recover();
	is_int(fetch_add(1, NOWHERE, nic->key), MLX5_CQE_SYNDROME_REMOTE_OP_ERR,
	       "a bus address that is not there");
	recover();
	is_int(*word, 5, "nothing was changed by any of them");
	is_int(fetch_add(1, memory, nic->key), 0, "works after it");
}

/* The right of a key comes by UMR too, as the driver sets it. */
static void by_umr(void)
{
	const uint64_t page = memory | MLX5_MTT_READ | MLX5_MTT_WRITE;
	uint32_t key = key_create(
		nic, &(struct key_options){
			     .pages = &page, .count = 1, .umr = true, .rights = NO_RIGHT });
	struct umr umr = { .key = key, .mask = MLX5_MKEY_MASK_A };
	struct qp registrar;

	umr_create(&registrar, nic, &send_cq);
	ifc_set(mkc, umr.context, a, 1);
	is_int(umr_execute(&registrar, &umr), 0, "UMR");
	is_int(fetch_add(1, 0, key), 0, "allowed");
	qp_destroy(&registrar);
}

static void open_all(void)
{
	nic_open(nic);
	cq_create(&send_cq, nic, 6);
	cq_create(&receive_cq, nic, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &send_cq);
	qp_create(&two, nic, MLX5_QPC_ST_RC, &receive_cq);
	qp_connect(&one, &two);
}

/* In the byte order of the driver, when it has chosen that. */
static void host_order(void)
{
	uint64_t *word = machine_at(memory);
	struct nic_command command;

	nic_close(nic);
	nic_command_begin(&command, ENABLE_HCA, enable_hca);
	nic_must(nic, &command);
	is_int(set_byte_order(2), MLX5_CMD_STAT_BAD_PARAM_ERR, "a byte order that is none");
	nic_command_begin(&command, DISABLE_HCA, disable_hca);
	nic_must(nic, &command);
	nic->host_order = true;
	open_all();
	*word = htole64(0x1122334455667788);
	is_int(fetch_add(1, memory, nic->key), 0, "fetch and add");
	is_hex(*(uint64_t *)machine_at(result), 0x1122334455667788,
	       "value before, in the driver's byte order");
	is_hex(le64toh(*word), 0x1122334455667789, "sum");
}

int main(void)
{
	machine_setup(1, "");
	open_all();
	memory = machine_alloc(PAGE);
	result = machine_alloc(PAGE);
	capabilities();
	guest_memory();
	peer();
	not_enabled();
	refusals();
	by_umr();
	host_order();
	machine_teardown();
	return done_testing();
}
