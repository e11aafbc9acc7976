/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults by rule: which requests meet one, and what it does to them. A fault acts on the link of
 * the requester, before the first port; an unsupported request and a malformed one are what the
 * completer makes of a request that reaches it.
 */
#ifndef TPHBUF_PCIE_INJECTION_H
#define TPHBUF_PCIE_INJECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "tlp.h"

/* The numbers are those of the trace. */
enum injection_action {
	INJECT_NONE,
	INJECT_UNSUPPORTED,
	INJECT_MALFORMED,
	INJECT_DROP,
	INJECT_DELAY,
	INJECT_POISON,
	INJECT_STRIP_PREFIX,
	INJECT_CLEAR_TH,
	INJECT_CORRUPT_TAG,
	INJECT_SPOOF,
	INJECT_ACTIONS
};

#define INJECTION_ANY	(-1)

/**
 * struct injection_rule - a fault, and the requests that it is for
 * @action: what happens to them
 * @requester: BDF, INJECTION_ANY
 * @completer: BDF, 0 for the root complex, INJECTION_ANY
 * @type: enum tlp_type, INJECTION_ANY
 * @has_tag: only requests with the steering tag of @hint
 * @hint: steering tag, and its size
 * @first: address of the first byte of a range that the request touches
 * @last: address of the last byte
 * @from: number of the first of these requests that meets the fault, counted from 1
 * @to: number of the last
 * @delay_us: microseconds, of INJECT_DELAY
 * @flip: bits of the steering tag, of INJECT_CORRUPT_TAG
 * @as: requester ID that takes the place of its own, of INJECT_SPOOF
 * @seen: requests that this rule was for
 */
struct injection_rule {
	enum injection_action action;
	int requester;
	int completer;
	int type;
	bool has_tag;
	struct tlp_hint hint;
	uint64_t first;
	uint64_t last;
	uint64_t from;
	uint64_t to;
	unsigned int delay_us;
	uint16_t flip;
	uint16_t as;
	uint64_t seen;
};

/**
 * struct injection - all rules, in order
 * @rules: owned by whoever made them
 * @count: of @rules
 */
struct injection {
	struct injection_rule *rules;
	unsigned int count;
};

/**
 * injection_find() - the rule that a request meets
 * @injection: the rules; each that the request is for counts it
 * @tlp: the request
 * @completer: BDF that it is for, 0 for the root complex
 *
 * Return: the first rule whose turn it is, NULL without one.
 */
const struct injection_rule *injection_find(struct injection *injection, const struct tlp *tlp,
					    int completer);

/* What a rule changes in the request that goes on. */
void injection_change(const struct injection_rule *rule, struct tlp *tlp);

#endif
