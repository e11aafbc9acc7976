/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus addresses that a function may use, as its client announces them, and access to those
 * that a file backs.
 *
 * No function here takes a lock: the fabric's guards the map of a function.
 */
#ifndef TPHBUF_DMA_MAP_H
#define TPHBUF_DMA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma_file.h"

struct tlp;

#define DMA_MAP_PAGE		DMA_FILE_PAGE
#define DMA_MAP_ENTRIES_MAX	65535

/**
 * struct dma_entry - a range of bus addresses
 * @start: first address
 * @last: last address, inclusive, so that a range may end at the top of the address space
 * @readable: the function may read
 * @writable: the function may write
 * @memory: of the file that backs it; without, only the root complex can reach it
 */
struct dma_entry {
	uint64_t start;
	uint64_t last;
	bool readable;
	bool writable;
	struct dma_memory memory;
};

/**
 * struct dma_map - all ranges of a function, sorted
 * @entries: sorted by address
 * @count: entries in use
 * @capacity: entries there is room for
 * @recent: index of the entry found last
 * @files: what entries use of files
 */
struct dma_map {
	struct dma_entry *entries;
	size_t count;
	size_t capacity;
	size_t recent;
	struct dma_files files;
};

void dma_map_init(struct dma_map *map);

/**
 * dma_map_add() - announce a range
 * @map: the map
 * @start: first bus address; like @size and @fd_offset a multiple of DMA_MAP_PAGE
 * @size: bytes; the range may end at, but not wrap past, the top of the address space
 * @readable: the function may read
 * @writable: the function may write
 * @fd: file that backs the range, -1: none; stays the caller's, and is not needed after the call
 * @fd_offset: of @start in the file; the range must lie in the file as it is now
 *
 * Return: 0, -EINVAL for a range or rights that cannot be, -EEXIST when it overlaps another,
 * -ENOSPC when there are too many, or an error of dma_files_get().
 */
int dma_map_add(struct dma_map *map, uint64_t start, uint64_t size, bool readable, bool writable,
		int fd, uint64_t fd_offset);

/**
 * dma_map_remove() - withdraw every entry within a range
 * @map: the map
 * @start: first bus address
 * @size: bytes
 *
 * Return: 0, -ENOENT when there is none, -EINVAL when the range is empty, wraps or would cut an
 * entry: nothing is removed.
 */
int dma_map_remove(struct dma_map *map, uint64_t start, uint64_t size);

void dma_map_clear(struct dma_map *map);

static inline bool dma_entry_has_file(const struct dma_entry *entry)
{
	return entry->memory.piece;
}

/* The entry that covers @address, or NULL; valid until the map changes. */
const struct dma_entry *dma_map_find(struct dma_map *map, uint64_t address);

/**
 * dma_entry_read() - copy out of an entry that a file backs
 * @entry: from dma_map_find()
 * @address: in it
 * @buf: receives @len bytes
 * @len: bytes
 *
 * Return: 0, -EFAULT when the range leaves the entry, is not readable, or the file has no memory
 * there any more.
 */
int dma_entry_read(const struct dma_entry *entry, uint64_t address, void *buf, size_t len);

/* The reverse; visible to whoever maps the file after everything that was written before. */
int dma_entry_write(const struct dma_entry *entry, uint64_t address, const void *buf, size_t len);

/**
 * dma_entry_atomic() - an AtomicOp on memory that a file backs
 * @entry: from dma_map_find()
 * @tlp: the AtomicOp, for an address in @entry
 * @before: out: value before it
 *
 * Return: 0, -EFAULT as dma_entry_write(); also when it is not readable.
 */
int dma_entry_atomic(const struct dma_entry *entry, const struct tlp *tlp, uint64_t *before);

#endif
