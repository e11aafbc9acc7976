// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* One client of a server: what it asks for, and what it is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "sys.h"

static uint32_t clients_of(const struct tphbuf_server *server, uid_t uid)
{
	uint32_t count = 0;

	for (struct tpb_client *client = server->clients; client; client = client->next)
		count += client->uid == uid;
	return count;
}

static int client_add(struct tphbuf_server *server, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	const int smallest = 0;
	struct tpb_client *client;
	struct ucred credentials;
	socklen_t length = sizeof(credentials);
	int ret;

	ret = tpb_sock.getsockopt(fd, SO_PEERCRED, &credentials, &length);
	if (ret)
		return ret;
	if (server->nr_clients >= server->max_clients ||
	    clients_of(server, credentials.uid) >= server->max_clients_per_uid)
		return -EBUSY;
	/* File descriptors that are on their way count against this process: few of them. */
	ret = tpb_sock.setsockopt(fd, SO_SNDBUF, &smallest, sizeof(smallest));
	if (ret)
		return ret;
	client = tpb_sys.calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	event.data.ptr = client;
	ret = tpb_sock.epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
	if (ret) {
		free(client);
		return ret;
	}
	client->fd = fd;
	client->uid = credentials.uid;
	client->gid = credentials.gid;
	client->waits_for = EPOLLIN;
	client->next = server->clients;
	server->clients = client;
	server->nr_clients++;
	return 0;
}

void tpb_client_accept(struct tphbuf_server *server, int fd)
{
	struct tpb_handover refusal;
	int ret = client_add(server, fd);

	if (!ret)
		return;
	refusal = tpb_handover_make(TPB_HANDOVER_REFUSED, "");
	refusal.error = -ret;
	tpb_handover_send(fd, &refusal, -1);
	tpb_sys.close(fd);
}

void tpb_client_remove(struct tphbuf_server *server, struct tpb_client *client)
{
	struct tpb_client **link = &server->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	server->nr_clients--;
	tpb_sys.close(client->fd);
	free(client);
}

static void refuse(struct tpb_client *client, const char *name, int err)
{
	client->answer = tpb_handover_make(TPB_HANDOVER_REFUSED, name);
	client->answer.error = -err;
	client->answer_offer = -1;
	client->answering = true;
}

static void answer(const struct tphbuf_server *server, struct tpb_client *client, const char *name)
{
	int index = tpb_server_find(server, name);
	const struct tpb_offer *offer = &server->offers[index < 0 ? 0 : index];
	int ret = index < 0 ? -ENOENT : tpb_offer_check_access(offer, client);

	if (ret) {
		refuse(client, name, ret);
		return;
	}
	client->answer = tpb_handover_make(TPB_HANDOVER_BUFFER, name);
	client->answer.size = offer->size;
	client->answer.tag_valid = offer->tag.valid;
	client->answer.st_ext = offer->tag.st_ext;
	client->answer.st = offer->tag.st;
	client->answer.ph = offer->tag.ph;
	client->answer_offer = index;
	client->answering = true;
}

/* Each of these returns 0, -EAGAIN when the client has to receive first, or why it has to go. */
static int send_answer(const struct tphbuf_server *server, struct tpb_client *client)
{
	int index = client->answer_offer, ret;

	ret = tpb_handover_send(client->fd, &client->answer,
				index < 0 ? -1 : server->offers[index].fd);
	/* More files are on their way than this process may have there. */
	if (ret == -ETOOMANYREFS) {
		refuse(client, client->answer.name, -EBUSY);
		return send_answer(server, client);
	}
	if (ret)
		return ret;
	client->answering = false;
	if (index >= 0)
		client->has |= 1ull << index;
	return 0;
}

static int tell_revocations(const struct tphbuf_server *server, struct tpb_client *client)
{
	struct tpb_handover message;
	int index, ret;

	while (client->untold) {
		index = __builtin_ctzll(client->untold);
		message = tpb_handover_make(TPB_HANDOVER_REVOKED, server->offers[index].name);
		ret = tpb_handover_send(client->fd, &message, -1);
		if (ret)
			return ret;
		client->untold &= client->untold - 1;
	}
	return 0;
}

static int send_all(const struct tphbuf_server *server, struct tpb_client *client)
{
	int ret = client->answering ? send_answer(server, client) : 0;

	return ret ? ret : tell_revocations(server, client);
}

/* -EAGAIN when there is no request. */
static int read_request(const struct tphbuf_server *server, struct tpb_client *client)
{
	struct tpb_handover request;
	ssize_t size = tpb_handover_receive(client->fd, &request, NULL);

	if (size < 0)
		return (int)size;
	if (size == sizeof(request) && request.magic == TPB_HANDOVER_MAGIC &&
	    request.version != TPB_HANDOVER_VERSION) {
		refuse(client, "", -EPROTONOSUPPORT);
		return 0;
	}
	if (!tpb_handover_is_good(&request, size) || request.type != TPB_HANDOVER_GET)
		return -EPROTO;
	answer(server, client, request.name);
	return 0;
}

/* Waits for what the client has to do next: receive, or ask. */
static int wait_for_it(const struct tphbuf_server *server, struct tpb_client *client)
{
	struct epoll_event event = { .data.ptr = client };
	int ret;

	if (!client->answering)
		event.events |= EPOLLIN;
	if (client->answering || client->untold)
		event.events |= EPOLLOUT;
	if (event.events == client->waits_for)
		return 0;
	ret = tpb_sock.epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->fd, &event);
	if (!ret)
		client->waits_for = event.events;
	return ret;
}

/* @ret: what came of the last that was done for the client. */
static void client_go_on(struct tphbuf_server *server, struct tpb_client *client, int ret)
{
	if (!ret || ret == -EAGAIN)
		ret = wait_for_it(server, client);
	if (ret)
		tpb_client_remove(server, client);
}

void tpb_client_dispatch(struct tphbuf_server *server, struct tpb_client *client)
{
	int ret = send_all(server, client);

	/* One request, so that everyone has a turn. */
	if (!ret)
		ret = read_request(server, client);
	if (!ret)
		ret = send_all(server, client);
	client_go_on(server, client, ret);
}

void tpb_client_revoke(struct tphbuf_server *server, struct tpb_client *client, int index)
{
	if (client->answering && client->answer_offer == index)
		refuse(client, client->answer.name, -ENOENT);
	if (!(client->has >> index & 1))
		return;
	client->has &= ~(1ull << index);
	client->untold |= 1ull << index;
	client_go_on(server, client, send_all(server, client));
}
