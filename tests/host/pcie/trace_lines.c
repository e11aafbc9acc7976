// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a trace without what differs from run to run. */
#include <ctype.h>
#include <string.h>

#include "trace_lines.h"

static void remove_field(char *text, const char *key)
{
	char *field, *end;

	while ((field = strstr(text, key))) {
		for (end = field + strlen(key); isdigit((unsigned char)*end); end++)
			;
		memmove(field, end, strlen(end) + 1);
		text = field;
	}
}

void trace_lines_plain(char *text)
{
	remove_field(text, " t=");
	remove_field(text, " tag=");
}
