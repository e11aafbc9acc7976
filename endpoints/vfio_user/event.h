/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals a client's event descriptor without ever waiting for the client.
 *
 * write() to an eventfd blocks while its counter is full, and whether it does is decided by a flag
 * of the open file, which its other owners can change at any time. The kernel's own way to signal
 * one, at the end of an asynchronous read, never blocks.
 */
#ifndef TPHBUF_VFIO_USER_EVENT_H
#define TPHBUF_VFIO_USER_EVENT_H

/* Prepares the process once. Return: 0, or what io_setup() or open() said. */
int vfio_user_event_init(void);

/*
 * Adds 1 to the counter of an eventfd; one that is full stays as it is. Any thread, after
 * vfio_user_event_init().
 */
void vfio_user_event_signal(int fd);

#endif
