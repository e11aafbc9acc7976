// SPDX-License-Identifier: GPL-2.0-or-later
/* A summary as a table for people. */
#include <inttypes.h>
#include <stdlib.h>

#include "summary.h"

static void tag_format(const struct summary_row *row, char *text, size_t size)
{
	if (!record_is_request(row->type))
		snprintf(text, size, "-");
	else if (!row->hint)
		snprintf(text, size, "no hint");
	else
		snprintf(text, size, row->extended ? "st-ext=0x%04x ph=%u" : "st=0x%02x ph=%u",
			 row->st, row->ph);
}

const char *summary_phase_name(const struct summary *summary, int phase)
{
	return phase == PHASE_OUTSIDE ? "-" : summary->phases.phase[phase].name;
}

static int by_order(const void *a, const void *b)
{
	const struct summary_row *x = a, *y = b;

	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	return x->tlps > y->tlps ? -1 : x->tlps < y->tlps;
}

void summary_sort(struct summary *summary)
{
	qsort(summary->row, summary->rows, sizeof(summary->row[0]), by_order);
	summary->last = NULL;
}

void summary_print(const struct summary *summary, FILE *out)
{
	unsigned int i;

	fprintf(out, "%-12s %-8s %-8s %-8s %-20s %-12s %12s %16s\n", "phase", "from", "to", "type",
		"tag", "result", "TLPs", "bytes");
	for (i = 0; i < summary->rows; i++) {
		const struct summary_row *row = &summary->row[i];
		char from[8], to[8], tag[32];

		party_format(row->requester, from);
		party_format(row->completer, to);
		tag_format(row, tag, sizeof(tag));
		fprintf(out,
			"%-12s %-8s %-8s %-8s %-20s %-12s %12" PRIu64 " %16" PRIu64 "\n",
			summary_phase_name(summary, row->phase), from, to,
			record_type_name(row->type), tag,
			record_result_name(row->result), row->tlps, row->bytes);
	}
	fprintf(out, "%" PRIu64 " TLPs, %" PRIu64 " bytes\n", summary->tlps, summary->bytes);
	if (summary->other)
		fprintf(out, "%" PRIu64 " of them are in no row: there are more kinds than rows\n",
			summary->other);
}
