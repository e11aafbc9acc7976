/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <getopt.h>

#include "verb.h"

/* The VF token where no option gives one. */
#define VF_TOKEN_VARIABLE	"TPHBUF_VF_TOKEN"

/*
 * As getopt_long(), but long options must be given in full: an abbreviation
 * would mean something else once there is another option that begins so.
 */
int option_next(int argc, char **argv, const char *short_options,
		const struct option *long_options);

/* The line for '?' or ':' of option_next(); EXIT_USAGE. */
int option_error(const struct verb *verb, int c, char **argv);

#endif
