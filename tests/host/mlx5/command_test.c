// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command interface: delivery, mailboxes, states, and what a wrong driver gets.
 */
#include "tap.h"
#include "devices/mlx5/mailbox.h"
#include "nic.h"

#define QUERY_CAP_OUT ifc_size(query_hca_cap_out)

static struct nic *nic = &machine.nics[0];

/* 272 bytes of output: a mailbox. */
static void begin_query(struct nic_command *command)
{
	nic_command_begin(command, QUERY_HCA_CAP, query_hca_cap);
	ifc_set(query_hca_cap_in, command->in, op_mod,
		MLX5_CAP_GENERAL << 1 | HCA_CAP_OPMOD_GET_CUR);
}

static void registers(void)
{
	uint32_t health;

	is_hex(nic_read(nic, offsetof(struct mlx5_init_seg, cmdif_rev_fw_sub)) >> 16, 5,
	       "command interface revision");
	is_hex(nic_read(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz)) & 0xff, 0x56,
	       "32 slots of 64 bytes");
	is_hex(nic_read(nic, offsetof(struct mlx5_init_seg, initializing)) >> 31, 0, "initialized");
	health = nic_read(nic, offsetof(struct mlx5_init_seg, health_counter));
	ok(until(nic_read(nic, offsetof(struct mlx5_init_seg, health_counter)) != health),
	   "the health counter moves");
	is_hex(nic_state(nic, MLX5_STATE_ID), MLX5_STATE_MAGIC, "state page");
	is_hex(nic_state(nic, MLX5_STATE_REGISTERS), 0, "behind its registers");
}

static void states(void)
{
	struct nic_command command;

	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_h), nic->queue >> 32);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)nic->queue);
	nic_command_begin(&command, QUERY_ISSI, query_issi);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_SYS_STATE_ERR, "before ENABLE_HCA");
	nic_command_begin(&command, ENABLE_HCA, enable_hca);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "ENABLE_HCA");
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_SYS_STATE_ERR, "twice");
	nic_command_begin(&command, ALLOC_PD, alloc_pd);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_SYS_STATE_ERR, "before INIT_HCA");
	nic_command_begin(&command, SET_ISSI, set_issi);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "ISSI 0");
	nic_command_begin(&command, INIT_HCA, init_hca);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "INIT_HCA");
	is_int(nic_state(nic, MLX5_STATE_HCA), 2, "initialized");
	nic_command_begin(&command, ALLOC_PD, alloc_pd);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "ALLOC_PD");
	is_int(nic_state(nic, MLX5_STATE_PDS), 1, "a protection domain");
	nic_close(nic);
	is_int(nic_state(nic, MLX5_STATE_HCA), 0, "disabled");
	is_int(nic_state(nic, MLX5_STATE_PDS), 0, "and empty");
}

static void unknown(void)
{
	uint64_t before = nic_state(nic, MLX5_STATE_UNKNOWN_COMMANDS);
	struct nic_command command;

	nic_command_init(&command, 0x7ff, 16, 16);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_OP_ERR, "a command that is not there");
	nic_command_init(&command, MLX5_CMD_OP_CREATE_DCT, 2000, 3000);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_OP_ERR, "a known one, not modelled");
	is_int(nic_state(nic, MLX5_STATE_UNKNOWN_COMMANDS) - before, 2, "counted");
}

static void lengths(void)
{
	struct nic_command command;

	begin_query(&command);
	command.out_size--;
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_OUTP_LEN_ERR, "output too short");
	begin_query(&command);
	command.in_size = 8;
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_INP_LEN_ERR, "input too short");
	begin_query(&command);
	command.in_size = 7;
	is_int(nic_execute(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_INPUT_LENGTH),
	       "without an opcode");
	begin_query(&command);
	command.out_size = 4;
	is_int(nic_execute(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_OUTPUT_LENGTH),
	       "no room for a status");
	begin_query(&command);
	nic_lay_out(nic, &command)->inlen = htobe32(UINT32_MAX);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_INPUT_LENGTH),
	       "4 GiB of input");
	nic_lay_out(nic, &command)->outlen = htobe32(0x7fffffff);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_OUTPUT_LENGTH),
	       "2 GiB of output");
	/* 1600 bytes of input are 4 mailboxes; the last one has 48 bytes */
	begin_query(&command);
	command.in_size = 1600;
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "more than is needed");
}

static void descriptors(void)
{
	struct nic_command command;

	begin_query(&command);
	nic_lay_out(nic, &command)->type = 3;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_DESCRIPTOR), "type");
	nic_lay_out(nic, &command)->rsvd1 = 1;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_RESERVED_SET), "reserved bits");
	nic_lay_out(nic, &command);
	nic_output_box(nic, 0)->token ^= 1;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_TOKEN), "output token");
	nic_lay_out(nic, &command);
	nic_output_box(nic, 0)->block_num = htobe32(1);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_BLOCK), "block number");
	nic_lay_out(nic, &command)->out_ptr |= htobe64(0x100);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_OUTPUT_ALIGNMENT), "alignment");
	command.in_size = 1600;
	nic_lay_out(nic, &command);
	nic_input_box(nic, 3)->token ^= 0x80;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_TOKEN), "input token");
	nic_lay_out(nic, &command);
	nic_input_box(nic, 1)->next = htobe64(be64toh(nic_input_box(nic, 1)->next) + 4);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_INPUT_ALIGNMENT),
	       "alignment in a chain");
	nic_lay_out(nic, &command);
	nic_input_box(nic, 1)->next = nic_input_box(nic, 0)->next;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_BLOCK),
	       "a chain in a ring");
	nic_lay_out(nic, &command);
	nic_input_box(nic, 2)->next = htobe64(NOWHERE);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_DEVICE_ERROR), "a wild chain");
	nic_lay_out(nic, &command)->out_ptr = htobe64(UINT64_MAX - 511);
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_DEVICE_ERROR),
	       "over the end of the address space");
	is_int(nic_syndrome(nic), 0, "nothing of that is fatal");
	begin_query(&command);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "and the next command works");
}

