// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware: registers, descriptor ring and interrupt of the DMA engine.
 * Nothing in here knows about dma-bufs.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include "engine.h"

/* Far beyond what a chunk takes, also where each access is emulated. */
#define TPH_DMA_TIMEOUT		(10 * HZ)
#define TPH_DMA_STOP_POLL_US	100
#define TPH_DMA_STOP_TIMEOUT_US	(2 * USEC_PER_SEC)

static struct dma_engine_desc *tph_dma_desc(struct tph_dma_engine *engine, unsigned int nr)
{
	return &engine->ring[(engine->tail + nr) % TPH_DMA_RING_SIZE];
}

static irqreturn_t tph_dma_irq(int irq, void *data)
{
	struct tph_dma_engine *engine = data;

	wake_up(&engine->irq_wait);
	return IRQ_HANDLED;
}

/* Frees the first @count interrupts, and all vectors. */
static void tph_dma_free_irqs(struct tph_dma_engine *engine, unsigned int count)
{
	while (count--)
		pci_free_irq(engine->pdev, count, engine);
	pci_free_irq_vectors(engine->pdev);
}

/**
 * tph_dma_engine_init - allocate the ring and the interrupts of an engine
 * @engine: the engine; @engine->pdev is enabled, @engine->regs is mapped
 *
 * The ring is freed with the device; the interrupts are not, see
 * tph_dma_engine_free_irq().
 *
 * Return: 0 or a negative error code
 */
