// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of the command line. */
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "option.h"

int option_next(int argc, char **argv, const char *short_options,
		const struct option *long_options)
{
	int c, index = -1;
	const char *given;
	size_t length;

	opterr = 0;
	c = getopt_long(argc, argv, short_options, long_options, &index);
	if (c < 0 || index < 0)
		return c;
	/* An argument may follow as a word of its own. */
	given = argv[optind - 1];
	if (optarg && optarg == given)
		given = argv[optind - 2];
	length = strcspn(given, "=");
	if (strlen(long_options[index].name) + 2 == length)
		return c;
	optopt = 0;
	if (optarg == argv[optind - 1])
		optind--;
	return '?';
}

int option_error(const struct verb *verb, int c, char **argv)
{
	/* After a long option optopt is its value, or 0 when it is unknown. */
	const char *given = argv[optind - 1];

	if (c == ':')
		return usage_error(verb, "option %s requires an argument", given);
	if (optopt > ' ' && optopt < 0x7f && given[0] == '-' && given[1] != '-')
		return usage_error(verb, "unrecognized option -%c", optopt);
	if (optopt)
		return usage_error(verb, "option %.*s does not take an argument: \"%s\"",
				   (int)strcspn(given, "="), given, given);
	return usage_error(verb, "unrecognized option %s", given);
}
