/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dma-bufs of exporters that have nothing to do with VFIO, in system memory.
 * Each returns the file descriptor or a negative errno value; @size is a
 * multiple of the page size.
 */
#ifndef TPHBUF_TESTS_FOREIGN_H
#define TPHBUF_TESTS_FOREIGN_H

#include <stddef.h>

int foreign_udmabuf(size_t size);
int foreign_system_heap(size_t size);

#endif
