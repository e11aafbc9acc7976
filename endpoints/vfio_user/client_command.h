/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client asks for: each command is checked, carried out and answered.
 */
#ifndef TPHBUF_VFIO_USER_CLIENT_COMMAND_H
#define TPHBUF_VFIO_USER_CLIENT_COMMAND_H

struct vfio_user_connection;

/* Carries out the command that the stream holds, and replies. Server's thread. */
void vfio_user_command_handle(struct vfio_user_connection *connection);

#endif
