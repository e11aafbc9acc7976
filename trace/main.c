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
	"  print     TLPs as lines of text, as they are chosen\n"
	"  count     TLPs and bytes by phase, party and Steering Tag\n"
	"  convert   between text, pcapng and CSV; to hexadecimal DWs\n"
	"  compare   two traces: what differs\n"
	"  page      an HTML file to look at a trace in a browser\n"
	"\n"
	"FILE is a trace of tphbuf-endpoints, as text, pcapng or CSV, or - for standard\n"
	"input.\n"
	"\"tphbuf-trace COMMAND --help\" shows the options of a command.\n";

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
		return usage_error(NULL, "unrecognized command '%s'", argv[1]);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		fputs((*command)->usage, stdout);
		return EXIT_OK;
	}
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
