// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tphbuf/version.h>

#include "message.h"
#include "verb.h"

const struct verb *const verbs[] = {
	&verb_list,
	&verb_probe,
	&verb_exec,
	&verb_read,
	&verb_write,
	&verb_help,
	NULL,
};

const struct verb *verb_find(const char *name)
{
	const struct verb *const *verb;

	for (verb = verbs; *verb; verb++)
		if (!strcmp((*verb)->name, name))
			return *verb;
	return NULL;
}

/* Without this a device could become the standard output of the command that exec runs. */
static int open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0) {
			error_line("cannot open /dev/null: %s; check that /dev is complete, and the "
				   "limit of open files", strerror(errno));
			return EXIT_FAILED;
		}
	} while (fd <= STDERR_FILENO);
	close(fd);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		return usage_error(NULL, "no verb given: nothing to do; choose one of " VERB_NAMES);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tphbuf %s\n", tphbuf_version());
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return verb_help.run(1, argv + 1);
	verb = verb_find(argv[1]);
	if (!verb)
		return usage_error(NULL, "unknown verb \"%s\": there is no such verb; choose one "
				   "of " VERB_NAMES, argv[1]);
	return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int code = open_standard_files();

	if (code)
		return code;
	code = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		error_line("cannot write the output: %s; check where it goes", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	return code;
}
