/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a TLP on a link in non-flit mode, before data link framing: prefixes, header,
 * payload, each DW with its most significant byte first (section 2.2.1).
 *
 * Shares no code with the encoder of the emulated fabric, so that one checks the other.
 */
#ifndef TRACE_WIRE_H
#define TRACE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define WIRE_HEADER_MAX	20	/* one prefix and four DW */

/**
 * wire_decode() - fill in what the bytes of a TLP say
 * @record: everything but number, time, completer, result and mark is set; the completer too by a
 *	completion
 * @buf: the TLP, perhaps without the end of its payload; kept as @record->raw
 * @size: bytes of @buf
 * @full: bytes that the TLP had
 *
 * A completion has the completer's id where a request has the requester's; it becomes
 * @record->requester, the party that sent the TLP. Its own requester becomes @record->completer.
 *
 * Return: 0; -EBADMSG when the header is cut off or contradicts the size, -EOPNOTSUPP for a TLP
 * of a type that is not in enum record_type, which is then RECORD_OTHER.
 */
int wire_decode(struct record *record, const uint8_t *buf, size_t size, size_t full);

/**
 * wire_encode() - prefix and header of a record
 * @record: its type is not RECORD_MSG or RECORD_OTHER
 * @buf: receives at most WIRE_HEADER_MAX bytes
 *
 * Return: bytes written, -EOPNOTSUPP for another type.
 */
int wire_encode(const struct record *record, uint8_t *buf);

/*
 * Bytes that a TLP had by its header, of which @size are there: at least these, and only these
 * when the header is not complete.
 */
size_t wire_full_size(const uint8_t *buf, size_t size);

/* Bytes of prefix, header and payload of a record by its fields. */
size_t wire_size(const struct record *record);

#endif
