/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of TLPs on SIGUSR1. */
#ifndef TPHBUF_STATS_H
#define TPHBUF_STATS_H

#include <pthread.h>

struct trace;

/**
 * struct stats - the thread that waits for the signal
 * @trace: made with counts, NULL while there is no thread
 * @thread: the thread
 */
struct stats {
	struct trace *trace;
	pthread_t thread;
};

/* Blocks SIGUSR1 in the calling thread and in those that it makes. */
void stats_block_signal(void);

/**
 * stats_start() - print the counts of a trace to standard error whenever SIGUSR1 comes
 * @stats: its state
 * @trace: has counts; must exist until stats_stop()
 *
 * SIGUSR1 has to be blocked in all threads of the process.
 *
 * Return: 0 or -errno.
 */
int stats_start(struct stats *stats, struct trace *trace);

/* Ends the thread, if there is one. */
void stats_stop(struct stats *stats);

#endif
