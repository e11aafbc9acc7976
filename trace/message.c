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

int option_other(const struct command *command, int c, char **argv)
{
	const char *given = argv[optind - 1];

	if (c == 'h') {
		fputs(command->usage, stdout);
		return EXIT_OK;
	}
	if (c == ':')
		return usage_error(command, "option %s requires an argument", given);
	return usage_error(command, "unrecognized option %s", given);
}

int filter_error(const struct command *command, int c, const char *value)
{
	static const struct {
		char option;
		const char *name;
		const char *expected;
	} options[] = {
		{ 'T', "tag", "st=0x12 or st-ext=0x4305" },
		{ 'H', "hint", "yes or no" },
		{ 'P', "ph", "0 to 3" },
		{ 'N', "namespace", "8 or 16" },
		{ 'R', "requester", "bus:device.function, or rc" },
		{ 'C', "completer", "bus:device.function, rc, or -" },
		{ 'Y', "type", "a type such as MWr" },
		{ 'S', "result", "a result such as ok" },
		{ 'J', "inject", "yes, no, or a fault such as drop" },
		{ 'A', "address", "ADDRESS or ADDRESS:LENGTH, at most 64 times" },
		{ 'I', "time", "FROM:TO in nanoseconds" },
	};
	unsigned int i = 0;

	while (i < sizeof(options) / sizeof(options[0]) && options[i].option != c)
		i++;
	if (i == sizeof(options) / sizeof(options[0]))
		return usage_error(command, "\"%s\" is not valid", value);
	return usage_error(command, "--%s \"%s\" is not valid: expected %s", options[i].name, value,
			   options[i].expected);
}
