// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "connection.h"

/* Messages of one client that are carried out before others have their turn. */
#define MESSAGES_PER_TURN	16

/**
 * struct vfio_user_outgoing - a message, or the rest of one, that waits to leave
 * @next: the one behind it
 * @fd: leaves with the first byte, -1 for none
 * @size: of @bytes
 * @done: bytes that have left
 */
struct vfio_user_outgoing {
	struct vfio_user_outgoing *next;
	int fd;
	size_t size;
	size_t done;
	uint8_t bytes[];
};

struct vfio_user_connection *vfio_user_connection_create(int fd, int epoll_fd,
							 void *epoll_data,
							 const struct vfio_user_device_ops *ops,
							 void *device, struct vfio_user_log *log)
{
	struct vfio_user_connection *connection = calloc(1, sizeof(*connection));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = epoll_data };

	if (!connection || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		free(connection);
		return NULL;
	}
	connection->fd = fd;
	connection->epoll_fd = epoll_fd;
	connection->epoll_data = epoll_data;
	connection->ops = ops;
	connection->device = device;
	connection->log = log;
	connection->queue_tail = &connection->queue;
	pthread_mutex_init(&connection->lock, NULL);
	pthread_cond_init(&connection->replied, NULL);
	return connection;
}

static void close_received_fds(struct vfio_user_incoming *in)
{
	for (unsigned int i = 0; i < in->nfds; i++)
		if (in->fds[i] >= 0)
			close(in->fds[i]);
	in->nfds = 0;
	in->fds_lost = false;
}

void vfio_user_connection_kill(struct vfio_user_connection *connection)
{
	if (connection->dead)
		return;
	connection->dead = true;
	/* The server's thread learns it as a hang-up of the socket. */
	shutdown(connection->fd, SHUT_RDWR);
	vfio_user_dma_abort(connection);
}

void vfio_user_connection_destroy(struct vfio_user_connection *connection)
{
	pthread_mutex_lock(&connection->lock);
	vfio_user_connection_kill(connection);
	pthread_mutex_unlock(&connection->lock);
	if (connection->negotiated) {
		connection->ops->connect(connection->device, NULL);
		vfio_user_irqs_destroy(&connection->irqs);
	}

	while (connection->queue) {
		struct vfio_user_outgoing *next = connection->queue->next;

		free(connection->queue);
		connection->queue = next;
	}
	close_received_fds(&connection->in);
	free(connection->in.payload);
	close(connection->fd);
	pthread_cond_destroy(&connection->replied);
	pthread_mutex_destroy(&connection->lock);
	free(connection);
}

bool vfio_user_connection_hung_up(const struct vfio_user_connection *connection)
{
	struct pollfd pollfd = { .fd = connection->fd, .events = POLLRDHUP };

	return poll(&pollfd, 1, 0) == 1;
}

/* Return: bytes that the socket took, 0 when it takes none now, or -errno. */
static ssize_t send_some(int socket, const struct iovec *iov, size_t iovcnt, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = iovcnt };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do
		n = sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	return n;
}

static void watch(struct vfio_user_connection *connection, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = connection->epoll_data };

	epoll_ctl(connection->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Queues what is left of a message behind its first @sent bytes. */
static int enqueue(struct vfio_user_connection *connection, const struct iovec *iov, size_t iovcnt,
		   size_t sent, size_t total, int fd)
{
	struct vfio_user_outgoing *message;
	size_t skip = sent;

	if (connection->queued + (total - sent) > VFIO_USER_QUEUE_MAX) {
		vfio_user_log(connection->log,
			      "client dropped: it does not read, %zu bytes wait for it",
			      connection->queued);
		vfio_user_connection_kill(connection);
		return -ENOTCONN;
	}
	message = malloc(sizeof(*message) + total - sent);
	if (!message) {
		vfio_user_log(connection->log, "client dropped: no memory for a message to it");
		vfio_user_connection_kill(connection);
		return -ENOMEM;
	}
	*message = (struct vfio_user_outgoing){ .fd = sent ? -1 : fd };
	for (size_t i = 0; i < iovcnt; i++) {
		size_t part = iov[i].iov_len;

		if (skip < part)
			memcpy(message->bytes + message->size, (const char *)iov[i].iov_base + skip,
			       part - skip);
		message->size += skip < part ? part - skip : 0;
		skip -= skip < part ? skip : part;
	}
	if (!connection->queue)
		watch(connection, EPOLLIN | EPOLLOUT);
	*connection->queue_tail = message;
	connection->queue_tail = &message->next;
	connection->queued += message->size;
	return 0;
}

int vfio_user_connection_send(struct vfio_user_connection *connection,
			      const struct vfio_user_header *header, const void *part,
			      size_t part_size, const void *data, size_t data_size, int fd)
{
	struct iovec iov[] = {
		{ (void *)header, sizeof(*header) },
		{ (void *)part, part_size },
		{ (void *)data, data_size },
	};
	size_t total = sizeof(*header) + part_size + data_size;
	ssize_t sent = 0;

	if (connection->dead)
		return -ENOTCONN;
	if (!connection->queue)
		sent = send_some(connection->fd, iov, 3, fd);
	if (sent < 0) {
		vfio_user_connection_kill(connection);
		return -ENOTCONN;
	}
	if ((size_t)sent == total)
		return 0;
	return enqueue(connection, iov, 3, (size_t)sent, total, fd);
}

/* The socket takes bytes again. */
static void flush(struct vfio_user_connection *connection)
{
	struct vfio_user_outgoing *message;

	pthread_mutex_lock(&connection->lock);
	while (!connection->dead && (message = connection->queue)) {
		struct iovec iov = {
			message->bytes + message->done,
			message->size - message->done,
		};
		ssize_t sent = send_some(connection->fd, &iov, 1, message->fd);

		if (sent < 0)
			vfio_user_connection_kill(connection);
		if (sent <= 0)
			break;
		message->fd = -1;
		message->done += (size_t)sent;
		connection->queued -= (size_t)sent;
		if (message->done < message->size)
			continue;
		connection->queue = message->next;
		if (!connection->queue)
			connection->queue_tail = &connection->queue;
		free(message);
	}
	if (!connection->queue)
		watch(connection, EPOLLIN);
	pthread_mutex_unlock(&connection->lock);
}

static void keep_fds(struct vfio_user_incoming *in, struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
			if (in->nfds < VFIO_USER_RECEIVE_FDS) {
				in->fds[in->nfds++] = fd;
			} else {
				close(fd);
				in->fds_lost = true;
			}
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		in->fds_lost = true;
}

/*
 * Return: bytes received, 0 at the end of the stream, or -errno; -EAGAIN when there is nothing now.
 */
static ssize_t receive_some(struct vfio_user_connection *connection, void *buf, size_t size)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VFIO_USER_RECEIVE_FDS)];
	} control;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do
		n = recvmsg(connection->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	keep_fds(&connection->in, &msg);
	connection->in.have += (size_t)n;
	return n;
}

