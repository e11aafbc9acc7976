/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_SERVER_H
#define TPHBUF_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tphbuf/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Offers dma-bufs by name to other processes, on a UNIX socket. For one thread
 * at a time.
 */
struct tphbuf_server;

/* Room for the name of a buffer, with the terminating zero */
#define TPHBUF_NAME_SIZE		64

/* Buffers that a server offers at most */
#define TPHBUF_SERVER_MAX_OFFERS	64

/* tphbuf_server_offer(): every process that can connect may have the buffer */
#define TPHBUF_OFFER_ANYONE		(1u << 0)

/**
 * struct tphbuf_server_options - limits of a server
 * @max_clients: connections at a time; 0 for 1024
 * @max_clients_per_uid: connections at a time of one user; 0 for 256
 * @reserved: zero
 */
struct tphbuf_server_options {
	uint32_t max_clients;
	uint32_t max_clients_per_uid;
	uint32_t reserved[6];
};

/**
 * struct tphbuf_offer - a buffer, and who may have it
 * @name: 1 to 63 letters, digits, '.', '_' and '-'
 * @uids: users that may have it
 * @gids: groups whose members may have it, supplementary ones included
 * @nr_uids: number of users
 * @nr_gids: number of groups
 * @dmabuf_fd: the buffer
 * @flags: TPHBUF_OFFER_ANYONE or 0
 * @tag: what was set, as clients are told; no valid namespace for a buffer
 *	without a tag
 * @reserved: zero
 *
 * Root and the user of the server may have every buffer.
 */
struct tphbuf_offer {
	const char *name;
	const uid_t *uids;
	const gid_t *gids;
	size_t nr_uids;
	size_t nr_gids;
	int dmabuf_fd;
	uint32_t flags;
	struct tphbuf_tag tag;
	uint32_t reserved[6];
};

/**
 * tphbuf_server_create - begin to serve on a socket
 * @listen_fd: a UNIX socket of type SOCK_SEQPACKET that listens; stays the
 *	caller's, who closes it after the server; made nonblocking
 * @options: limits; NULL for the defaults
 * @server: set to the server; the caller ends it with tphbuf_server_close()
 *
 * Each connection takes a file descriptor, and up to eight file descriptors can be
 * on their way to a client that does not receive them: a process without
 * CAP_SYS_RESOURCE needs RLIMIT_NOFILE to be nine times @max_clients.
 *
 * Return: 0; -EINVAL when @options are wrong or the socket is of another kind;
 * -EBADF, -EMFILE, -ENFILE, -ENOMEM.
 */
int tphbuf_server_create(int listen_fd, const struct tphbuf_server_options *options,
			 struct tphbuf_server **server);

/**
 * tphbuf_server_close - end a server
 * @server: the server, or NULL; invalid afterwards
 *
 * Closes all connections, by which clients learn that it has ended. Buffers that
 * were handed over stay open: tphbuf_revoke() withdraws access to them.
 */
void tphbuf_server_close(struct tphbuf_server *server);

/**
 * tphbuf_server_offer - offer a buffer
 * @server: the server
 * @offer: the buffer; copied, the file descriptor is duplicated
 *
 * Set the tag of the buffer before: a client may have it as soon as this returns.
 *
 * Return: 0; -EINVAL when a field is wrong; -EEXIST when the name is offered
 * already; -ENOSPC when the server offers as many as it can, or has not yet told
 * all clients of those that were withdrawn; -EBADF, -EMFILE, -ENOMEM.
 */
int tphbuf_server_offer(struct tphbuf_server *server, const struct tphbuf_offer *offer);

/**
 * tphbuf_server_withdraw - end an offer, and tell clients that the buffer is revoked
 * @server: the server
 * @name: the buffer
 *
 * Revoke the buffer first, with tphbuf_revoke() for example: this call does not.
 * Those clients are told that have been given the buffer and are still
 * connected, each as soon as it receives.
 *
 * Return: 0; -ENOENT when no buffer of this name is offered.
 */
int tphbuf_server_withdraw(struct tphbuf_server *server, const char *name);

/**
 * tphbuf_server_fd - file to wait for
 * @server: the server
 *
 * Return: a file descriptor that stays the server's, readable for poll(2) when
 * tphbuf_server_dispatch() has something to do.
 */
int tphbuf_server_fd(const struct tphbuf_server *server);

/**
 * tphbuf_server_dispatch - do what is to be done
 * @server: the server
 *
 * Never waits: accepts connections, and reads at most one request of each client
 * and answers it. A client that does not receive its answers gets no more of
 * them until it does. One that sends anything but a request is disconnected.
 *
 * Return: 0; or the error of epoll_wait(2), which a sound server never has.
 */
int tphbuf_server_dispatch(struct tphbuf_server *server);

#ifdef __cplusplus
}
#endif

#endif
