// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes what reads traces: the bytes of a TLP, and a pcapng file of them. The input is either.
 *
 * Whatever comes: a TLP that was understood has the same fields after it was written and read
 * again.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/pcapng.h"
#include "trace/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static bool has_encoding(const struct record *record)
{
	return record->type != RECORD_MSG && record->type != RECORD_OTHER;
}

static void check_record(const struct record *record, size_t full)
{
	struct record again = { 0 };
	uint8_t header[WIRE_HEADER_MAX];
	int size;

	must(record->dwords <= 1024 && record->bytes <= 4096, "a length that no TLP has");
	must(!record->hint || record->ph <= 3, "a processing hint of two bits");
	size = has_encoding(record) ? wire_encode(record, header) : 0;
	if (size <= 0)
		return;
	must(size <= WIRE_HEADER_MAX, "a header that is too long");
	if (wire_decode(&again, header, (size_t)size, full))
		return;
	must(again.type == record->type && again.address == record->address &&
	     again.dwords == record->dwords && again.first_be == record->first_be &&
	     again.last_be == record->last_be && again.hint == record->hint &&
	     (!record->hint || (again.ph == record->ph && again.st == record->st)),
	     "another TLP when it is read again");
}

static void read_file(const uint8_t *data, size_t size)
{
	static struct pcapng_state state;
	struct record record;

	state = (struct pcapng_state){ 0 };
	while (size >= 12) {
		size_t block = pcapng_block_size(&state, data);

		if (!block || block > size)
			return;
		memset(&record, 0, sizeof(record));
		if (pcapng_block(&state, data, block, &record) < 0)
			return;
		data += block;
		size -= block;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of its own, so that one byte too far is seen. */
	uint8_t *bytes = malloc(size ? size : 1);
	struct record record = { 0 };
	size_t full;

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	full = wire_full_size(bytes, size);
	must(full >= size || !size || full >= 4, "a TLP without a header");
	if (!wire_decode(&record, bytes, size, full))
		check_record(&record, full);
	read_file(bytes, size);
	free(bytes);
	return 0;
}
