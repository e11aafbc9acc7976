// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imported dma-bufs: attach, map, ask for the steering tag, copy, and give up
 * the mapping when the exporter wants it back. This is the file to read for the
 * flow of an importer; README.md has it on one page.
 */
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/pci-tph.h>
#include <linux/slab.h>

#include "buffer.h"
#include "engine.h"

/*
 * Take the mapping down. The device must have stopped using it before, or it
 * would go on writing to addresses that belong to someone else by then. What is
 * under way is at most one chunk, and it ends by itself or by the timeout of
 * the engine, so this is bounded, as exporters expect. (An importer with long
 * queues would add a fence to the reservation object for each job and unmap
 * from a worker: exporters wait for both.)
 */
static void tph_dma_buffer_unmap(struct tph_dma_buffer *buf, struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	if (!buf->sgt)
		return;

	/* Pairs with the release in tph_dma_buffer_copy(). */
	wait_event(buf->engine->idle_wait, !smp_load_acquire(&buf->in_flight));

	dma_buf_unmap_attachment(attach, buf->sgt, DMA_BIDIRECTIONAL);
	buf->sgt = NULL;
	if (buf->tagged)
		tph_dma_st_put(&buf->engine->st, buf->st_index);
	buf->tagged = false;
	buf->table_full = false;
}

/*
 * The exporter moves the buffer, revokes it, or ends a revocation: whatever it
 * is, the mapping and the tag that came with it are void. The next copy maps
 * again; while the buffer is revoked the exporter refuses that.
 */
static void tph_dma_buffer_invalidate(struct dma_buf_attachment *attach)
{
	tph_dma_buffer_unmap(attach->importer_priv, attach);
}

static const struct dma_buf_attach_ops tph_dma_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = tph_dma_buffer_invalidate,
};

/**
 * tph_dma_buffer_import - attach a dma-buf to the engine
 * @engine: the engine
 * @fd: the dma-buf
 *
 * Nothing is mapped yet: the owner may still change the tag, and a buffer that
 * nobody writes to needs no entry of the ST table.
 *
 * Return: the buffer, which the caller ends with tph_dma_buffer_release(), or
 * an error pointer
 */
struct tph_dma_buffer *tph_dma_buffer_import(struct tph_dma_engine *engine, int fd)
{
	struct dma_buf_attachment *attach;
	struct tph_dma_buffer *buf;
	int ret;

	buf = kzalloc_obj(*buf, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);

	kref_init(&buf->ref);
	buf->engine = engine;
	buf->dmabuf = dma_buf_get(fd);
	if (IS_ERR(buf->dmabuf)) {
		attach = ERR_CAST(buf->dmabuf);
		goto err_free;
	}

	ret = mutex_lock_interruptible(&engine->lock);
	if (ret) {
		attach = ERR_PTR(ret);
		goto err_put;
	}
	attach = engine->gone ? ERR_PTR(-ENODEV) :
		 dma_buf_dynamic_attach(buf->dmabuf, &engine->pdev->dev, &tph_dma_attach_ops, buf);
	if (!IS_ERR(attach)) {
		buf->attach = attach;
		list_add(&buf->node, &engine->buffers);
	}
	mutex_unlock(&engine->lock);
	if (IS_ERR(attach))
		goto err_put;

	return buf;

err_put:
	dma_buf_put(buf->dmabuf);
err_free:
	kfree(buf);
	return ERR_CAST(attach);
}

/**
 * tph_dma_buffer_detach - end the use of the dma-buf by the device
 * @buf: a buffer that is attached
 */
void tph_dma_buffer_detach(struct tph_dma_buffer *buf)
{
	lockdep_assert_held(&buf->engine->lock);

	dma_resv_lock(buf->dmabuf->resv, NULL);
	tph_dma_buffer_unmap(buf, buf->attach);
	dma_resv_unlock(buf->dmabuf->resv);

	dma_buf_detach(buf->dmabuf, buf->attach);
	buf->attach = NULL;
	list_del(&buf->node);
}

static void tph_dma_buffer_free(struct kref *ref)
{
	struct tph_dma_buffer *buf = container_of(ref, struct tph_dma_buffer, ref);

	dma_buf_put(buf->dmabuf);
	kfree(buf);
}

