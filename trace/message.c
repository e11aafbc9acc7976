// SPDX-License-Identifier: GPL-2.0-or-later
/* What tphbuf-trace says when something does not work. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "command.h"

void error_line(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("tphbuf-trace: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "tphbuf-trace%s%s: ", command ? " " : "", command ? command->name : "");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " (see \"tphbuf-trace%s%s --help\")\n", command ? " " : "",
		command ? command->name : "");
	return EXIT_USAGE;
}

int option_error(const struct command *command, int c, char **argv)
{
	const char *given = argv[optind - 1];

	if (c == ':')
		return usage_error(command, "option '%s' requires an argument", given);
	return usage_error(command, "unrecognized option '%s'", given);
}
