// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the server: DMA_READ and DMA_WRITE. Replies are matched by message id, because
 * commands and replies of both ends cross on the one socket.
 *
 * There is no time limit: a client that is stopped in a debugger must not see its DMA fail. A
 * client that never answers holds up its own device only, until it resets it or goes away.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "connection.h"
#include "dma_message.h"

/**
 * struct vfio_user_dma_request - a request without reply; on the stack of the thread that waits for
 * it
 * @next: in the connection's list
 * @id: message id, unique in the list
 * @epoch: of the caller
 * @command: VFIO_USER_DMA_READ or _WRITE
 * @access: what was asked for
 * @buf: where the bytes of a read go
 * @done: @result is valid, and the request in no list any more
 * @result: 0 or -errno
 */
struct vfio_user_dma_request {
	struct vfio_user_dma_request *next;
	uint64_t epoch;
	uint16_t id;
	uint16_t command;
	struct vfio_user_dma_access access;
	void *buf;
	bool done;
	int result;
};

static struct vfio_user_dma_request **request_find(struct vfio_user_connection *connection,
						  uint16_t id)
{
	struct vfio_user_dma_request **at = &connection->requests;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* Takes the request out of the list, so that its thread can go on. */
static void request_end(struct vfio_user_connection *connection, struct vfio_user_dma_request **at,
			int result)
{
	struct vfio_user_dma_request *request = *at;

	*at = request->next;
	request->result = result;
	request->done = true;
	pthread_cond_broadcast(&connection->stream.changed);
}

void vfio_user_dma_cancel(struct vfio_user_connection *connection, uint64_t epoch)
{
	struct vfio_user_dma_request **at = &connection->requests;

	pthread_mutex_lock(&connection->stream.lock);
	connection->epoch = epoch;
	while (*at) {
		if ((*at)->epoch < epoch)
			request_end(connection, at, -ECANCELED);
		else
			at = &(*at)->next;
	}
	pthread_mutex_unlock(&connection->stream.lock);
}

static int transfer_chunk(struct vfio_user_connection *connection,
			  struct vfio_user_dma_request *request, const void *data)
{
	struct vfio_user_stream *stream = &connection->stream;
	struct vfio_user_header header = { .command = request->command };
	size_t data_size = data ? (size_t)request->access.count : 0;

	pthread_mutex_lock(&stream->lock);
	if (request->epoch < connection->epoch) {
		pthread_mutex_unlock(&stream->lock);
		return -ECANCELED;
	}
	while (*request_find(connection, connection->next_id))
		connection->next_id++;
	request->id = connection->next_id++;
	header.id = request->id;
	header.size = (uint32_t)(sizeof(header) + sizeof(request->access) + data_size);
	request->next = connection->requests;
	connection->requests = request;
	/* After an error the stream is dead. */
	vfio_user_stream_send(stream, &header, &request->access, sizeof(request->access), data,
			      data_size, -1);
	while (!request->done && !stream->dead)
		pthread_cond_wait(&stream->changed, &stream->lock);
	if (!request->done)
		request_end(connection, request_find(connection, request->id), -ENOTCONN);
	pthread_mutex_unlock(&stream->lock);
	return request->result;
}

static int dma_transfer(struct vfio_user_connection *connection, uint64_t epoch, uint16_t command,
			uint64_t address, void *buf, const void *data, size_t len)
{
	size_t done = 0;
	int ret = 0;

	while (!ret && done < len) {
		size_t count = len - done;
		struct vfio_user_dma_request request = { .epoch = epoch, .command = command };

		if (count > connection->max_data_xfer)
			count = connection->max_data_xfer;
		request.access.address = address + done;
		request.access.count = count;
		request.buf = buf ? (char *)buf + done : NULL;
		ret = transfer_chunk(connection, &request, data ? (const char *)data + done : NULL);
		done += count;
	}
	return ret;
}

int vfio_user_dma_read(struct vfio_user_connection *connection, uint64_t epoch, uint64_t address,
		       void *buf, size_t len)
{
	return dma_transfer(connection, epoch, VFIO_USER_DMA_READ, address, buf, NULL, len);
}

int vfio_user_dma_write(struct vfio_user_connection *connection, uint64_t epoch, uint64_t address,
			const void *buf, size_t len)
{
	return dma_transfer(connection, epoch, VFIO_USER_DMA_WRITE, address, NULL, buf, len);
}

/* What is wrong with the reply, or NULL. */
static const char *check_reply(const struct vfio_user_incoming *in,
			       const struct vfio_user_dma_request *request)
{
	size_t size = in->header.size - sizeof(in->header);
	bool read = request->command == VFIO_USER_DMA_READ;
	struct vfio_user_dma_access access = { 0 };

	if (in->header.command != request->command)
		return "of another command";
	if (in->fds.count)
		return "with descriptors";
	if (in->header.flags & VFIO_USER_FLAG_ERROR)
		return NULL;
	/* The specification's reply to a write has a count of 4 bytes, that of QEMU one of 8. */
	if (size != sizeof(access) + (read ? request->access.count : 0) &&
	    (read || size != offsetof(struct vfio_user_dma_access, count) + sizeof(uint32_t)))
		return "of the wrong size";
	memcpy(&access, in->payload, size < sizeof(access) ? size : sizeof(access));
	if (access.address != request->access.address || access.count != request->access.count)
		return "for another range";
	return NULL;
}

static void report(struct vfio_user_connection *connection,
		   const struct vfio_user_dma_request *request, const char *what, const char *why)
{
	vfio_user_log(connection->log, "%s of 0x%" PRIx64 "+0x%" PRIx64 ": %s %s",
		      vfio_user_command_name(request->command), request->access.address,
		      request->access.count, what, why);
}

void vfio_user_dma_reply(struct vfio_user_connection *connection)
{
	const struct vfio_user_incoming *in = &connection->stream.in;
	struct vfio_user_dma_request **at, *request;
	const char *wrong;
	int result = 0;

	pthread_mutex_lock(&connection->stream.lock);
	at = request_find(connection, in->header.id);
	request = *at;
	if (!request) {
		vfio_user_log(connection->log, "reply %s with id %u, which no request has: ignored",
			      vfio_user_command_name(in->header.command), in->header.id);
		goto unlock;
	}
	wrong = check_reply(in, request);
	if (wrong) {
		report(connection, request, "reply", wrong);
		result = -EFAULT;
	} else if (in->header.flags & VFIO_USER_FLAG_ERROR) {
		report(connection, request, "refused by the client:",
		       strerror((int)in->header.error));
		result = -EFAULT;
	} else if (request->buf) {
		memcpy(request->buf, in->payload + sizeof(struct vfio_user_dma_access),
		       (size_t)request->access.count);
	}
	request_end(connection, at, result);
unlock:
	pthread_mutex_unlock(&connection->stream.lock);
}
