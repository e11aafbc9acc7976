// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "listener.h"
#include "log.h"
#include "server.h"

struct endpoint;

/**
 * struct source - what an event of epoll points to
 * @ready: called with the endpoint and the events
 * @endpoint: the device that it concerns
 */
struct source {
	void (*ready)(struct endpoint *endpoint, uint32_t events);
	struct endpoint *endpoint;
};

/**
 * struct endpoint - a device with its socket
 * @next: in the server's list
 * @server: that it belongs to
 * @listener: where clients come in
 * @on_client: events of @listener
 * @connection: the client, or NULL
 * @on_message: events of @connection
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
	struct source on_message;
	const struct vfio_user_device_ops *ops;
	void *device;
	struct vfio_user_log log;
};

/**
 * struct vfio_user_server - all endpoints
 * @epoll_fd: waits for all sockets
 * @spare_fd: given up for a moment to turn a client away when there is no other descriptor left; or
 *	-1
 * @endpoints: list
 */
struct vfio_user_server {
	int epoll_fd;
	int spare_fd;
	struct endpoint *endpoints;
};

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct vfio_user_server *vfio_user_server_create(void)
{
	struct vfio_user_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0) {
		free(server);
		return NULL;
	}
	server->spare_fd = open_spare();
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
		vfio_user_log_destroy(&endpoint->log);
		free(endpoint);
	}
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	close(server->epoll_fd);
	free(server);
}

static int peer_pid(int fd)
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
	fd = accept4(endpoint->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	server->spare_fd = open_spare();
	vfio_user_log(&endpoint->log, "client turned away: too many open files");
}

static void on_message(struct endpoint *endpoint, uint32_t events)
{
	if (vfio_user_connection_handle(endpoint->connection, events))
		return;
	disconnect(endpoint);
	vfio_user_log(&endpoint->log, "client disconnected");
}

static void on_client(struct endpoint *endpoint, uint32_t events)
{
	int fd, pid;

	(void)events;
	fd = accept4(endpoint->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			turn_away_without_fds(endpoint);
		return;
	}
	pid = peer_pid(fd);
	/* A successor may be here before the predecessor's end was noticed. */
	if (endpoint->connection && vfio_user_stream_hung_up(&endpoint->connection->stream)) {
		disconnect(endpoint);
		vfio_user_log(&endpoint->log, "client disconnected");
	}
	if (endpoint->connection) {
		vfio_user_log(&endpoint->log, "process %d turned away: another client is connected",
			      pid);
		close(fd);
		return;
	}
	endpoint->connection = vfio_user_connection_create(fd, endpoint->server->epoll_fd,
							   &endpoint->on_message, endpoint->ops,
							   endpoint->device, &endpoint->log);
	if (endpoint->connection)
		vfio_user_log(&endpoint->log, "client connected, process %d", pid);
	else
		vfio_user_log(&endpoint->log, "process %d turned away: no memory", pid);
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
	ret = vfio_user_listener_open(&endpoint->listener, path, error, error_size);
	if (ret)
		goto free_endpoint;
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
free_endpoint:
	free(endpoint);
	return ret;
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
		n = epoll_wait(server->epoll_fd, &event, 1, -1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = -errno;
		source = event.data.ptr;
		if (n < 0 || !source)
			break;
		source->ready(source->endpoint, event.events);
	}
	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, stop_fd, NULL);
	return ret;
}
