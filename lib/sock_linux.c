// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Sockets of the running system. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>

#include "sock.h"

static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

static int linux_socket(int domain, int type)
{
	return result(socket(domain, type | SOCK_CLOEXEC, 0));
}

static int linux_connect(int fd, const struct sockaddr_un *address, socklen_t length)
{
	return result(connect(fd, (const struct sockaddr *)address, length));
}

static int linux_accept(int fd)
{
	return result(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

static int linux_getsockopt(int fd, int option, void *value, socklen_t *length)
{
	return result(getsockopt(fd, SOL_SOCKET, option, value, length));
}

static int linux_setsockopt(int fd, int option, const void *value, socklen_t length)
{
	return result(setsockopt(fd, SOL_SOCKET, option, value, length));
}

static int linux_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return result(flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

static int linux_duplicate(int fd)
{
	return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static ssize_t linux_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t ret = sendmsg(fd, message, flags);

	return ret < 0 ? -errno : ret;
}

static ssize_t linux_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t ret = recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC);

	return ret < 0 ? -errno : ret;
}

static int linux_poll(struct pollfd *fd, int timeout_ms)
{
	return result(poll(fd, 1, timeout_ms));
}

static int64_t linux_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int linux_epoll_create(void)
{
	return result(epoll_create1(EPOLL_CLOEXEC));
}

static int linux_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	return result(epoll_ctl(epoll, operation, fd, event));
}

static int linux_epoll_wait(int epoll, struct epoll_event *events, int count)
{
	return result(epoll_wait(epoll, events, count, 0));
}

static int linux_timer_create(void)
{
	return result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static int linux_timer_set(int fd, unsigned int milliseconds)
{
	const struct itimerspec when = {
		.it_value = {
			.tv_sec = milliseconds / 1000,
			.tv_nsec = milliseconds % 1000 * 1000000L,
		},
	};

	return result(timerfd_settime(fd, 0, &when, NULL));
}

const struct tpb_sock tpb_sock = {
	.socket = linux_socket,
	.connect = linux_connect,
	.accept = linux_accept,
	.getsockopt = linux_getsockopt,
	.setsockopt = linux_setsockopt,
	.set_nonblocking = linux_set_nonblocking,
	.duplicate = linux_duplicate,
	.sendmsg = linux_sendmsg,
	.recvmsg = linux_recvmsg,
	.poll = linux_poll,
	.now_ms = linux_now_ms,
	.epoll_create = linux_epoll_create,
	.epoll_ctl = linux_epoll_ctl,
	.epoll_wait = linux_epoll_wait,
	.timer_create = linux_timer_create,
	.timer_set = linux_timer_set,
};
