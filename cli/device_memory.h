/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads and stores of a device's memory. Each access is of the widest unit, 8
 * bytes at most, that is aligned and within what was asked for: a register of 4
 * or 8 bytes is accessed as a whole, and no byte beside is touched. Accesses go
 * from the first byte to the last.
 */
#ifndef CLI_DEVICE_MEMORY_H
#define CLI_DEVICE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Width of the next access: at this address, with so many bytes to go (not 0). */
size_t device_memory_width(uintptr_t at, size_t left);

void device_memory_load(void *to, const volatile void *from, size_t length);
void device_memory_store(volatile void *to, const void *from, size_t length);

/* What was stored does not stay in a write-combining buffer of this CPU. */
void device_memory_fence(void);

#endif
