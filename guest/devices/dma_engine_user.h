/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DMA engine as a user of tph_dma sees it: the calls of its device file,
 * with negative errno values instead of errno.
 */
#ifndef TPHBUF_GUEST_DMA_ENGINE_USER_H
#define TPHBUF_GUEST_DMA_ENGINE_USER_H

#include <stddef.h>
#include <stdint.h>

#include <tph_dma.h>

/*
 * Opens the device file of the engine at @bdf; returns the file descriptor.
 * -ENODEV: tph_dma does not have it.
 */
int dma_engine_open(const char *bdf);

/* Imports a dma-buf; returns the handle, which is positive. */
int64_t dma_engine_import(int fd, int dmabuf_fd);

int dma_engine_write(int fd, uint32_t handle, uint64_t offset, const void *data, uint64_t length);
int dma_engine_read(int fd, uint32_t handle, uint64_t offset, void *data, uint64_t length);
int dma_engine_query(int fd, uint32_t handle, struct tph_dma_query *query);
int dma_engine_release(int fd, uint32_t handle);

#endif
