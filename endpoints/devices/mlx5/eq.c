// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event queues: events, arming, commands.
 */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "eq.h"
#include "pcie/device_model.h"

#define ENTRY_SIZE   sizeof(struct mlx5_eqe)
#define COUNTER_MASK 0xffffffu /* doorbells carry 24 bits */

struct mlx5_eq *mlx5_eq_for_event(struct mlx5 *dev, uint8_t type)
{
	struct mlx5_eq *eq;

	for (uint32_t number = 0; (eq = mlx5_table_from(&dev->eqs, &number)); number++) {
		if (eq->events[type / 64] >> (type % 64) & 1)
			return eq;
	}
	return NULL;
}

static uint32_t waiting_entries(const struct mlx5_eq *eq)
{
	return (eq->producer - eq->consumer) & COUNTER_MASK;
}

static void eq_interrupt(struct mlx5 *dev, struct mlx5_eq *eq)
{
	eq->armed = false;
	pci_function_msix_raise(dev->fn, eq->vector);
}

static void eq_post(struct mlx5 *dev, struct mlx5_eq *eq, struct mlx5_eqe *entry)
{
	uint32_t entries = 1u << eq->log_entries;
	int ret;

	if (waiting_entries(eq) >= entries) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_ASYNCHRONOUS_EQ_BUF_OVERRUN,
			   eq->number);
		return;
	}
	entry->owner = eq->producer >> eq->log_entries & 1;
	ret = mlx5_buffer_write_entry(dev, &eq->ring, (eq->producer % entries) * ENTRY_SIZE, entry);
	if (ret) {
		if (ret != -ECANCELED)
			mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_EQ_IN_ERR, eq->number);
		return;
	}
	eq->producer++;
	if (eq->armed)
		eq_interrupt(dev, eq);
}

void mlx5_event_command(struct mlx5 *dev, struct mlx5_eq *eq, unsigned int slot)
{
	struct mlx5_eqe entry = { .type = MLX5_EVENT_TYPE_CMD };

	entry.data.cmd.vector = htobe32(1u << slot);
	eq_post(dev, eq, &entry);
}

void mlx5_event_completion(struct mlx5 *dev, struct mlx5_eq *eq, uint32_t cq_number)
{
	struct mlx5_eqe entry = { .type = MLX5_EVENT_TYPE_COMP };

	entry.data.comp.cqn = htobe32(cq_number);
	eq_post(dev, eq, &entry);
}

static bool eq_post_async(struct mlx5 *dev, struct mlx5_eqe *entry)
{
	struct mlx5_eq *eq = mlx5_eq_for_event(dev, entry->type);

	if (eq)
		eq_post(dev, eq, entry);
	return eq;
}

void mlx5_event_cq_error(struct mlx5 *dev, uint32_t cq_number, uint8_t syndrome)
{
	struct mlx5_eqe entry = { .type = MLX5_EVENT_TYPE_CQ_ERROR };

	entry.data.cq_err.cqn = htobe32(cq_number);
	entry.data.cq_err.syndrome = syndrome;
	eq_post_async(dev, &entry);
}

void mlx5_event_queue(struct mlx5 *dev, uint8_t type, uint32_t number)
{
	struct mlx5_eqe entry = { .type = type };

	entry.data.qp_srq.qp_srq_n = htobe32(number);
	eq_post_async(dev, &entry);
}

bool mlx5_event_page_fault(struct mlx5 *dev, uint8_t subtype,
			   const struct mlx5_eqe_page_fault *fault)
{
	struct mlx5_eqe entry = { .type = MLX5_EVENT_TYPE_PAGE_FAULT, .sub_type = subtype };

	entry.data.page_fault = *fault;
	return eq_post_async(dev, &entry);
}

