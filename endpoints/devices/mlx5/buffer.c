// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers in guest memory that a page list describes.
 */
#include <errno.h>
#include <stdlib.h>

#include "buffer.h"
#include "core.h"
#include "dma.h"
#include "layout.h"

#define LOG_PAGE_SIZE_MAX 31 /* fields for it have 5 bits */

#define ENTRY_SIZE	  64
#define ENTRY_TAIL	  8

int mlx5_buffer_init(struct mlx5_buffer *buffer, const uint8_t *list, size_t list_size,
		     unsigned int log_page_size, unsigned int offset_units, uint64_t size)
{
	uint64_t page_size, pages;

	if (!size)
		return 0;
	if (log_page_size > LOG_PAGE_SIZE_MAX || offset_units >= 64)
		return -EINVAL;
	buffer->page_shift = (uint8_t)(log_page_size + MLX5_ADAPTER_PAGE_SHIFT);
	page_size = 1ull << buffer->page_shift;
	buffer->offset = offset_units * (page_size / 64);
	buffer->size = size;
	pages = (buffer->offset + size + page_size - 1) >> buffer->page_shift;
	if (pages > list_size / sizeof(uint64_t))
		return -EINVAL;
	buffer->page = malloc(pages * sizeof(*buffer->page));
	if (!buffer->page)
		return -ENOMEM;
	buffer->pages = (uint32_t)pages;
	for (uint32_t i = 0; i < pages; i++) {
		buffer->page[i] = get_be64(list + i * sizeof(uint64_t));
		if (buffer->page[i] % MLX5_ADAPTER_PAGE_SIZE) {
			mlx5_buffer_free(buffer);
			return -EINVAL;
		}
	}
	return 0;
}

void mlx5_buffer_free(struct mlx5_buffer *buffer)
{
	free(buffer->page);
	memset(buffer, 0, sizeof(*buffer));
}

static uint64_t address_of(const struct mlx5_buffer *buffer, uint64_t offset, size_t *left)
{
	uint64_t page_size = 1ull << buffer->page_shift;
	uint64_t at = buffer->offset + offset;

	*left = page_size - at % page_size;
	return buffer->page[at >> buffer->page_shift] + at % page_size;
}

int mlx5_buffer_read(struct mlx5 *dev, const struct mlx5_buffer *buffer, uint64_t offset, void *to,
		     size_t len)
{
	uint8_t *bytes = to;

	while (len) {
		size_t chunk;
		uint64_t address = address_of(buffer, offset, &chunk);
		int ret;

		if (chunk > len)
			chunk = len;
		ret = mlx5_dma_read(dev, address, bytes, chunk, NULL);
		if (ret)
			return ret;
		offset += chunk;
		bytes += chunk;
		len -= chunk;
	}
	return 0;
}

int mlx5_buffer_write_entry(struct mlx5 *dev, const struct mlx5_buffer *buffer, uint64_t offset,
			    const void *entry)
{
	const uint8_t *bytes = entry;
	size_t left;
	uint64_t address = address_of(buffer, offset, &left);
	int ret;

	ret = mlx5_dma_write(dev, address, bytes, ENTRY_SIZE - ENTRY_TAIL, NULL);
	if (ret)
		return ret;
	return mlx5_dma_write(dev, address + ENTRY_SIZE - ENTRY_TAIL,
			      bytes + ENTRY_SIZE - ENTRY_TAIL, ENTRY_TAIL, NULL);
}
