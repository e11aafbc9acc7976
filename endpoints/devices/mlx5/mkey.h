/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys: what a key allows, and the way from its addresses to bus addresses.
 */
#ifndef TPHBUF_MLX5_MKEY_H
#define TPHBUF_MLX5_MKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"

/* Low bits of a page entry: what may be done with the page; without both it is not present. */
#define MLX5_MTT_READ  1u
#define MLX5_MTT_WRITE 2u

/**
 * struct mlx5_mkey - a memory key
 * @index: upper 24 bits of the key
 * @context: the mkey context (mkc); the truth about everything but the page entries
 * @entries: number of page entries
 * @mtt: page entries: bus address and MLX5_MTT_*; owned
 */
struct mlx5_mkey {
	uint32_t index;
	uint8_t context[ifc_size(mkc)];
	uint32_t entries;
	uint64_t *mtt;
};

/* The memory key with this index, NULL when there is none. */
struct mlx5_mkey *mlx5_mkey_get(struct mlx5 *dev, uint32_t index);

/**
 * mlx5_mkey_load() - replace page entries
 * @mkey: the key
 * @first: number of the first entry
 * @list: big-endian entries
 * @count: of entries
 *
 * Return: false when the key has no such entries; then nothing was changed.
 */
bool mlx5_mkey_load(struct mlx5_mkey *mkey, uint64_t first, const uint8_t *list, uint64_t count);

void mlx5_mkey_destroy(struct mlx5 *dev, struct mlx5_mkey *mkey);

#endif
