/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command interface: queue entries, mailboxes, dispatch.
 */
#ifndef TPHBUF_MLX5_COMMAND_H
#define TPHBUF_MLX5_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"

/**
 * struct mlx5_command - one command on its way
 * @in: input, the part in the queue entry and the mailboxes joined
 * @in_size: its bytes, at least what the dispatch table asks for
 * @out: zeroed output, the part in the queue entry and the mailboxes joined; status and syndrome
 * are filled in by the dispatcher
 * @out_size: bytes that the driver has room for
 * @syndrome: detail of a failure, for the driver's log
 */
struct mlx5_command {
	const uint8_t *in;
	size_t in_size;
	uint8_t *out;
	size_t out_size;
	uint32_t syndrome;
};

/*
 * A command handler. Called on the worker, fabric lock held. Returns MLX5_CMD_STAT_*; anything but
 * OK leaves the device as it was.
 */
typedef uint8_t mlx5_command_handler(struct mlx5 *dev, struct mlx5_command *command);

/**
 * struct mlx5_command_type - an entry of the dispatch table
 * @opcode: MLX5_CMD_OP_*
 * @state: the command needs this state of the HCA or a later one
 * @in_size: shortest input
 * @out_size: shortest output
 * @handler: executes it
 */
struct mlx5_command_type {
	uint16_t opcode;
	enum mlx5_hca_state state;
	uint16_t in_size;
	uint16_t out_size;
	mlx5_command_handler *handler;
};

/* An entry for a command whose structures are called @type##_in and @type##_out. */
#define MLX5_COMMAND(op, needs, type, function)                                   \
	{                                                                         \
		.opcode = MLX5_CMD_OP_##op, .state = MLX5_HCA_##needs,            \
		.in_size = ifc_size(type##_in), .out_size = ifc_size(type##_out), \
		.handler = (function),                                            \
	}

/* The commands of each subject, ended by an entry without handler. */
extern const struct mlx5_command_type mlx5_hca_commands[];
extern const struct mlx5_command_type mlx5_page_commands[];
extern const struct mlx5_command_type mlx5_cap_commands[];
extern const struct mlx5_command_type mlx5_vport_commands[];
extern const struct mlx5_command_type mlx5_mad_commands[];
extern const struct mlx5_command_type mlx5_resource_commands[];
extern const struct mlx5_command_type mlx5_eq_commands[];
extern const struct mlx5_command_type mlx5_cq_commands[];
extern const struct mlx5_command_type mlx5_mkey_commands[];
extern const struct mlx5_command_type mlx5_srq_commands[];
extern const struct mlx5_command_type mlx5_qp_commands[];
extern const struct mlx5_command_type mlx5_fault_commands[];

/**
 * mlx5_command_work() - execute one command that the driver rang for
 * @dev: the device
 *
 * Return: false when no doorbell is waiting.
 */
bool mlx5_command_work(struct mlx5 *dev);

#endif
