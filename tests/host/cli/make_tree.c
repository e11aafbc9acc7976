// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a fake tree and prints where it is. Arguments: the drivers, by name;
 * the functions, as BDF,DRIVER,GROUP,COMPLETER,CLASS[,HEADER] with an empty DRIVER
 * and a GROUP of -1 for none. "groups" before them: VFIO has no device files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_tree.h"

static void make_function(const char *root, const char *text)
{
	struct fake_function function = { .group = -1 };
	char bdf[32], driver[64] = "";
	int used = 0;

	if (sscanf(text, "%31[^,],%n", bdf, &used) != 1 || !used)
		exit(99);
	text += used;
	if (text[0] != ',') {
		if (sscanf(text, "%63[^,]%n", driver, &used) != 1)
			exit(99);
		text += used;
	}
	if (sscanf(text, ",%d,%u,%x,%hhu", &function.group, &function.completer,
		   &function.class_code, &function.header) < 3)
		exit(99);
	function.bdf = bdf;
	function.driver = driver[0] ? driver : NULL;
	fake_tree_function(root, &function);
}

int main(int argc, char **argv)
{
	char root[FAKE_ROOT_SIZE];

	fake_tree_create(root);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "groups"))
			fake_tree_groups_only(root);
		else if (strchr(argv[i], ','))
			make_function(root, argv[i]);
		else
			fake_tree_driver(root, argv[i]);
	}
	puts(root);
	return 0;
}
