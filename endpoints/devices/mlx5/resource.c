// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resources that are no more than a number: user access regions, protection domains, XRC domains.
 */
#include "command.h"
#include "qp.h"

/* What stands in the tables: there is nothing to know about these objects. */
static char present;

static uint8_t resource_allocate(struct mlx5_table *table, uint32_t *number)
{
	return mlx5_table_add(table, &present, number) ? MLX5_CMD_STAT_LIM_ERR : MLX5_CMD_STAT_OK;
}

static uint8_t resource_release(struct mlx5_table *table, uint64_t number)
{
	if (!mlx5_table_get(table, number))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	mlx5_table_remove(table, (uint32_t)number);
	return MLX5_CMD_STAT_OK;
}

static uint8_t alloc_uar(struct mlx5 *dev, struct mlx5_command *command)
{
	uint32_t number = 0;
	uint8_t status = resource_allocate(&dev->uars, &number);

	ifc_set(alloc_uar_out, command->out, uar, number);
	return status;
}

static uint8_t dealloc_uar(struct mlx5 *dev, struct mlx5_command *command)
{
	return resource_release(&dev->uars, ifc_get(dealloc_uar_in, command->in, uar));
}

static uint8_t alloc_pd(struct mlx5 *dev, struct mlx5_command *command)
{
	uint32_t number = 0;
	uint8_t status = resource_allocate(&dev->pds, &number);

	ifc_set(alloc_pd_out, command->out, pd, number);
	return status;
}

static bool pd_has_users(struct mlx5 *dev, uint64_t pd)
{
	const struct mlx5_srq *srq;
	const struct mlx5_qp *qp;

	for (uint32_t number = 0; (qp = mlx5_table_from(&dev->qps, &number)); number++) {
		if (mlx5_qp_pd(qp) == pd)
			return true;
	}
	for (uint32_t number = 0; (srq = mlx5_table_from(&dev->srqs, &number)); number++) {
		if (srq->pd == pd)
			return true;
	}
	return false;
}

static uint8_t dealloc_pd(struct mlx5 *dev, struct mlx5_command *command)
{
	if (pd_has_users(dev, ifc_get(dealloc_pd_in, command->in, pd)))
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	return resource_release(&dev->pds, ifc_get(dealloc_pd_in, command->in, pd));
}

static uint8_t alloc_xrcd(struct mlx5 *dev, struct mlx5_command *command)
{
	uint32_t number = 0;
	uint8_t status = resource_allocate(&dev->xrcds, &number);

	ifc_set(alloc_xrcd_out, command->out, xrcd, number);
	return status;
}

static uint8_t dealloc_xrcd(struct mlx5 *dev, struct mlx5_command *command)
{
	return resource_release(&dev->xrcds, ifc_get(dealloc_xrcd_in, command->in, xrcd));
}

const struct mlx5_command_type mlx5_resource_commands[] = {
	MLX5_COMMAND(ALLOC_UAR, INITIALIZED, alloc_uar, alloc_uar),
	MLX5_COMMAND(DEALLOC_UAR, INITIALIZED, dealloc_uar, dealloc_uar),
	MLX5_COMMAND(ALLOC_PD, INITIALIZED, alloc_pd, alloc_pd),
	MLX5_COMMAND(DEALLOC_PD, INITIALIZED, dealloc_pd, dealloc_pd),
	MLX5_COMMAND(ALLOC_XRCD, INITIALIZED, alloc_xrcd, alloc_xrcd),
	MLX5_COMMAND(DEALLOC_XRCD, INITIALIZED, dealloc_xrcd, dealloc_xrcd),
	{ 0 },
};
