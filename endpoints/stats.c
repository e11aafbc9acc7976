// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts of TLPs on SIGUSR1, by a thread of its own: clients do not wait for standard error.
 */
#include <signal.h>
#include <stdio.h>

#include "pcie/trace.h"
#include "stats.h"

static void signal_set(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGUSR1);
}

void stats_block_signal(void)
{
	sigset_t signals;

	signal_set(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static void *stats_main(void *arg)
{
	const struct stats *stats = arg;
	sigset_t signals;
	int signal;

	signal_set(&signals);
	while (!sigwait(&signals, &signal)) {
		int state;

		/* The trace's locks must not be left behind. */
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		if (trace_print_counts(stats->trace, stderr))
			fputs("tphbuf-endpoints: no memory for the counts\n", stderr);
		fflush(stderr);
		pthread_setcancelstate(state, NULL);
	}
	return NULL;
}

int stats_start(struct stats *stats, struct trace *trace)
{
	int ret;

	stats->trace = trace;
	ret = -pthread_create(&stats->thread, NULL, stats_main, stats);
	if (ret)
		stats->trace = NULL;
	return ret;
}

void stats_stop(struct stats *stats)
{
	if (!stats->trace)
		return;
	pthread_cancel(stats->thread);
	pthread_join(stats->thread, NULL);
	stats->trace = NULL;
}