/**
 * tph_dma_buffer_put - drop a reference
 * @buf: the buffer
 */
void tph_dma_buffer_put(struct tph_dma_buffer *buf)
{
	kref_put(&buf->ref, tph_dma_buffer_free);
}

/**
 * tph_dma_buffer_release - undo tph_dma_buffer_import()
 * @buf: the buffer, whose handle is gone
 *
 * Copies in other threads fail from their next chunk on.
 */
void tph_dma_buffer_release(struct tph_dma_buffer *buf)
{
	mutex_lock(&buf->engine->lock);
	if (buf->attach)
		tph_dma_buffer_detach(buf);
	mutex_unlock(&buf->engine->lock);
	tph_dma_buffer_put(buf);
}

/*
 * Ask for the tag. In the namespace that the device is enabled for, and in no
 * other: 8-bit and extended tags are different numbers. No tag there, an
 * exporter without tags, a table without room: no error, the buffer is as good
 * without. The answer holds until the next invalidation, so it is asked for
 * once a mapping, under the same hold of the reservation lock.
 */
static void tph_dma_buffer_ask_tag(struct tph_dma_buffer *buf)
{
	struct tph_dma_engine *engine = buf->engine;
	u8 req_type = pcie_tph_enabled_req_type(engine->pdev);
	u16 steering_tag;
	int ret;
	u8 ph;

	if (req_type == PCI_TPH_REQ_DISABLE)
		return;
	if (dma_buf_get_pci_tph(buf->dmabuf, req_type == PCI_TPH_REQ_EXT_TPH, &steering_tag, &ph))
		return;

	ret = tph_dma_st_get(&engine->st, steering_tag, &buf->st_index);
	if (ret) {
		buf->table_full = ret == -ENOSPC;
		return;
	}
	buf->steering_tag = steering_tag;
	buf->ph = ph;
	buf->tagged = true;
}

