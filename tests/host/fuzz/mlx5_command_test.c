// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the commands of the mlx5 model, on a function with objects in use. Input: commands,
 *
 *	number		which one, of all that the model knows
 *	delivery	bits 0-3: bytes of the entry and the mailboxes to spoil
 *	length		2 bytes, little-endian, of input behind its opcode
 *	input		as many bytes, then three for each byte to spoil: where (2), by what
 *
 * Whatever comes: each command is answered, or the function says that it is dead; the next driver
 * gets a function that works, and leaves nothing behind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "devices/mlx5/command.h"
#include "mlx5/verbs.h"

#define INPUT_MAX   4000u
#define OUTPUT_MAX  4000u
#define TYPES_MAX   128u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mlx5_command_type *const subjects[] = {
	mlx5_hca_commands,  mlx5_page_commands,	    mlx5_cap_commands, mlx5_vport_commands,
	mlx5_mad_commands,  mlx5_resource_commands, mlx5_eq_commands,  mlx5_cq_commands,
	mlx5_mkey_commands, mlx5_srq_commands,	    mlx5_qp_commands,  mlx5_fault_commands,
};
static const struct mlx5_command_type *types[TYPES_MAX];
static unsigned int count;
static struct nic *nic = &machine.nics[0];
static uint64_t start;

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void setup(void)
{
	machine_setup(1, "");
	start = machine.next;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		for (const struct mlx5_command_type *type = subjects[i]; type->handler; type++) {
			must(count < TYPES_MAX, "more commands than expected");
			types[count++] = type;
		}
	}
}

static void open_all(struct qp *qp)
{
	static struct cq cq;

	machine.next = start;
	nic_open(nic);
	cq_create(&cq, nic, 6);
	qp_create(qp, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(qp, qp);
}

/* The entry and both first mailboxes, one after the other; the byte that hands the entry over
 * stays. */
static void spoil(uint32_t where, uint8_t value)
{
	struct mlx5_cmd_layout *entry = machine_at(nic->queue);
	size_t box = sizeof(struct mlx5_cmd_prot_block);

	where %= sizeof(*entry) - 1 + 2 * box;
	if (where < sizeof(*entry) - 1)
		((uint8_t *)entry)[where] ^= value;
	else if (where < sizeof(*entry) - 1 + box)
		((uint8_t *)nic_input_box(nic, 0))[where - (sizeof(*entry) - 1)] ^= value;
	else
		((uint8_t *)nic_output_box(nic, 0))[where - (sizeof(*entry) - 1) - box] ^= value;
}

static size_t run_command(const uint8_t *data, size_t size)
{
	static struct nic_command command;
	const struct mlx5_command_type *type;
	size_t length, spoilt;

	if (size < 4)
		return 0;
	type = types[data[0] % count];
	spoilt = data[1] & 15u;
	length = data[2] | (size_t)data[3] << 8;
	if (length > size - 4 || length > INPUT_MAX || spoilt * 3 > size - 4 - length)
		return 0;
	nic_command_init(&command, type->opcode,
			 length + 4 > type->in_size ? length + 4 : type->in_size,
			 type->out_size < OUTPUT_MAX ? type->out_size : OUTPUT_MAX);
	memcpy(command.in + 4, data + 4, length);
	nic_lay_out(nic, &command);
	nic_sign(nic, &command);
	for (const uint8_t *by = data + 4 + length; spoilt; by += 3, spoilt--) {
		spoil(by[0] | (uint32_t)by[1] << 8, by[2]);
		length += 3;
	}
	must(nic_ring(nic, &command) != NO_ANSWER || nic_syndrome(nic), "no answer");
	return 4 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0, taken;
	struct qp qp;

	if (!machine.fabric)
		setup();
	open_all(&qp);
	while ((taken = run_command(data + at, size - at))) {
		at += taken;
		if (nic_syndrome(nic) || nic_state(nic, MLX5_STATE_HCA) != 2)
			break;
	}
	open_all(&qp);
	must(!qp_write(&qp, start, nic->key, 64, start + PAGE, nic->key),
	     "the next driver cannot write");
	nic_close(nic);
	must(!(nic_state(nic, MLX5_STATE_QPS) | nic_state(nic, MLX5_STATE_MKEYS) |
	       nic_state(nic, MLX5_STATE_CQS) | nic_state(nic, MLX5_STATE_EQS) |
	       nic_state(nic, MLX5_STATE_PDS) | nic_state(nic, MLX5_STATE_TRANSLATIONS)),
	     "objects are left");
	return 0;
}
