// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

#define LINE_MAX_BYTES	512

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void vfio_user_log_init(struct vfio_user_log *log, const char *name)
{
	log->name = name;
	log->budget = VFIO_USER_LOG_BURST;
	log->dropped = 0;
	log->refilled = now_seconds();
	pthread_mutex_init(&log->lock, NULL);
}

static void tell_dropped(struct vfio_user_log *log)
{
	if (log->dropped)
		fprintf(stderr, "%s: %" PRIu64 " lines left out\n", log->name, log->dropped);
	log->dropped = 0;
}

void vfio_user_log_destroy(struct vfio_user_log *log)
{
	tell_dropped(log);
	pthread_mutex_destroy(&log->lock);
}

static void refill(struct vfio_user_log *log)
{
	time_t now = now_seconds();
	uint64_t lines = (uint64_t)(now - log->refilled) * VFIO_USER_LOG_PER_SECOND;

	log->refilled = now;
	lines += log->budget;
	log->budget = lines > VFIO_USER_LOG_BURST ? VFIO_USER_LOG_BURST : (unsigned int)lines;
}

void vfio_user_log(struct vfio_user_log *log, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	pthread_mutex_lock(&log->lock);
	refill(log);
	if (!log->budget) {
		log->dropped++;
	} else {
		log->budget--;
		tell_dropped(log);
		fprintf(stderr, "%s: %s\n", log->name, line);
	}
	pthread_mutex_unlock(&log->lock);
}
