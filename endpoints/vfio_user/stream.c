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
			  struct vfio_user_log *log, struct vfio_user_closer *closer)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = epoll_data };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	memset(stream, 0, sizeof(*stream));
	stream->fd = fd;
	stream->epoll_fd = epoll_fd;
	stream->epoll_data = epoll_data;
	stream->log = log;
	stream->closer = closer;
	stream->queue_tail = &stream->queue;
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->changed, NULL);
	return 0;
}

static void close_fds(struct vfio_user_stream *stream, struct vfio_user_fds *fds)
{
	for (unsigned int i = 0; i < fds->count; i++)
		if (fds->fd[i] >= 0)
			vfio_user_closer_close(stream->closer, fds->fd[i]);
	fds->count = 0;
	fds->lost = false;
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
	close_fds(stream, &stream->in.fds);
	close_fds(stream, &stream->batch.fds);
	free(stream->batch.large);
	/* What waits in the socket may have descriptors, which are closed with it. */
	epoll_ctl(stream->epoll_fd, EPOLL_CTL_DEL, stream->fd, NULL);
	vfio_user_closer_close(stream->closer, stream->fd);
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

static void add_fd(struct vfio_user_stream *stream, struct vfio_user_fds *fds, int fd)
{
	if (fds->count < VFIO_USER_RECEIVE_FDS) {
		fds->fd[fds->count++] = fd;
	} else {
		vfio_user_closer_close(stream->closer, fd);
		fds->lost = true;
	}
}

static void keep_fds(struct vfio_user_stream *stream, struct msghdr *msg)
{
	struct vfio_user_fds *fds = &stream->batch.fds;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
			add_fd(stream, fds, fd);
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		fds->lost = true;
}

/* The descriptors that came last belong to the message in @in, which began last. */
static void attach_fds(struct vfio_user_stream *stream)
{
	struct vfio_user_fds *from = &stream->batch.fds, *to = &stream->in.fds;

	for (unsigned int i = 0; i < from->count; i++)
		add_fd(stream, to, from->fd[i]);
	to->lost |= from->lost;
	from->count = 0;
	from->lost = false;
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
	keep_fds(stream, &msg);
	return n;
}

uint8_t *vfio_user_stream_buffer(struct vfio_user_stream *stream, size_t size)
{
	struct vfio_user_batch *batch = &stream->batch;
	uint8_t *large;

	if (size <= batch->capacity)
		return batch->large;
	large = realloc(batch->large, size);
	if (!large)
		return NULL;
	batch->large = large;
	batch->capacity = size;
	return large;
}

/*
 * A header that cannot be: where the next message begins is not known any more. Whoever sent a
 * command and wants a reply is told before the connection ends.
 */
static int refuse_framing(struct vfio_user_stream *stream, int error)
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
	if ((got->flags & VFIO_USER_FLAG_TYPE) != VFIO_USER_TYPE_REPLY &&
	    !(got->flags & VFIO_USER_FLAG_NO_REPLY)) {
		pthread_mutex_lock(&stream->lock);
		vfio_user_stream_send(stream, &reply, NULL, 0, NULL, 0, -1);
		pthread_mutex_unlock(&stream->lock);
	}
	return -EPROTO;
}

/* The message behind the header in @in does not fit in a batch: gathers it in a buffer. */
static int begin_large(struct vfio_user_stream *stream)
{
	struct vfio_user_batch *batch = &stream->batch;
	size_t size = stream->in.header.size - sizeof(stream->in.header);

	if (!vfio_user_stream_buffer(stream, size)) {
		vfio_user_log(stream->log,
			      "client dropped: no memory for a message of %u bytes",
			      stream->in.header.size);
		return -ENOMEM;
	}
	batch->start += sizeof(stream->in.header);
	batch->have = batch->end - batch->start;
	memcpy(batch->large, batch->bytes + batch->start, batch->have);
	batch->start = 0;
	batch->end = 0;
	batch->is_large = true;
	return 0;
}

static bool in_the_middle(const struct vfio_user_batch *batch)
{
	return batch->is_large || batch->start < batch->end;
}

int vfio_user_stream_receive(struct vfio_user_stream *stream)
{
	struct vfio_user_batch *batch = &stream->batch;
	ssize_t n;

	if (vfio_user_closer_is_full(stream->closer)) {
		vfio_user_log(stream->log,
			      "client dropped: descriptors that it has sent cannot be closed");
		return -EMFILE;
	}
	if (batch->is_large) {
		n = receive_some(stream, batch->large + batch->have,
				 stream->in.header.size - sizeof(stream->in.header) - batch->have);
		batch->have += n > 0 ? (size_t)n : 0;
	} else {
		memmove(batch->bytes, batch->bytes + batch->start, batch->end - batch->start);
		batch->end -= batch->start;
		batch->start = 0;
		n = receive_some(stream, batch->bytes + batch->end,
				 sizeof(batch->bytes) - batch->end);
		batch->end += n > 0 ? (size_t)n : 0;
	}
	if (!n)
		n = -ECONNRESET;
	if (n == -ECONNRESET && in_the_middle(batch))
		vfio_user_log(stream->log, "client left in the middle of a message");
	return n < 0 ? (int)n : 0;
}

/* The message whose header is in @in is whole. */
static void hand_out(struct vfio_user_stream *stream)
{
	struct vfio_user_batch *batch = &stream->batch;
	size_t size = stream->in.header.size;

	if (batch->is_large) {
		stream->in.payload = batch->large;
		batch->is_large = false;
	} else {
		stream->in.payload = batch->bytes + batch->start + sizeof(stream->in.header);
		batch->start += size;
	}
	if (batch->start == batch->end)
		attach_fds(stream);
}

int vfio_user_stream_next(struct vfio_user_stream *stream)
{
	struct vfio_user_batch *batch = &stream->batch;
	struct vfio_user_header *header = &stream->in.header;
	size_t have = batch->end - batch->start;
	int ret;

	if (!batch->is_large) {
		if (have < sizeof(*header))
			goto more;
		memcpy(header, batch->bytes + batch->start, sizeof(*header));
		if (header->size < sizeof(*header))
			return refuse_framing(stream, EINVAL);
		if (header->size > sizeof(*header) + VFIO_USER_MAX_PAYLOAD)
			return refuse_framing(stream, E2BIG);
		if (header->size > sizeof(batch->bytes)) {
			ret = begin_large(stream);
			if (ret)
				return ret;
		} else if (have < header->size) {
			goto more;
		}
	}
	if (batch->is_large && batch->have < header->size - sizeof(*header))
		goto more;
	hand_out(stream);
	return 0;

more:
	if (in_the_middle(batch))
		attach_fds(stream);
	return -EAGAIN;
}

void vfio_user_stream_release(struct vfio_user_stream *stream)
{
	close_fds(stream, &stream->in.fds);
}
