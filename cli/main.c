// SPDX-License-Identifier: GPL-2.0-or-later
/* The command tphbuf: its subcommands, and what every run of it begins and ends with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tphbuf/version.h>

#include "help.h"
#include "message.h"
#include "verb.h"

static int run_help(int argc, char **argv);

static const struct verb verb_help = {
	.name = "help",
	.summary = "print help on tphbuf or on a subcommand",
	.usage =
		"Usage: tphbuf help [SUBCOMMAND]\n"
		"\n"
		"Print help on tphbuf or on a subcommand.\n",
	.run = run_help,
};

static const struct verb *const verbs[] = {
	&verb_list,
	&verb_probe,
	&verb_path,
	&verb_exec,
	&verb_read,
	&verb_write,
	&verb_serve,
	&verb_get,
	&verb_info,
	&verb_help,
	NULL,
};

static int run_help(int argc, char **argv)
{
	return help_run(verbs, argc, argv);
}

/*
 * A file of ours, or a device, could become the standard output otherwise. What
 * stands in for a closed file is open the wrong way round: to use it fails, as it
 * would have without.
 */
static int fill_standard_files(void)
{
	int fd;

	for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++) {
		if (fcntl(wanted, F_GETFD) >= 0)
			continue;
		/* The lowest number that is free is the one that is missing. */
		fd = open("/dev/null", wanted == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		if (fd < 0) {
			error_line("cannot open /dev/null: %s", strerror(errno));
			return EXIT_FAILED;
		}
	}
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		return help_wrong_verb(verbs, NULL);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tphbuf %s\n", tphbuf_version());
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help_run(verbs, 1, argv + 1);
	if (argv[1][0] == '-')
		return usage_error(NULL, "unrecognized option %s", argv[1]);
	verb = help_find(verbs, argv[1]);
	if (!verb)
		return help_wrong_verb(verbs, argv[1]);
	return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int code = fill_standard_files();

	if (code)
		return code;
	code = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		error_line("cannot write to standard output: %s", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	/* Some file systems say only here that what was written did not fit. */
	if (close(STDOUT_FILENO) && errno != EBADF) {
		error_line("cannot write to standard output: %s", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	return code;
}
