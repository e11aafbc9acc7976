/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: its socket, the message that is arriving, the messages that wait to leave, and the
 * DMA requests that wait for their reply.
 *
 * The server's thread receives and carries out commands. Other threads only send DMA requests and
 * wait for the reply.
 */
#ifndef TPHBUF_VFIO_USER_CONNECTION_H
#define TPHBUF_VFIO_USER_CONNECTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "irq.h"
#include "log.h"
#include "message.h"

/* As many descriptors as the kernel passes in one message (SCM_MAX_FD) */
#define VFIO_USER_RECEIVE_FDS	253
/* Bytes that may wait for a client that does not read */
#define VFIO_USER_QUEUE_MAX	(8u << 20)

/**
 * struct vfio_user_incoming - the message that is arriving
 * @header: valid once @have is its size
 * @have: bytes so far, header included
 * @payload: buffer of @capacity bytes
 * @capacity: of @payload
 * @fds: descriptors that came with it; owned; -1 for one that a handler has taken
 * @nfds: number of @fds
 * @fds_lost: the kernel could not deliver all
 */
struct vfio_user_incoming {
	struct vfio_user_header header;
	size_t have;
	uint8_t *payload;
	size_t capacity;
	int fds[VFIO_USER_RECEIVE_FDS];
	unsigned int nfds;
	bool fds_lost;
};

struct vfio_user_outgoing;
struct vfio_user_dma_request;

/**
 * struct vfio_user_connection - a client of one device
 *
 * Used by the server's thread only, or constant:
 * @fd: the socket
 * @epoll_fd: where it is registered
 * @epoll_data: pointer of its events
 * @ops, @device: what is served
 * @log: for lines about this client
 * @in: the message that is arriving
 * @reason: cause of the error that a handler returns, for the log; empty: the error is worth no
 *	line
 * @negotiated: VERSION was agreed upon; set once, before connect() of @ops
 * @closing: VERSION failed, or framing is lost: the connection ends after this message
 * @max_data_xfer: bytes in one transfer, agreed upon with VERSION
 * @takes_fds: so is whether the client takes a descriptor with a message
 * @write_multiple: and REGION_WRITE_MULTI
 * @irqs: locks itself; exists once @negotiated
 *
 * Guarded by @lock:
 * @dead: nothing can be sent or received any more
 * @queue, @queue_tail, @queued: messages that wait to leave, and their bytes
 * @requests: DMA requests without reply
 * @next_id: where the search for an id of the next request begins
 * @replied: signalled when a request is answered or the connection dies
 */
struct vfio_user_connection {
	int fd;
	int epoll_fd;
	void *epoll_data;
	const struct vfio_user_device_ops *ops;
	void *device;
	struct vfio_user_log *log;
	struct vfio_user_incoming in;
	char reason[160];
	bool negotiated;
	bool closing;
	uint32_t max_data_xfer;
	bool takes_fds;
	bool write_multiple;
	struct vfio_user_irqs irqs;

	pthread_mutex_t lock;
	bool dead;
	struct vfio_user_outgoing *queue;
	struct vfio_user_outgoing **queue_tail;
	size_t queued;
	struct vfio_user_dma_request *requests;
	uint16_t next_id;
	pthread_cond_t replied;
};

/**
 * vfio_user_connection_create() - serve a client that was accepted
 * @fd: its socket, non-blocking; the connection's, also after an error
 * @epoll_fd: watches the socket
 * @epoll_data: pointer of the socket's events
 * @ops: the device, with @device; both outlive the connection
 * @device: first argument of @ops
 * @log: outlives the connection
 *
 * Return: the connection, or NULL without memory.
 */
struct vfio_user_connection *vfio_user_connection_create(int fd, int epoll_fd,
							 void *epoll_data,
							 const struct vfio_user_device_ops *ops,
							 void *device, struct vfio_user_log *log);

/*
 * Fails every waiter, tells the device that the client is gone, frees everything. Server's thread.
 */
void vfio_user_connection_destroy(struct vfio_user_connection *connection);

/**
 * vfio_user_connection_handle() - the socket has something to say
 * @connection: on the server's thread
 * @events: of epoll
 *
 * Return: true while the connection lives; false when it is to be destroyed.
 */
bool vfio_user_connection_handle(struct vfio_user_connection *connection, uint32_t events);

/*
 * True when the client has closed its end: what it may have sent before does not matter any more.
 */
bool vfio_user_connection_hung_up(const struct vfio_user_connection *connection);

/**
 * vfio_user_connection_send() - send a message, or queue what the socket does not take now
 * @connection: its @lock held
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
int vfio_user_connection_send(struct vfio_user_connection *connection,
			      const struct vfio_user_header *header, const void *part,
			      size_t part_size, const void *data, size_t data_size, int fd);

/**
 * vfio_user_connection_reserve() - make room in the payload buffer
 * @connection: on the server's thread
 * @size: bytes that are needed; what the buffer holds is kept
 *
 * Return: 0 or -ENOMEM.
 */
int vfio_user_connection_reserve(struct vfio_user_connection *connection, size_t size);

/*
 * Declares the connection dead and wakes all waiters; the server's thread will see it. @lock held.
 */
void vfio_user_connection_kill(struct vfio_user_connection *connection);

/* Carries out the command in @in and replies. Server's thread. */
void vfio_user_command_handle(struct vfio_user_connection *connection);

/* Name of a command for messages; never NULL. */
const char *vfio_user_command_name(unsigned int command);

/* Hands the reply in @in to the request that waits for it. Server's thread. */
void vfio_user_dma_reply(struct vfio_user_connection *connection);

/* Wakes all waiters with -ENOTCONN. @lock held. */
void vfio_user_dma_abort(struct vfio_user_connection *connection);

#endif
