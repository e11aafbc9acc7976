// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: device memory is accessed in aligned units, up to the last byte and not beyond. */
#include "tap.h"
#include "device_memory.h"

#define SIZE	64
#define MOST	40

static void widths(void)
{
	static const struct {
		uintptr_t at;
		size_t left, width;
	} rows[] = {
		{ 0x1000, 8, 8 }, { 0x1000, 100, 8 }, { 0x1008, 9, 8 }, { 0x1000, 7, 4 },
		{ 0x1000, 4, 4 }, { 0x1000, 3, 2 }, { 0x1000, 2, 2 }, { 0x1000, 1, 1 },
		{ 0x1004, 100, 4 }, { 0x1004, 3, 2 }, { 0x1002, 100, 2 }, { 0x1006, 8, 2 },
		{ 0x1006, 1, 1 }, { 0x1001, 100, 1 }, { 0x1007, 8, 1 }, { 0x100c, 8, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(device_memory_width(rows[i].at, rows[i].left), rows[i].width,
		       "0x%llx, %zu bytes to go", (unsigned long long)rows[i].at, rows[i].left);
}

/* From and to each place, each length: exactly those bytes, in their order. */
static void each_place(void)
{
	uint8_t device[SIZE] __attribute__((aligned(8))), want[SIZE], plain[SIZE];
	unsigned int wrong_stores = 0, wrong_loads = 0;

	for (size_t at = 0; at < 16; at++) {
		for (size_t length = 0; length <= MOST; length++) {
			for (size_t i = 0; i < SIZE; i++) {
				device[i] = want[i] = (uint8_t)(0x80 + i);
				plain[i] = (uint8_t)i;
			}
			/* Ordinary memory at an odd place. */
			memcpy(want + at, plain + 1, length);
			device_memory_store(device + at, plain + 1, length);
			wrong_stores += !!memcmp(device, want, SIZE);

			memset(plain, 0xee, SIZE);
			memset(want, 0xee, SIZE);
			memcpy(want + 3, device + at, length);
			device_memory_load(plain + 3, device + at, length);
			wrong_loads += !!memcmp(plain, want, SIZE);
		}
	}
	is_int(wrong_stores, 0, "stores of each length at each place");
	is_int(wrong_loads, 0, "loads of each length at each place");
	device_memory_fence();
}

int main(void)
{
	widths();
	each_place();
	return done_testing();
}
