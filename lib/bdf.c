// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* PCI addresses as text. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bdf.h"

/* At most @digits hex digits, at least one; the character after them is @end. */
static const char *hex_field(const char *text, unsigned int digits, char end, uint32_t *value)
{
	unsigned int n;

	*value = 0;
	for (n = 0; n < digits && isxdigit((unsigned char)text[n]); n++) {
		unsigned char c = tolower((unsigned char)text[n]);

		*value = *value << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	return n && text[n] == end ? text + n + 1 : NULL;
}

int tpb_bdf_parse(const char *text, char bdf[TPHBUF_BDF_SIZE])
{
	const char *colon = strchr(text, ':');
	uint32_t domain = 0, bus, device, function;
	const char *at = text;

	/* The domain of some host bridges has more than four digits. */
	if (colon && strchr(colon + 1, ':'))
		at = hex_field(at, 8, ':', &domain);
	if (at)
		at = hex_field(at, 2, ':', &bus);
	if (at)
		at = hex_field(at, 2, '.', &device);
	if (at)
		at = hex_field(at, 1, '\0', &function);
	if (!at || device > 0x1f || function > 7)
		return -EINVAL;
	snprintf(bdf, TPHBUF_BDF_SIZE, "%04x:%02x:%02x.%x", domain, bus, device, function);
	return 0;
}

int tpb_bdf_compare(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	/* Only the domain varies in length, and has no leading zeros then. */
	if (la != lb)
		return la < lb ? -1 : 1;
	return strcmp(a, b);
}
