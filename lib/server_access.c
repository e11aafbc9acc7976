// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Which client may have which buffer. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "server.h"
#include "sys.h"

/* What most users have, so that mostly one call suffices. */
#define USUAL_GROUPS	64

static bool is_in(gid_t gid, const struct tpb_offer *offer)
{
	for (size_t i = 0; i < offer->nr_gids; i++)
		if (offer->gids[i] == gid)
			return true;
	return false;
}

static bool any_is_in(const gid_t *gids, socklen_t length, const struct tpb_offer *offer)
{
	for (size_t i = 0; i < length / sizeof(*gids); i++)
		if (is_in(gids[i], offer))
			return true;
	return false;
}

/* Supplementary groups, as they were when the client connected. */
static int check_groups(const struct tpb_offer *offer, const struct tpb_client *client)
{
	gid_t usual[USUAL_GROUPS], *more;
	socklen_t length = sizeof(usual);
	int ret;

	ret = tpb_sock.getsockopt(client->fd, SO_PEERGROUPS, usual, &length);
	if (!ret)
		return any_is_in(usual, length, offer) ? 0 : -EACCES;
	if (ret != -ERANGE)
		return ret;
	/* The length is now what it takes. */
	more = tpb_sys.calloc(1, length);
	if (!more)
		return -ENOMEM;
	ret = tpb_sock.getsockopt(client->fd, SO_PEERGROUPS, more, &length);
	if (!ret)
		ret = any_is_in(more, length, offer) ? 0 : -EACCES;
	free(more);
	return ret;
}

int tpb_offer_check_access(const struct tpb_offer *offer, const struct tpb_client *client)
{
	if (offer->flags & TPHBUF_OFFER_ANYONE || !client->uid || client->uid == geteuid() ||
	    is_in(client->gid, offer))
		return 0;
	for (size_t i = 0; i < offer->nr_uids; i++)
		if (offer->uids[i] == client->uid)
			return 0;
	return offer->nr_gids ? check_groups(offer, client) : -EACCES;
}