int tph_dma_engine_init(struct tph_dma_engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	unsigned int i;
	int ret;

	if (readl(engine->regs + DMA_ENGINE_REG_ID) != DMA_ENGINE_ID ||
	    readl(engine->regs + DMA_ENGINE_REG_VERSION) != 1)
		return dev_err_probe(&pdev->dev, -ENODEV, "unknown identification register\n");

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	/*
	 * Descriptors are cut to size by this driver: long segments of a dma-
	 * buf are welcome.
	 */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	engine->ring = dmam_alloc_coherent(&pdev->dev, TPH_DMA_RING_SIZE * sizeof(*engine->ring),
					   &engine->ring_dma, GFP_KERNEL);
	if (!engine->ring)
		return -ENOMEM;

	/*
	 * In interrupt vector mode the vector of a descriptor selects its tag, so
	 * that each of them may fire; otherwise the first one serves all.
	 */
	ret = pci_alloc_irq_vectors(pdev, 1, DMA_ENGINE_MSIX_VECTORS, PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(&pdev->dev, ret, "no MSI-X vectors\n");
	engine->vectors = ret;

	for (i = 0; i < engine->vectors; i++) {
		ret = pci_request_irq(pdev, i, tph_dma_irq, NULL, engine, "%s", engine->name);
		if (ret) {
			tph_dma_free_irqs(engine, i);
			return ret;
		}
	}
	return 0;
}

void tph_dma_engine_free_irq(struct tph_dma_engine *engine)
{
	tph_dma_free_irqs(engine, engine->vectors);
}

static void tph_dma_engine_release(struct kref *ref)
{
	struct tph_dma_engine *engine = container_of(ref, struct tph_dma_engine, ref);

	mutex_destroy(&engine->lock);
	kfree(engine);
}

void tph_dma_engine_put(struct tph_dma_engine *engine)
{
	kref_put(&engine->ref, tph_dma_engine_release);
}

/**
 * tph_dma_engine_start - start the engine on an empty ring
 * @engine: the engine, stopped
 */
void tph_dma_engine_start(struct tph_dma_engine *engine)
{
	lockdep_assert_held(&engine->lock);

	engine->tail = 0;
	lo_hi_writeq(engine->ring_dma, engine->regs + DMA_ENGINE_REG_RING_BASE);
	writel(TPH_DMA_RING_SIZE, engine->regs + DMA_ENGINE_REG_RING_SIZE);
	writel(DMA_ENGINE_CONTROL_RUN, engine->regs + DMA_ENGINE_REG_CONTROL);
}

/**
 * tph_dma_engine_stop - stop the engine
 * @engine: the engine
 *
 * On return the engine writes to nothing any more, whatever it was doing.
 */
void tph_dma_engine_stop(struct tph_dma_engine *engine)
{
	u32 status;

	lockdep_assert_held(&engine->lock);

	writel(0, engine->regs + DMA_ENGINE_REG_CONTROL);
	if (!readl_poll_timeout(engine->regs + DMA_ENGINE_REG_STATUS, status,
				!(status & DMA_ENGINE_STATUS_RUNNING), TPH_DMA_STOP_POLL_US,
				TPH_DMA_STOP_TIMEOUT_US))
		return;

	/*
	 * The memory that it was told to write to is about to get another use.
	 */
	pci_clear_master(engine->pdev);
	engine->dead = true;
	pci_err(engine->pdev, "engine does not stop, bus mastering turned off\n");
}

/**
 * tph_dma_engine_queue - write a descriptor
 * @engine: the engine, with nothing under way
 * @nr: number of the descriptor in this batch, from 0, below
 *	TPH_DMA_RING_SIZE - 1
 * @src: bus address to read from
 * @dst: bus address to write to
 * @length: bytes, 1 to DMA_ENGINE_LENGTH_MAX
 * @flags: DMA_ENGINE_DESC_TH and processing hint, or 0
 * @st_index: from tph_dma_st_get(), used with DMA_ENGINE_DESC_TH
 */
void tph_dma_engine_queue(struct tph_dma_engine *engine, unsigned int nr, dma_addr_t src,
			  dma_addr_t dst, u32 length, u32 flags, u16 st_index)
{
	struct dma_engine_desc *desc = tph_dma_desc(engine, nr);

	lockdep_assert_held(&engine->lock);

	desc->src = cpu_to_le64(src);
	desc->dst = cpu_to_le64(dst);
	desc->length = cpu_to_le32(length);
	desc->flags = cpu_to_le32(flags);
	desc->st_index = cpu_to_le16(st_index);
	desc->vector = cpu_to_le16(engine->st.by_vector ? st_index : 0);
	desc->status = 0;
}

/**
 * tph_dma_engine_submit - let the engine work
 * @engine: the engine
 * @nr: number of descriptors queued, at least 1
 */
void tph_dma_engine_submit(struct tph_dma_engine *engine, unsigned int nr)
{
	lockdep_assert_held(&engine->lock);

	tph_dma_desc(engine, nr - 1)->flags |= cpu_to_le32(DMA_ENGINE_DESC_IRQ);
	/* The descriptors have to be in memory before the doorbell is. */
	dma_wmb();
	writel((engine->tail + nr) % TPH_DMA_RING_SIZE, engine->regs + DMA_ENGINE_REG_TAIL);
}

/**
 * tph_dma_engine_wait - wait until the engine has finished
 * @engine: the engine
 * @nr: number of descriptors submitted
 *
 * On return the engine is idle, in success and failure, so that the memory of
 * the descriptors can be unmapped. That is why no signal ends the wait. It
 * neither allocates memory nor takes a lock, since exporters wait for it.
 *
 * Return: 0; -EIO when a descriptor ended in an error or the engine hung
 */
int tph_dma_engine_wait(struct tph_dma_engine *engine, unsigned int nr)
{
	struct dma_engine_desc *last = tph_dma_desc(engine, nr - 1);
	int ret = 0;
	unsigned int i;

	lockdep_assert_held(&engine->lock);

	/*
	 * The engine works in order: when the last descriptor is done, so are
	 * the others.
	 */
	if (!wait_event_timeout(engine->irq_wait, READ_ONCE(last->status), TPH_DMA_TIMEOUT)) {
		pci_err(engine->pdev, "engine hangs, status %#x\n",
			readl(engine->regs + DMA_ENGINE_REG_STATUS));
		tph_dma_engine_stop(engine);
		if (!engine->dead)
			tph_dma_engine_start(engine);
		return -EIO;
	}
	/*
	 * The other descriptors were written back before the last one: read
	 * them after it.
	 */
	dma_rmb();

	for (i = 0; i < nr; i++) {
		u32 status = le32_to_cpu(tph_dma_desc(engine, i)->status);

		if (status == DMA_ENGINE_DONE_OK)
			continue;
		pci_dbg(engine->pdev, "descriptor ended with status %u\n", status);
		ret = -EIO;
	}
	engine->tail = (engine->tail + nr) % TPH_DMA_RING_SIZE;
	return ret;
}
