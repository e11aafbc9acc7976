// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of the requester's ST table, handed out by tag. A table is small and
 * tags are few: buffers with the same tag share an entry, and an entry is free
 * again when the last mapping that used it has gone.
 */
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "st_table.h"

/**
 * tph_dma_st_init - enable TPH and find the ST table
 * @table: to be filled
 * @pdev: the requester
 * @vectors: MSI-X vectors that are allocated
 *
 * A device that can send no hints is no error: it has a table without entries.
 * Freed with the device, but see tph_dma_st_disable().
 *
 * Return: 0 or -ENOMEM
 */
int tph_dma_st_init(struct tph_dma_st_table *table, struct pci_dev *pdev, unsigned int vectors)
{
	unsigned int size;
	int ret;

	mutex_init(&table->lock);
	table->pdev = pdev;
	table->write = pcie_tph_set_st_entry;

	/*
	 * The engine takes the index of the entry from the descriptor, which is
	 * what device specific mode means. Interrupt vector mode serves as
	 * well, because a descriptor also names its vector. Without an ST table
	 * the tag would always be 0, not the one that the exporter published:
	 * no hint at all is better than a wrong one.
	 */
	ret = pcie_enable_tph(pdev, PCI_TPH_ST_DS_MODE);
	if (ret)
		ret = pcie_enable_tph(pdev, PCI_TPH_ST_IV_MODE);
	if (ret) {
		pci_info(pdev, "TPH not enabled (%pe): writes carry no hints\n", ERR_PTR(ret));
		return 0;
	}

	size = pcie_tph_get_st_table_size(pdev);
	if (!size && pcie_tph_get_st_table_loc(pdev) != PCI_TPH_LOC_NONE)
		size = vectors;		/* the table is in MSI-X: an entry a vector */
	if (!size) {
		pci_info(pdev, "no ST table: writes carry no hints\n");
		pcie_disable_tph(pdev);
		return 0;
	}

	table->entries = devm_kcalloc(&pdev->dev, size, sizeof(*table->entries), GFP_KERNEL);
	if (!table->entries) {
		pcie_disable_tph(pdev);
		return -ENOMEM;
	}
	table->size = size;
	return 0;
}

/**
 * tph_dma_st_disable - turn TPH off
 * @table: a table without users
 */
void tph_dma_st_disable(struct tph_dma_st_table *table)
{
	pcie_disable_tph(table->pdev);
}

/**
 * tph_dma_st_get - get an entry that holds a tag
 * @table: the table
 * @tag: the tag
 * @index: the entry
 *
 * The device must be idle: to write an entry the PCI core turns the requester
 * off for a moment, and what is sent in that moment goes without its hint.
 *
 * Return: 0, and the caller ends it with tph_dma_st_put(); -ENOSPC when all
 * entries are in use with other tags, or the error of writing the entry, in
 * which case the PCI core has turned TPH off for good
 */
int tph_dma_st_get(struct tph_dma_st_table *table, u16 tag, unsigned int *index)
{
	unsigned int i, free = table->size;
	int ret;

	guard(mutex)(&table->lock);

	for (i = 0; i < table->size; i++) {
		struct tph_dma_st_entry *entry = &table->entries[i];

		if (!entry->users) {
			free = min(free, i);
		} else if (entry->tag == tag) {
			entry->users++;
			*index = i;
			return 0;
		}
	}
	if (free == table->size)
		return -ENOSPC;

	ret = table->write(table->pdev, free, tag);
	if (ret)
		return ret;

	table->entries[free].tag = tag;
	table->entries[free].users = 1;
	*index = free;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tph_dma_st_get);

/**
 * tph_dma_st_put - give an entry back
 * @table: the table
 * @index: from tph_dma_st_get()
 *
 * The device need not be idle. The tag stays in the table until the entry gets
 * another one, but no descriptor names it any more.
 */
void tph_dma_st_put(struct tph_dma_st_table *table, unsigned int index)
{
	guard(mutex)(&table->lock);

	if (!WARN_ON(index >= table->size || !table->entries[index].users))
		table->entries[index].users--;
}
EXPORT_SYMBOL_IF_KUNIT(tph_dma_st_put);
