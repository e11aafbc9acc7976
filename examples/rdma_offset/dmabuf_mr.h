/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory regions of dma-bufs, with a line that says who refused one, why, and what to do. */
#ifndef DMABUF_MR_H
#define DMABUF_MR_H

#include <stddef.h>
#include <stdint.h>

#include <infiniband/verbs.h>

/*
 * As ibv_reg_dmabuf_mr() with an address that any @offset suits: the offset within its
 * page. NULL on failure, with a line in @why.
 */
struct ibv_mr *dmabuf_mr_register(struct ibv_pd *pd, int dmabuf, uint64_t offset, size_t length,
				  int access, char *why, size_t size);

#endif
