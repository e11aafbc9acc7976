// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads and stores of device memory. */
#include <string.h>

#include "device_memory.h"

size_t device_memory_width(uintptr_t at, size_t left)
{
	size_t width = sizeof(uint64_t);

	while (width > left || at % width)
		width /= 2;
	return width;
}

/* @to is ordinary memory, where the unit may lie at any address. */
static void load_unit(void *to, const volatile void *from, size_t width)
{
	union {
		uint64_t u64;
		uint32_t u32;
		uint16_t u16;
		uint8_t u8;
	} unit;

	switch (width) {
	case 8:
		unit.u64 = *(const volatile uint64_t *)from;
		break;
	case 4:
		unit.u32 = *(const volatile uint32_t *)from;
		break;
	case 2:
		unit.u16 = *(const volatile uint16_t *)from;
		break;
	default:
		unit.u8 = *(const volatile uint8_t *)from;
		break;
	}
	memcpy(to, &unit, width);
}

static void store_unit(volatile void *to, const void *from, size_t width)
{
	union {
		uint64_t u64;
		uint32_t u32;
		uint16_t u16;
		uint8_t u8;
	} unit;

	memcpy(&unit, from, width);
	switch (width) {
	case 8:
		*(volatile uint64_t *)to = unit.u64;
		break;
	case 4:
		*(volatile uint32_t *)to = unit.u32;
		break;
	case 2:
		*(volatile uint16_t *)to = unit.u16;
		break;
	default:
		*(volatile uint8_t *)to = unit.u8;
		break;
	}
}

void device_memory_load(void *to, const volatile void *from, size_t length)
{
	const volatile uint8_t *in = from;
	uint8_t *out = to;
	size_t width;

	for (; length; length -= width, in += width, out += width) {
		width = device_memory_width((uintptr_t)in, length);
		load_unit(out, in, width);
	}
}

void device_memory_store(volatile void *to, const void *from, size_t length)
{
	volatile uint8_t *out = to;
	const uint8_t *in = from;
	size_t width;

	for (; length; length -= width, in += width, out += width) {
		width = device_memory_width((uintptr_t)out, length);
		store_unit(out, in, width);
	}
}

void device_memory_fence(void)
{
#if defined(__x86_64__)
	__builtin_ia32_sfence();
#elif defined(__aarch64__)
	__asm__ __volatile__("dsb st" ::: "memory");
#else
	__sync_synchronize();
#endif
}
