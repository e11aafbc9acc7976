/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closes what a client has sent or is at the other end of, on a thread of its own.
 *
 * The last close of a file can take as long as its owner likes: a TCP socket lingers, a file system
 * in a process is asked. Each device has a closer of its own, so that a client holds up its own
 * device only.
 */
#ifndef TPHBUF_VFIO_USER_CLOSER_H
#define TPHBUF_VFIO_USER_CLOSER_H

#include <pthread.h>
#include <stdbool.h>

/* Descriptors that may wait before the device takes no more of its clients. */
#define VFIO_USER_CLOSING_MAX	512u

struct vfio_user_closer;

/* Return: a closer, whose thread starts when it is needed, or NULL without memory. */
struct vfio_user_closer *vfio_user_closer_create(void);

/*
 * Waits a moment for what is left. A close that takes longer is abandoned to the end of the
 * process. @closer may be NULL.
 */
void vfio_user_closer_destroy(struct vfio_user_closer *closer);

/* Closes @fd soon. Server's thread. */
void vfio_user_closer_close(struct vfio_user_closer *closer, int fd);

/* So many descriptors wait that the device must not take more. */
bool vfio_user_closer_is_full(struct vfio_user_closer *closer);

/*
 * Waits for the thread: @fd, an eventfd, gets an event once nothing is left to be closed. It stays
 * the caller's, and open as long as the closer.
 */
void vfio_user_closer_notify(struct vfio_user_closer *closer, int fd);

#endif
