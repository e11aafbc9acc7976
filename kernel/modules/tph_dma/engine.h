/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TPH_DMA_ENGINE_H
#define _TPH_DMA_ENGINE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>

#include <dma_engine_regs.h>

#include "st_table.h"

/*
 * Bytes that are under way at once; what a fatal signal and a revoke may have
 * to wait for.
 */
#define TPH_DMA_CHUNK_SIZE	SZ_64K

/*
 * A chunk may straddle scattered pages of the buffer; the ring holds one
 * descriptor less than its size.
 */
#define TPH_DMA_RING_SIZE	32
static_assert(TPH_DMA_CHUNK_SIZE / PAGE_SIZE + 1 < TPH_DMA_RING_SIZE);
static_assert(TPH_DMA_CHUNK_SIZE <= DMA_ENGINE_LENGTH_MAX);

/**
 * struct tph_dma_engine - one DMA engine
 * @ref: held by the bound device and by each open file
 * @pdev: the PCI function; not to be touched once @gone is set
 * @misc: its character device
 * @name: "tph_dma<id>"
 * @id: number in @name
 * @lock: serialises the use of the hardware, from the first descriptor of a
 *	chunk until the last one is done, and with it all writes to the ST
 *	table. Guards all fields below but @st, @irq_wait and @idle_wait, and
 *	@attach of each buffer in @buffers.
 * @gone: the device was unbound; the buffers are detached
 * @dead: the hardware is not to be used before it was reset
 * @buffers: every buffer that is attached to the device
 * @regs: BAR0
 * @ring: descriptor ring, coherent memory
 * @ring_dma: bus address of @ring
 * @vectors: MSI-X vectors that are allocated
 * @tail: index behind the last descriptor in use
 * @irq_wait: woken by the interrupt
 * @idle_wait: woken when a buffer is no longer in flight
 * @st: entries of the ST table in use; has a lock of its own
 *
 * Lock order::
 *
 *	device_lock()			unbind, reset
 *	  tph_dma_engine.lock
 *	    dma_buf.resv
 *	      tph_dma_st_table.lock
 *
 * An exporter that revokes comes in from the middle: it holds the reservation
 * lock and calls tph_dma_buffer_invalidate(), which therefore takes nothing
 * from above it and waits only for what the hardware finishes by itself.
 * User memory is touched, and dma-bufs are put, without any of these locks.
 *
 * A copy keeps the engine while it waits for the reservation lock of its buffer,
 * so an exporter that is slow to revoke delays copies to other buffers as well.
 * That is fair for an engine that does one thing at a time; a driver with many
 * queues would take the reservation lock first.
 */
struct tph_dma_engine {
	struct kref ref;
	struct pci_dev *pdev;
	struct miscdevice misc;
	char name[24];
	int id;

	struct mutex lock; /* one user of the hardware at a time */
	bool gone;
	bool dead;
	struct list_head buffers;
	void __iomem *regs;
	struct dma_engine_desc *ring;
	dma_addr_t ring_dma;
	unsigned int vectors;
	unsigned int tail;

	wait_queue_head_t irq_wait;
	wait_queue_head_t idle_wait;
	struct tph_dma_st_table st;
};

int tph_dma_engine_init(struct tph_dma_engine *engine);
void tph_dma_engine_free_irq(struct tph_dma_engine *engine);
void tph_dma_engine_put(struct tph_dma_engine *engine);

void tph_dma_engine_start(struct tph_dma_engine *engine);
void tph_dma_engine_stop(struct tph_dma_engine *engine);

void tph_dma_engine_queue(struct tph_dma_engine *engine, unsigned int nr, dma_addr_t src,
			  dma_addr_t dst, u32 length, u32 flags, u16 st_index);
void tph_dma_engine_submit(struct tph_dma_engine *engine, unsigned int nr);
int tph_dma_engine_wait(struct tph_dma_engine *engine, unsigned int nr);

#endif /* _TPH_DMA_ENGINE_H */
