// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the driver lends to the device, as a real one needs them for its contexts. The model
 * keeps its objects elsewhere and never accesses the pages, but takes and returns them by the
 * rules.
 */
#include <stdlib.h>

#include "command.h"

#define BOOT_PAGES 4u
#define INIT_PAGES 32u
#define PAGES_MAX  4096u

/* Operation modifiers of MANAGE_PAGES; the driver has names for them in its pagealloc.c. */
#define PAGES_CANNOT_GIVE 0
#define PAGES_GIVE	  1
#define PAGES_TAKE	  2

#define LIST_OFFSET	  ifc_size(manage_pages_in)

static uint8_t pages_query(struct mlx5 *dev, struct mlx5_command *command)
{
	uint32_t pages;

	(void)dev;
	switch (ifc_get(query_pages_in, command->in, op_mod)) {
	case MLX5_QUERY_PAGES_IN_OP_MOD_BOOT_PAGES:
		pages = BOOT_PAGES;
		break;
	case MLX5_QUERY_PAGES_IN_OP_MOD_INIT_PAGES:
		pages = INIT_PAGES;
		break;
	case MLX5_QUERY_PAGES_IN_OP_MOD_REGULAR_PAGES:
		pages = 0;
		break;
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	ifc_set(query_pages_out, command->out, num_pages, pages);
	return MLX5_CMD_STAT_OK;
}

static bool is_known(const struct mlx5 *dev, uint64_t address)
{
	for (uint32_t i = 0; i < dev->given_pages; i++) {
		if (dev->given_page[i] == address)
			return true;
	}
	return false;
}

static uint8_t pages_give(struct mlx5 *dev, const struct mlx5_command *command, uint32_t count)
{
	const uint8_t *list = command->in + LIST_OFFSET;
	uint32_t before = dev->given_pages;
	uint64_t *pages;

	if (count > (command->in_size - LIST_OFFSET) / sizeof(uint64_t))
		return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
	if (count > PAGES_MAX - before)
		return MLX5_CMD_STAT_LIM_ERR;
	pages = realloc(dev->given_page, (before + count + 1) * sizeof(*pages));
	if (!pages)
		return MLX5_CMD_STAT_NO_RES_ERR;
	dev->given_page = pages;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t address = get_be64(list + i * sizeof(uint64_t));

		if (address % MLX5_ADAPTER_PAGE_SIZE || is_known(dev, address)) {
			dev->given_pages = before;
			return MLX5_CMD_STAT_BAD_PARAM_ERR;
		}
		pages[dev->given_pages++] = address;
	}
	return MLX5_CMD_STAT_OK;
}

static uint8_t pages_take(struct mlx5 *dev, struct mlx5_command *command, uint32_t count)
{
	uint8_t *list = command->out + ifc_size(manage_pages_out);
	size_t room = (command->out_size - ifc_size(manage_pages_out)) / sizeof(uint64_t);

	if (count > room)
		return MLX5_CMD_STAT_BAD_OUTP_LEN_ERR;
	if (count > dev->given_pages)
		count = dev->given_pages;
	for (uint32_t i = 0; i < count; i++)
		put_be64(list + i * sizeof(uint64_t), dev->given_page[--dev->given_pages]);
	ifc_set(manage_pages_out, command->out, output_num_entries, count);
	return MLX5_CMD_STAT_OK;
}

static uint8_t pages_manage(struct mlx5 *dev, struct mlx5_command *command)
{
	uint32_t count = (uint32_t)ifc_get(manage_pages_in, command->in, input_num_entries);

	if (ifc_get(manage_pages_in, command->in, function_id))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	switch (ifc_get(manage_pages_in, command->in, op_mod)) {
	case PAGES_CANNOT_GIVE:
		return MLX5_CMD_STAT_OK;
	case PAGES_GIVE:
		return pages_give(dev, command, count);
	case PAGES_TAKE:
		/* An initialized HCA needs what it has. */
		if (dev->hca_state == MLX5_HCA_INITIALIZED)
			count = 0;
		return pages_take(dev, command, count);
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
}

const struct mlx5_command_type mlx5_page_commands[] = {
	MLX5_COMMAND(QUERY_PAGES, ENABLED, query_pages, pages_query),
	MLX5_COMMAND(MANAGE_PAGES, ENABLED, manage_pages, pages_manage),
	{ 0 },
};
