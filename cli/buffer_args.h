/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of every verb that exports memory of a device: of which, and how. */
#ifndef CLI_BUFFER_ARGS_H
#define CLI_BUFFER_ARGS_H

#include <stdbool.h>

#include <getopt.h>

#include <tphbuf/tphbuf.h>

#include "verb.h"

/* More would be a mistake: a range is for a part of a BAR that someone has in mind. */
#define BUFFER_MAX_RANGES	64

struct buffer_args {
	struct tphbuf_options options;
	const char *device;
	unsigned int bar;
	bool bar_given;
	struct tphbuf_range ranges[BUFFER_MAX_RANGES];
	size_t nr_ranges;	/* 0 for the whole BAR */
	unsigned int flags;	/* TPHBUF_EXPORT_* */
};

/* For getopt_long(); options of a verb itself begin with OPT_OF_VERB. */
enum { OPT_BAR = 256, OPT_BIND, OPT_RANGE, OPT_SYSROOT, OPT_VF_TOKEN, OPT_WC, OPT_OF_VERB };

#define BUFFER_SHORT_OPTIONS	"d:"
#define BUFFER_LONG_OPTIONS \
	{ "bar", required_argument, NULL, OPT_BAR }, \
	{ "bind", no_argument, NULL, OPT_BIND }, \
	{ "device", required_argument, NULL, 'd' }, \
	{ "range", required_argument, NULL, OPT_RANGE }, \
	{ "sysroot", required_argument, NULL, OPT_SYSROOT }, \
	{ "vf-token", required_argument, NULL, OPT_VF_TOKEN }, \
	{ "wc", no_argument, NULL, OPT_WC }

/* Takes an option; EXIT_OK, EXIT_USAGE after a line that says why, -1 for none of these. */
int buffer_args_option(struct buffer_args *args, const struct verb *verb, int c, const char *value);

/* EXIT_USAGE after a line when the device or the BAR was not given. */
int buffer_args_complete(const struct buffer_args *args, const struct verb *verb);

/* The line for an option with a text that is no number; EXIT_USAGE. */
int not_a_number(const struct verb *verb, const char *option, const char *text);

/*
 * EXIT_OK for a name that the library accepts. It would refuse another one too, but only after the
 * device was opened and reset, or after the server was found.
 */
int check_buffer_name(const struct verb *verb, const char *name);

#endif
