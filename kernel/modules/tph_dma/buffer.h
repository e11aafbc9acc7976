/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TPH_DMA_BUFFER_H
#define _TPH_DMA_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/kref.h>
#include <linux/list.h>

#include "tph_dma.h"

struct tph_dma_engine;

/**
 * struct tph_dma_buffer - an imported dma-buf
 * @ref: held by the handle and by each call that uses the buffer
 * @engine: the importer
 * @dmabuf: the buffer; a reference is held until @ref is 0
 * @node: in tph_dma_engine.buffers
 * @attach: NULL once the buffer is released or the device unbound; guarded by
 *	tph_dma_engine.lock
 * @sgt: the present mapping or NULL. This and the fields below are guarded by
 *	the reservation lock of @dmabuf.
 * @mappings: how often the buffer was mapped
 * @tagged: with @sgt: writes carry a hint
 * @table_full: with @sgt: they would, had the ST table room
 * @steering_tag: with @tagged
 * @ph: with @tagged
 * @st_index: with @tagged: what makes the engine send @steering_tag
 * @in_flight: the engine may access the mapping. Set under the reservation
 *	lock, cleared without it; see tph_dma_buffer_unmap().
 */
struct tph_dma_buffer {
	struct kref ref;
	struct tph_dma_engine *engine;
	struct dma_buf *dmabuf;
	struct list_head node;
	struct dma_buf_attachment *attach;

	struct sg_table *sgt;
	u64 mappings;
	bool tagged;
	bool table_full;
	u16 steering_tag;
	u8 ph;
	unsigned int st_index;
	bool in_flight;
};

struct tph_dma_buffer *tph_dma_buffer_import(struct tph_dma_engine *engine, int fd);
void tph_dma_buffer_detach(struct tph_dma_buffer *buf);
void tph_dma_buffer_release(struct tph_dma_buffer *buf);
void tph_dma_buffer_put(struct tph_dma_buffer *buf);
int tph_dma_buffer_copy(struct tph_dma_buffer *buf, u64 offset, void *chunk, size_t length,
			bool from_buffer);
int tph_dma_buffer_query(struct tph_dma_buffer *buf, struct tph_dma_query *query);

#endif /* _TPH_DMA_BUFFER_H */
