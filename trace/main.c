// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace: looks at traces of TLPs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_print, &command_count, &command_convert, &command_compare, &command_page, NULL,
};

static const char usage[] =
	"usage: tphbuf-trace COMMAND [OPTION...] FILE\n"
	"\n"
	"  print     print TLPs as lines of text\n"
	"  count     count TLPs and bytes by phase, party and Steering Tag\n"
	"  convert   between text, pcapng and CSV; to hexadecimal DWs\n"
	"  compare   compare two traces\n"
	"  page      write an HTML file that shows a trace in a browser\n"
	"\n"
	"FILE is a trace of tphbuf-endpoints, as text, pcapng or CSV, or - for standard\n"
	"input.\n"
	"\"tphbuf-trace COMMAND --help\" lists the options of a command.\n";

static int run(int argc, char **argv)
{
	const struct command *const *command;

	if (argc < 2)
		return usage_error(NULL, "a command is required");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("tphbuf-trace " TPHBUF_VERSION);
		return EXIT_OK;
	}
	for (command = commands; *command; command++)
		if (!strcmp((*command)->name, argv[1]))
			break;
	if (!*command)
		return usage_error(NULL, argv[1][0] == '-' ? "unrecognized option %s" :
							     "unrecognized command \"%s\"",
				   argv[1]);
	return (*command)->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		error_line("cannot write to standard output: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
