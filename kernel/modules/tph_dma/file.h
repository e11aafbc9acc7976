/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TPH_DMA_FILE_H
#define _TPH_DMA_FILE_H

#include <linux/fs.h>

extern const struct file_operations tph_dma_fops;

#endif /* _TPH_DMA_FILE_H */
