/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_VERB_H
#define CLI_VERB_H

/**
 * struct verb - a subcommand of tphbuf
 * @name: as typed
 * @summary: half a line for the list of subcommands
 * @usage: all of the help text
 * @run: gets the arguments from the subcommand on and returns the exit code
 */
struct verb {
	const char *name;
	const char *summary;
	const char *usage;
	int (*run)(int argc, char **argv);
};

extern const struct verb verb_exec;
extern const struct verb verb_get;
extern const struct verb verb_info;
extern const struct verb verb_list;
extern const struct verb verb_path;
extern const struct verb verb_probe;
extern const struct verb verb_read;
extern const struct verb verb_serve;
extern const struct verb verb_write;

#endif
