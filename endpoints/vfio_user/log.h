/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line an event on standard error, headed by the device's name. Each device has a budget of
 * lines, so that a hostile client can neither fill a disk nor hide what other devices say; the
 * number of lines left out is told with the next one.
 */
#ifndef TPHBUF_VFIO_USER_LOG_H
#define TPHBUF_VFIO_USER_LOG_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define VFIO_USER_LOG_BURST	32	/* lines at once */
#define VFIO_USER_LOG_PER_SECOND 4	/* lines after that */

/**
 * struct vfio_user_log - the lines of one device
 * @name: heads each line; not owned
 * @lock: guards the members below
 * @budget: lines that may be written now
 * @dropped: lines left out since the last one written
 * @refilled: when @budget last grew, in seconds of the monotonic clock
 */
struct vfio_user_log {
	const char *name;
	pthread_mutex_t lock;
	unsigned int budget;
	uint64_t dropped;
	time_t refilled;
};

void vfio_user_log_init(struct vfio_user_log *log, const char *name);
void vfio_user_log_destroy(struct vfio_user_log *log);

/* Writes one line; @fmt has no newline. Any thread. */
__attribute__((format(printf, 2, 3)))
void vfio_user_log(struct vfio_user_log *log, const char *fmt, ...);

#endif
