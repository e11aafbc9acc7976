/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Messages between tphbuf_connect() and a server, one per packet of a SOCK_SEQPACKET socket. */
#ifndef TPB_HANDOVER_H
#define TPB_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include <tphbuf/server.h>

#include "sock.h"

#define TPB_HANDOVER_MAGIC	0x46554254u	/* "TBUF" in memory of a little-endian machine */
#define TPB_HANDOVER_VERSION	1

enum tpb_handover_type {
	TPB_HANDOVER_GET	= 1,	/* from the client: hand over @name */
	TPB_HANDOVER_BUFFER	= 2,	/* the answer, with the file descriptor */
	TPB_HANDOVER_REFUSED	= 3,	/* the answer, with @error */
	TPB_HANDOVER_REVOKED	= 4,	/* unasked: @name, which the client has, is revoked */
};

/* In the byte order of the machine, on which both ends are. Unused fields are 0. */
struct tpb_handover {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	int32_t error;			/* positive errno value */
	uint32_t tag_valid;		/* TPHBUF_TAG_* */
	uint16_t st_ext;
	uint8_t st;
	uint8_t ph;
	uint32_t reserved;
	uint64_t size;
	char name[TPHBUF_NAME_SIZE];	/* ends with a zero byte */
};

_Static_assert(sizeof(struct tpb_handover) == 32 + TPHBUF_NAME_SIZE, "no padding");

/* Letters, digits, '.', '_' and '-', at least one, with room for the zero byte. */
bool tpb_handover_name_is_good(const char *name);

/* A message of @type about @name, which is good. */
struct tpb_handover tpb_handover_make(enum tpb_handover_type type, const char *name);

/* Whether @size bytes are a message of this version with a name that is good or empty. */
bool tpb_handover_is_good(const struct tpb_handover *message, ssize_t size);

/* Sends a message, with @fd if it is not -1, without waiting: 0 or a negative errno value. */
int tpb_handover_send(int socket, const struct tpb_handover *message, int fd);

/*
 * Receives a message without waiting, and the file descriptor that came with it
 * or -1. Without @fd no file is accepted. Its size, which may be a wrong one; 0
 * when the other end has gone.
 */
ssize_t tpb_handover_receive(int socket, struct tpb_handover *message, int *fd);

#endif