static int tph_dma_buffer_map(struct tph_dma_buffer *buf)
{
	struct sg_table *sgt;
	long ret;

	if (!buf->sgt) {
		sgt = dma_buf_map_attachment(buf->attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		buf->sgt = sgt;
		buf->mappings++;
		tph_dma_buffer_ask_tag(buf);
	}

	/*
	 * The addresses are valid, but the exporter may still be moving the
	 * contents there.
	 */
	ret = dma_resv_wait_timeout(buf->dmabuf->resv, DMA_RESV_USAGE_KERNEL, true,
				    MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

/*
 * Descriptors for a part of the mapping, which may be scattered. Returns their
 * number.
 */
static unsigned int tph_dma_buffer_queue(struct tph_dma_buffer *buf, u64 offset, dma_addr_t bounce,
					 size_t length, bool from_buffer)
{
	struct tph_dma_engine *engine = buf->engine;
	struct scatterlist *sg;
	unsigned int i, nr = 0;
	u32 flags = 0;

	/*
	 * The tag tells the device behind the buffer what to do with writes to
	 * it; it says nothing about system memory.
	 */
	if (buf->tagged && !from_buffer)
		flags = DMA_ENGINE_DESC_TH | buf->ph << DMA_ENGINE_DESC_PH_SHIFT;

	for_each_sgtable_dma_sg(buf->sgt, sg, i) {
		dma_addr_t addr = sg_dma_address(sg) + offset;
		u32 part;

		if (offset >= sg_dma_len(sg)) {
			offset -= sg_dma_len(sg);
			continue;
		}
		part = min(sg_dma_len(sg) - offset, length);
		if (from_buffer)
			tph_dma_engine_queue(engine, nr++, addr, bounce, part, flags, 0);
		else
			tph_dma_engine_queue(engine, nr++, bounce, addr, part, flags,
					     buf->st_index);
		bounce += part;
		length -= part;
		offset = 0;
		if (!length)
			break;
	}
	return nr;
}

static int tph_dma_buffer_copy_mapped(struct tph_dma_buffer *buf, u64 offset, dma_addr_t bounce,
				      size_t length, bool from_buffer)
{
	struct dma_resv *resv = buf->dmabuf->resv;
	struct tph_dma_engine *engine = buf->engine;
	unsigned int nr;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = tph_dma_buffer_map(buf);
	if (ret) {
		dma_resv_unlock(resv);
		return ret;
	}

	/*
	 * From here on an invalidation waits for us. The reservation lock can
	 * be dropped, and between the two stores to in_flight nothing may wait
	 * for it, directly or through an allocation or another lock.
	 */
	buf->in_flight = true;
	nr = tph_dma_buffer_queue(buf, offset, bounce, length, from_buffer);
	tph_dma_engine_submit(engine, nr);
	dma_resv_unlock(resv);

	ret = tph_dma_engine_wait(engine, nr);

	/* Pairs with the acquire in tph_dma_buffer_unmap(). */
	smp_store_release(&buf->in_flight, false);
	wake_up(&engine->idle_wait);
	return ret;
}

/**
 * tph_dma_buffer_copy - copy between kernel memory and the buffer
 * @buf: the buffer
 * @offset: byte offset in the buffer
 * @chunk: memory from kmalloc()
 * @length: bytes, 1 to TPH_DMA_CHUNK_SIZE, within the buffer
 * @from_buffer: direction
 *
 * Return: 0; -EINTR when a signal came before anything was sent; -ENODEV when
 * the exporter has revoked the buffer or the device is unbound; -EBADF when
 * the buffer was released meanwhile; -EIO
 */
int tph_dma_buffer_copy(struct tph_dma_buffer *buf, u64 offset, void *chunk, size_t length,
			bool from_buffer)
{
	enum dma_data_direction dir = from_buffer ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct tph_dma_engine *engine = buf->engine;
	struct device *dev;
	dma_addr_t bounce;
	int ret;

	ret = mutex_lock_interruptible(&engine->lock);
	if (ret)
		return ret;
	if (engine->gone) {
		ret = -ENODEV;
		goto unlock;
	}
	if (!buf->attach) {
		ret = -EBADF;
		goto unlock;
	}
	if (engine->dead) {
		ret = -EIO;
		goto unlock;
	}

	dev = &engine->pdev->dev;
	bounce = dma_map_single(dev, chunk, length, dir);
	ret = dma_mapping_error(dev, bounce);
	if (ret)
		goto unlock;
	ret = tph_dma_buffer_copy_mapped(buf, offset, bounce, length, from_buffer);
	dma_unmap_single(dev, bounce, length, dir);
unlock:
	mutex_unlock(&engine->lock);
	return ret;
}

/**
 * tph_dma_buffer_query - tell what is known of a buffer
 * @buf: the buffer
 * @query: filled but for the handle
 *
 * Return: 0, -EINTR, -ENODEV or -EBADF as tph_dma_buffer_copy()
 */
int tph_dma_buffer_query(struct tph_dma_buffer *buf, struct tph_dma_query *query)
{
	struct tph_dma_engine *engine = buf->engine;
	u8 req_type;
	int ret;

	ret = mutex_lock_interruptible(&engine->lock);
	if (ret)
		return ret;
	if (engine->gone || !buf->attach) {
		ret = engine->gone ? -ENODEV : -EBADF;
		goto unlock;
	}
	ret = dma_resv_lock_interruptible(buf->dmabuf->resv, NULL);
	if (ret)
		goto unlock;

	req_type = pcie_tph_enabled_req_type(engine->pdev);
	query->mappings = buf->mappings;
	if (req_type == PCI_TPH_REQ_EXT_TPH)
		query->state |= TPH_DMA_STATE_EXTENDED;
	if (buf->sgt)
		query->state |= TPH_DMA_STATE_MAPPED;
	if (buf->table_full)
		query->state |= TPH_DMA_STATE_TABLE_FULL;
	/*
	 * A failed write to the ST table turns TPH off, also for mappings that
	 * were tagged before.
	 */
	if (buf->tagged && req_type != PCI_TPH_REQ_DISABLE) {
		query->state |= TPH_DMA_STATE_TAGGED;
		query->steering_tag = buf->steering_tag;
		query->ph = buf->ph;
		query->st_index = buf->st_index;
	}
	dma_resv_unlock(buf->dmabuf->resv);
unlock:
	mutex_unlock(&engine->lock);
	return ret;
}
