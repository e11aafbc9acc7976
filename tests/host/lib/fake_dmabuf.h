/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dma-bufs of the played system: a memfd, which can be told from every other
 * file by its seals and holds what was asked of the kernel, for another process
 * to read. The memory is that of the device file.
 */
#ifndef TPHBUF_TESTS_FAKE_DMABUF_H
#define TPHBUF_TESTS_FAKE_DMABUF_H

#include <stdbool.h>
#include <stddef.h>

#include "vfio_uapi.h"

/* A new one, of memory of the open device @device_fd; @size bytes are in @arg. */
int fake_dmabuf_create(int device_fd, const struct tpb_vfio_dma_buf *arg, size_t size);

bool fake_dmabuf_is(int fd);
/* -EBADF or -EINVAL for another file. */
int fake_dmabuf_check(int fd);
int64_t fake_dmabuf_size(int fd);
void fake_dmabuf_set_tag(int fd, const struct tpb_vfio_dma_buf_tph *tag);
void fake_dmabuf_set_wc(int fd);

/* Access behind fake_sys.errors.revoked_from is SIGBUS. */
int fake_dmabuf_map(int fd, size_t length, int prot, uint64_t offset, void **addr);
/* That it is unmapped; ignores what fake_dmabuf_map() did not make. */
void fake_dmabuf_forget(const void *addr);

#endif
