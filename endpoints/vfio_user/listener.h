/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listening UNIX socket in the file system.
 */
#ifndef TPHBUF_VFIO_USER_LISTENER_H
#define TPHBUF_VFIO_USER_LISTENER_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

/**
 * struct vfio_user_listener - a listening socket
 * @fd: the socket, non-blocking, close-on-exec
 * @address: where it is
 * @identity: of the socket file, so that only this one is removed at the end
 */
struct vfio_user_listener {
	int fd;
	struct sockaddr_un address;
	struct stat identity;
};

/**
 * vfio_user_listener_open() - listen at a path
 * @listener: to fill in
 * @path: of the socket; only its owner may connect. A socket that nobody listens on is replaced,
 *	anything else is not.
 * @error: receives one line when the call fails
 * @error_size: of @error
 *
 * Return: 0, -EADDRINUSE when another server listens there, -EEXIST for a file that is no socket,
 * -ENAMETOOLONG, or what the system said.
 */
int vfio_user_listener_open(struct vfio_user_listener *listener, const char *path, char *error,
			    size_t error_size);

/* Stops listening and removes the socket, unless somebody else has put another one there. */
void vfio_user_listener_close(struct vfio_user_listener *listener);

#endif
