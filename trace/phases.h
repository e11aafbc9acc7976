/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phases of a run, as its marks tell: "phase NAME [from=BDF] [to=BDF] [expect=TAG]" begins one,
 * "end" ends it (docs/reference/trace-format.md).
 */
#ifndef TRACE_PHASES_H
#define TRACE_PHASES_H

#include "record.h"

#define PHASES_MAX	64
#define PHASE_NAME_MAX	32
#define PHASE_OUTSIDE	(-1)

/**
 * enum phase_expect - what a phase is to show
 * @EXPECT_UNSAID: the mark does not say
 * @EXPECT_NOTHING: no TLP at all
 * @EXPECT_NO_HINT: TLPs without hints
 * @EXPECT_TAG: TLPs that all carry this steering tag and hint
 */
enum phase_expect {
	EXPECT_UNSAID,
	EXPECT_NOTHING,
	EXPECT_NO_HINT,
	EXPECT_TAG,
};

struct phase {
	char name[PHASE_NAME_MAX];
	int from;		/* requester whose writes count, PARTY_NONE for all */
	int to;			/* completer, PARTY_NONE for all */
	enum phase_expect expect;
	bool extended;
	uint8_t ph;
	uint16_t st;
};

struct phases {
	unsigned int count;
	int current;		/* index of the phase that the last record belongs to */
	struct phase phase[PHASES_MAX];
};

void phases_init(struct phases *phases);

/*
 * Take a record; returns the index of its phase, PHASE_OUTSIDE between phases. The TLP that
 * carries the mark belongs to none. A phase beyond PHASES_MAX counts as outside.
 */
int phases_step(struct phases *phases, const struct record *record);

/* Whether the mark of a phase names this TLP as one of its own. */
bool phase_counts(const struct phase *phase, const struct record *record);

/* Index of the phase of this name, PHASE_OUTSIDE when there is none (yet). */
int phases_find(const struct phases *phases, const char *name);

#endif
