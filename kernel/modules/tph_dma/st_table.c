// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of the requester's ST table, handed out by tag. A table is small, so
 * buffers with the same tag share an entry, and an entry is free again when the
 * last mapping that used it has gone.
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
	u32 location;
	int ret;

	mutex_init(&table->lock);
	table->pdev = pdev;
	table->write = pcie_tph_set_st_entry;

	/*
	 * In device specific mode a descriptor names its entry freely. In
	 * interrupt vector mode it is the entry of its vector, so there are not
	 * more entries than vectors. In "no ST" mode all tags are 0, not what
	 * exporters publish: no hint at all is better than a wrong one.
	 */
	ret = pcie_enable_tph(pdev, PCI_TPH_ST_DS_MODE);
	if (ret) {
		ret = pcie_enable_tph(pdev, PCI_TPH_ST_IV_MODE);
		table->by_vector = !ret;
	}
	if (ret) {
		pci_info(pdev, "TPH not enabled (%pe): writes carry no hints\n", ERR_PTR(ret));
		return 0;
	}

	location = pcie_tph_get_st_table_loc(pdev);
	table->size = pcie_tph_get_st_table_size(pdev);
	if (location == PCI_TPH_LOC_NONE) {
		table->direct = true;
		return 0;
	}
	/* The size is 0 for a table in MSI-X, which has an entry a vector. */
	if (!table->size || (table->by_vector && table->size > vectors))
		table->size = vectors;

	table->entries = devm_kcalloc(&pdev->dev, table->size, sizeof(*table->entries), GFP_KERNEL);
	if (table->entries)
		return 0;
	pcie_disable_tph(pdev);
	return -ENOMEM;
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
 * tph_dma_st_get - get what a descriptor needs to send a tag
 * @table: the table
 * @tag: the tag
 * @index: the entry that holds it, or the tag itself where there is no table
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

	if (table->direct) {
		*index = tag;
		return 0;
	}

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
	if (table->direct)
		return;

	guard(mutex)(&table->lock);

	if (!WARN_ON(index >= table->size || !table->entries[index].users))
		table->entries[index].users--;
}
EXPORT_SYMBOL_IF_KUNIT(tph_dma_st_put);
