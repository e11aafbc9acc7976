/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trace holds in numbers: by tag, by parties, by phase, and over its length. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include <stdio.h>

#include "phases.h"
#include "record.h"

#define SUMMARY_ROWS_MAX \
	4096 /* rows of (phase, requester, completer, type, tag); more count as other */

/**
 * struct summary_row - TLPs that agree in all of this
 * @phase: index, or PHASE_OUTSIDE
 * @counts: they are what the mark of the phase names as its own
 */
struct summary_row {
	int phase;
	int requester;
	int completer;
	enum record_type type;
	enum record_result result;
	bool hint;
	bool extended;
	bool counts;
	uint8_t ph;
	uint16_t st;
	uint64_t tlps;
	uint64_t bytes;
};

struct summary {
	struct phases phases;
	uint64_t tlps;
	uint64_t bytes;
	uint64_t other;		/* TLPs that had no room in the rows */
	unsigned int rows;
	struct summary_row *last;
	struct summary_row row[SUMMARY_ROWS_MAX];
	uint16_t bucket[2 * SUMMARY_ROWS_MAX];	/* hash table: index + 1 of a row */
};

void summary_init(struct summary *summary);

/* Take a record of the trace, in order; returns its phase. @skip keeps it out of the phase's own.
 */
int summary_add(struct summary *summary, const struct record *record, bool skip);

/* "-" for PHASE_OUTSIDE. */
const char *summary_phase_name(const struct summary *summary, int phase);

/* Puts the rows in order: phase, then number of TLPs. For a summary that gets no more records. */
void summary_sort(struct summary *summary);

/* A table of the rows, and the totals. */
void summary_print(const struct summary *summary, FILE *out);

/**
 * struct verdict - of one phase, over the TLPs that its mark names
 * @tlps: how many there were
 * @bytes: their payload
 * @tagged: carried a hint
 * @right: were as the mark expects, hint and result
 * @ok: all were, and there were some where some were expected; false also when the mark expects
 *	nothing in particular and a TLP failed
 */
struct verdict {
	uint64_t tlps;
	uint64_t bytes;
	uint64_t tagged;
	uint64_t right;
	bool ok;
};

void summary_verdict(const struct summary *summary, int phase, struct verdict *verdict);

#endif
