/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as one line of the text form (docs/reference/trace-format.md). */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include <stddef.h>

#include "record.h"

#define TEXT_LINE_MAX (400 + 3 * RECORD_MARK_MAX) /* bytes of a line that text_format() writes */

/**
 * text_parse() - read a line
 * @record: out; everything is set, @record->raw to NULL
 * @line: the line without its newline; need not end in a 0
 * @len: its bytes
 *
 * Fields after the address may come in any order; unknown ones are skipped, so that a reader
 * survives a field that is added later.
 *
 * Return: 0, or -EBADMSG when this is not a line of a trace.
 */
int text_parse(struct record *record, const char *line, size_t len);

/**
 * text_parse_field() - read one field of a line
 * @record: updated
 * @key: number, requester, completer, type, address, or a key of a line
 * @value: as in a line; need not end in a 0
 * @len: its bytes
 *
 * Return: 1, 0 for a key that is not known, -EBADMSG for a value that the key cannot have.
 */
int text_parse_field(struct record *record, const char *key, const char *value, size_t len);

/**
 * text_format() - write a line
 * @record: the record
 * @line: receives the line with its newline and no 0; TEXT_LINE_MAX bytes are always enough
 *
 * Return: bytes written.
 */
size_t text_format(const struct record *record, char *line);

#endif
