/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio-user server: one socket a device, one client a socket, one thread for all of them.
 *
 * A second client of a device is turned away while the first is there, and so is a client of
 * another process than the one that has devices already: its connection is closed at once.
 */
#ifndef TPHBUF_VFIO_USER_SERVER_H
#define TPHBUF_VFIO_USER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device_ops.h"

struct vfio_user_server;

/**
 * struct vfio_user_server_options - how a server behaves
 * @any_process: clients of several processes may be connected at a time
 * @polling: never sleep
 * @spin_ns: how long to look for the next event before sleeping, in nanoseconds
 */
struct vfio_user_server_options {
	bool any_process;
	bool polling;
	uint64_t spin_ns;
};

/* Return: a server without devices, or NULL with errno set. */
struct vfio_user_server *
vfio_user_server_create(const struct vfio_user_server_options *options);

/* Disconnects the clients, closes and removes the sockets. @server may be NULL. */
void vfio_user_server_destroy(struct vfio_user_server *server);

/**
 * vfio_user_server_add() - offer a device
 * @server: not running
 * @path: of the socket; created here, removed by vfio_user_server_destroy()
 * @name: for messages; outlives the server
 * @ops: what the device does; outlives the server
 * @device: first argument of @ops
 * @error: receives one line when the call fails
 * @error_size: of @error
 *
 * Return: 0 or -errno, see vfio_user_listener_open().
 */
int vfio_user_server_add(struct vfio_user_server *server, const char *path, const char *name,
			 const struct vfio_user_device_ops *ops, void *device, char *error,
			 size_t error_size);

/**
 * vfio_user_server_run() - serve
 * @server: with all its devices
 * @stop_fd: becomes readable when it is time to return
 *
 * Return: 0, or -errno when waiting for events failed.
 */
int vfio_user_server_run(struct vfio_user_server *server, int stop_fd);

#endif
