/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_EXEC_ARGS_H
#define CLI_EXEC_ARGS_H

#include <stdbool.h>

#include <tphbuf/tphbuf.h>

/* More would be a mistake: a range is for a part of a BAR that someone has in mind. */
#define EXEC_MAX_RANGES	64

struct exec_args {
	struct tphbuf_options options;
	const char *device;
	unsigned int bar;
	struct tphbuf_range ranges[EXEC_MAX_RANGES];
	size_t nr_ranges;	/* 0 for the whole BAR */
	struct tphbuf_tag tag;
	bool tagged;
	bool help;
	char **command;		/* up to NULL */
};

/* EXIT_OK, or EXIT_USAGE after a line that says why. */
int exec_args_parse(struct exec_args *args, int argc, char **argv);

#endif
