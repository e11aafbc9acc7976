// SPDX-License-Identifier: GPL-2.0-only
/*
 * tph_dma: driver of a DMA engine that writes into dma-bufs of other PCI
 * devices, with the steering tag that their owner published.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "buffer.h"
#include "engine.h"
#include "file.h"

static DEFINE_IDA(tph_dma_ida);

static int tph_dma_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct tph_dma_engine *engine;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	engine = kzalloc_obj(*engine);
	if (!engine)
		return -ENOMEM;
	kref_init(&engine->ref);
	mutex_init(&engine->lock);
	INIT_LIST_HEAD(&engine->buffers);
	init_waitqueue_head(&engine->irq_wait);
	init_waitqueue_head(&engine->idle_wait);
	engine->pdev = pdev;

	engine->regs = pcim_iomap_region(pdev, DMA_ENGINE_BAR_REGS, KBUILD_MODNAME);
	if (IS_ERR(engine->regs)) {
		ret = PTR_ERR(engine->regs);
		goto err_put;
	}

	engine->id = ida_alloc(&tph_dma_ida, GFP_KERNEL);
	if (engine->id < 0) {
		ret = engine->id;
		goto err_put;
	}
	snprintf(engine->name, sizeof(engine->name), "tph_dma%d", engine->id);

	ret = tph_dma_engine_init(engine);
	if (ret)
		goto err_id;

	ret = tph_dma_st_init(&engine->st, pdev, engine->vectors);
	if (ret)
		goto err_irq;

	pci_set_master(pdev);
	pci_set_drvdata(pdev, engine);
	mutex_lock(&engine->lock);
	tph_dma_engine_start(engine);
	mutex_unlock(&engine->lock);

	engine->misc.minor = MISC_DYNAMIC_MINOR;
	engine->misc.name = engine->name;
	engine->misc.fops = &tph_dma_fops;
	engine->misc.parent = &pdev->dev;
	ret = misc_register(&engine->misc);
	if (ret)
		goto err_stop;
	return 0;

err_stop:
	mutex_lock(&engine->lock);
	tph_dma_engine_stop(engine);
	mutex_unlock(&engine->lock);
	pci_clear_master(pdev);
	tph_dma_st_disable(&engine->st);
err_irq:
	tph_dma_engine_free_irq(engine);
err_id:
	ida_free(&tph_dma_ida, engine->id);
err_put:
	tph_dma_engine_put(engine);
	return ret;
}

static void tph_dma_remove(struct pci_dev *pdev)
{
	struct tph_dma_engine *engine = pci_get_drvdata(pdev);
	struct tph_dma_buffer *buf, *next;

	misc_deregister(&engine->misc);

	/*
	 * Files may stay open. The lock means that nothing is under way, and
	 * from now on they find neither engine nor attachment.
	 */
	mutex_lock(&engine->lock);
	engine->gone = true;
	list_for_each_entry_safe(buf, next, &engine->buffers, node)
		tph_dma_buffer_detach(buf);
	tph_dma_engine_stop(engine);
	mutex_unlock(&engine->lock);

	pci_clear_master(pdev);
	tph_dma_st_disable(&engine->st);
	tph_dma_engine_free_irq(engine);
	ida_free(&tph_dma_ida, engine->id);
	tph_dma_engine_put(engine);
}

static void tph_dma_shutdown(struct pci_dev *pdev)
{
	struct tph_dma_engine *engine = pci_get_drvdata(pdev);

	/*
	 * Files are still open, and what comes next may be a kernel that knows
	 * nothing of the ring.
	 */
	mutex_lock(&engine->lock);
	tph_dma_engine_stop(engine);
	engine->dead = true;
	mutex_unlock(&engine->lock);
}

/*
 * A reset stops the engine and forgets its registers. Mappings survive it,
 * since they are the IOMMU's; so does the ST table, which the PCI core saves
 * and restores. Copies wait for the lock meanwhile.
 */
static void tph_dma_reset_prepare(struct pci_dev *pdev)
{
	struct tph_dma_engine *engine = pci_get_drvdata(pdev);

	mutex_lock(&engine->lock);
	tph_dma_engine_stop(engine);
}

static void tph_dma_reset_done(struct pci_dev *pdev)
{
	struct tph_dma_engine *engine = pci_get_drvdata(pdev);

	/* An engine that did not stop has been stopped by the reset. */
	engine->dead = false;
	pci_set_master(pdev);
	tph_dma_engine_start(engine);
	mutex_unlock(&engine->lock);
}

static const struct pci_error_handlers tph_dma_error_handlers = {
	.reset_prepare = tph_dma_reset_prepare,
	.reset_done = tph_dma_reset_done,
};

static const struct pci_device_id tph_dma_ids[] = {
	{ PCI_DEVICE(DMA_ENGINE_VENDOR_ID, DMA_ENGINE_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, tph_dma_ids);

static struct pci_driver tph_dma_driver = {
	.name = KBUILD_MODNAME,
	.id_table = tph_dma_ids,
	.probe = tph_dma_probe,
	.remove = tph_dma_remove,
	.shutdown = tph_dma_shutdown,
	.err_handler = &tph_dma_error_handlers,
};
module_pci_driver(tph_dma_driver);

MODULE_DESCRIPTION("DMA engine with TLP Processing Hints for dma-bufs");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
