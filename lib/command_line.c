// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The kernel command line, which can turn TPH off. */
#include <string.h>

#include "command_line.h"
#include "sysfs.h"

bool tpb_command_line_has_notph(const char *sysroot)
{
	char line[4096], *word, *option, *words, *options;
	struct tpb_path path;

	if (tpb_path(&path, sysroot, "/proc/cmdline") ||
	    tpb_sysfs_read(&path, line, sizeof(line)))
		return false;
	for (word = strtok_r(line, " \t", &words); word; word = strtok_r(NULL, " \t", &words)) {
		if (strncmp(word, "pci=", 4))
			continue;
		for (option = strtok_r(word + 4, ",", &options); option;
		     option = strtok_r(NULL, ",", &options))
			if (!strcmp(option, "notph"))
				return true;
	}
	return false;
}
