// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The function's link to the InfiniBand subnet: packets wake its worker.
 */
#include "core.h"
#include "link.h"

static void link_wake(struct ib_port *port)
{
	struct mlx5 *dev = (struct mlx5 *)((uint8_t *)port - offsetof(struct mlx5, port));

	/* A port joins before its function is made. */
	if (dev->fn)
		mlx5_kick(dev);
}

int mlx5_link_join(struct mlx5 *dev, struct fabric *fabric, uint16_t lid)
{
	return ib_port_join(&dev->port, fabric, lid, link_wake);
}

static void stop_without_memory(struct mlx5 *dev)
{
	mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_FW_INTERNAL_ERR, dev->port.lid);
}

void mlx5_link_answer(struct mlx5 *dev, const struct ib_packet *request, enum ib_packet_kind kind,
		      uint8_t code)
{
	if (!ib_port_answer(&dev->port, request, kind, code))
		stop_without_memory(dev);
}

void mlx5_link_flush(struct mlx5 *dev)
{
	if (!ib_port_flush(&dev->port))
		stop_without_memory(dev);
}
