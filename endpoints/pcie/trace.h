/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of TLPs as text; docs/trace-format.md describes it. Knows no device and no socket.
 *
 * Not locked: the fabric's lock guards it. Lines are buffered; trace_flush() hands whole lines on.
 */
#ifndef TPHBUF_TRACE_H
#define TPHBUF_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "tlp.h"

/*
 * Ids of a party beside the BDF of a function; 00:00.0 is the host bridge, which no function of a
 * fabric can be.
 */
#define TRACE_RC	0
#define TRACE_NOBODY	(-1)

struct trace;

/**
 * trace_create() - start a record
 * @fd: where the lines go; taken over, also when the call fails
 *
 * Return: the trace, or NULL without memory.
 */
struct trace *trace_create(int fd);

/**
 * trace_destroy() - flush, close the file, free
 * @trace: NULL does nothing
 *
 * Return: 0, or the first -errno that writing or closing the file gave: lines are missing then.
 */
int trace_destroy(struct trace *trace);

/**
 * trace_record() - add one TLP
 * @trace: NULL does nothing
 * @tlp: the request; its requester is TRACE_RC or a BDF
 * @completer: a BDF, TRACE_RC or TRACE_NOBODY
 * @result: what became of it
 * @value: NULL, or the payload to show as a little-endian number: tlp_enabled_bytes() of them, at
 *	most 8
 */
void trace_record(struct trace *trace, const struct tlp *tlp, int completer, enum tlp_result result,
		  const uint8_t *value);

/*
 * Hands every recorded line to the file; NULL does nothing. An error is kept for trace_destroy().
 */
void trace_flush(struct trace *trace);

#endif
