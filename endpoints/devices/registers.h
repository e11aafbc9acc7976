/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of a device's little-endian registers of 32 and 64 bits, in one access or, for a 64-bit
 * register, in two of 4 bytes.
 */
#ifndef TPHBUF_REGISTERS_H
#define TPHBUF_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_function;

/**
 * struct register_map - what registers a device has; both run under the fabric's lock
 * @read32: puts the value of the 32-bit register at @offset into @value; false when there is none
 * @read64: the same for 64-bit registers, which are 8-byte aligned
 */
struct register_map {
	bool (*read32)(struct pci_function *fn, uint64_t offset, uint32_t *value);
	bool (*read64)(struct pci_function *fn, uint64_t offset, uint64_t *value);
};

/**
 * struct register_latch - makes two reads of the halves of a 64-bit register one value
 * @offset: of the register whose low half was read last
 * @high: its high half at that moment
 *
 * All zeros after a reset.
 */
struct register_latch {
	uint64_t offset;
	uint32_t high;
};

/**
 * register_read() - answer a read access
 * @map: the device's registers
 * @latch: the device's latch
 * @fn: the device's function, passed on to @map
 * @offset: in the BAR, aligned to @len
 * @buf: filled with the value, or with ones where no register is
 * @len: of the access, 1 to 8 bytes; only 4 and 8 reach a register
 *
 * Reading the low half of a 64-bit register keeps its high half for the next read of that half, so
 * that a counter which moves between the two accesses is not torn.
 *
 * Context: the fabric's lock is held.
 * Return: whether there is a register of that size at @offset.
 */
bool register_read(const struct register_map *map, struct register_latch *latch,
		   struct pci_function *fn, uint64_t offset, void *buf, size_t len);

#endif
