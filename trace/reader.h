/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace, text, pcapng or CSV, read record by record from a file or a pipe of any length. */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include <stdbool.h>

#include "record.h"

struct reader;

/**
 * reader_open() - begin to read
 * @reader: out: released with reader_close()
 * @path: a file, or "-" for standard input; the format is found out by its first bytes
 * @follow: at the end wait for more, as for a file that is being written
 *
 * Return: 0 or -errno. An empty file is a trace without records.
 */
int reader_open(struct reader **reader, const char *path, bool follow);

/**
 * reader_next() - the next TLP
 * @reader: the trace
 * @record: out; what it points to is valid until the next call
 *
 * Return: 1 for a record, 0 at the end, -errno. After an error reader_why() says what is wrong
 * and where; records before it were whole.
 */
int reader_next(struct reader *reader, struct record *record);

/* What stopped the reader, without the name of the file. */
const char *reader_why(const struct reader *reader);

/* Whether the file ends in the middle of a record; known at the end. */
bool reader_cut(const struct reader *reader);

/* TLPs that are missing, by their numbers; so far. */
uint64_t reader_lost(const struct reader *reader);

/* Whether the file is pcapng. */
bool reader_is_pcapng(const struct reader *reader);

/* Ends a reader that waits for more, from a signal handler. */
void reader_stop(struct reader *reader);

/* NULL does nothing. */
void reader_close(struct reader *reader);

#endif
