/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's accesses to bus addresses.
 *
 * All return 0 or an error of fabric_write(), which drops the fabric's lock when the access goes to
 * the root complex. After a reset or a fatal error every access fails with -ECANCELED, so that
 * nothing of the time before reaches the bus.
 */
#ifndef TPHBUF_MLX5_DMA_H
#define TPHBUF_MLX5_DMA_H

#include <stddef.h>
#include <stdint.h>

struct mlx5;
struct mlx5_atomic;
struct tlp_properties;

/* @properties: of every TLP, NULL for none. */
int mlx5_dma_read(struct mlx5 *dev, uint64_t address, void *to, size_t len,
		  const struct tlp_properties *properties);
int mlx5_dma_write(struct mlx5 *dev, uint64_t address, const void *from, size_t len,
		   const struct tlp_properties *properties);

/* @before: receives the value before. -EOPNOTSUPP while the function may not send AtomicOps. */
int mlx5_dma_atomic(struct mlx5 *dev, uint64_t address, const struct mlx5_atomic *atomic,
		    uint64_t *before);

/* A big-endian word of a doorbell record. */
int mlx5_dma_read_be32(struct mlx5 *dev, uint64_t address, uint32_t *value);

#endif
