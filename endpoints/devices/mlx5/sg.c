// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scatter/gather lists: walking the segments of a work request.
 */
#include "layout.h"
#include "sg.h"

#define SEGMENT_SIZE   sizeof(struct mlx5_wqe_data_seg)
#define END_OF_SCATTER 0x100u	    /* key of the segment that ends a receive request early */
#define LENGTH_OF_ZERO (1ull << 31) /* what a byte count of 0 means */
#define INLINE_HEADER  sizeof(uint32_t)

/**
 * struct segment - one element of a list
 * @inline_data: the data itself, NULL when @region holds it
 * @region: memory
 * @len: bytes
 */
struct segment {
	const uint8_t *inline_data;
	struct mlx5_region region;
	uint64_t len;
};

enum next {
	NEXT_SEGMENT,
	NEXT_END,
	NEXT_BROKEN,
};

static enum next next_inline(const struct mlx5_sg *sg, size_t *at, uint32_t count,
			     struct segment *segment)
{
	size_t len = count & MLX5_WQE_INLINE_SEG_BYTE_COUNT_MASK;

	if (sg->access == MLX5_ACCESS_LOCAL_WRITE || len > sg->size - *at - INLINE_HEADER)
		return NEXT_BROKEN;
	segment->inline_data = sg->segments + *at + INLINE_HEADER;
	segment->len = len;
	*at += (INLINE_HEADER + len + SEGMENT_SIZE - 1) / SEGMENT_SIZE * SEGMENT_SIZE;
	return NEXT_SEGMENT;
}

/* Takes the segment at *@at, which moves behind it. */
static enum next next_segment(const struct mlx5_sg *sg, size_t *at, struct segment *segment)
{
	const uint8_t *raw = sg->segments + *at;
	uint32_t count, key;

	if (*at >= sg->size)
		return NEXT_END;
	if (sg->size - *at < SEGMENT_SIZE)
		return NEXT_BROKEN;
	count = get_be32(raw + offsetof(struct mlx5_wqe_data_seg, byte_count));
	if (count & (uint32_t)MLX5_INLINE_SEG)
		return next_inline(sg, at, count, segment);
	key = get_be32(raw + offsetof(struct mlx5_wqe_data_seg, lkey));
	if (sg->receive && !count && key == END_OF_SCATTER)
		return NEXT_END;
	*segment = (struct segment){
		.region = {
			.key = key,
			.pd = sg->pd,
			.access = sg->access,
			.address = get_be64(raw + offsetof(struct mlx5_wqe_data_seg, addr)),
		},
		.len = count ? count : LENGTH_OF_ZERO,
	};
	*at += SEGMENT_SIZE;
	return NEXT_SEGMENT;
}

bool mlx5_sg_length(const struct mlx5_sg *sg, uint64_t *length)
{
	struct segment segment = { 0 };
	enum next next;
	size_t at = 0;

	*length = 0;
	while ((next = next_segment(sg, &at, &segment)) == NEXT_SEGMENT)
		*length += segment.len;
	return next == NEXT_END;
}

typedef enum mlx5_memory_result part_handler(struct mlx5 *dev, const struct segment *part,
					     uint8_t *buf);

static enum mlx5_memory_result check_part(struct mlx5 *dev, const struct segment *part,
					  uint8_t *buf)
{
	(void)buf;
	return part->inline_data ? MLX5_MEMORY_OK
				 : mlx5_memory_check(dev, &part->region, part->len);
}

static enum mlx5_memory_result read_part(struct mlx5 *dev, const struct segment *part, uint8_t *buf)
{
	if (!part->inline_data)
		return mlx5_memory_read(dev, &part->region, buf, part->len);
	memcpy(buf, part->inline_data, part->len);
	return MLX5_MEMORY_OK;
}

static enum mlx5_memory_result write_part(struct mlx5 *dev, const struct segment *part,
					  uint8_t *buf)
{
	return mlx5_memory_write(dev, &part->region, buf, part->len);
}

/* Calls @handler for the parts of segments that make up [@offset, @offset + @len). */
static enum mlx5_memory_result for_parts(struct mlx5 *dev, const struct mlx5_sg *sg,
					 uint64_t offset, size_t len, part_handler *handler,
					 uint8_t *buf)
{
	size_t at = 0;

	while (len) {
		enum mlx5_memory_result result;
		struct segment part = { 0 };

		if (next_segment(sg, &at, &part) != NEXT_SEGMENT)
			return MLX5_MEMORY_DENIED;
		if (offset >= part.len) {
			offset -= part.len;
			continue;
		}
		part.len -= offset;
		part.region.address += offset;
		if (part.inline_data)
			part.inline_data += offset;
		if (part.len > len)
			part.len = len;
		result = handler(dev, &part, buf);
		if (result)
			return result;
		buf += part.len;
		len -= part.len;
		offset = 0;
	}
	return MLX5_MEMORY_OK;
}

enum mlx5_memory_result mlx5_sg_read(struct mlx5 *dev, const struct mlx5_sg *sg, uint64_t offset,
				     void *to, size_t len)
{
	enum mlx5_memory_result result = for_parts(dev, sg, offset, len, check_part, to);

	return result ? result : for_parts(dev, sg, offset, len, read_part, to);
}

enum mlx5_memory_result mlx5_sg_write(struct mlx5 *dev, const struct mlx5_sg *sg, uint64_t offset,
				      const void *from, size_t len)
{
	enum mlx5_memory_result result =
		for_parts(dev, sg, offset, len, check_part, (uint8_t *)from);

	return result ? result : for_parts(dev, sg, offset, len, write_part, (uint8_t *)from);
}
