// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All objects of a function together.
 */
#include <errno.h>

#include "core.h"
#include "cq.h"
#include "eq.h"
#include "mkey.h"
#include "objects.h"
#include "qp_command.h"
#include "srq.h"

int mlx5_objects_init(struct mlx5 *dev)
{
	if (mlx5_table_init(&dev->uars, MLX5_UAR_FIRST, MLX5_UARS) ||
	    mlx5_table_init(&dev->pds, 1, 1u << MLX5_LOG_PDS) ||
	    mlx5_table_init(&dev->xrcds, 1, 1u << MLX5_LOG_XRCDS) ||
	    mlx5_table_init(&dev->eqs, 1, 1u << MLX5_LOG_EQS) ||
	    mlx5_table_init(&dev->cqs, 1, 1u << MLX5_LOG_CQS) ||
	    mlx5_table_init(&dev->mkeys, MLX5_MKEY_FIRST, 1u << MLX5_LOG_MKEYS) ||
	    mlx5_table_init(&dev->srqs, 1, 1u << MLX5_LOG_SRQS) ||
	    mlx5_table_init(&dev->qps, MLX5_QPN_FIRST, 1u << MLX5_LOG_QPS))
		return -ENOMEM;
	return 0;
}

void mlx5_objects_destroy(struct mlx5 *dev)
{
	void *object;

	for (uint32_t number = 0; (object = mlx5_table_from(&dev->qps, &number));)
		mlx5_qp_destroy(dev, object);
	for (uint32_t number = 0; (object = mlx5_table_from(&dev->srqs, &number));)
		mlx5_srq_destroy(dev, object);
	for (uint32_t number = 0; (object = mlx5_table_from(&dev->cqs, &number));)
		mlx5_cq_destroy(dev, object);
	for (uint32_t number = 0; (object = mlx5_table_from(&dev->eqs, &number));)
		mlx5_eq_destroy(dev, object);
	for (uint32_t number = 0; (object = mlx5_table_from(&dev->mkeys, &number));)
		mlx5_mkey_destroy(dev, object);
	for (uint32_t number = 0; mlx5_table_from(&dev->xrcds, &number);)
		mlx5_table_remove(&dev->xrcds, number);
	for (uint32_t number = 0; mlx5_table_from(&dev->pds, &number);)
		mlx5_table_remove(&dev->pds, number);
	for (uint32_t number = 0; mlx5_table_from(&dev->uars, &number);)
		mlx5_table_remove(&dev->uars, number);
}

void mlx5_objects_free(struct mlx5 *dev)
{
	mlx5_table_free(&dev->uars);
	mlx5_table_free(&dev->pds);
	mlx5_table_free(&dev->xrcds);
	mlx5_table_free(&dev->eqs);
	mlx5_table_free(&dev->cqs);
	mlx5_table_free(&dev->mkeys);
	mlx5_table_free(&dev->srqs);
	mlx5_table_free(&dev->qps);
}
