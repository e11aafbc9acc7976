/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SERVE_ARGS_H
#define CLI_SERVE_ARGS_H

#include <stdbool.h>

#include <tphbuf/server.h>

#include "buffer_args.h"
#include "tag_args.h"

/* Users, and groups, of one buffer. */
#define SERVE_MAX_IDS	64

/* One --buffer, and the options behind it. */
struct served_args {
	const char *name;
	struct buffer_args buffer;
	struct tag_args tag;
	bool anyone;
	size_t nr_uids;
	size_t nr_gids;
	uid_t uids[SERVE_MAX_IDS];
	gid_t gids[SERVE_MAX_IDS];
};

struct serve_args {
	struct buffer_args device;	/* what all buffers have in common */
	const char *socket;		/* NULL for one of systemd */
	struct tphbuf_server_options limits;
	size_t nr_buffers;
	struct served_args *buffers;	/* TPHBUF_SERVER_MAX_OFFERS; free() it */
	bool help;
};

/* EXIT_OK, or another exit code after a line that says why. */
int serve_args_parse(struct serve_args *args, const struct verb *verb, int argc, char **argv);

#endif
