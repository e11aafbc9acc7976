/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to the device's big-endian structures by the names of the kernel's headers.
 *
 * In mlx5_ifc.h a field is an array with one element for each of its bits, so offsetof() and
 * sizeof() give bit offset and width. Structures that queues and registers hold come from the
 * header that extract_layouts.py makes.
 */
#ifndef TPHBUF_MLX5_LAYOUT_H
#define TPHBUF_MLX5_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "mlx5_layouts.h"
#include "pcie/byteorder.h"
#include <mlx5_ifc.h>

#define ifc_bit_offset(type, field) offsetof(struct mlx5_ifc_##type##_bits, field)
#define ifc_bit_width(type, field)  sizeof(((struct mlx5_ifc_##type##_bits *)0)->field)

/* Bytes in a structure, a trailing list of no fixed length not counted. */
#define ifc_size(type) (sizeof(struct mlx5_ifc_##type##_bits) / 8)

/* Byte offset of a field that starts on a byte. */
#define ifc_offset(type, field) (ifc_bit_offset(type, field) / 8)

/* Value of a field of up to 64 bits. */
#define ifc_get(type, buf, field) \
	layout_read_bits((buf), ifc_bit_offset(type, field), ifc_bit_width(type, field))

/* Sets a field of up to 64 bits; higher bits of the value are dropped. */
#define ifc_set(type, buf, field, value) \
	layout_write_bits((buf), ifc_bit_offset(type, field), ifc_bit_width(type, field), (value))

/* Copies one field between two structures of the same type. */
#define ifc_copy(type, to, from, field) ifc_set(type, to, field, ifc_get(type, from, field))

/* Address of a field that starts on a byte. */
#define ifc_at(type, buf, field) ((uint8_t *)(buf) + ifc_offset(type, field))

/**
 * layout_read_bits() - read a big-endian bit field
 * @buf: the structure
 * @bit: offset of the most significant bit
 * @width: 1..64; the field touches at most 8 bytes
 */
static inline uint64_t layout_read_bits(const void *buf, size_t bit, size_t width)
{
	const uint8_t *bytes = buf;
	size_t last = (bit + width - 1) / 8;
	uint64_t value = 0;

	for (size_t i = bit / 8; i <= last; i++)
		value = value << 8 | bytes[i];
	value >>= 7 - (bit + width - 1) % 8;
	return width < 64 ? value & ((1ull << width) - 1) : value;
}

/* The reverse of layout_read_bits(); bits around the field stay. */
static inline void layout_write_bits(void *buf, size_t bit, size_t width, uint64_t value)
{
	uint8_t *bytes = buf;

	for (size_t end = bit + width; end > bit;) {
		size_t low = 7 - (end - 1) % 8;
		size_t count = 8 - low < end - bit ? 8 - low : end - bit;
		uint8_t mask = (uint8_t)(((1u << count) - 1) << low);
		uint8_t *byte = &bytes[(end - 1) / 8];

		*byte = (uint8_t)((*byte & ~mask) | ((value << low) & mask));
		value >>= count;
		end -= count;
	}
}

_Static_assert(sizeof(struct mlx5_cmd_layout) == 64, "command queue entry");
_Static_assert(sizeof(struct mlx5_cmd_prot_block) == 576, "command mailbox");
_Static_assert(sizeof(struct mlx5_eqe) == 64, "event queue entry");
_Static_assert(sizeof(struct mlx5_cqe64) == 64, "completion queue entry");
_Static_assert(sizeof(struct mlx5_err_cqe) == 64, "completion queue entry of an error");
_Static_assert(sizeof(struct mlx5_wqe_ctrl_seg) == 16, "control segment");
_Static_assert(sizeof(struct mlx5_wqe_umr_ctrl_seg) == 48, "UMR control segment");
_Static_assert(offsetof(struct mlx5_init_seg, health) == 0x200, "health buffer");
_Static_assert(offsetof(struct mlx5_init_seg, internal_timer_h) == 0x1000, "timer");

#endif
