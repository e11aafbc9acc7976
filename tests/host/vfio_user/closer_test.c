// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the closer. Descriptors are closed, one whose close waits holds up those behind it
 * and nobody else, and who waits for the closer is told.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "vfio_user/closer.h"

#define LINGER_SECONDS	60

static bool gets_closed(int fd)
{
	struct timespec nap = { .tv_nsec = 10000000 };

	for (unsigned int i = 0; i < 2000; i++) {
		if (fcntl(fd, F_GETFD) < 0)
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

/* A TCP socket whose last close waits until @peer is closed. */
static int lingering_socket(int *peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { .l_onoff = 1, .l_linger = LINGER_SECONDS };
	socklen_t size = sizeof(address);
	static char bytes[65536];
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(fd, (struct sockaddr *)&address, size))
		bail_out("no sockets");
	*peer = accept(listener, NULL, NULL);
	close(listener);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

static void test_closes(void)
{
	struct vfio_user_closer *closer = vfio_user_closer_create();
	int fd = eventfd(0, 0);

	vfio_user_closer_close(closer, fd);
	ok(gets_closed(fd), "a descriptor is closed");
	fd = eventfd(0, 0);
	vfio_user_closer_close(closer, fd);
	vfio_user_closer_destroy(closer);
	is_int(fcntl(fd, F_GETFD), -1, "at the end, what is left");
	vfio_user_closer_destroy(NULL);
}

static void test_waits(void)
{
	struct vfio_user_closer *closer = vfio_user_closer_create();
	int peer, room = eventfd(0, EFD_NONBLOCK), stuck = lingering_socket(&peer), last = -1;
	struct pollfd event = { .fd = room, .events = POLLIN };

	alarm(LINGER_SECONDS / 2);
	vfio_user_closer_close(closer, stuck);
	ok(!vfio_user_closer_is_full(closer), "there is room");
	for (unsigned int i = 1; i < VFIO_USER_CLOSING_MAX; i++) {
		last = eventfd(0, 0);
		vfio_user_closer_close(closer, last);
	}
	ok(vfio_user_closer_is_full(closer), "a close that waits fills it");
	vfio_user_closer_notify(closer, room);
	is_int(poll(&event, 1, 50), 0, "nobody is told that it is done");
	ok(fcntl(last, F_GETFD) >= 0, "what is behind waits too");
	close(peer);
	is_int(poll(&event, 1, 20000), 1, "when the close is through, who waits is told");
	ok(gets_closed(last), "and the rest is closed");
	ok(!vfio_user_closer_is_full(closer), "there is room again");
	vfio_user_closer_destroy(closer);
	close(room);
}

static void test_abandons(void)
{
	struct vfio_user_closer *closer = vfio_user_closer_create();
	time_t start = time(NULL);
	int peer, fd = lingering_socket(&peer);

	vfio_user_closer_close(closer, fd);
	vfio_user_closer_destroy(closer);
	ok(time(NULL) - start < LINGER_SECONDS / 4, "the end does not wait for it");
	close(peer);
	ok(gets_closed(fd), "it goes on in the background");
}

int main(void)
{
	test_closes();
	test_waits();
	test_abandons();
	return done_testing();
}
