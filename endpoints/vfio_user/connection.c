// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a client: it comes, each of its messages goes to its handler, it leaves.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "client_command.h"
#include "connection.h"
#include "dma_message.h"

struct vfio_user_connection *vfio_user_connection_create(int fd, int epoll_fd,
							 void *epoll_data,
							 const struct vfio_user_device_ops *ops,
							 void *device, struct vfio_user_log *log,
							 struct vfio_user_closer *closer)
{
	struct vfio_user_connection *connection = calloc(1, sizeof(*connection));

	if (!connection || vfio_user_stream_init(&connection->stream, fd, epoll_fd, epoll_data, log,
						 closer)) {
		vfio_user_closer_close(closer, fd);
		free(connection);
		return NULL;
	}
	connection->ops = ops;
	connection->device = device;
	connection->log = log;
	return connection;
}

void vfio_user_connection_destroy(struct vfio_user_connection *connection)
{
	struct vfio_user_stream *stream = &connection->stream;

	pthread_mutex_lock(&stream->lock);
	vfio_user_stream_kill(stream);
	pthread_mutex_unlock(&stream->lock);
	if (connection->negotiated) {
		connection->ops->connect(connection->device, NULL);
		vfio_user_irqs_destroy(&connection->irqs);
	}
	vfio_user_stream_destroy(stream);
	free(connection);
}

static void carry_out(struct vfio_user_connection *connection)
{
	const struct vfio_user_header *header = &connection->stream.in.header;

	if ((header->flags & VFIO_USER_FLAG_TYPE) == VFIO_USER_TYPE_REPLY)
		vfio_user_dma_reply(connection);
	else
		vfio_user_command_handle(connection);
	vfio_user_stream_release(&connection->stream);
}

/*
 * What the socket has now: others have their turn before the rest. Return: true while the client
 * is there.
 */
static bool receive(struct vfio_user_connection *connection)
{
	struct vfio_user_stream *stream = &connection->stream;
	int ret = vfio_user_stream_receive(stream);

	while (!ret) {
		ret = vfio_user_stream_next(stream);
		if (!ret)
			carry_out(connection);
		if (connection->closing)
			return false;
	}
	return ret == -EAGAIN;
}

bool vfio_user_connection_handle(struct vfio_user_connection *connection, uint32_t events)
{
	struct vfio_user_stream *stream = &connection->stream;
	bool alive = true;

	if (events & EPOLLOUT)
		vfio_user_stream_flush(stream);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = receive(connection);
	pthread_mutex_lock(&stream->lock);
	alive = alive && !stream->dead;
	pthread_mutex_unlock(&stream->lock);
	return alive;
}
