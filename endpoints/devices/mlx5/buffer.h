/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A buffer that the driver lends to the device as a list of pages: rings, work queues, doorbell
 * records beside them.
 */
#ifndef TPHBUF_MLX5_BUFFER_H
#define TPHBUF_MLX5_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct mlx5;

/**
 * struct mlx5_buffer - bytes that lie in pages of equal size
 * @page: bus addresses, @pages of them; owned
 * @pages: number of pages
 * @page_shift: log2 of the page size
 * @offset: of byte 0 in the first page
 * @size: bytes
 */
struct mlx5_buffer {
	uint64_t *page;
	uint32_t pages;
	uint8_t page_shift;
	uint64_t offset;
	uint64_t size;
};

/**
 * mlx5_buffer_init() - take a page list from a command
 * @buffer: zeroed
 * @list: big-endian page addresses
 * @list_size: bytes of @list that the command carries
 * @log_page_size: log2 of the page size in units of 4 KiB
 * @offset_units: offset of the first byte in units of 1/64 page
 * @size: bytes wanted, may be 0: an empty buffer
 *
 * Return: 0, -EINVAL when the list is too short, an address is not aligned to 4 KiB, or a number is
 * out of range, -ENOMEM.
 */
int mlx5_buffer_init(struct mlx5_buffer *buffer, const uint8_t *list, size_t list_size,
		     unsigned int log_page_size, unsigned int offset_units, uint64_t size);

void mlx5_buffer_free(struct mlx5_buffer *buffer);

/**
 * mlx5_buffer_read() - read bytes of the buffer by DMA
 * @dev: the device
 * @buffer: the buffer
 * @offset: first byte; @offset + @len is within @buffer->size
 * @to: receives them
 * @len: bytes
 *
 * Return: as mlx5_dma_read().
 */
int mlx5_buffer_read(struct mlx5 *dev, const struct mlx5_buffer *buffer, uint64_t offset, void *to,
		     size_t len);

/**
 * mlx5_buffer_write_entry() - write one queue entry whose last byte hands it to the driver
 * @dev: the device
 * @buffer: the ring
 * @offset: of the entry, a multiple of 64
 * @entry: 64 bytes; the last 8 are written last, so that the driver sees the owner bit after the
 * rest
 *
 * Return: as mlx5_dma_write().
 */
int mlx5_buffer_write_entry(struct mlx5 *dev, const struct mlx5_buffer *buffer, uint64_t offset,
			    const void *entry);

#endif
