/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts of TLPs by tag along a trace of unknown length, in a bounded number of bins: when they
 * are full, two become one.
 */
#ifndef TRACE_BINS_H
#define TRACE_BINS_H

#include <stdint.h>

#define BINS		2048
#define BINS_TAGS	32	/* index 0: no hint; the last one: all further tags */

struct bins {
	uint64_t width;		/* of a bin */
	unsigned int used;
	uint32_t count[BINS][BINS_TAGS];
};

void bins_init(struct bins *bins);

/* Count one TLP with tag index @tag at @position, which may come in any order. */
void bins_add(struct bins *bins, uint64_t position, unsigned int tag);

#endif
