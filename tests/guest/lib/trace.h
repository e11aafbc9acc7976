/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text trace of the fabric (docs/reference/trace-format.md), which the host writes
 * and the guest reads.
 */
#ifndef TPHBUF_TESTS_TRACE_H
#define TPHBUF_TESTS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct trace_sum - memory writes of one requester between two marks
 * @matching: with the hint that was asked for
 * @tagged: with any hint
 * @refused: with another result than ok
 * @to_completer: of all, those that were routed to the completer asked for
 */
struct trace_sum {
	uint64_t writes;
	uint64_t bytes;
	uint64_t matching;
	uint64_t matching_bytes;
	uint64_t tagged;
	uint64_t refused;
	uint64_t to_completer;
	uint64_t to_completer_bytes;
};

/**
 * struct trace_query - what to look for
 * @requester: BDF, with or without domain
 * @completer: BDF
 * @begin: MARK value that begins the span
 * @end: MARK value that ends it
 * @st: ST as the trace writes it, 8-bit ("0x12") or Extended ("0x4305"), or NULL for
 *	writes without hint
 * @ph: Processing Hint, with @st
 */
struct trace_query {
	const char *requester;
	const char *completer;
	uint32_t begin;
	uint32_t end;
	const char *st;
	unsigned int ph;
};

/**
 * struct trace_write - one memory write of a device
 * @requester: BDF without domain
 * @completer: BDF without domain, or "rc"
 * @tagged: it has a hint: the next three hold
 * @extended: 16-bit tag
 * @refused: with another result than ok
 */
struct trace_write {
	char requester[16];
	char completer[16];
	uint64_t address;
	bool tagged;
	bool extended;
	uint16_t st;
	unsigned int ph;
	bool refused;
};

typedef void trace_visit(const struct trace_write *write, void *arg);

/* Size of the trace now: what is to come is behind it. 0 when there is none. */
long trace_end(void);

/*
 * Reads the trace from @*offset on and moves @*offset behind the end mark. 0,
 * -ENOENT when there is no trace, -ENODATA when it lacks one of the marks, also
 * after some waiting.
 */
int trace_sum(const struct trace_query *query, long *offset, struct trace_sum *sum);

/*
 * Calls @visit for each write of a device between two MARK values, with the
 * same result.
 */
int trace_walk(uint32_t begin, uint32_t end, long *offset, trace_visit *visit, void *arg);

#endif
