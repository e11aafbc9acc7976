// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting a trace in one pass. */
#include <string.h>

#include "summary.h"

void summary_init(struct summary *summary)
{
	memset(summary, 0, sizeof(*summary));
	phases_init(&summary->phases);
}

static bool row_same(const struct summary_row *row, const struct summary_row *key)
{
	return row->phase == key->phase && row->requester == key->requester &&
	       row->completer == key->completer && row->type == key->type &&
	       row->result == key->result && row->hint == key->hint &&
	       row->extended == key->extended && row->counts == key->counts &&
	       row->ph == key->ph && row->st == key->st;
}

static unsigned int hash(const struct summary_row *key)
{
	uint64_t h = (uint64_t)(key->phase + 1) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (uint64_t)(unsigned int)key->requester << 32 ^ (unsigned int)key->completer) *
	    0xff51afd7ed558ccdull;
	h = (h ^ (uint64_t)key->st << 16 ^ key->ph << 8 ^ key->type << 4 ^ key->result ^
	     (key->hint ? 1u << 12 : 0) ^ (key->extended ? 1u << 13 : 0) ^
	     (key->counts ? 1u << 14 : 0)) * 0xc4ceb9fe1a85ec53ull;
	return h >> 51;	/* 13 bits: the size of the table */
}

static struct summary_row *summary_find(struct summary *summary, const struct summary_row *key)
{
	const unsigned int slots = sizeof(summary->bucket) / sizeof(summary->bucket[0]);
	unsigned int slot = hash(key) % slots;

	while (summary->bucket[slot]) {
		struct summary_row *row = &summary->row[summary->bucket[slot] - 1];

		if (row_same(row, key))
			return row;
		slot = (slot + 1) % slots;
	}
	if (summary->rows == SUMMARY_ROWS_MAX)
		return NULL;
	summary->row[summary->rows] = *key;
	summary->bucket[slot] = ++summary->rows;
	return &summary->row[summary->rows - 1];
}

int summary_add(struct summary *summary, const struct record *record, bool skip)
{
	struct summary_row key = {
		.phase = phases_step(&summary->phases, record),
		.requester = record->requester,
		.completer = record->completer,
		.type = record->type,
		.result = record->result,
		.hint = record->hint,
	};
	struct summary_row *row = summary->last;

	if (record->hint) {
		key.extended = record->extended;
		key.ph = record->ph;
		key.st = record->st;
	}
	if (key.phase != PHASE_OUTSIDE)
		key.counts = !skip && phase_counts(&summary->phases.phase[key.phase], record);
	summary->tlps++;
	summary->bytes += record->bytes;
	if (!row || !row_same(row, &key))
		row = summary_find(summary, &key);
	if (!row) {
		summary->other++;
		return key.phase;
	}
	summary->last = row;
	row->tlps++;
	row->bytes += record->bytes;
	return key.phase;
}

static bool as_expected(const struct phase *phase, const struct summary_row *row)
{
	switch (phase->expect) {
	case EXPECT_NOTHING:
		return false;
	case EXPECT_NO_HINT:
		if (row->hint)
			return false;
		break;
	case EXPECT_TAG:
		if (!row->hint || row->extended != phase->extended || row->ph != phase->ph ||
		    row->st != phase->st)
			return false;
		break;
	case EXPECT_UNSAID:
		break;
	}
	return row->result == RESULT_OK;
}

void summary_verdict(const struct summary *summary, int index, struct verdict *verdict)
{
	const struct phase *phase = &summary->phases.phase[index];
	unsigned int i;

	memset(verdict, 0, sizeof(*verdict));
	for (i = 0; i < summary->rows; i++) {
		const struct summary_row *row = &summary->row[i];

		if (row->phase != index || !row->counts)
			continue;
		verdict->tlps += row->tlps;
		verdict->bytes += row->bytes;
		if (row->hint)
			verdict->tagged += row->tlps;
		if (as_expected(phase, row))
			verdict->right += row->tlps;
	}
	verdict->ok = verdict->right == verdict->tlps &&
		      (phase->expect == EXPECT_UNSAID ||
		       (verdict->tlps != 0) == (phase->expect != EXPECT_NOTHING));
}
