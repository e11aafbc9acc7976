/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of every verb that gives a dma-buf a tag. */
#ifndef CLI_TAG_ARGS_H
#define CLI_TAG_ARGS_H

#include <stdbool.h>

#include <getopt.h>

#include <tphbuf/tag.h>

#include "verb.h"

struct tag_args {
	struct tphbuf_tag tag;	/* no valid namespace when none was given */
	bool ph_given;
};

/* Beside those of buffer_args.h and of a verb. */
enum { OPT_PH = 512, OPT_ST, OPT_ST_EXT };

#define TAG_LONG_OPTIONS \
	{ "ph", required_argument, NULL, OPT_PH }, \
	{ "st", required_argument, NULL, OPT_ST }, \
	{ "st-ext", required_argument, NULL, OPT_ST_EXT }

/* Takes an option; EXIT_OK, EXIT_USAGE after a line that says why, -1 for none of these. */
int tag_args_option(struct tag_args *args, const struct verb *verb, int c, const char *value);

/* EXIT_USAGE after a line when something was given without what it belongs to. */
int tag_args_complete(const struct tag_args *args, const struct verb *verb);

#endif
