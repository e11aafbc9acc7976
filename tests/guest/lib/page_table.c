// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "page_table.h"

#define PAGE_TABLES	"/sys/kernel/debug/page_tables/current_kernel"
#define MEMTYPES	"/sys/kernel/debug/x86/pat_memtype_list"

const char *memory_type_name(enum memory_type type)
{
	static const char * const names[] = { "none", "WB", "WC", "UC-", "UC", "mixed or other" };

	return names[type];
}

/*
 * Linux programs the PAT so that PAT, PCD and PWT as a number give: 0 WB, 1 WC,
 * 2 UC-, 3 UC.
 */
static enum memory_type entry_type(const char *attributes)
{
	static const enum memory_type types[8] = { TYPE_WB, TYPE_WC, TYPE_UC_MINUS, TYPE_UC,
						   TYPE_OTHER, TYPE_OTHER, TYPE_OTHER, TYPE_OTHER };

	return types[!!strstr(attributes, " PWT") + 2 * !!strstr(attributes, " PCD") +
		     4 * !!strstr(attributes, " PAT")];
}

/* Bytes that an entry of a level maps, 0 for a hole. */
static uint64_t entry_size(const char *line)
{
	static const struct {
		const char *level;
		uint64_t size;
	} levels[] = { { "pte", 1ull << 12 }, { "pmd", 1ull << 21 }, { "pud", 1ull << 30 } };

	if (!strstr(line, "USR "))
		return 0;
	for (unsigned int i = 0; i < 3; i++)
		if (strstr(line, levels[i].level))
			return levels[i].size;
	return 0;
}

static FILE *open_dump(const char *path)
{
	FILE *dump = fopen(path, "re");

	if (!dump && access("/sys/kernel/debug/tracing", F_OK) &&
	    access("/sys/kernel/debug/x86", F_OK))
		skip_case("debugfs is not mounted");
	if (!dump)
		skip_case("%s: not in this kernel", path);
	return dump;
}

struct page_entries page_entries(volatile const void *addr, size_t length)
{
	uint64_t first = (uintptr_t)addr, end = first + length;
	struct page_entries found = { .writable = true };
	FILE *dump = open_dump(PAGE_TABLES);
	char line[300];

	while (fgets(line, sizeof(line), dump)) {
		uint64_t from, to, size;
		enum memory_type type;

		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64, &from, &to) != 2 || to <= first ||
		    from >= end)
			continue;
		size = entry_size(line);
		if (!size)
			continue;
		type = entry_type(line);
		found.mapped += (to < end ? to : end) - (from > first ? from : first);
		if (!found.smallest || size < found.smallest)
			found.smallest = size;
		found.type = found.type == TYPE_NONE || found.type == type ? type : TYPE_OTHER;
		found.writable &= !!strstr(line, " RW ");
	}
	fclose(dump);
	found.writable &= !!found.mapped;
	return found;
}

enum memory_type memtype_of(uint64_t phys, uint64_t length)
{
	enum memory_type found = TYPE_NONE;
	FILE *dump = open_dump(MEMTYPES);
	char line[200], name[40];

	while (fgets(line, sizeof(line), dump)) {
		enum memory_type type = TYPE_OTHER;
		uint64_t from, to;

		if (sscanf(line, "PAT: [mem 0x%" SCNx64 "-0x%" SCNx64 "] %39s", &from, &to,
			   name) != 3 ||
		    to <= phys || from >= phys + length)
			continue;
		if (!strcmp(name, "write-combining"))
			type = TYPE_WC;
		else if (!strcmp(name, "uncached-minus"))
			type = TYPE_UC_MINUS;
		found = found == TYPE_NONE || found == type ? type : TYPE_OTHER;
	}
	fclose(dump);
	return found;
}
