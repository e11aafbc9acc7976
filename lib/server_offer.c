// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The buffers that a server offers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tphbuf/mmap.h>

#include "server.h"
#include "sys.h"

void tpb_offer_clear(struct tpb_offer *offer)
{
	if (offer->fd >= 0)
		tpb_sys.close(offer->fd);
	free(offer->uids);
	free(offer->gids);
	offer->uids = NULL;
	offer->gids = NULL;
	offer->fd = -1;
}

int tpb_server_find(const struct tphbuf_server *server, const char *name)
{
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS; i++)
		if (server->offers[i].fd >= 0 && !strcmp(server->offers[i].name, name))
			return i;
	return -1;
}

/* A place that is free, and of which no client is still to be told something; or -1. */
static int find_place(const struct tphbuf_server *server)
{
	uint64_t untold = 0;

	for (struct tpb_client *client = server->clients; client; client = client->next)
		untold |= client->untold;
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS; i++)
		if (server->offers[i].fd < 0 && !(untold >> i & 1))
			return i;
	return -1;
}

static int copy_ids(const struct tphbuf_offer *from, struct tpb_offer *to)
{
	/* One more, so that a copy of nothing is not taken for a failure. */
	to->uids = tpb_sys.calloc(from->nr_uids + 1, sizeof(*to->uids));
	to->gids = tpb_sys.calloc(from->nr_gids + 1, sizeof(*to->gids));
	if (!to->uids || !to->gids)
		return -ENOMEM;
	if (from->nr_uids)
		memcpy(to->uids, from->uids, from->nr_uids * sizeof(*to->uids));
	if (from->nr_gids)
		memcpy(to->gids, from->gids, from->nr_gids * sizeof(*to->gids));
	to->nr_uids = from->nr_uids;
	to->nr_gids = from->nr_gids;
	return 0;
}

int tphbuf_server_offer(struct tphbuf_server *server, const struct tphbuf_offer *offer)
{
	static const struct tphbuf_offer none;
	struct tpb_offer copy = { .fd = -1 };
	int ret, place;

	if (!tpb_handover_name_is_good(offer->name) || offer->flags & ~TPHBUF_OFFER_ANYONE ||
	    memcmp(offer->reserved, none.reserved, sizeof(none.reserved)) ||
	    offer->nr_uids >= SIZE_MAX / sizeof(uid_t) ||
	    offer->nr_gids >= SIZE_MAX / sizeof(gid_t))
		return -EINVAL;
	if (tpb_server_find(server, offer->name) >= 0)
		return -EEXIST;
	place = find_place(server);
	if (place < 0)
		return -ENOSPC;
	ret = tphbuf_dmabuf_size(offer->dmabuf_fd, &copy.size);
	if (ret)
		return ret;
	copy.flags = offer->flags;
	copy.tag = offer->tag;
	snprintf(copy.name, sizeof(copy.name), "%s", offer->name);
	ret = copy_ids(offer, &copy);
	if (!ret)
		ret = copy.fd = tpb_sock.duplicate(offer->dmabuf_fd);
	if (ret < 0) {
		tpb_offer_clear(&copy);
		return ret;
	}
	server->offers[place] = copy;
	return 0;
}
