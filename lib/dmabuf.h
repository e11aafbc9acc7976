/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The requests of the kernel that make a dma-buf and change it. */
#ifndef TPB_DMABUF_H
#define TPB_DMABUF_H

#include <tphbuf/export.h>

/* A close-on-exec file descriptor of the ranges, which are known to be right. */
int tpb_dmabuf_get(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		   size_t nr_ranges);

/* @tag: NULL to clear it. -ENOTTY when the kernel has no such feature. */
int tpb_dmabuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag);

int tpb_dmabuf_revoke(struct tphbuf_device *dev, int dmabuf_fd);

int tpb_dmabuf_set_wc(struct tphbuf_device *dev, int dmabuf_fd);

#endif
