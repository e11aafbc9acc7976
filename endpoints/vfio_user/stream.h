/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream of one client: its socket, the message that is arriving with its descriptors, the
 * messages that wait to leave. Knows no command.
 *
 * The server's thread receives; any thread sends.
 */
#ifndef TPHBUF_VFIO_USER_STREAM_H
#define TPHBUF_VFIO_USER_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "closer.h"
#include "log.h"
#include "message.h"

/* As many descriptors as the kernel passes in one message (SCM_MAX_FD) */
#define VFIO_USER_RECEIVE_FDS	253
/* Bytes that may wait for a client that does not read */
#define VFIO_USER_QUEUE_MAX	(8u << 20)

/* Bytes that one call of the system brings: many small messages, or the begin of a large one */
#define VFIO_USER_BATCH		(16u << 10)

/**
 * struct vfio_user_fds - descriptors that have arrived
 * @fd: owned; -1 for one that a handler has taken
 * @count: of @fd
 * @lost: the kernel could not deliver all
 */
struct vfio_user_fds {
	int fd[VFIO_USER_RECEIVE_FDS];
	unsigned int count;
	bool lost;
};

/**
 * struct vfio_user_incoming - the message that has arrived
 * @header: of the message
 * @payload: what follows the header
 * @fds: descriptors that came with it
 */
struct vfio_user_incoming {
	struct vfio_user_header header;
	const uint8_t *payload;
	struct vfio_user_fds fds;
};

/**
 * struct vfio_user_batch - bytes that have arrived and are no message yet
 * @bytes: begin with a header
 * @start: index in @bytes of the first that belongs to no message that was handed out
 * @end: index behind the last
 * @large: buffer for the payload of a message that does not fit in @bytes, and for replies
 * @capacity: of @large
 * @have: bytes of payload in @large while such a message arrives
 * @is_large: such a message arrives; its header is in the stream's @in
 * @fds: descriptors that came with @bytes: of the last message that begins in them
 */
struct vfio_user_batch {
	uint8_t bytes[VFIO_USER_BATCH];
	size_t start;
	size_t end;
	uint8_t *large;
	size_t capacity;
	size_t have;
	bool is_large;
	struct vfio_user_fds fds;
};

struct vfio_user_outgoing;

/**
 * struct vfio_user_stream - one client's socket
 *
 * Used by the server's thread only, or constant:
 * @fd: the socket
 * @epoll_fd: where it is registered
 * @epoll_data: pointer of its events
 * @log: for lines about this client
 * @closer: closes what came from the client
 * @batch: what has arrived
 * @in: the message that was handed out
 *
 * Guarded by @lock, which callers may use for what belongs to the same client:
 * @dead: nothing can be sent or received any more; set once
 * @queue: messages that wait to leave
 * @queue_tail: where the next one is linked in
 * @queued: their bytes
 * @changed: signalled when the stream dies; callers signal on it what else a thread may wait for
 */
struct vfio_user_stream {
	int fd;
	int epoll_fd;
	void *epoll_data;
	struct vfio_user_log *log;
	struct vfio_user_closer *closer;
	struct vfio_user_batch batch;
	struct vfio_user_incoming in;

	pthread_mutex_t lock;
	bool dead;
	struct vfio_user_outgoing *queue;
	struct vfio_user_outgoing **queue_tail;
	size_t queued;
	pthread_cond_t changed;
};

/**
 * vfio_user_stream_init() - take a client's socket over
 * @stream: to fill in
 * @fd: the socket, non-blocking; the stream's when the call succeeds
 * @epoll_fd: watches the socket
 * @epoll_data: pointer of the socket's events
 * @log: outlives the stream
 * @closer: outlives the stream
 *
 * Return: 0, or what epoll_ctl() said.
 */
int vfio_user_stream_init(struct vfio_user_stream *stream, int fd, int epoll_fd, void *epoll_data,
			  struct vfio_user_log *log, struct vfio_user_closer *closer);

/* Closes the socket and what came with it. No other thread may use the stream any more. */
void vfio_user_stream_destroy(struct vfio_user_stream *stream);

/*
 * Declares the stream dead and wakes whoever waits for it; the server's thread learns it as a
 * hang-up of the socket. @lock held.
 */
void vfio_user_stream_kill(struct vfio_user_stream *stream);

/*
 * True when the client has closed its end: what it may have sent before does not matter any more.
 */
bool vfio_user_stream_hung_up(const struct vfio_user_stream *stream);

/**
 * vfio_user_stream_receive() - take what the socket has, with one call of the system
 * @stream: on the server's thread; every message of the last call was handed out
 *
 * Return: 0, to be followed by vfio_user_stream_next() until it says -EAGAIN; -errno when there is
 * nothing (-EAGAIN) or the stream has ended.
 */
int vfio_user_stream_receive(struct vfio_user_stream *stream);

/**
 * vfio_user_stream_next() - hand out a message
 * @stream: on the server's thread
 *
 * A header that cannot be ends the stream: the sender of a command is told before.
 *
 * Return: 0 when @in holds a message, to be followed by vfio_user_stream_release(); -EAGAIN when
 * more of it has to come; another -errno when the stream has ended.
 */
int vfio_user_stream_next(struct vfio_user_stream *stream);

/* The message in @in is done with: closes the descriptors that nobody took. */
void vfio_user_stream_release(struct vfio_user_stream *stream);

/*
 * A buffer for the reply to the message in @in, which it may be the payload of; NULL without
 * memory. Server's thread.
 */
uint8_t *vfio_user_stream_buffer(struct vfio_user_stream *stream, size_t size);

/**
 * vfio_user_stream_send() - send a message, or queue what the socket does not take now
 * @stream: its @lock held
 * @header: size must be that of all
 * @part: what follows the header, or NULL
 * @part_size: of @part
 * @data: what follows @part, or NULL
 * @data_size: of @data
 * @fd: to pass along, or -1; not taken over, stays open while the client is connected
 *
 * Return: 0; -ENOTCONN when the client is gone, or has been dropped now because it does not read;
 * -ENOMEM: then too it is dropped, since a reply is missing.
 */
int vfio_user_stream_send(struct vfio_user_stream *stream, const struct vfio_user_header *header,
			  const void *part, size_t part_size, const void *data, size_t data_size,
			  int fd);

/* The socket takes bytes again: sends what is queued. Server's thread. */
void vfio_user_stream_flush(struct vfio_user_stream *stream);

#endif
