/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace as comma-separated values (RFC 4180), for spreadsheets and for the exports of protocol
 * analyzers: the first line names the columns (docs/reference/trace-format.md).
 */
#ifndef TRACE_CSV_H
#define TRACE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dwords.h"
#include "record.h"

#define CSV_COLUMNS_MAX	64
#define CSV_NAME_MAX	16	/* bytes of a name that is known, the 0 included */
/* Bytes of a line: what csv_format() writes, and what csv_line() accepts. */
#define CSV_LINE_MAX	(DWORDS_TEXT_MAX + 3 * RECORD_MARK_MAX + 512)

/**
 * struct csv_state - what a reader keeps from line to line
 * @columns: how many the first line names, 0 before
 * @column: name of each, "" for a column that is skipped
 * @rows: lines with a TLP so far
 * @field: the fields of the line at hand, with their quotes removed
 * @bytes: of the TLP at hand
 * @why: what is wrong with the line, after an error
 */
struct csv_state {
	unsigned int columns;
	char column[CSV_COLUMNS_MAX][CSV_NAME_MAX];
	uint64_t rows;
	char field[CSV_LINE_MAX];
	uint8_t bytes[DWORDS_BYTES_MAX];
	char why[96];
};

/* Whether a file that begins like this can be CSV: a line of the text form begins with a digit. */
bool csv_is_header(const char *text, size_t len);

/**
 * csv_line() - read a line
 * @csv: the state, of zeros before the first line
 * @line: without its newline
 * @len: its bytes
 * @record: out
 *
 * Return: 1 for a record, which is valid until the next call; 0 for the first line and for an
 * empty one; -EBADMSG, with @csv->why.
 */
int csv_line(struct csv_state *csv, const char *line, size_t len, struct record *record);

/* Writes the first line, with its newline and no 0; at most CSV_LINE_MAX bytes. */
size_t csv_format_header(char *line);

/* Writes the line of a record in the same way. */
size_t csv_format(const struct record *record, char *line);

#endif
