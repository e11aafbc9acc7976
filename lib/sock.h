/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What connection and server ask of the system, in a table of its own for the
 * same reason as that of sys.h.
 */
#ifndef TPB_SOCK_H
#define TPB_SOCK_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * As the functions of the C library with these names, except that a failure is
 * the negative errno value, and that every file is close-on-exec.
 */
struct tpb_sock {
	int (*socket)(int domain, int type);
	int (*connect)(int fd, const struct sockaddr_un *address, socklen_t length);
	/* Of a listening socket; the new one is nonblocking. */
	int (*accept)(int fd);
	int (*getsockopt)(int fd, int option, void *value, socklen_t *length);
	int (*setsockopt)(int fd, int option, const void *value, socklen_t length);
	int (*set_nonblocking)(int fd);
	int (*duplicate)(int fd);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
	int (*poll)(struct pollfd *fd, int timeout_ms);
	int64_t (*now_ms)(void);
	int (*epoll_create)(void);
	int (*epoll_ctl)(int epoll, int operation, int fd, struct epoll_event *event);
	int (*epoll_wait)(int epoll, struct epoll_event *events, int count);
	/* A timer file, and when it is to be readable next. */
	int (*timer_create)(void);
	int (*timer_set)(int fd, unsigned int milliseconds);
};

extern const struct tpb_sock tpb_sock;

#endif
