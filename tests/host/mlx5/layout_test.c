// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bit fields by the names of the kernel's headers.
 */
#include "tap.h"
#include "devices/mlx5/layout.h"

static void reading(void)
{
	const uint8_t bytes[] = { 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x42 };

	is_hex(layout_read_bits(bytes, 0, 1), 1, "the first bit");
	is_hex(layout_read_bits(bytes, 1, 6), 0, "bits inside a byte");
	is_hex(layout_read_bits(bytes, 7, 1), 1, "the last bit of a byte");
	is_hex(layout_read_bits(bytes, 4, 8), 0x12, "across bytes");
	is_hex(layout_read_bits(bytes, 3, 17), 0x1234, "three bytes");
	is_hex(layout_read_bits(bytes, 0, 32), 0x81234567, "a word");
	is_hex(layout_read_bits(bytes, 0, 64), 0x8123456789abcdef, "all 64 bits");
	is_hex(layout_read_bits(bytes, 8, 64), 0x23456789abcdef42, "64 bits elsewhere");
}

static void writing(void)
{
	uint8_t bytes[12], want[12];

	for (size_t width = 1; width <= 64; width++) {
		for (size_t bit = 0; bit < 24; bit++) {
			uint64_t value = 0xa5a5f00f12345678 >> (64 - width);
			bool right;

			/* A field of 64 bits touches 9 bytes when it does not begin with one. */
			if ((bit + width - 1) / 8 - bit / 8 > 7)
				continue;
			memset(bytes, 0xff, sizeof(bytes));
			layout_write_bits(bytes, bit, width, value);
			right = layout_read_bits(bytes, bit, width) == value;
			/* Turned back to ones, nothing else has changed. */
			layout_write_bits(bytes, bit, width, UINT64_MAX);
			memset(want, 0xff, sizeof(want));
			if (!right || memcmp(bytes, want, sizeof(want))) {
				ok(false, "%zu bits at %zu", width, bit);
				return;
			}
		}
	}
	ok(true, "every width at every bit");
	memset(bytes, 0, sizeof(bytes));
	layout_write_bits(bytes, 4, 4, 0x123);
	is_hex(bytes[0], 0x03, "higher bits of the value are dropped");
	is_hex(bytes[1], 0, "and do not get into the next byte");
}

static void names(void)
{
	uint8_t key[ifc_size(mkc)] = { 0 }, copy[ifc_size(mkc)] = { 0 };

	is_int(ifc_size(mkc), 64, "bytes of an mkey context");
	is_int(ifc_size(cmd_hca_cap), 256, "bytes of the capabilities");
	is_int(ifc_offset(create_mkey_in, memory_key_mkey_entry), 16, "an offset");
	ifc_set(mkc, key, start_addr, 0x123456789abcdef0);
	is_hex(get_be64(ifc_at(mkc, key, start_addr)), 0x123456789abcdef0,
	       "numbers are big-endian");
	ifc_set(mkc, key, pcie_tph_ph, 2);
	ifc_set(mkc, key, pcie_tph_steering_tag_index, 0xa7);
	is_hex(ifc_get(mkc, key, pcie_tph_ph), 2, "two bits");
	is_hex(ifc_get(mkc, key, pcie_tph_en), 0, "and not their neighbour");
	ifc_copy(mkc, copy, key, pcie_tph_steering_tag_index);
	is_hex(ifc_get(mkc, copy, pcie_tph_steering_tag_index), 0xa7, "a copied field");
	is_hex(ifc_get(mkc, copy, pcie_tph_ph), 0, "and only that");
}

int main(void)
{
	reading();
	writing();
	names();
	return done_testing();
}
