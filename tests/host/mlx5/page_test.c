// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the driver lends.
 */
#include "tap.h"
#include "nic.h"

#define GIVE 1
#define TAKE 2

static struct nic *nic = &machine.nics[0];

static int manage(struct nic_command *command, unsigned int operation, unsigned int count,
		  unsigned int room)
{
	ifc_set(manage_pages_in, command->in, op_mod, operation);
	ifc_set(manage_pages_in, command->in, input_num_entries, count);
	command->out_size += room * 8;
	return nic_execute(nic, command);
}

static int give(const uint64_t *pages, unsigned int count)
{
	struct nic_command command;

	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	nic_command_add_pages(&command, pages, count);
	return manage(&command, GIVE, count, 0);
}

int main(void)
{
	const uint64_t pages[] = { RAM, RAM + PAGE, NOWHERE };
	struct nic_command command;

	machine_setup(1, "");
	nic_start(nic);
	nic_command_begin(&command, TEARDOWN_HCA, teardown_hca);
	nic_must(nic, &command);
	nic_command_begin(&command, QUERY_PAGES, query_pages);
	ifc_set(query_pages_in, command.in, op_mod, MLX5_QUERY_PAGES_IN_OP_MOD_BOOT_PAGES);
	nic_must(nic, &command);
	ok(ifc_get(query_pages_out, command.out, num_pages), "wants pages");

	is_int(give(pages, 3), MLX5_CMD_STAT_OK, "three pages");
	is_int(nic_state(nic, MLX5_STATE_PAGES), 3, "taken");
	is_int(give(pages, 1), MLX5_CMD_STAT_BAD_PARAM_ERR, "one that it has");
	is_int(give((uint64_t[]){ RAM + 2 * PAGE, RAM + 8 }, 2), MLX5_CMD_STAT_BAD_PARAM_ERR,
	       "one that is not aligned");
	is_int(nic_state(nic, MLX5_STATE_PAGES), 3, "none of them was taken");
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, GIVE, 2, 0), MLX5_CMD_STAT_BAD_INP_LEN_ERR, "more than are there");
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, GIVE, UINT32_MAX, 0), MLX5_CMD_STAT_BAD_INP_LEN_ERR, "4 G of them");
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, 9, 1, 0), MLX5_CMD_STAT_BAD_PARAM_ERR, "no such operation");
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, TAKE, 3, 2), MLX5_CMD_STAT_BAD_OUTP_LEN_ERR, "back, without room");

	nic_command_begin(&command, INIT_HCA, init_hca);
	nic_must(nic, &command);
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, TAKE, 3, 3), MLX5_CMD_STAT_OK, "back, while in use");
	is_int(ifc_get(manage_pages_out, command.out, output_num_entries), 0, "none");
	nic_command_begin(&command, TEARDOWN_HCA, teardown_hca);
	nic_must(nic, &command);
	nic_command_begin(&command, MANAGE_PAGES, manage_pages);
	is_int(manage(&command, TAKE, 4, 4), MLX5_CMD_STAT_OK, "back");
	is_int(ifc_get(manage_pages_out, command.out, output_num_entries), 3, "all that there are");
	is_hex(get_be64(command.out + ifc_size(manage_pages_out)), NOWHERE, "the addresses");
	is_int(nic_state(nic, MLX5_STATE_PAGES), 0, "none is left");
	is_int(machine.refused, 0, "no page was accessed");
	machine_teardown();
	return done_testing();
}
