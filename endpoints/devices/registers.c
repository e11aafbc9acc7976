// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads of a device's registers.
 */
#include <string.h>

#include "pcie/byteorder.h"
#include "registers.h"

/* A 4-byte read, of a 32-bit register or of half a 64-bit one. */
static bool read4(const struct register_map *map, struct register_latch *latch,
		  struct pci_function *fn, uint64_t offset, uint32_t *value)
{
	uint64_t wide;

	if (map->read32(fn, offset, value))
		return true;
	if (offset % 8 == 0 && map->read64(fn, offset, &wide)) {
		latch->offset = offset;
		latch->high = wide >> 32;
		*value = wide;
		return true;
	}
	if (offset % 8 == 4 && map->read64(fn, offset - 4, &wide)) {
		*value = latch->offset == offset - 4 ? latch->high : wide >> 32;
		return true;
	}
	return false;
}

bool register_read(const struct register_map *map, struct register_latch *latch,
		   struct pci_function *fn, uint64_t offset, void *buf, size_t len)
{
	uint32_t value32;
	uint64_t value64;

	if (len == 4 && read4(map, latch, fn, offset, &value32)) {
		put_le32(buf, value32);
		return true;
	}
	if (len == 8 && map->read64(fn, offset, &value64)) {
		put_le64(buf, value64);
		return true;
	}
	memset(buf, 0xff, len);
	return false;
}