static int query_signed(void)
{
	struct nic_command command;

	begin_query(&command);
	command.in_size = 1600;
	return nic_execute(nic, &command);
}

static void signatures(void)
{
	struct nic_command command;
	uint8_t *caps;
	uint8_t sum;

	begin_query(&command);
	nic_must(nic, &command);
	nic_lay_out(nic, &command);
	is_int(nic_ring(nic, &command), MLX5_CMD_STAT_OK, "without signatures");
	/* Turned on by SET_HCA_CAP, with what QUERY_HCA_CAP gave. */
	caps = ifc_at(query_hca_cap_out, command.out, capability);
	ifc_set(cmd_hca_cap, caps, cmdif_checksum, 3);
	memmove(ifc_at(set_hca_cap_in, command.in, capability), caps, ifc_size(cmd_hca_cap));
	ifc_set(cmd_in, command.in, opcode, MLX5_CMD_OP_SET_HCA_CAP);
	command.in_size = ifc_size(set_hca_cap_in);
	command.out_size = ifc_size(set_hca_cap_out);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "SET_HCA_CAP");
	is_int(query_signed(), MLX5_CMD_STAT_OK, "all signed");
	sum = mlx5_mailbox_xor(machine_at(nic->queue), sizeof(struct mlx5_cmd_layout));
	is_hex(sum, 0xff, "the entry comes back signed");
	is_hex(mlx5_mailbox_xor(nic_output_box(nic, 0), sizeof(struct mlx5_cmd_prot_block)), 0xff,
	       "and the output");
	begin_query(&command);
	command.in_size = 1600;
	nic_lay_out(nic, &command);
	nic_sign(nic, &command);
	((struct mlx5_cmd_layout *)machine_at(nic->queue))->sig ^= 1;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_SIGNATURE), "entry");
	nic_lay_out(nic, &command);
	nic_sign(nic, &command);
	nic_input_box(nic, 2)->data[100] ^= 1;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_SIGNATURE), "input");
	nic_lay_out(nic, &command);
	nic_sign(nic, &command);
	nic_output_box(nic, 0)->ctrl_sig ^= 1;
	is_int(nic_ring(nic, &command), NOT_DELIVERED(MLX5_DELIVERY_BAD_SIGNATURE), "output");
}

static void capabilities(void)
{
	struct nic_command command;
	uint8_t *caps;

	begin_query(&command);
	nic_must(nic, &command);
	caps = ifc_at(query_hca_cap_out, command.out, capability);
	is_int(ifc_get(cmd_hca_cap, caps, port_type), MLX5_CAP_PORT_TYPE_IB, "an InfiniBand port");
	is_int(ifc_get(cmd_hca_cap, caps, mkey_pcie_tph), 1, "hints by memory key");
	is_int(ifc_get(cmd_hca_cap, caps, relaxed_ordering_write), 1, "Relaxed Ordering too");
	is_int(ifc_get(cmd_hca_cap, caps, pg), 1, "page faults");
	is_int(ifc_get(cmd_hca_cap, caps, cmdif_checksum), 0, "no signatures at first");
	begin_query(&command);
	ifc_set(query_hca_cap_in, command.in, op_mod, MLX5_CAP_ETHERNET_OFFLOADS << 1);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "no Ethernet");
	begin_query(&command);
	nic_must(nic, &command);
	ifc_set(cmd_hca_cap, ifc_at(query_hca_cap_out, command.out, capability), roce, 1);
	memmove(ifc_at(set_hca_cap_in, command.in, capability),
		ifc_at(query_hca_cap_out, command.out, capability), ifc_size(cmd_hca_cap));
	ifc_set(cmd_in, command.in, opcode, MLX5_CMD_OP_SET_HCA_CAP);
	command.in_size = ifc_size(set_hca_cap_in);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "one that it has not");
}

static void wild_queue(void)
{
	struct nic_command command;

	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_h), NOWHERE >> 32);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)NOWHERE);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), 1);
	ok(until(nic_syndrome(nic)), "a command queue that is not there is fatal");
	is_hex(nic_read(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz)) >> 8 & 7, 1,
	       "the interface is disabled");
	is_int(nic_state(nic, MLX5_STATE_FATAL_ERRORS), 1, "counted");
	nic_start(nic);
	is_int(nic_syndrome(nic), 0, "a new address brings it back");
	begin_query(&command);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "and commands work");
	/* A doorbell for slots with nothing in them */
	nic_write(nic, offsetof(struct mlx5_init_seg, cmd_dbell), UINT32_MAX);
	ok(until(nic_state(nic, MLX5_STATE_BAD_DOORBELLS) == 32), "empty slots are passed over");
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "and commands work still");
}

int main(void)
{
	machine_setup(1, "");
	registers();
	states();
	nic_start(nic);
	unknown();
	lengths();
	descriptors();
	nic_close(nic);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)nic->queue);
	{
		struct nic_command command;

		nic_command_begin(&command, ENABLE_HCA, enable_hca);
		nic_must(nic, &command);
	}
	capabilities();
	signatures();
	wild_queue();
	machine_teardown();
	return done_testing();
}