int vfio_user_connection_reserve(struct vfio_user_connection *connection, size_t size)
{
	uint8_t *payload;

	if (size <= connection->in.capacity)
		return 0;
	payload = realloc(connection->in.payload, size);
	if (!payload)
		return -ENOMEM;
	connection->in.payload = payload;
	connection->in.capacity = size;
	return 0;
}

/*
 * A header that cannot be: where the next message begins is not known any more. Whoever sent a
 * command and wants a reply is told before the connection ends.
 */
static void refuse_framing(struct vfio_user_connection *connection, int error)
{
	const struct vfio_user_header *got = &connection->in.header;
	struct vfio_user_header reply = {
		.id = got->id,
		.command = got->command,
		.size = sizeof(reply),
		.flags = VFIO_USER_TYPE_REPLY | VFIO_USER_FLAG_ERROR,
		.error = (uint32_t)error,
	};

	vfio_user_log(connection->log, "client dropped: message of %u bytes, %zu to %zu can be",
		      got->size, sizeof(*got), sizeof(*got) + VFIO_USER_MAX_PAYLOAD);
	connection->closing = true;
	if ((got->flags & VFIO_USER_FLAG_TYPE) == VFIO_USER_TYPE_REPLY ||
	    got->flags & VFIO_USER_FLAG_NO_REPLY)
		return;
	pthread_mutex_lock(&connection->lock);
	vfio_user_connection_send(connection, &reply, NULL, 0, NULL, 0, -1);
	pthread_mutex_unlock(&connection->lock);
}

static int check_framing(struct vfio_user_connection *connection)
{
	size_t size = connection->in.header.size;

	if (size < sizeof(connection->in.header)) {
		refuse_framing(connection, EINVAL);
		return -EPROTO;
	}
	if (size > sizeof(connection->in.header) + VFIO_USER_MAX_PAYLOAD) {
		refuse_framing(connection, E2BIG);
		return -EPROTO;
	}
	if (vfio_user_connection_reserve(connection, size - sizeof(connection->in.header))) {
		vfio_user_log(connection->log,
			      "client dropped: no memory for a message of %zu bytes", size);
		connection->closing = true;
		return -ENOMEM;
	}
	return 0;
}

/*
 * Return: 0 when a message is complete, -EAGAIN when more of it has to come, another -errno at the
 * end of the connection.
 */
static int receive_message(struct vfio_user_connection *connection)
{
	struct vfio_user_incoming *in = &connection->in;
	const size_t header_size = sizeof(in->header);

	for (;;) {
		ssize_t n;
		int ret;

		if (in->have >= header_size && in->have == in->header.size)
			return 0;
		if (in->have < header_size)
			n = receive_some(connection, (char *)&in->header + in->have,
					 header_size - in->have);
		else
			n = receive_some(connection, in->payload + (in->have - header_size),
					 in->header.size - in->have);
		if (n < 0)
			return (int)n;
		if (!n)
			return -ECONNRESET;
		if (in->have == header_size) {
			ret = check_framing(connection);
			if (ret)
				return ret;
		}
	}
}

static void carry_out(struct vfio_user_connection *connection)
{
	struct vfio_user_incoming *in = &connection->in;

	if ((in->header.flags & VFIO_USER_FLAG_TYPE) == VFIO_USER_TYPE_REPLY)
		vfio_user_dma_reply(connection);
	else
		vfio_user_command_handle(connection);
	close_received_fds(in);
	in->have = 0;
}

/* Return: true while the client is there. */
static bool receive(struct vfio_user_connection *connection)
{
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		int ret = receive_message(connection);

		if (ret == -EAGAIN || ret == -EWOULDBLOCK)
			return true;
		if (ret == -ECONNRESET && connection->in.have)
			vfio_user_log(connection->log, "client left in the middle of a message");
		if (ret)
			return false;
		carry_out(connection);
		if (connection->closing)
			return false;
	}
	return true;
}

bool vfio_user_connection_handle(struct vfio_user_connection *connection, uint32_t events)
{
	bool alive = true;

	if (events & EPOLLOUT)
		flush(connection);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = receive(connection);
	pthread_mutex_lock(&connection->lock);
	alive = alive && !connection->dead;
	pthread_mutex_unlock(&connection->lock);
	return alive;
}
