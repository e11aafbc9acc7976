/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket that serve listens on: one of its own, or one that systemd has opened. */
#ifndef CLI_LISTENER_H
#define CLI_LISTENER_H

/* The socket where no option names one, for get as well. */
#define SOCKET_VARIABLE		"TPHBUF_SOCKET"

struct listener {
	int fd;
	const char *path;	/* to be deleted with it; NULL for one of systemd */
};

/*
 * @path: NULL for the socket of systemd. EXIT_OK, or another exit code after a line
 * that says why.
 */
int listener_open(struct listener *listener, const char *path);

/* Whether there is a socket of systemd. */
int listener_is_given(void);

void listener_close(struct listener *listener);

#endif
