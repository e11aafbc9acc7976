/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of the played system. */
#ifndef TPHBUF_TESTS_FAKE_SOCK_H
#define TPHBUF_TESTS_FAKE_SOCK_H

#include <stdint.h>
#include <sys/socket.h>

#include <tphbuf/server.h>

struct fake_sock {
	/* Dispatched whenever somebody waits; then nobody does for real. */
	struct tphbuf_server *server;
	int64_t now_ms;
	const struct ucred *peer;	/* NULL for the real one */
	int accept_error;		/* positive errno values, 0 for none */
	int send_file_error;
};

extern struct fake_sock fake_sock;

#endif
