// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command queue: takes a command out, finds who executes it, hands it back.
 */
#include <errno.h>
#include <stdlib.h>

#include "buffer.h"
#include "command.h"
#include "dma.h"
#include "eq.h"
#include "mailbox.h"

#define OWNED_BY_DEVICE 1

static const struct mlx5_command_type *const subjects[] = {
	mlx5_hca_commands,  mlx5_page_commands,	    mlx5_cap_commands, mlx5_vport_commands,
	mlx5_mad_commands,  mlx5_resource_commands, mlx5_eq_commands,  mlx5_cq_commands,
	mlx5_mkey_commands, mlx5_srq_commands,	    mlx5_qp_commands,  mlx5_fault_commands,
};

static const struct mlx5_command_type *command_find_type(uint16_t opcode)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		for (const struct mlx5_command_type *type = subjects[i]; type->handler; type++) {
			if (type->opcode == opcode)
				return type;
		}
	}
	return NULL;
}

static uint8_t command_dispatch(struct mlx5 *dev, struct mlx5_command *command)
{
	const struct mlx5_command_type *type =
		command_find_type((uint16_t)ifc_get(cmd_in, command->in, opcode));

	if (!type) {
		dev->counters.unknown_commands++;
		return MLX5_CMD_STAT_BAD_OP_ERR;
	}
	if (dev->hca_state < type->state)
		return MLX5_CMD_STAT_BAD_SYS_STATE_ERR;
	if (command->in_size < type->in_size)
		return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
	if (command->out_size < type->out_size)
		return MLX5_CMD_STAT_BAD_OUTP_LEN_ERR;
	return type->handler(dev, command);
}

static void command_execute(struct mlx5 *dev, struct mlx5_command *command)
{
	uint8_t status = command_dispatch(dev, command);

	if (status != MLX5_CMD_STAT_OK) {
		memset(command->out, 0, command->out_size);
		if (status != MLX5_CMD_STAT_BAD_OP_ERR)
			dev->counters.failed_commands++;
	}
	ifc_set(cmd_out, command->out, status, status);
	ifc_set(cmd_out, command->out, syndrome, command->syndrome);
}

/* Fetches input and output mailboxes, executes, delivers. Return: the delivery status. */
static enum mlx5_delivery command_run(struct mlx5 *dev, struct mlx5_cmd_layout *entry)
{
	struct mlx5_mailboxes in = { 0 }, out = { 0 };
	struct mlx5_command command = { 0 };
	enum mlx5_delivery delivery;

	delivery = mlx5_mailboxes_fetch(dev, &in, entry, MLX5_MAILBOX_INPUT);
	if (!delivery)
		delivery = mlx5_mailboxes_fetch(dev, &out, entry, MLX5_MAILBOX_OUTPUT);
	if (!delivery) {
		command.in = in.data;
		command.in_size = in.size;
		command.out = out.data;
		command.out_size = out.size;
		command_execute(dev, &command);
		memcpy(entry->out, out.data,
		       out.size < sizeof(entry->out) ? out.size : sizeof(entry->out));
		delivery = mlx5_mailboxes_deliver(dev, &out, entry->token);
	}
	mlx5_mailboxes_free(&in);
	mlx5_mailboxes_free(&out);
	return delivery;
}

static enum mlx5_delivery check_entry(const struct mlx5 *dev, const struct mlx5_cmd_layout *entry)
{
	if (entry->type != MLX5_PCI_CMD_XPORT)
		return MLX5_DELIVERY_BAD_DESCRIPTOR;
	if (dev->check_signatures && mlx5_mailbox_xor(entry, sizeof(*entry)) != 0xff)
		return MLX5_DELIVERY_BAD_SIGNATURE;
	if (entry->rsvd0[0] || entry->rsvd0[1] || entry->rsvd0[2] || entry->rsvd1)
		return MLX5_DELIVERY_RESERVED_SET;
	return MLX5_DELIVERY_OK;
}

/* The driver polls the last byte: it is written after the rest. */
static int hand_back(struct mlx5 *dev, uint64_t address, struct mlx5_cmd_layout *entry,
		     enum mlx5_delivery delivery)
{
	const size_t tail = offsetof(struct mlx5_cmd_layout, outlen) + sizeof(entry->outlen);
	const size_t head = offsetof(struct mlx5_cmd_layout, out);
	const uint8_t *bytes = (const uint8_t *)entry;
	int ret;

	entry->status_own = (uint8_t)(delivery << 1);
	entry->sig = 0;
	entry->sig = (uint8_t)~mlx5_mailbox_xor(entry, sizeof(*entry));
	ret = mlx5_dma_write(dev, address + head, bytes + head, tail - head, NULL);
	if (!ret)
		ret = mlx5_dma_write(dev, address + tail, bytes + tail, sizeof(*entry) - tail,
				     NULL);
	return ret;
}

static void run_slot(struct mlx5 *dev, unsigned int slot)
{
	uint64_t address = dev->command_queue + ((uint64_t)slot << MLX5_LOG_COMMAND_STRIDE);
	struct mlx5_eq *eq = mlx5_eq_for_event(dev, MLX5_EVENT_TYPE_CMD);
	uint8_t eq_number = eq ? eq->number : 0;
	struct mlx5_cmd_layout entry;
	enum mlx5_delivery delivery;
	int ret;

	ret = mlx5_dma_read(dev, address, &entry, sizeof(entry), NULL);
	if (!ret && !(entry.status_own & OWNED_BY_DEVICE)) {
		dev->counters.bad_doorbells++;
		return;
	}
	if (!ret) {
		dev->counters.commands++;
		delivery = check_entry(dev, &entry);
		if (!delivery)
			delivery = command_run(dev, &entry);
		if (delivery)
			dev->counters.failed_commands++;
		ret = hand_back(dev, address, &entry, delivery);
	}
	if (ret && ret != -ECANCELED) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_ICM_FETCH_PCI_ERR, address);
		return;
	}
	/*
	 * A command that made the EQ for command events is polled for: the driver does not listen
	 * yet. The one that destroyed it has no EQ any more.
	 */
	if (eq && mlx5_table_get(&dev->eqs, eq_number) == eq)
		mlx5_event_command(dev, eq, slot);
}

bool mlx5_command_work(struct mlx5 *dev)
{
	unsigned int slot;

	if (!dev->doorbells.commands)
		return false;
	slot = (unsigned int)__builtin_ctz(dev->doorbells.commands);
	dev->doorbells.commands &= dev->doorbells.commands - 1;
	run_slot(dev, slot);
	return true;
}
