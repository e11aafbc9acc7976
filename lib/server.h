/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* A server of dma-bufs, as its parts see it. */
#ifndef TPB_SERVER_H
#define TPB_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <tphbuf/server.h>

#include "handover.h"

/* A buffer that is offered; @fd is -1 in a place that is free. */
struct tpb_offer {
	int fd;
	uint64_t size;
	uint32_t flags;
	struct tphbuf_tag tag;
	size_t nr_uids;
	size_t nr_gids;
	uid_t *uids;
	gid_t *gids;
	char name[TPHBUF_NAME_SIZE];
};

/*
 * A connection. Its size does not depend on what the client does: an answer that
 * could not be sent yet is kept, and no request is read before it is sent.
 */
struct tpb_client {
	struct tpb_client *next;
	int fd;
	uid_t uid;
	gid_t gid;
	uint64_t has;		/* a bit for each offer whose buffer it was given */
	uint64_t untold;	/* and for each revocation that it is to be told */
	uint32_t waits_for;	/* EPOLL* that it is registered with */
	bool answering;
	struct tpb_handover answer;
	int answer_offer;	/* index of the buffer that goes with the answer, or -1 */
};

struct tphbuf_server {
	int listen;
	int epoll;
	int timer;
	bool paused;		/* accepts nobody until the timer has run down */
	uint32_t max_clients;
	uint32_t max_clients_per_uid;
	uint32_t nr_clients;
	struct tpb_client *clients;
	struct tpb_offer offers[TPHBUF_SERVER_MAX_OFFERS];
};

/* Index of the offer of this name, or -1. */
int tpb_server_find(const struct tphbuf_server *server, const char *name);

/* Its place is free afterwards. The name stays, for clients who are still to be told it. */
void tpb_offer_clear(struct tpb_offer *offer);

/* 0, -EACCES, or the error of finding out which groups the client is in. */
int tpb_offer_check_access(const struct tpb_offer *offer, const struct tpb_client *client);

/* Makes a client of the connection @fd, or closes it, after telling why where that is possible. */
void tpb_client_accept(struct tphbuf_server *server, int fd);

/* Does what the client can do now; frees the client when it has gone or has to go. */
void tpb_client_dispatch(struct tphbuf_server *server, struct tpb_client *client);

/* The client is to be told that the buffer of the offer @index is revoked, if it has it. */
void tpb_client_revoke(struct tphbuf_server *server, struct tpb_client *client, int index);

void tpb_client_remove(struct tphbuf_server *server, struct tpb_client *client);

#endif
