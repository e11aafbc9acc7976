// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The side of a process that receives dma-bufs of a server. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <tphbuf/connection.h>
#include <tphbuf/mmap.h>

#include "handover.h"
#include "sys.h"

/* How long a connection may wait until the server accepts it. */
#define CONNECT_SECONDS		30

struct tphbuf_connection {
	int fd;
	/* Revocations that arrived while an answer was waited for. */
	size_t nr_revoked;
	char revoked[TPHBUF_SERVER_MAX_OFFERS][TPHBUF_NAME_SIZE];
};

int tphbuf_connect(const char *path, struct tphbuf_connection **out)
{
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct tphbuf_connection *connection;
	size_t length = strlen(path);
	int ret;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	connection = tpb_sys.calloc(1, sizeof(*connection));
	if (!connection)
		return -ENOMEM;
	ret = tpb_sock.socket(AF_UNIX, SOCK_SEQPACKET);
	if (ret < 0)
		goto err_free;
	connection->fd = ret;
	/* Nothing but connect() waits in the kernel. */
	ret = tpb_sock.setsockopt(connection->fd, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!ret)
		ret = tpb_sock.connect(connection->fd, &address, sizeof(address));
	if (ret)
		goto err_close;
	*out = connection;
	return 0;

err_close:
	tpb_sys.close(connection->fd);
err_free:
	free(connection);
	return ret;
}

void tphbuf_connection_close(struct tphbuf_connection *connection)
{
	if (!connection)
		return;
	tpb_sys.close(connection->fd);
	free(connection);
}

int tphbuf_connection_fd(const struct tphbuf_connection *connection)
{
	return connection->fd;
}

/* Until the socket has @events, or the time @end; < 0 for none. */
static int wait_until(const struct tphbuf_connection *connection, short events, int64_t end)
{
	struct pollfd pollfd = { .fd = connection->fd, .events = events };
	int64_t left = -1;
	int ret;

	do {
		if (end >= 0) {
			left = end - tpb_sock.now_ms();
			if (left < 0)
				left = 0;
		}
		ret = tpb_sock.poll(&pollfd, (int)left);
	} while (ret == -EINTR);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

/* Whoever waits longer than a month waits for ever. */
static int64_t end_of(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : tpb_sock.now_ms() + timeout_ms;
}

/* The next message, whichever it is. */
static int receive(const struct tphbuf_connection *connection, int64_t end,
		   struct tpb_handover *message, int *fd)
{
	bool reset = false;
	ssize_t size;
	int ret;

	for (;;) {
		size = tpb_handover_receive(connection->fd, message, fd);
		/* Told once, before what the server had sent until then. */
		if (size == -ECONNRESET && !reset) {
			reset = true;
			continue;
		}
		if (size != -EAGAIN)
			break;
		ret = wait_until(connection, POLLIN, end);
		if (ret)
			return ret;
	}
	if (!size || size == -EPIPE)
		return -ECONNRESET;
	if (size < 0)
		return (int)size;
	if (tpb_handover_is_good(message, size))
		return 0;
	if (*fd >= 0)
		tpb_sys.close(*fd);
	return -EPROTO;
}

static int send_request(const struct tphbuf_connection *connection, const char *name, int64_t end)
{
	const struct tpb_handover request = tpb_handover_make(TPB_HANDOVER_GET, name);
	int ret;

	for (;;) {
		ret = tpb_handover_send(connection->fd, &request, -1);
		if (ret != -EAGAIN)
			break;
		ret = wait_until(connection, POLLOUT, end);
		if (ret)
			return ret;
	}
	/* A server that refuses the connection says why, and that can still be read. */
	return ret == -EPIPE || ret == -ECONNRESET ? 0 : ret;
}

/* What the answer to a request is worth. */
static int connection_finish(const struct tpb_handover *message, const char *name, int fd,
			     struct tphbuf_handover *handover)
{
	uint64_t size;
	int ret = 0;

	if (message->type == TPB_HANDOVER_REFUSED)
		ret = message->error > 0 ? -message->error : -EPROTO;
	else if (message->type != TPB_HANDOVER_BUFFER || strcmp(message->name, name))
		ret = -EPROTO;
	else if (fd < 0)
		ret = -EMFILE;
	else if (tphbuf_dmabuf_size(fd, &size))
		ret = -EPROTO;
	if (ret) {
		if (fd >= 0)
			tpb_sys.close(fd);
		return ret;
	}
	*handover = (struct tphbuf_handover) {
		.size = size,
		.tag = {
			.valid = message->tag_valid,
			.st_ext = message->st_ext,
			.st = message->st,
			.ph = message->ph,
		},
		.dmabuf_fd = fd,
	};
	return 0;
}

static int keep_revoked(struct tphbuf_connection *connection, const char *name)
{
	if (connection->nr_revoked == TPHBUF_SERVER_MAX_OFFERS)
		return -EPROTO;
	memcpy(connection->revoked[connection->nr_revoked++], name, TPHBUF_NAME_SIZE);
	return 0;
}

int tphbuf_connection_get(struct tphbuf_connection *connection, const char *name, int timeout_ms,
			  struct tphbuf_handover *handover)
{
	int64_t end = end_of(timeout_ms);
	struct tpb_handover message;
	int ret, fd;

	if (!tpb_handover_name_is_good(name))
		return -EINVAL;
	ret = send_request(connection, name, end);
	while (!ret) {
		ret = receive(connection, end, &message, &fd);
		if (ret || message.type != TPB_HANDOVER_REVOKED)
			break;
		if (fd >= 0)
			tpb_sys.close(fd);
		ret = keep_revoked(connection, message.name);
	}
	return ret ? ret : connection_finish(&message, name, fd, handover);
}

int tphbuf_connection_wait(struct tphbuf_connection *connection, int timeout_ms, char *name)
{
	struct tpb_handover message;
	int ret, fd;

	if (connection->nr_revoked) {
		memcpy(name, connection->revoked[0], TPHBUF_NAME_SIZE);
		memmove(connection->revoked[0], connection->revoked[1],
			--connection->nr_revoked * TPHBUF_NAME_SIZE);
		return 0;
	}
	ret = receive(connection, end_of(timeout_ms), &message, &fd);
	if (ret)
		return ret;
	if (fd >= 0)
		tpb_sys.close(fd);
	if (message.type == TPB_HANDOVER_REFUSED && message.error > 0)
		return -message.error;
	if (message.type != TPB_HANDOVER_REVOKED)
		return -EPROTO;
	memcpy(name, message.name, TPHBUF_NAME_SIZE);
	return 0;
}
