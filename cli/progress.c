// SPDX-License-Identifier: GPL-2.0-or-later
/* One line on a terminal that says how far a transfer is. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define MIB	(1024.0 * 1024.0)

uint64_t microseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress) {
		.what = what,
		.total = total,
		.start = microseconds_now(),
	};
}

void progress_show(struct progress *progress, uint64_t done)
{
	uint64_t elapsed = microseconds_now() - progress->start;

	if (elapsed < 1000000 || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[Ktphbuf %s: %.1f", progress->what, done / MIB);
	if (progress->total)
		fprintf(stderr, " of %.1f MiB, %.0f %%", progress->total / MIB,
			100.0 * done / progress->total);
	else
		fputs(" MiB", stderr);
	fprintf(stderr, ", %.1f MiB/s", done / MIB / (elapsed / 1e6));
	fflush(stderr);
	progress->shown = true;
}

uint64_t progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
	return microseconds_now() - progress->start;
}
