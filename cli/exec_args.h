/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_EXEC_ARGS_H
#define CLI_EXEC_ARGS_H

#include <stdbool.h>

#include "buffer_args.h"
#include "tag_args.h"

struct exec_args {
	struct buffer_args buffer;
	struct tag_args tag;
	bool help;
	char **command;		/* up to NULL */
};

/* EXIT_OK, or EXIT_USAGE after a line that says why. */
int exec_args_parse(struct exec_args *args, const struct verb *verb, int argc, char **argv);

#endif