bool mlx5_eq_work(struct mlx5 *dev)
{
	struct mlx5_doorbells *doorbells = &dev->doorbells;
	unsigned int number;
	struct mlx5_eq *eq;
	bool arm;

	if (!doorbells->eqs)
		return false;
	number = (unsigned int)__builtin_ctz(doorbells->eqs);
	doorbells->eqs &= ~(1u << number);
	arm = doorbells->eq_arm >> number & 1;
	doorbells->eq_arm &= ~(1u << number);
	eq = mlx5_table_get(&dev->eqs, number);
	if (!eq) {
		dev->counters.bad_doorbells++;
		return true;
	}
	eq->consumer = doorbells->eq_consumer[number];
	/* A driver that has consumed what was never produced: nothing that follows could be right.
	 */
	if (waiting_entries(eq) > 1u << eq->log_entries) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_EQ_INV, number);
		return true;
	}
	if (arm)
		eq->armed = true;
	if (eq->armed && waiting_entries(eq))
		eq_interrupt(dev, eq);
	return true;
}

static uint8_t eq_create(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_eq_in, command->in, eq_context_entry);
	unsigned int log_entries = (unsigned int)ifc_get(eqc, context, log_eq_size);
	uint16_t vector = (uint16_t)ifc_get(eqc, context, intr);
	struct mlx5_eq *eq;
	uint32_t number;
	int ret;

	if (log_entries > MLX5_LOG_EQ_ENTRIES || vector >= pci_function_msix_vectors(dev->fn) ||
	    !mlx5_table_get(&dev->uars, ifc_get(eqc, context, uar_page)))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	eq = calloc(1, sizeof(*eq));
	if (!eq)
		return MLX5_CMD_STAT_NO_RES_ERR;
	ret = mlx5_buffer_init(&eq->ring, ifc_at(create_eq_in, command->in, pas),
			       command->in_size - ifc_size(create_eq_in),
			       (unsigned int)ifc_get(eqc, context, log_page_size),
			       (unsigned int)ifc_get(eqc, context, page_offset),
			       ENTRY_SIZE << log_entries);
	if (ret) {
		free(eq);
		return ret == -ENOMEM ? MLX5_CMD_STAT_NO_RES_ERR : MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	if (mlx5_table_add(&dev->eqs, eq, &number)) {
		mlx5_buffer_free(&eq->ring);
		free(eq);
		return MLX5_CMD_STAT_LIM_ERR;
	}
	eq->number = (uint8_t)number;
	eq->log_entries = (uint8_t)log_entries;
	eq->vector = vector;
	for (unsigned int i = 0; i < 4; i++)
		eq->events[i] = get_be64(ifc_at(create_eq_in, command->in, event_bitmask[0]) +
					 i * sizeof(uint64_t));
	memcpy(eq->context, context, sizeof(eq->context));
	ifc_set(create_eq_out, command->out, eq_number, number);
	return MLX5_CMD_STAT_OK;
}

void mlx5_eq_destroy(struct mlx5 *dev, struct mlx5_eq *eq)
{
	mlx5_table_remove(&dev->eqs, eq->number);
	mlx5_buffer_free(&eq->ring);
	free(eq);
}

static uint8_t eq_destroy(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_eq *eq =
		mlx5_table_get(&dev->eqs, ifc_get(destroy_eq_in, command->in, eq_number));

	if (!eq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (eq->cqs)
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	mlx5_eq_destroy(dev, eq);
	return MLX5_CMD_STAT_OK;
}

static uint8_t eq_query(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_eq *eq =
		mlx5_table_get(&dev->eqs, ifc_get(query_eq_in, command->in, eq_number));
	uint8_t *context = ifc_at(query_eq_out, command->out, eq_context_entry);

	if (!eq)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(context, eq->context, sizeof(eq->context));
	ifc_set(eqc, context, consumer_counter, eq->consumer);
	ifc_set(eqc, context, producer_counter, eq->producer);
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_eq_commands[] = {
	MLX5_COMMAND(CREATE_EQ, INITIALIZED, create_eq, eq_create),
	MLX5_COMMAND(DESTROY_EQ, INITIALIZED, destroy_eq, eq_destroy),
	MLX5_COMMAND(QUERY_EQ, INITIALIZED, query_eq, eq_query),
	{ 0 },
};
