/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a record on the link, recorded or made from its fields, and these as hexadecimal. */
#ifndef TRACE_DWORDS_H
#define TRACE_DWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "wire.h"

/* Prefixes, header, payload, digest */
#define DWORDS_BYTES_MAX	(4 * WIRE_HEADER_MAX + 4096 + 4)
#define DWORDS_TEXT_MAX		(DWORDS_BYTES_MAX / 4 * 9)
#define DWORDS_MADE_MAX		(WIRE_HEADER_MAX + 4 * RECORD_VALUE_DWORDS)

/**
 * dwords_bytes() - the TLP as on the link, prefix first
 * @record: the record
 * @made: room for DWORDS_MADE_MAX bytes
 * @bytes: out: @record->raw, or @made with prefix, header and what is known of the payload
 * @full: out: bytes that the TLP had
 *
 * Return: bytes that are there, 0 for a record of a type that has no form without them.
 */
size_t dwords_bytes(const struct record *record, uint8_t *made, const uint8_t **bytes,
		    size_t *full);

/**
 * dwords_format() - DWs as hexadecimal, a space between two
 * @record: the record, of which at most DWORDS_BYTES_MAX bytes are printed, in whole DWs
 * @prefix: with the TLP prefixes
 * @text: receives the text without a newline and without a 0; DWORDS_TEXT_MAX bytes are enough
 *
 * Return: characters written.
 */
size_t dwords_format(const struct record *record, bool prefix, char *text);

/**
 * dwords_parse() - bytes of DWs in hexadecimal
 * @text: DWs of eight digits, each perhaps with 0x in front, with or without spaces between them
 * @len: characters of @text
 * @bytes: out: room for DWORDS_BYTES_MAX bytes
 *
 * Return: bytes, -EBADMSG for anything else.
 */
int dwords_parse(const char *text, size_t len, uint8_t *bytes);

#endif
