/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_CONNECTION_H
#define TPHBUF_CONNECTION_H

#include <stdint.h>

#include <tphbuf/server.h>
#include <tphbuf/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A connection to a server of dma-bufs. For one thread at a time. */
struct tphbuf_connection;

/**
 * struct tphbuf_handover - a dma-buf that a server has handed over
 * @size: bytes, as the kernel has it
 * @tag: what the owner has set, as the server says; no valid namespace for a
 *	buffer without a tag
 * @dmabuf_fd: the dma-buf, close-on-exec; the caller owns it
 * @reserved: zero
 */
struct tphbuf_handover {
	uint64_t size;
	struct tphbuf_tag tag;
	int dmabuf_fd;
	uint32_t reserved[7];
};

/**
 * tphbuf_connect - connect to a server of dma-bufs
 * @path: socket of the server, of "tphbuf serve" for example
 * @connection: set to the connection; the caller ends it with
 *	tphbuf_connection_close()
 *
 * Return: 0, or
 * -ENOENT	there is no such socket
 * -ECONNREFUSED	nobody listens there
 * -EACCES	this user may not write to the socket
 * -EPROTOTYPE	a socket of another kind
 * -EAGAIN	the server has not accepted the connection in half a minute
 * -ENAMETOOLONG, -EMFILE, -ENFILE, -ENOMEM.
 */
int tphbuf_connect(const char *path, struct tphbuf_connection **connection);

/**
 * tphbuf_connection_close - end a connection
 * @connection: the connection, or NULL; invalid afterwards
 *
 * Buffers that were received stay open and work; a revocation is not told any
 * more.
 */
void tphbuf_connection_close(struct tphbuf_connection *connection);

/**
 * tphbuf_connection_get - receive a buffer
 * @connection: the connection
 * @name: the buffer
 * @timeout_ms: how long to wait for the server; -1 for ever
 * @handover: filled on success
 *
 * May be called any number of times, for the same buffer too. After -ETIMEDOUT,
 * -EPROTO and -ECONNRESET the connection is of no more use.
 *
 * Return: 0, or
 * -EINVAL	@name is not the name of a buffer
 * -ENOENT	no buffer of this name is offered
 * -EACCES	this user may not have it
 * -EBUSY	the server has too many connections, in all or of this user
 * -ETIMEDOUT	the server did not answer in time
 * -ECONNRESET	the server has ended
 * -EPROTO	the server sent what is not an answer
 * -EPROTONOSUPPORT	the server wants another version of the protocol
 * -EMFILE	this process has no room for the file descriptor
 */
int tphbuf_connection_get(struct tphbuf_connection *connection, const char *name, int timeout_ms,
			  struct tphbuf_handover *handover);

/**
 * tphbuf_connection_fd - file to wait for
 * @connection: the connection
 *
 * For poll(2). Call tphbuf_connection_wait() first: a revocation that arrived
 * while tphbuf_connection_get() waited is kept there.
 *
 * Return: a file descriptor that stays the connection's, readable when
 * tphbuf_connection_wait() has something to tell.
 */
int tphbuf_connection_fd(const struct tphbuf_connection *connection);

/**
 * tphbuf_connection_wait - wait for a revocation
 * @connection: the connection
 * @timeout_ms: how long; 0 to see whether there is one, -1 for ever
 * @name: TPHBUF_NAME_SIZE bytes for the name of the buffer
 *
 * Return: 0 when the buffer @name is revoked for good; -ETIMEDOUT; -ECONNRESET
 * when the server has ended, after which nobody tells of revocations; -EPROTO.
 */
int tphbuf_connection_wait(struct tphbuf_connection *connection, int timeout_ms, char *name);

#ifdef __cplusplus
}
#endif

#endif
