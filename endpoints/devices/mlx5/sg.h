/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scatter/gather lists of work requests: data segments and inline data.
 */
#ifndef TPHBUF_MLX5_SG_H
#define TPHBUF_MLX5_SG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

/**
 * struct mlx5_sg - a list
 * @segments: the data segments, as they stand in the work request; not owned
 * @size: their bytes
 * @pd: protection domain of the queue
 * @access: MLX5_ACCESS_LOCAL_READ to take data from there, MLX5_ACCESS_LOCAL_WRITE to put it there
 * @receive: a receive request, which a key of its own ends early
 */
struct mlx5_sg {
	const uint8_t *segments;
	size_t size;
	uint32_t pd;
	enum mlx5_access access;
	bool receive;
};

/**
 * mlx5_sg_length() - bytes that a list holds
 * @sg: the list
 * @length: out
 *
 * Return: false for a list that ends in the middle of a segment.
 */
bool mlx5_sg_length(const struct mlx5_sg *sg, uint64_t *length);

/*
 * Read from or write to a part of a list that lies within its length; as mlx5_memory_read() and
 * mlx5_memory_write() either nothing is accessed or all of it.
 */
enum mlx5_memory_result mlx5_sg_read(struct mlx5 *dev, const struct mlx5_sg *sg, uint64_t offset,
				     void *to, size_t len);
enum mlx5_memory_result mlx5_sg_write(struct mlx5 *dev, const struct mlx5_sg *sg, uint64_t offset,
				      const void *from, size_t len);

#endif
