/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the page tables of this process say, from the dump that the kernel gives
 * in debugfs (CONFIG_PTDUMP_DEBUGFS), and the PAT memtype list beside it. x86.
 */
#ifndef TPHBUF_TESTS_PAGE_TABLE_H
#define TPHBUF_TESTS_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_type { TYPE_NONE, TYPE_WB, TYPE_WC, TYPE_UC_MINUS, TYPE_UC, TYPE_OTHER };

const char *memory_type_name(enum memory_type type);

/**
 * struct page_entries - the entries that map a range
 * @type: memory type by PAT, PCD and PWT; TYPE_OTHER if they differ, TYPE_NONE
 *	if nothing is mapped
 * @mapped: bytes that are mapped
 * @smallest: bytes that the smallest entry maps
 * @writable: all entries are
 */
struct page_entries {
	enum memory_type type;
	uint64_t mapped;
	uint64_t smallest;
	bool writable;
};

/* Ends the case when the dump cannot be read, skips it where there is none. */
struct page_entries page_entries(volatile const void *addr, size_t length);

/* The type that the PAT memtype list has for a range, TYPE_NONE without an entry in it. */
enum memory_type memtype_of(uint64_t phys, uint64_t length);

#endif
