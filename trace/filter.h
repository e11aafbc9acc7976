/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which TLPs of a trace are wanted. */
#ifndef TRACE_FILTER_H
#define TRACE_FILTER_H

#include <stdbool.h>

#include "phases.h"
#include "record.h"

#define FILTER_RANGES_MAX	64

struct filter_range {
	uint64_t address;
	uint64_t length;
};

/**
 * struct filter - all that is set has to hold
 * @has_tag: the steering tag is @st, in the namespace that @extended says
 * @hint: 0 any, 1 with a hint, -1 without one
 * @name_space: 0 any, 8 or 16
 * @ph: -1 any
 * @requester: only with @has_requester, and so on
 * @range: first bytes and lengths of @ranges ranges, one of which is enough; any address without
 * @since: first and last nanosecond, from the first TLP of the trace
 * @fault: 0 any, 1 with an injected fault, -1 without one, 2 with @injected
 * @at: where it ended or lost its hint, NULL for any place
 * @phase: name, NULL for any
 */
struct filter {
	bool has_tag, has_requester, has_completer, has_type, has_result;
	bool extended;
	uint16_t st;
	int hint;
	int name_space;
	int ph;
	int requester;
	int completer;
	enum record_type type;
	enum record_result result;
	unsigned int ranges;
	struct filter_range range[FILTER_RANGES_MAX];
	int fault;
	enum record_injection injected;
	const char *at;
	uint64_t since;
	uint64_t until;
	const char *phase;
};

#define FILTER_ALL	{ .ph = -1, .until = UINT64_MAX }

/* Options of the command line that fill a filter; for getopt_long(). */
#define FILTER_OPTIONS \
	{ "tag", required_argument, NULL, 'T' }, \
	{ "hint", required_argument, NULL, 'H' }, \
	{ "ph", required_argument, NULL, 'P' }, \
	{ "namespace", required_argument, NULL, 'N' }, \
	{ "requester", required_argument, NULL, 'R' }, \
	{ "completer", required_argument, NULL, 'C' }, \
	{ "type", required_argument, NULL, 'Y' }, \
	{ "result", required_argument, NULL, 'S' }, \
	{ "at", required_argument, NULL, 'L' }, \
	{ "inject", required_argument, NULL, 'J' }, \
	{ "address", required_argument, NULL, 'A' }, \
	{ "time", required_argument, NULL, 'I' }, \
	{ "phase", required_argument, NULL, 'F' }

#define FILTER_HELP \
	"  --tag TAG          st=0x12 or st-ext=0x4305\n" \
	"  --hint yes|no      requests with or without a hint\n" \
	"  --ph N             Processing Hint, 0 to 3\n" \
	"  --namespace 8|16   8-bit ST or Extended (16-bit) ST\n" \
	"  --requester BDF    00:11.0, or rc for the root complex\n" \
	"  --completer BDF    00:10.0, rc, or - where nothing claimed the address\n" \
	"  --type TYPE        MRd, MWr, FAdd, Swap, CAS, Cpl, CplD, Msg or MSI-X\n" \
	"  --result RESULT    ok, ur, malformed, rejected, fault, abort, blocked,\n" \
	"                     hint-dropped, dropped or poisoned\n" \
	"  --at PLACE         ended or lost its hint at this port, or rc\n" \
	"  --inject FAULT     met this fault, such as drop; yes or no: with or without one\n" \
	"  --address A[:LEN]  touches this range, such as 0xf8100000:64K; repeated for a\n" \
	"                     dma-buf with several ranges\n" \
	"  --time FROM:TO     nanoseconds since the first TLP\n" \
	"  --phase NAME       between the marks of this phase\n"

/**
 * filter_option() - take one option
 * @filter: updated
 * @c: what getopt_long() returned
 * @value: its argument, kept
 *
 * Return: 1 when it was one of FILTER_OPTIONS, 0 when not, -EINVAL for a value that cannot be.
 */
int filter_option(struct filter *filter, int c, const char *value);

/* @phase is the name of the record's phase, NULL outside; @start the time of the first TLP. */
bool filter_match(const struct filter *filter, const struct record *record, const char *phase,
		  uint64_t start);

#endif
