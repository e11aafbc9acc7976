// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: numbers, sizes and ranges of the command line. */
#include <errno.h>

#include "tap.h"
#include "number.h"

static void number(const char *text, int ret, uint64_t want)
{
	uint64_t value = 0;

	if (is_int(number_parse(text, &value), ret, "number \"%s\"", text) && !ret)
		is_hex(value, want, "number \"%s\": value", text);
}

static void size(const char *text, int ret, uint64_t want)
{
	uint64_t value = 0;

	if (is_int(size_parse(text, &value), ret, "size \"%s\"", text) && !ret)
		is_hex(value, want, "size \"%s\": value", text);
}

static void range(const char *text, int ret, uint64_t want_offset, uint64_t want_length)
{
	uint64_t offset = 0, length = 0;

	if (is_int(range_parse(text, &offset, &length), ret, "range \"%s\"", text) && !ret) {
		is_hex(offset, want_offset, "range \"%s\": offset", text);
		is_hex(length, want_length, "range \"%s\": length", text);
	}
}

int main(void)
{
	static const char *const none[] = {
		"", " ", "-1", "+1", " 1", "1 ", "0x", "x1", "1.5", "0x1g", "ten", "1e3", "0b1",
		"18446744073709551616z",
	};
	static const char *const no_size[] = {
		"", "K", "1KK", "1KB", "1P", "1 K", "0xK", "1:",
		"1iB", "1Ki", "1KIB", "1KiBx", "MiB",
	};
	static const char *const no_range[] = {
		"", ":", "1", "1:", ":1", "1:1:1", "1-1", "1K:", "1KK:1", "1:x", "x:1",
		"99999999999999999999:x",
	};

	number("0", 0, 0);
	number("42", 0, 42);
	number("010", 0, 10);
	number("0x10", 0, 16);
	number("0XfF", 0, 255);
	number("18446744073709551615", 0, UINT64_MAX);
	number("0xffffffffffffffff", 0, UINT64_MAX);
	number("18446744073709551616", -ERANGE, 0);
	number("0x10000000000000000", -ERANGE, 0);
	number("1K", -EINVAL, 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		number(none[i], -EINVAL, 0);

	size("4096", 0, 4096);
	size("64K", 0, 65536);
	size("1m", 0, 1 << 20);
	size("0x10M", 0, 16 << 20);
	size("8G", 0, UINT64_C(8) << 30);
	size("1T", 0, UINT64_C(1) << 40);
	size("16777215T", 0, UINT64_C(16777215) << 40);
	size("16777216T", -ERANGE, 0);
	size("1MiB", 0, 1 << 20);
	size("4kiB", 0, 4096);
	size("1TiB", 0, UINT64_C(1) << 40);
	size("18446744073709551616K", -ERANGE, 0);
	for (size_t i = 0; i < sizeof(no_size) / sizeof(no_size[0]); i++)
		size(no_size[i], -EINVAL, 0);

	range("0:1M", 0, 0, 1 << 20);
	range("0x10000:64K", 0, 0x10000, 0x10000);
	range("4KiB:1MiB", 0, 4096, 1 << 20);
	range("1G:2G", 0, UINT64_C(1) << 30, UINT64_C(2) << 30);
	range("18446744073709551616:1", -ERANGE, 0, 0);
	range("1:18446744073709551616", -ERANGE, 0, 0);
	for (size_t i = 0; i < sizeof(no_range) / sizeof(no_range[0]); i++)
		range(no_range[i], -EINVAL, 0, 0);
	return done_testing();
}
