// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server's loop: who comes, who is turned away, whose turn it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "closer.h"
#include "connection.h"
#include "event.h"
#include "listener.h"
#include "log.h"
#include "server.h"

struct endpoint;

/**
 * struct source - what an event of epoll points to
 * @ready: called with @subject and the events
 * @subject: struct endpoint, or the server itself
 */
struct source {
	void (*ready)(void *subject, uint32_t events);
	void *subject;
};

/**
 * struct endpoint - a device with its socket
 * @next: in the server's list
 * @server: that it belongs to
 * @listener: where clients come in
 * @on_client: events of @listener
 * @connection: the client, or NULL
 * @process: the client's, 0 when the system does not say
 * @on_message: events of @connection
 * @closer: closes what comes from clients
 * @ops: the device, with @device
 * @device: first argument of @ops
 * @log: its lines
 */
struct endpoint {
	struct endpoint *next;
	struct vfio_user_server *server;
	struct vfio_user_listener listener;
	struct source on_client;
	struct vfio_user_connection *connection;
	pid_t process;
	struct source on_message;
	struct vfio_user_closer *closer;
	const struct vfio_user_device_ops *ops;
	void *device;
	struct vfio_user_log log;
};

/**
 * struct vfio_user_server - all endpoints
 * @epoll_fd: waits for all sockets
 * @spare_fd: given up for a moment to turn a client away when there is no other descriptor left; or
 *	-1
 * @room_fd: eventfd that tells that an endpoint's closer has closed what it had
 * @on_room: events of @room_fd
 * @options: as given
 * @endpoints: list
 */
struct vfio_user_server {
	int epoll_fd;
	int spare_fd;
	int room_fd;
	struct source on_room;
	struct vfio_user_server_options options;
	struct endpoint *endpoints;
};

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void listen_for_events(struct endpoint *endpoint, bool on)
{
	struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.ptr = &endpoint->on_client };

	epoll_ctl(endpoint->server->epoll_fd, EPOLL_CTL_MOD, endpoint->listener.fd, &event);
}

/* An endpoint that had to pause may have room again; one that has none pauses again. */
static void on_room(void *subject, uint32_t events)
{
	struct vfio_user_server *server = subject;
	eventfd_t count;

	(void)events;
	eventfd_read(server->room_fd, &count);
	if (server->spare_fd < 0)
		server->spare_fd = open_spare();
	for (struct endpoint *endpoint = server->endpoints; endpoint; endpoint = endpoint->next)
		listen_for_events(endpoint, true);
}

static int open_events(struct vfio_user_server *server)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &server->on_room };

	server->on_room = (struct source){ on_room, server };
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	server->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->room_fd < 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->room_fd, &event) < 0)
		return -errno;
	return vfio_user_event_init();
}

struct vfio_user_server *
vfio_user_server_create(const struct vfio_user_server_options *options)
{
	struct vfio_user_server *server = calloc(1, sizeof(*server));
	int ret;

	if (!server)
		return NULL;
	server->options = *options;
	server->epoll_fd = -1;
	server->room_fd = -1;
	server->spare_fd = open_spare();
	ret = open_events(server);
	if (ret) {
		vfio_user_server_destroy(server);
		errno = -ret;
		return NULL;
	}
	return server;
}

static void disconnect(struct endpoint *endpoint)
{
	if (!endpoint->connection)
		return;
	vfio_user_connection_destroy(endpoint->connection);
	endpoint->connection = NULL;
}

void vfio_user_server_destroy(struct vfio_user_server *server)
{
	if (!server)
		return;
	while (server->endpoints) {
		struct endpoint *endpoint = server->endpoints;

		server->endpoints = endpoint->next;
		disconnect(endpoint);
		vfio_user_listener_close(&endpoint->listener);
		vfio_user_closer_destroy(endpoint->closer);
		vfio_user_log_destroy(&endpoint->log);
		free(endpoint);
	}
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	if (server->room_fd >= 0)
		close(server->room_fd);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	free(server);
}

static pid_t peer_process(int fd)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	return peer.pid;
}

/*
 * Without descriptors accept() fails and the client stays in line, so that epoll would report it
 * for ever: the spare one makes room to turn it away.
 */
static void turn_away_without_fds(struct endpoint *endpoint)
{
	struct vfio_user_server *server = endpoint->server;
	int fd;

	if (server->spare_fd >= 0)
		close(server->spare_fd);
	server->spare_fd = -1;
	fd = accept4(endpoint->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		shutdown(fd, SHUT_RDWR);
		vfio_user_closer_close(endpoint->closer, fd);
	} else {
		listen_for_events(endpoint, false);
	}
	vfio_user_closer_notify(endpoint->closer, server->room_fd);
	vfio_user_log(&endpoint->log, "client turned away: too many open files");
}

static void on_message(void *subject, uint32_t events)
{
	struct endpoint *endpoint = subject;

	if (vfio_user_connection_handle(endpoint->connection, events))
		return;
	disconnect(endpoint);
	vfio_user_log(&endpoint->log, "client disconnected");
}

