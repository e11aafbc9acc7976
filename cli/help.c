// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "message.h"
#include "verb.h"

static void print_overview(void)
{
	const struct verb *const *verb;

	puts("Usage: tphbuf VERB [OPTION]... [ARGUMENT]...\n"
	     "\n"
	     "Export memory of a VFIO PCI device as a dma-buf that carries a TPH steering tag.\n"
	     "\n"
	     "Verbs:");
	for (verb = verbs; *verb; verb++)
		printf("  %-6s %s\n", (*verb)->name, (*verb)->summary);
	puts("\n"
	     "Options:\n"
	     "  -h, --help     print this text; after a verb, the text on that verb\n"
	     "  -V, --version  print the version\n"
	     "\n"
	     "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not supported by the machine,\n"
	     "the kernel or the device, 4 no permission, 5 no such device, not bound to VFIO, or\n"
	     "memory revoked, 6 device, IOMMU group or memory in use. exec ends as the command that it\n"
	     "ran.");
}

static int run_help(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2) {
		print_overview();
		return EXIT_OK;
	}
	if (argc > 2)
		return usage_error(NULL, "too many arguments for help: it explains one verb at a "
				   "time; name one");
	verb = verb_find(argv[1]);
	if (!verb)
		return usage_error(NULL, "no help on \"%s\": there is no such verb; choose one of "
				   VERB_NAMES, argv[1]);
	fputs(verb->usage, stdout);
	return EXIT_OK;
}

const struct verb verb_help = {
	.name = "help",
	.summary = "explain tphbuf or one of its verbs",
	.usage =
		"Usage: tphbuf help [VERB]\n"
		"\n"
		"Explain tphbuf, or one of its verbs.\n",
	.run = run_help,
};
