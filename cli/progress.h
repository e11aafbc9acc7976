/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on a terminal that tells how far a transfer is. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct progress - a line of progress
 * @what: name of the verb
 * @total: bytes to move, 0 when that is not known
 * @start: when it began, in microseconds
 * @shown: there is a line on the terminal
 */
struct progress {
	const char *what;
	uint64_t total;
	uint64_t start;
	bool shown;
};

/* Microseconds of a clock that does not jump. */
uint64_t microseconds_now(void);

void progress_start(struct progress *progress, const char *what, uint64_t total);

/* Shows it on standard error, if that is a terminal and it has taken a second. */
void progress_show(struct progress *progress, uint64_t done);

/* Takes the line away; returns the microseconds that it took. */
uint64_t progress_end(struct progress *progress);

#endif
