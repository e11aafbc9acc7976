// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What every part of the function may do to the whole: wake the worker, stop, start over.
 */
#include "core.h"
#include "pcie/device_model.h"

void mlx5_kick(struct mlx5 *dev)
{
	pci_function_kick(dev->fn);
}

void mlx5_fatal(struct mlx5 *dev, uint8_t syndrome, uint64_t detail)
{
	if (dev->health_syndrome || dev->reset_pending)
		return;
	dev->health_syndrome = syndrome;
	dev->health_detail[0] = (uint32_t)(detail >> 32);
	dev->health_detail[1] = (uint32_t)detail;
	dev->nic_interface = MLX5_INITIAL_SEG_NIC_INTERFACE_DISABLED;
	dev->counters.fatal_errors++;
}

void mlx5_restart(struct mlx5 *dev)
{
	pci_function_cancel(dev->fn);
	memset(&dev->doorbells, 0, sizeof(dev->doorbells));
	dev->health_syndrome = 0;
	dev->reset_pending = true;
	mlx5_kick(dev);
}
