// SPDX-License-Identifier: GPL-2.0-or-later
/* Dividing a trace into phases by its marks. */
#include <stdio.h>
#include <string.h>

#include "phases.h"

void phases_init(struct phases *phases)
{
	phases->count = 0;
	phases->current = PHASE_OUTSIDE;
}

int phases_find(const struct phases *phases, const char *name)
{
	unsigned int i;

	for (i = 0; i < phases->count; i++)
		if (!strcmp(phases->phase[i].name, name))
			return i;
	return PHASE_OUTSIDE;
}

/* "st=0x12,ph=2", "st-ext=0x4305,ph=2", "none" or "nothing" */
static void parse_expect(struct phase *phase, const char *text)
{
	unsigned int st, ph;

	if (!strcmp(text, "none")) {
		phase->expect = EXPECT_NO_HINT;
	} else if (!strcmp(text, "nothing")) {
		phase->expect = EXPECT_NOTHING;
	} else if (sscanf(text, "st=%x,ph=%u", &st, &ph) == 2 && st <= 0xff && ph <= 3) {
		*phase = (struct phase){ .from = phase->from, .to = phase->to,
					 .expect = EXPECT_TAG, .st = st, .ph = ph };
	} else if (sscanf(text, "st-ext=%x,ph=%u", &st, &ph) == 2 && st <= 0xffff && ph <= 3) {
		*phase = (struct phase){ .from = phase->from, .to = phase->to,
					 .expect = EXPECT_TAG, .extended = true, .st = st,
					 .ph = ph };
	}
}

static void parse_word(struct phase *phase, const char *word)
{
	int party;

	if (!strncmp(word, "from=", 5) && !party_parse(word + 5, strlen(word + 5), &party))
		phase->from = party;
	else if (!strncmp(word, "to=", 3) && !party_parse(word + 3, strlen(word + 3), &party))
		phase->to = party;
	else if (!strncmp(word, "expect=", 7))
		parse_expect(phase, word + 7);
}

static void begin(struct phases *phases, const char *text)
{
	struct phase phase = { .from = PARTY_NONE, .to = PARTY_NONE };
	char copy[RECORD_MARK_MAX], *save, *name, *word;

	phases->current = PHASE_OUTSIDE;
	snprintf(copy, sizeof(copy), "%s", text);
	name = strtok_r(copy, " ", &save);
	if (!name || phases->count == PHASES_MAX)
		return;
	while ((word = strtok_r(NULL, " ", &save)))
		parse_word(&phase, word);
	snprintf(phase.name, sizeof(phase.name), "%s", name);
	phases->current = phases->count;
	phases->phase[phases->count++] = phase;
}

int phases_step(struct phases *phases, const struct record *record)
{
	if (!record->mark[0])
		return phases->current;
	if (!strncmp(record->mark, "phase ", 6))
		begin(phases, record->mark + 6);
	else if (!strcmp(record->mark, "end"))
		phases->current = PHASE_OUTSIDE;
	else
		return phases->current;
	return PHASE_OUTSIDE;
}

bool phase_counts(const struct phase *phase, const struct record *record)
{
	return record->type == RECORD_MWR &&
	       (phase->from == PARTY_NONE || record->requester == phase->from) &&
	       (phase->to == PARTY_NONE || record->completer == phase->to);
}
