// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to bus addresses.
 */
#include <errno.h>

#include "core.h"
#include "dma.h"
#include "memory.h"
#include "pcie/transaction.h"

static int account(struct mlx5 *dev, int ret)
{
	if (dev->reset_pending)
		return -ECANCELED;
	if (ret)
		dev->counters.dma_errors++;
	return ret;
}

int mlx5_dma_read(struct mlx5 *dev, uint64_t address, void *to, size_t len,
		  const struct tlp_properties *properties)
{
	if (dev->reset_pending || dev->health_syndrome)
		return -ECANCELED;
	return account(dev, fabric_read(dev->fn, address, to, len, properties));
}

int mlx5_dma_write(struct mlx5 *dev, uint64_t address, const void *from, size_t len,
		   const struct tlp_properties *properties)
{
	uint64_t sent = 0;
	int ret;

	if (dev->reset_pending || dev->health_syndrome)
		return -ECANCELED;
	ret = fabric_write(dev->fn, address, from, len, properties, &sent);
	if (properties && properties->hint.present)
		dev->counters.tagged_writes += sent;
	return account(dev, ret);
}

int mlx5_dma_atomic(struct mlx5 *dev, uint64_t address, const struct mlx5_atomic *atomic,
		    uint64_t *before)
{
	uint64_t operands[2] = { atomic->swap_add };
	int ret;

	if (dev->reset_pending || dev->health_syndrome)
		return -ECANCELED;
	if (atomic->compare_swap) {
		operands[0] = atomic->compare;
		operands[1] = atomic->swap_add;
	}
	ret = fabric_atomic(dev->fn, atomic->compare_swap ? TLP_CAS : TLP_FETCH_ADD, address,
			    operands, before, NULL);
	return ret == -EOPNOTSUPP ? ret : account(dev, ret);
}

int mlx5_dma_read_be32(struct mlx5 *dev, uint64_t address, uint32_t *value)
{
	uint32_t word;
	int ret = mlx5_dma_read(dev, address, &word, sizeof(word), NULL);

	*value = be32toh(word);
	return ret;
}
