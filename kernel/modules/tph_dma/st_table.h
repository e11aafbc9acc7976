/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TPH_DMA_ST_TABLE_H
#define _TPH_DMA_ST_TABLE_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pci-tph.h>

/**
 * struct tph_dma_st_entry - one entry of the ST table
 * @users: mappings that use it; 0 for a free entry
 * @tag: what the entry holds while it is used
 */
struct tph_dma_st_entry {
	unsigned int users;
	u16 tag;
};

/**
 * struct tph_dma_st_table - how the requester gets its tags
 * @lock: guards @entries; a leaf
 * @pdev: for @write
 * @write: puts a tag into an entry: pcie_tph_set_st_entry()
 * @direct: descriptors hold the tag itself, there is no table
 * @by_vector: interrupt vector mode: a descriptor names the entry with its vector
 * @size: number of entries; 0 with @direct and on a device that sends no hints
 * @entries: which are in use
 */
struct tph_dma_st_table {
	struct mutex lock; /* guards entries */
	struct pci_dev *pdev;
	int (*write)(struct pci_dev *pdev, unsigned int index, u16 tag);
	bool direct;
	bool by_vector;
	unsigned int size;
	struct tph_dma_st_entry *entries;
};

#ifdef CONFIG_PCIE_TPH
int tph_dma_st_init(struct tph_dma_st_table *table, struct pci_dev *pdev, unsigned int vectors);
void tph_dma_st_disable(struct tph_dma_st_table *table);
int tph_dma_st_get(struct tph_dma_st_table *table, u16 tag, unsigned int *index);
void tph_dma_st_put(struct tph_dma_st_table *table, unsigned int index);
#else
static inline int tph_dma_st_init(struct tph_dma_st_table *table, struct pci_dev *pdev,
				  unsigned int vectors)
{
	return 0;
}

static inline void tph_dma_st_disable(struct tph_dma_st_table *table) { }

static inline int tph_dma_st_get(struct tph_dma_st_table *table, u16 tag, unsigned int *index)
{
	return -EOPNOTSUPP;
}

static inline void tph_dma_st_put(struct tph_dma_st_table *table, unsigned int index) { }
#endif

#endif /* _TPH_DMA_ST_TABLE_H */
