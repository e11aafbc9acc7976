/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "verb.h"

/* Each takes all subcommands, up to a NULL. */

/* NULL when there is none of this name. */
const struct verb *help_find(const struct verb *const *verbs, const char *name);

/* A line on a subcommand that is missing or wrong, with the names of all; EXIT_USAGE. */
int help_wrong_verb(const struct verb *const *verbs, const char *name);

/* Explains tphbuf, or the subcommand that the arguments name. */
int help_run(const struct verb *const *verbs, int argc, char **argv);

#endif
