// SPDX-License-Identifier: GPL-2.0-or-later
/* What tphbuf says about itself and its subcommands. */
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "message.h"

const struct verb *help_find(const struct verb *const *verbs, const char *name)
{
	for (; *verbs; verbs++)
		if (!strcmp((*verbs)->name, name))
			return *verbs;
	return NULL;
}

int help_wrong_verb(const struct verb *const *verbs, const char *name)
{
	char names[256] = "";
	size_t used = 0;

	for (; *verbs && used < sizeof(names); verbs++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", (*verbs)->name);
	if (!name)
		return usage_error(NULL, "a subcommand is required: expected one of %s", names);
	return usage_error(NULL, "unrecognized subcommand \"%s\"; expected one of %s", name, names);
}

static void print_overview(const struct verb *const *verbs)
{
	puts("Usage: tphbuf SUBCOMMAND [OPTION]... [ARGUMENT]...\n"
	     "\n"
	     "Export memory of a VFIO PCI device as a dma-buf with a TPH Steering Tag.\n"
	     "\n"
	     "Subcommands:");
	for (; *verbs; verbs++)
		printf("  %-6s %s\n", (*verbs)->name, (*verbs)->summary);
	puts("\n"
	     "Options:\n"
	     "  -h, --help     print this text; after a subcommand, help on it\n"
	     "  -V, --version  print the version\n"
	     "\n"
	     "Exit status: 0 success, 1 failure, 2 wrong command line, 3 not supported by the machine,\n"
	     "the kernel, or the device, 4 permission denied, 5 no such device, not bound to VFIO, or\n"
	     "memory revoked, 6 device, IOMMU group, or memory in use, 7 the tag may be lost. exec and\n"
	     "get return the exit status of their command.");
}

int help_run(const struct verb *const *verbs, int argc, char **argv)
{
	const struct verb *verb;
	const char *name;

	if (argc < 2) {
		print_overview(verbs);
		return EXIT_OK;
	}
	if (argc > 2)
		return usage_error(NULL, "too many arguments: help accepts one subcommand");
	name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = argv[0];
	else if (name[0] == '-')
		return usage_error(NULL, "unrecognized option %s", name);
	verb = help_find(verbs, name);
	if (!verb)
		return help_wrong_verb(verbs, name);
	fputs(verb->usage, stdout);
	return EXIT_OK;
}
