/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of TLPs in files; docs/reference/trace-format.md describes them. Knows no device and no
 * socket.
 *
 * Records go into a ring and are written by a thread of the trace's own, so that nobody waits for
 * a disk while TLPs are routed.
 */
#ifndef TPHBUF_TRACE_H
#define TPHBUF_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "completion.h"
#include "injection.h"
#include "tlp.h"

/*
 * Ids of a party beside the BDF of a function; 00:00.0 is the host bridge, which no function of a
 * fabric can be.
 */
#define TRACE_RC	0
#define TRACE_NOBODY	(-1)

#define TRACE_PAYLOAD	64 /* bytes of each payload that pcapng keeps unless told otherwise */

struct trace;

/**
 * struct tlp_outcome - what became of a TLP, and where
 * @completer: a BDF, TRACE_RC or TRACE_NOBODY
 * @result: what became of it
 * @at: name of the port, or "rc", where it ended before its completer or lost its hint: fewer than
 *	RECORD_PLACE_MAX bytes, copied; NULL: neither
 * @injected: fault that it met
 */
struct tlp_outcome {
	int completer;
	enum tlp_result result;
	const char *at;
	enum injection_action injected;
};

/**
 * struct trace_options - where a trace goes
 * @text: file of the text form, taken over, -1 for none
 * @pcapng: file of the pcapng form, taken over, -1 for none
 * @payload: bytes of each payload to keep in pcapng
 * @limit: bytes that each file may have; TLPs beyond count as lost. 0: no limit
 * @completions: completions and interrupts are recorded too, not requests alone
 * @count: keep the counts that trace_print_counts() prints
 */
struct trace_options {
	int text;
	int pcapng;
	uint32_t payload;
	uint64_t limit;
	bool completions;
	bool count;
};

/**
 * struct trace_end - how a trace ended
 * @error: the first -errno of writing or closing a file, 0 without one: what came after it is
 *	missing
 * @lost: TLPs that are in no file, for want of room in the ring, behind the limit or an error
 */
struct trace_end {
	int error;
	uint64_t lost;
};

/**
 * trace_create() - start a record
 * @options: the files are taken over, also when the call fails
 *
 * Return: the trace, or NULL with errno set.
 */
struct trace *trace_create(const struct trace_options *options);

/**
 * trace_destroy() - write what is left, close the files, free
 * @trace: NULL does nothing
 *
 * Return: how it ended.
 */
struct trace_end trace_destroy(struct trace *trace);

/**
 * trace_record() - add one TLP
 * @trace: NULL does nothing
 * @tlp: the request; its requester is TRACE_RC or a BDF
 * @outcome: what became of it
 * @value: NULL, or the payload to show as a little-endian number: tlp_enabled_bytes() of them, at
 *	most 8
 *
 * Calls must not overlap: the fabric's lock is held. Never waits: where the ring has no room, the
 * TLP is lost and counted, and its number stays out of the files.
 */
void trace_record(struct trace *trace, const struct tlp *tlp, const struct tlp_outcome *outcome,
		  const uint8_t *value);

/* Whether completions and interrupts are recorded. */
bool trace_shows_completions(const struct trace *trace);

/**
 * trace_record_completion() - add a completion
 * @trace: one that does not show completions does nothing
 * @completion: what came back
 * @result: TLP_OK, TLP_POISONED
 *
 * As trace_record(), but a mark waits for the next request.
 */
void trace_record_completion(struct trace *trace, const struct tlp_completion *completion,
			     enum tlp_result result);

/* The same of an MSI-X interrupt: the memory write that signals it, and its vector. */
void trace_record_interrupt(struct trace *trace, const struct tlp *tlp, unsigned int vector);

/**
 * trace_mark() - give the next request a mark
 * @trace: NULL does nothing
 * @text: what the trace is divided with there; copied, cut to what a record holds
 *
 * Locked like trace_record().
 */
void trace_mark(struct trace *trace, const char *text);

/* Returns when everything recorded so far is in the files; not for a thread that others wait for.
 */
void trace_flush(struct trace *trace);

/**
 * trace_print_counts() - print numbers of TLPs by requester, completer, type, tag and result
 * @trace: made with @count
 * @out: where to
 *
 * All that was recorded before the call is counted. Waits for the thread of the trace: not for a
 * thread that others wait for.
 *
 * Return: 0 or -ENOMEM.
 */
int trace_print_counts(struct trace *trace, FILE *out);

#endif