static bool has_left(struct endpoint *endpoint)
{
	if (!vfio_user_stream_hung_up(&endpoint->connection->stream))
		return false;
	disconnect(endpoint);
	vfio_user_log(&endpoint->log, "client disconnected");
	return true;
}

/*
 * The devices are one machine and reach each other's memory, so that the client of one must be
 * trusted by those of all: it is the process that is there already.
 *
 * Return: why the client cannot come in, or NULL.
 */
static const char *turned_away(const struct endpoint *endpoint, pid_t process)
{
	const struct vfio_user_server *server = endpoint->server;

	for (struct endpoint *other = server->endpoints; other; other = other->next) {
		/* A successor may be here before the predecessor's end was noticed. */
		if (!other->connection || has_left(other))
			continue;
		if (other == endpoint)
			return "another client is connected";
		if (!server->options.any_process && (!process || other->process != process))
			return "another process has a device here; --any-process allows it";
	}
	return NULL;
}

static void on_client(void *subject, uint32_t events)
{
	struct endpoint *endpoint = subject;
	const char *why;
	int fd;

	(void)events;
	if (vfio_user_closer_is_full(endpoint->closer)) {
		listen_for_events(endpoint, false);
		vfio_user_closer_notify(endpoint->closer, endpoint->server->room_fd);
		return;
	}
	fd = accept4(endpoint->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			turn_away_without_fds(endpoint);
		return;
	}
	endpoint->process = peer_process(fd);
	why = turned_away(endpoint, endpoint->process);
	if (why) {
		vfio_user_log(&endpoint->log, "process %d turned away: %s", endpoint->process, why);
		/* What it has sent already may have descriptors. */
		shutdown(fd, SHUT_RDWR);
		vfio_user_closer_close(endpoint->closer, fd);
		return;
	}
	endpoint->connection = vfio_user_connection_create(fd, endpoint->server->epoll_fd,
							   &endpoint->on_message, endpoint->ops,
							   endpoint->device, &endpoint->log,
							   endpoint->closer);
	if (endpoint->connection)
		vfio_user_log(&endpoint->log, "client connected, process %d", endpoint->process);
	else
		vfio_user_log(&endpoint->log, "process %d turned away: no memory",
			      endpoint->process);
}

int vfio_user_server_add(struct vfio_user_server *server, const char *path, const char *name,
			 const struct vfio_user_device_ops *ops, void *device, char *error,
			 size_t error_size)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	struct epoll_event event = { .events = EPOLLIN };
	int ret;

	if (!endpoint) {
		snprintf(error, error_size, "%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	endpoint->closer = vfio_user_closer_create();
	if (!endpoint->closer) {
		snprintf(error, error_size, "%s: %s", name, strerror(ENOMEM));
		ret = -ENOMEM;
		goto free_endpoint;
	}
	ret = vfio_user_listener_open(&endpoint->listener, path, error, error_size);
	if (ret)
		goto destroy_closer;
	event.data.ptr = &endpoint->on_client;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, endpoint->listener.fd, &event) < 0) {
		ret = -errno;
		snprintf(error, error_size, "%s: %s", path, strerror(-ret));
		goto close_listener;
	}
	endpoint->server = server;
	endpoint->on_client = (struct source){ on_client, endpoint };
	endpoint->on_message = (struct source){ on_message, endpoint };
	endpoint->ops = ops;
	endpoint->device = device;
	vfio_user_log_init(&endpoint->log, name);
	endpoint->next = server->endpoints;
	server->endpoints = endpoint;
	return 0;

close_listener:
	vfio_user_listener_close(&endpoint->listener);
destroy_closer:
	vfio_user_closer_destroy(endpoint->closer);
free_endpoint:
	free(endpoint);
	return ret;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Waits for one event. For a while after the last one it looks again and again: a client that waits
 * for each answer before it asks again would otherwise pay for a sleep and a wake-up each time.
 */
static int wait_for_event(const struct vfio_user_server *server, struct epoll_event *event)
{
	const struct vfio_user_server_options *options = &server->options;
	uint64_t until = options->spin_ns ? now_ns() + options->spin_ns : 0;

	while (options->polling || (until && now_ns() < until)) {
		int n = epoll_wait(server->epoll_fd, event, 1, 0);

		if (n)
			return n;
	}
	return epoll_wait(server->epoll_fd, event, 1, -1);
}

int vfio_user_server_run(struct vfio_user_server *server, int stop_fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	const struct source *source;
	int n, ret = 0;

	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, stop_fd, &event) < 0)
		return -errno;
	for (;;) {
		/*
		 * One at a time: what an event leads to may end the connection that the next one
		 * points to.
		 */
		n = wait_for_event(server, &event);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = -errno;
		source = event.data.ptr;
		if (n < 0 || !source)
			break;
		source->ready(source->subject, event.events);
	}
	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, stop_fd, NULL);
	return ret;
}
