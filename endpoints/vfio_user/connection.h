/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client of one device: what was agreed upon with it, its interrupts, and the DMA requests that
 * wait for its reply.
 *
 * The server's thread receives and carries out commands. Other threads only send DMA requests and
 * wait for the reply.
 */
#ifndef TPHBUF_VFIO_USER_CONNECTION_H
#define TPHBUF_VFIO_USER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "device_ops.h"
#include "irq.h"
#include "stream.h"

struct vfio_user_dma_request;

/**
 * struct vfio_user_connection - a client of one device
 *
 * Used by the server's thread only, or constant:
 * @stream: its socket; locks itself
 * @ops, @device: what is served
 * @log: for lines about this client
 * @reason: cause of the error that a handler returns, for the log; empty: the error is worth no
 *	line
 * @negotiated: VERSION was agreed upon; set once, before connect() of @ops
 * @closing: VERSION failed: the connection ends after this message
 * @max_data_xfer: bytes in one transfer, agreed upon with VERSION
 * @takes_fds: so is whether the client takes a descriptor with a message
 * @write_multiple: and REGION_WRITE_MULTI
 * @irqs: locks itself; exists once @negotiated
 *
 * Guarded by the stream's lock, its condition signalled when a request is answered:
 * @requests: DMA requests without reply
 * @epoch: DMA requests of an earlier one are cancelled
 * @next_id: where the search for an id of the next request begins
 */
struct vfio_user_connection {
	struct vfio_user_stream stream;
	const struct vfio_user_device_ops *ops;
	void *device;
	struct vfio_user_log *log;
	char reason[160];
	bool negotiated;
	bool closing;
	uint32_t max_data_xfer;
	bool takes_fds;
	bool write_multiple;
	struct vfio_user_irqs irqs;

	struct vfio_user_dma_request *requests;
	uint64_t epoch;
	uint16_t next_id;
};

/**
 * vfio_user_connection_create() - serve a client that was accepted
 * @fd: its socket, non-blocking; the connection's, also after an error
 * @epoll_fd: watches the socket
 * @epoll_data: pointer of the socket's events
 * @ops: the device, with @device; both outlive the connection
 * @device: first argument of @ops
 * @log: outlives the connection
 * @closer: outlives the connection
 *
 * Return: the connection, or NULL without memory.
 */
struct vfio_user_connection *vfio_user_connection_create(int fd, int epoll_fd,
							 void *epoll_data,
							 const struct vfio_user_device_ops *ops,
							 void *device, struct vfio_user_log *log,
							 struct vfio_user_closer *closer);

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

#endif
