/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells in the UAR pages. They are only noted here; the worker looks at them.
 */
#ifndef TPHBUF_MLX5_DOORBELL_H
#define TPHBUF_MLX5_DOORBELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"

/**
 * mlx5_doorbell_write() - a write of the CPU to a UAR page
 * @dev: the device
 * @offset: in the page
 * @buf: bytes written
 * @len: 4 or 8, and @offset a multiple of it
 *
 * Any thread. Return: false when there is no doorbell at @offset.
 */
bool mlx5_doorbell_write(struct mlx5 *dev, uint32_t offset, const uint8_t *buf, size_t len);

/**
 * mlx5_doorbell_take() - take a bit that is set out of a bitmap
 * @bitmap: the bits
 * @bits: their number, a multiple of 64
 * @bit: out: the bit. In: the one taken before: the search begins behind it, so that each has its
 *	turn whatever else is ringing.
 *
 * Return: false when no bit is set.
 */
bool mlx5_doorbell_take(uint64_t *bitmap, uint32_t bits, uint32_t *bit);

#endif
