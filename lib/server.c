// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* A server of dma-bufs: its socket, and whose turn it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "sys.h"

#define DEFAULT_CLIENTS		1024
#define DEFAULT_CLIENTS_PER_UID	256
/* Events, and new connections, that one call of dispatch looks at. */
#define TURN			64
/* How long nobody is accepted when the system has no file descriptor or memory for it. */
#define PAUSE_MS		100

static int check_socket(int fd)
{
	static const struct {
		int option;
		int wanted;
	} checks[] = {
		{ SO_DOMAIN, AF_UNIX },
		{ SO_TYPE, SOCK_SEQPACKET },
		{ SO_ACCEPTCONN, 1 },
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		socklen_t length = sizeof(int);
		int value, ret;

		ret = tpb_sock.getsockopt(fd, checks[i].option, &value, &length);
		if (ret)
			return ret == -ENOTSOCK ? -EINVAL : ret;
		if (value != checks[i].wanted)
			return -EINVAL;
	}
	return tpb_sock.set_nonblocking(fd);
}

/* @place: what comes with an event on @fd. */
static int server_watch(struct tphbuf_server *server, int fd, void *place)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = place };

	return tpb_sock.epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int server_open_files(struct tphbuf_server *server)
{
	int ret;

	server->epoll = tpb_sock.epoll_create();
	if (server->epoll < 0)
		return server->epoll;
	server->timer = tpb_sock.timer_create();
	if (server->timer < 0)
		return server->timer;
	ret = server_watch(server, server->timer, &server->timer);
	return ret ? ret : server_watch(server, server->listen, &server->listen);
}

int tphbuf_server_create(int listen_fd, const struct tphbuf_server_options *options,
			 struct tphbuf_server **out)
{
	static const struct tphbuf_server_options none;
	struct tphbuf_server *server;
	int ret;

	if (!options)
		options = &none;
	if (memcmp(options->reserved, none.reserved, sizeof(none.reserved)))
		return -EINVAL;
	ret = check_socket(listen_fd);
	if (ret)
		return ret;
	server = tpb_sys.calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->listen = listen_fd;
	server->epoll = -1;
	server->timer = -1;
	server->max_clients = options->max_clients ? options->max_clients : DEFAULT_CLIENTS;
	server->max_clients_per_uid = options->max_clients_per_uid ? options->max_clients_per_uid :
								     DEFAULT_CLIENTS_PER_UID;
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS; i++)
		server->offers[i].fd = -1;
	ret = server_open_files(server);
	if (ret) {
		tphbuf_server_close(server);
		return ret;
	}
	*out = server;
	return 0;
}

void tphbuf_server_close(struct tphbuf_server *server)
{
	if (!server)
		return;
	while (server->clients)
		tpb_client_remove(server, server->clients);
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS; i++)
		tpb_offer_clear(&server->offers[i]);
	if (server->timer >= 0)
		tpb_sys.close(server->timer);
	if (server->epoll >= 0)
		tpb_sys.close(server->epoll);
	free(server);
}

int tphbuf_server_fd(const struct tphbuf_server *server)
{
	return server->epoll;
}

int tphbuf_server_withdraw(struct tphbuf_server *server, const char *name)
{
	struct tpb_client *client, *next;
	int index = tpb_server_find(server, name);

	if (index < 0)
		return -ENOENT;
	for (client = server->clients; client; client = next) {
		next = client->next;
		tpb_client_revoke(server, client, index);
	}
	tpb_offer_clear(&server->offers[index]);
	return 0;
}

/* Level-triggered, a socket that cannot be accepted would be an event for ever. */
static void pause_listening(struct tphbuf_server *server)
{
	if (tpb_sock.timer_set(server->timer, PAUSE_MS))
		return;
	tpb_sock.epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listen, NULL);
	server->paused = true;
}

static void resume_listening(struct tphbuf_server *server)
{
	if (server->paused && server_watch(server, server->listen, &server->listen)) {
		/* Again later. */
		tpb_sock.timer_set(server->timer, PAUSE_MS);
		return;
	}
	server->paused = false;
	/* It is readable until it is set again. */
	tpb_sock.timer_set(server->timer, 0);
}

static void accept_some(struct tphbuf_server *server)
{
	int fd;

	for (int i = 0; i < TURN; i++) {
		fd = tpb_sock.accept(server->listen);
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS)
			pause_listening(server);
		if (fd < 0)
			return;
		tpb_client_accept(server, fd);
	}
}

int tphbuf_server_dispatch(struct tphbuf_server *server)
{
	struct epoll_event events[TURN];
	int count;

	count = tpb_sock.epoll_wait(server->epoll, events, TURN);
	if (count == -EINTR)
		return 0;
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == &server->listen)
			accept_some(server);
		else if (events[i].data.ptr == &server->timer)
			resume_listening(server);
		else
			tpb_client_dispatch(server, events[i].data.ptr);
	}
	return count < 0 ? count : 0;
}
