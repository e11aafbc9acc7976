// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ranges of bus addresses of a function: sorted, found, read and written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dma_map.h"
#include "tlp.h"

void dma_map_init(struct dma_map *map)
{
	memset(map, 0, sizeof(*map));
	dma_files_init(&map->files);
}

/* Index of the first entry that does not lie wholly below @address. */
static size_t lower_bound(const struct dma_map *map, uint64_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->entries[mid].last < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int reserve_entry(struct dma_map *map)
{
	size_t capacity = map->capacity ? map->capacity * 2 : 16;
	struct dma_entry *entries;

	if (map->count == DMA_MAP_ENTRIES_MAX)
		return -ENOSPC;
	if (map->count < map->capacity)
		return 0;
	entries = realloc(map->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	map->capacity = capacity;
	return 0;
}

static bool range_ok(uint64_t start, uint64_t size)
{
	return size && start + (size - 1) >= start;
}

int dma_map_add(struct dma_map *map, uint64_t start, uint64_t size, bool readable, bool writable,
		int fd, uint64_t fd_offset)
{
	struct dma_entry entry = {
		.start = start,
		.last = start + (size - 1),
		.readable = readable,
		.writable = writable,
	};
	size_t i;
	int ret;

	if (!range_ok(start, size) || start % DMA_MAP_PAGE || size % DMA_MAP_PAGE ||
	    (!readable && !writable))
		return -EINVAL;
	if (fd >= 0 && fd_offset % DMA_MAP_PAGE)
		return -EINVAL;
	i = lower_bound(map, start);
	if (i < map->count && map->entries[i].start <= entry.last)
		return -EEXIST;
	ret = reserve_entry(map);
	if (ret)
		return ret;
	if (fd >= 0) {
		ret = dma_files_get(&map->files, fd, fd_offset, size, writable, &entry.memory);
		if (ret)
			return ret;
	}

	memmove(&map->entries[i + 1], &map->entries[i], (map->count - i) * sizeof(entry));
	map->entries[i] = entry;
	map->count++;
	return 0;
}

int dma_map_remove(struct dma_map *map, uint64_t start, uint64_t size)
{
	uint64_t last = start + (size - 1);
	size_t first, end;

	if (!range_ok(start, size))
		return -EINVAL;
	first = lower_bound(map, start);
	for (end = first; end < map->count && map->entries[end].start <= last; end++)
		if (map->entries[end].start < start || map->entries[end].last > last)
			return -EINVAL;
	if (end == first)
		return -ENOENT;

	for (size_t i = first; i < end; i++)
		if (dma_entry_has_file(&map->entries[i]))
			dma_files_put(&map->files, &map->entries[i].memory);
	memmove(&map->entries[first], &map->entries[end],
		(map->count - end) * sizeof(*map->entries));
	map->count -= end - first;
	return 0;
}

void dma_map_clear(struct dma_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (dma_entry_has_file(&map->entries[i]))
			dma_files_put(&map->files, &map->entries[i].memory);
	free(map->entries);
	memset(map, 0, sizeof(*map));
}

const struct dma_entry *dma_map_find(struct dma_map *map, uint64_t address)
{
	size_t i = map->recent;

	if (i >= map->count || address < map->entries[i].start || address > map->entries[i].last)
		i = lower_bound(map, address);
	if (i >= map->count || address < map->entries[i].start)
		return NULL;
	map->recent = i;
	return &map->entries[i];
}

/* Where @len bytes, one at least, are in this process; NULL unless the entry has them all. */
static uint8_t *entry_memory(const struct dma_entry *entry, uint64_t address, size_t len)
{
	if (!dma_entry_has_file(entry) || address < entry->start || address > entry->last ||
	    len - 1 > entry->last - address)
		return NULL;
	return entry->memory.base + (address - entry->start);
}

int dma_entry_read(const struct dma_entry *entry, uint64_t address, void *buf, size_t len)
{
	const uint8_t *memory = entry_memory(entry, address, len);
	int ret;

	if (!memory || !entry->readable)
		return -EFAULT;
	ret = dma_memory_read(memory, buf, len);
	__sync_synchronize();
	return ret;
}

int dma_entry_write(const struct dma_entry *entry, uint64_t address, const void *buf, size_t len)
{
	uint8_t *memory = entry_memory(entry, address, len);

	if (!memory || !entry->writable)
		return -EFAULT;
	/* Posted writes do not pass each other: whoever sees this one sees the earlier ones. */
	__sync_synchronize();
	return dma_memory_write(memory, buf, len);
}

int dma_entry_atomic(const struct dma_entry *entry, const struct tlp *tlp, uint64_t *before)
{
	uint8_t *memory = entry_memory(entry, tlp->address, TLP_ATOMIC_SIZE);

	if (!memory || !entry->readable || !entry->writable)
		return -EFAULT;
	return dma_memory_atomic(memory, tlp, before);
}
