// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of the played system: real ones, of which any call can be made to
 * fail. A process that waits for a server is that server at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/timerfd.h>

#include "fake_sock.h"
#include "fake_sys.h"
#include "sock.h"

struct fake_sock fake_sock;

static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

static int fake_socket(int domain, int type)
{
	int ret = fake_sys_fault("socket");

	return ret ? ret : result(socket(domain, type | SOCK_CLOEXEC, 0));
}

static int fake_connect(int fd, const struct sockaddr_un *address, socklen_t length)
{
	int ret = fake_sys_fault("connect");

	return ret ? ret : result(connect(fd, (const struct sockaddr *)address, length));
}

static int fake_accept(int fd)
{
	int ret = fake_sys_fault("accept");

	if (!ret)
		ret = -fake_sock.accept_error;
	return ret ? ret : result(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

static int fake_getsockopt(int fd, int option, void *value, socklen_t *length)
{
	int ret = fake_sys_fault("getsockopt");

	if (ret)
		return ret;
	if (option == SO_PEERCRED && fake_sock.peer) {
		*(struct ucred *)value = *fake_sock.peer;
		return 0;
	}
	return result(getsockopt(fd, SOL_SOCKET, option, value, length));
}

static int fake_setsockopt(int fd, int option, const void *value, socklen_t length)
{
	int ret = fake_sys_fault("setsockopt");

	return ret ? ret : result(setsockopt(fd, SOL_SOCKET, option, value, length));
}

static int fake_set_nonblocking(int fd)
{
	int ret = fake_sys_fault("fcntl");

	return ret ? ret : result(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

static int fake_duplicate(int fd)
{
	int ret = fake_sys_fault("dup");

	return ret ? ret : result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static ssize_t fake_sendmsg(int fd, const struct msghdr *message, int flags)
{
	int ret = fake_sys_fault("sendmsg");

	if (!ret && message->msg_controllen && fake_sock.send_file_error)
		ret = -fake_sock.send_file_error;
	return ret ? ret : result(sendmsg(fd, message, flags));
}

static ssize_t fake_recvmsg(int fd, struct msghdr *message, int flags)
{
	int ret = fake_sys_fault("recvmsg");

	return ret ? ret : result(recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC));
}

/* Time passes only here. */
static int fake_poll(struct pollfd *fd, int timeout_ms)
{
	int ret = fake_sys_fault("poll");

	if (ret)
		return ret;
	/* It has to accept, to read and to answer. */
	for (int i = 0; i < 4 && fake_sock.server; i++)
		tphbuf_server_dispatch(fake_sock.server);
	ret = result(poll(fd, 1, 0));
	if (!ret)
		fake_sock.now_ms += timeout_ms < 0 ? 1000 : timeout_ms;
	return ret;
}

static int64_t fake_now_ms(void)
{
	return fake_sock.now_ms;
}

static int fake_epoll_create(void)
{
	int ret = fake_sys_fault("epoll_create");

	return ret ? ret : result(epoll_create1(EPOLL_CLOEXEC));
}

static int fake_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	int ret = fake_sys_fault("epoll_ctl");

	return ret ? ret : result(epoll_ctl(epoll, operation, fd, event));
}

static int fake_epoll_wait(int epoll, struct epoll_event *events, int count)
{
	int ret = fake_sys_fault("epoll_wait");

	return ret ? ret : result(epoll_wait(epoll, events, count, 0));
}

static int fake_timer_create(void)
{
	int ret = fake_sys_fault("timerfd_create");

	return ret ? ret : result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static int fake_timer_set(int fd, unsigned int milliseconds)
{
	const struct itimerspec when = { .it_value.tv_nsec = milliseconds * 1000000L };
	int ret = fake_sys_fault("timerfd_settime");

	return ret ? ret : result(timerfd_settime(fd, 0, &when, NULL));
}

const struct tpb_sock tpb_sock = {
	.socket = fake_socket,
	.connect = fake_connect,
	.accept = fake_accept,
	.getsockopt = fake_getsockopt,
	.setsockopt = fake_setsockopt,
	.set_nonblocking = fake_set_nonblocking,
	.duplicate = fake_duplicate,
	.sendmsg = fake_sendmsg,
	.recvmsg = fake_recvmsg,
	.poll = fake_poll,
	.now_ms = fake_now_ms,
	.epoll_create = fake_epoll_create,
	.epoll_ctl = fake_epoll_ctl,
	.epoll_wait = fake_epoll_wait,
	.timer_create = fake_timer_create,
	.timer_set = fake_timer_set,
};
