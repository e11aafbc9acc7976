// SPDX-License-Identifier: GPL-2.0-or-later
/* The bytes of a TLP, and hexadecimal text. */
#include <errno.h>
#include <string.h>

#include "dwords.h"

#define FMT_PREFIX	0x80	/* Fmt 100b, in the first byte of a DW (section 2.2.1.1) */

size_t dwords_bytes(const struct record *record, uint8_t *made, const uint8_t **bytes, size_t *full)
{
	int size;

	if (record->raw) {
		*bytes = record->raw;
		*full = record->raw_full;
		return record->raw_size;
	}
	*bytes = made;
	*full = wire_size(record);
	size = wire_encode(record, made);
	return size < 0 ? 0 : size + record_value_payload(record, made + size);
}

size_t dwords_format(const struct record *record, bool prefix, char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t made[DWORDS_MADE_MAX];
	const uint8_t *bytes;
	size_t full, size = dwords_bytes(record, made, &bytes, &full), i = 0;
	char *p = text;

	if (size > DWORDS_BYTES_MAX)
		size = DWORDS_BYTES_MAX;
	size -= size % 4;
	if (!prefix)
		while (i + 4 <= size && bytes[i] & FMT_PREFIX)
			i += 4;
	for (; i < size; i++) {
		if (p != text && i % 4 == 0)
			*p++ = ' ';
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 0xf];
	}
	return p - text;
}

static int dwords_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int dwords_parse(const char *text, size_t len, uint8_t *bytes)
{
	const char *end = text + len;
	int size = 0;

	while (text < end) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (end - text > 2 && text[0] == '0' && (text[1] | 0x20) == 'x')
			text += 2;
		if (end - text < 8 || size + 4 > DWORDS_BYTES_MAX)
			return -EBADMSG;
		for (unsigned int i = 0; i < 4; i++, text += 2) {
			int high = dwords_digit(text[0]), low = dwords_digit(text[1]);

			if (high < 0 || low < 0)
				return -EBADMSG;
			bytes[size++] = high << 4 | low;
		}
	}
	return size;
}
