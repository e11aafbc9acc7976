// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the TLPs of the fabric to the records of a trace.
 */
#include <string.h>

#include "trace/record.h"
#include "trace_entry.h"

_Static_assert((int)TLP_ABORT == (int)RESULT_ABORT &&
		       (int)TLP_POISONED == (int)RESULT_POISONED &&
		       (int)TLP_RESULTS == (int)RESULTS &&
		       (int)INJECT_SPOOF == (int)INJECTED_SPOOF &&
		       (int)TLP_STATUS_ABORT == (int)STATUS_CA &&
		       (int)TLP_ID_ORDERING == (int)ATTRIBUTE_ID_BASED,
	       "results, faults, statuses and attributes have the numbers of records");

static const enum record_type record_types[] = {
	[TLP_MRD] = RECORD_MRD,
	[TLP_MWR] = RECORD_MWR,
	[TLP_FETCH_ADD] = RECORD_FETCH_ADD,
	[TLP_CAS] = RECORD_CAS,
};

uint8_t *trace_entry_payload(struct trace_entry *entry)
{
	return (uint8_t *)(entry + 1);
}

char *trace_entry_mark(struct trace_entry *entry)
{
	return (char *)trace_entry_payload(entry) + entry->kept;
}

char *trace_entry_place(struct trace_entry *entry)
{
	return trace_entry_mark(entry) + entry->mark;
}

static void fill_request(struct record *record, const struct trace_entry *entry)
{
	const struct tlp *tlp = &entry->tlp;

	record->requester = tlp->requester;
	record->completer = entry->completer;
	record->type = entry->kind == TRACE_INTERRUPT ? RECORD_MSIX : record_types[tlp->type];
	record->vector = entry->vector;
	record->wide = tlp->address >> 32;
	record->address = tlp->address;
	record->dwords = tlp->length;
	record->bytes = tlp_enabled_bytes(tlp);
	record->tag = tlp->tag;
	record->attributes = tlp->attributes;
	record->address_type = tlp->translated ? ADDRESS_TRANSLATED : ADDRESS_DEFAULT;
	record->first_be = tlp->first_be;
	record->last_be = tlp->last_be;
	record->hint = tlp->hint.present;
	record->extended = tlp->hint.extended;
	record->ph = tlp->hint.ph;
	record->st = tlp->hint.st;
}

static void fill_completion(struct record *record, const struct tlp_completion *completion)
{
	record->requester = completion->completer;
	record->completer = completion->requester;
	record->type = completion->bytes ? RECORD_CPLD : RECORD_CPL;
	record->status = (enum record_status)completion->status;
	record->tag = completion->tag;
	record->attributes = completion->attributes;
	record->byte_count = completion->byte_count;
	record->address = completion->address & 0x7f;
	record->dwords = tlp_completion_length(completion);
	record->bytes = completion->bytes;
	record_enable_all(record);
}

void trace_entry_record(const struct trace_entry *entry, struct record *record)
{
	struct trace_entry *place = (struct trace_entry *)entry;

	memset(record, 0, offsetof(struct record, mark) + 1);
	record->number = entry->number;
	record->time = entry->time;
	if (entry->kind == TRACE_COMPLETION)
		fill_completion(record, &entry->completion);
	else
		fill_request(record, entry);
	record->result = (enum record_result)entry->result;
	record->injected = (enum record_injection)entry->injected;
	record->value_bytes = entry->value_bytes;
	for (unsigned int i = entry->value_bytes; i-- > 0;)
		record->value = record->value << 8 | entry->value[i];
	if (entry->mark)
		memcpy(record->mark, trace_entry_mark(place), entry->mark);
	if (entry->at)
		memcpy(record->at, trace_entry_place(place), entry->at);
}

size_t trace_entry_encode(const struct trace_entry *entry, uint8_t *buf, size_t *full)
{
	size_t header;

	if (entry->kind == TRACE_COMPLETION) {
		header = TLP_COMPLETION_HEADER;
		tlp_completion_encode_header(&entry->completion, buf);
		*full = header + tlp_completion_length(&entry->completion) * 4u;
	} else {
		header = tlp_encode_header(&entry->tlp, buf);
		*full = header + tlp_payload(&entry->tlp);
	}
	memcpy(buf + header, trace_entry_payload((struct trace_entry *)entry), entry->kept);
	return header + entry->kept;
}
