/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory types of the pages of a BAR, in the mappings of the process and of the kernel. x86. */
#ifndef TPHBUF_TESTS_MEMORY_TYPE_H
#define TPHBUF_TESTS_MEMORY_TYPE_H

#include <stdint.h>

#include "bar_memory.h"
#include "page_table.h"

/* Reads each page of a mapping, and expects that all of it is mapped with this type. */
void expect_type_at(volatile void *addr, uint64_t length, enum memory_type want, const char *what);

/* The same for a range of a file, mapped for the purpose. */
void expect_file_type(int fd, uint64_t offset, uint64_t length, enum memory_type want,
		      const char *what);

/* Address of BAR @bar in the physical address space. */
uint64_t bar_address(const char *name, unsigned int bar);

/* Bytes of [phys, phys + length) that ioremap() of the kernel maps right now. */
uint64_t kernel_maps(uint64_t phys, uint64_t length);

/* A file of the device in sysfs, "resource2" or "resource2_wc", open for reading and writing. */
int open_resource(const char *name, const char *file);

#endif
