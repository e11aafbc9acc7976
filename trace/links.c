// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of the interfaces of a pcapng file. */
#include <string.h>

#include "links.h"

int links_find_party(const struct links *links, int party)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (links->party[i] == party)
			return i;
	return -1;
}

int links_find_place(const struct links *links, const char *name)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (!strcmp(links->name[i], name))
			return i;
	return -1;
}

const char *links_add(struct links *links, int party, const char *place)
{
	char *name;

	if (links->count == PCAPNG_INTERFACES_MAX)
		return NULL;
	name = links->name[links->count];
	links->party[links->count++] = party;
	if (party == LINKS_PLACE)
		strncpy(name, place, RECORD_PLACE_MAX - 1);
	else
		party_format(party, name);
	return name;
}
