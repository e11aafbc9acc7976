// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The byte stream of one client: cut into messages on the way in, queued on the way out.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stream.h"

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

int vfio_user_stream_init(struct vfio_user_stream *stream, int fd, int epoll_fd, void *epoll_data,
			  struct vfio_user_log *log)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = epoll_data };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	memset(stream, 0, sizeof(*stream));
	stream->fd = fd;
	stream->epoll_fd = epoll_fd;
	stream->epoll_data = epoll_data;
	stream->log = log;
	stream->queue_tail = &stream->queue;
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->changed, NULL);
	return 0;
}

static void close_received_fds(struct vfio_user_incoming *in)
{
	for (unsigned int i = 0; i < in->nfds; i++)
		if (in->fds[i] >= 0)
			close(in->fds[i]);
	in->nfds = 0;
	in->fds_lost = false;
}

void vfio_user_stream_kill(struct vfio_user_stream *stream)
{
	if (stream->dead)
		return;
	stream->dead = true;
	/* The server's thread learns it as a hang-up of the socket. */
	shutdown(stream->fd, SHUT_RDWR);
	pthread_cond_broadcast(&stream->changed);
}

void vfio_user_stream_destroy(struct vfio_user_stream *stream)
{
	while (stream->queue) {
		struct vfio_user_outgoing *next = stream->queue->next;

		free(stream->queue);
		stream->queue = next;
	}
	close_received_fds(&stream->in);
	free(stream->in.payload);
	close(stream->fd);
	pthread_cond_destroy(&stream->changed);
	pthread_mutex_destroy(&stream->lock);
}

bool vfio_user_stream_hung_up(const struct vfio_user_stream *stream)
{
	struct pollfd pollfd = { .fd = stream->fd, .events = POLLRDHUP };

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

static void watch(struct vfio_user_stream *stream, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = stream->epoll_data };

	epoll_ctl(stream->epoll_fd, EPOLL_CTL_MOD, stream->fd, &event);
}

/* Queues what is left of a message behind its first @sent bytes. */
static int enqueue(struct vfio_user_stream *stream, const struct iovec *iov, size_t iovcnt,
		   size_t sent, size_t total, int fd)
{
	struct vfio_user_outgoing *message;
	size_t skip = sent;

	if (stream->queued + (total - sent) > VFIO_USER_QUEUE_MAX) {
		vfio_user_log(stream->log,
			      "client dropped: it does not read, %zu bytes wait for it",
			      stream->queued);
		vfio_user_stream_kill(stream);
		return -ENOTCONN;
	}
	message = malloc(sizeof(*message) + total - sent);
	if (!message) {
		vfio_user_log(stream->log, "client dropped: no memory for a message to it");
		vfio_user_stream_kill(stream);
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
	if (!stream->queue)
		watch(stream, EPOLLIN | EPOLLOUT);
	*stream->queue_tail = message;
	stream->queue_tail = &message->next;
	stream->queued += message->size;
	return 0;
}

int vfio_user_stream_send(struct vfio_user_stream *stream,
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

	if (stream->dead)
		return -ENOTCONN;
	if (!stream->queue)
		sent = send_some(stream->fd, iov, 3, fd);
	if (sent < 0) {
		vfio_user_stream_kill(stream);
		return -ENOTCONN;
	}
	if ((size_t)sent == total)
		return 0;
	return enqueue(stream, iov, 3, (size_t)sent, total, fd);
}

void vfio_user_stream_flush(struct vfio_user_stream *stream)
{
	struct vfio_user_outgoing *message;

	pthread_mutex_lock(&stream->lock);
	while (!stream->dead && (message = stream->queue)) {
		struct iovec iov = {
			message->bytes + message->done,
			message->size - message->done,
		};
		ssize_t sent = send_some(stream->fd, &iov, 1, message->fd);

		if (sent < 0)
			vfio_user_stream_kill(stream);
		if (sent <= 0)
			break;
		message->fd = -1;
		message->done += (size_t)sent;
		stream->queued -= (size_t)sent;
		if (message->done < message->size)
			continue;
		stream->queue = message->next;
		if (!stream->queue)
			stream->queue_tail = &stream->queue;
		free(message);
	}
	if (!stream->queue)
		watch(stream, EPOLLIN);
	pthread_mutex_unlock(&stream->lock);
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
static ssize_t receive_some(struct vfio_user_stream *stream, void *buf, size_t size)
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
		n = recvmsg(stream->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	keep_fds(&stream->in, &msg);
	stream->in.have += (size_t)n;
	return n;
}

int vfio_user_stream_reserve(struct vfio_user_stream *stream, size_t size)
{
	uint8_t *payload;

	if (size <= stream->in.capacity)
		return 0;
	payload = realloc(stream->in.payload, size);
	if (!payload)
		return -ENOMEM;
	stream->in.payload = payload;
	stream->in.capacity = size;
	return 0;
}

/*
 * A header that cannot be: where the next message begins is not known any more. Whoever sent a
 * command and wants a reply is told before the connection ends.
 */
static void refuse_framing(struct vfio_user_stream *stream, int error)
{
	const struct vfio_user_header *got = &stream->in.header;
	struct vfio_user_header reply = {
		.id = got->id,
		.command = got->command,
		.size = sizeof(reply),
		.flags = VFIO_USER_TYPE_REPLY | VFIO_USER_FLAG_ERROR,
		.error = (uint32_t)error,
	};

	vfio_user_log(stream->log, "client dropped: message of %u bytes, %zu to %zu can be",
		      got->size, sizeof(*got), sizeof(*got) + VFIO_USER_MAX_PAYLOAD);
	if ((got->flags & VFIO_USER_FLAG_TYPE) == VFIO_USER_TYPE_REPLY ||
	    got->flags & VFIO_USER_FLAG_NO_REPLY)
		return;
	pthread_mutex_lock(&stream->lock);
	vfio_user_stream_send(stream, &reply, NULL, 0, NULL, 0, -1);
	pthread_mutex_unlock(&stream->lock);
}

static int check_framing(struct vfio_user_stream *stream)
{
	size_t size = stream->in.header.size;

	if (size < sizeof(stream->in.header)) {
		refuse_framing(stream, EINVAL);
		return -EPROTO;
	}
	if (size > sizeof(stream->in.header) + VFIO_USER_MAX_PAYLOAD) {
		refuse_framing(stream, E2BIG);
		return -EPROTO;
	}
	if (vfio_user_stream_reserve(stream, size - sizeof(stream->in.header))) {
		vfio_user_log(stream->log,
			      "client dropped: no memory for a message of %zu bytes", size);
			return -ENOMEM;
	}
	return 0;
}

int vfio_user_stream_receive(struct vfio_user_stream *stream)
{
	struct vfio_user_incoming *in = &stream->in;
	const size_t header_size = sizeof(in->header);

	for (;;) {
		ssize_t n;
		int ret;

		if (in->have >= header_size && in->have == in->header.size)
			return 0;
		if (in->have < header_size)
			n = receive_some(stream, (char *)&in->header + in->have,
					 header_size - in->have);
		else
			n = receive_some(stream, in->payload + (in->have - header_size),
					 in->header.size - in->have);
		if (!n)
			n = -ECONNRESET;
		if (n == -ECONNRESET && in->have)
			vfio_user_log(stream->log, "client left in the middle of a message");
		if (n < 0)
			return (int)n;
		if (in->have == header_size) {
			ret = check_framing(stream);
			if (ret)
				return ret;
		}
	}
}

void vfio_user_stream_release(struct vfio_user_stream *stream)
{
	close_received_fds(&stream->in);
	stream->in.have = 0;
}
