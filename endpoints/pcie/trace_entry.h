/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TLP as it lies in the ring of a trace, and as the record and the bytes that it becomes in a
 * file.
 */
#ifndef TPHBUF_TRACE_ENTRY_H
#define TPHBUF_TRACE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "completion.h"
#include "injection.h"
#include "tlp.h"

struct record;

#define TRACE_VALUE_MAX	8

enum trace_kind {
	TRACE_REQUEST,
	TRACE_COMPLETION,
	TRACE_INTERRUPT,
};

/**
 * struct trace_entry - a TLP in the ring; payload, mark and place follow
 * @number: counts TLPs from 1
 * @time: nanoseconds since 1970
 * @kind: which of @tlp and @completion it is; an interrupt is a @tlp
 * @tlp: the request, without its payload
 * @completion: the completion, without its payload
 * @completer: party that receives a request
 * @result: what became of it
 * @injected: fault that it met
 * @vector: of an interrupt
 * @kept: bytes of the payload
 * @mark: bytes of the mark, with its 0; 0 without one
 * @at: bytes of the name of the place, with its 0; 0 without one
 * @value_bytes: bytes of @value to show
 * @value: payload, little-endian
 */
struct trace_entry {
	uint64_t number;
	uint64_t time;
	enum trace_kind kind;
	union {
		struct tlp tlp;
		struct tlp_completion completion;
	};
	int completer;
	enum tlp_result result;
	enum injection_action injected;
	uint8_t vector;
	uint32_t kept;
	uint16_t mark;
	uint8_t at;
	uint8_t value_bytes;
	uint8_t value[TRACE_VALUE_MAX];
};

/* Payload, mark and place, which the writer of an entry fills in. */
uint8_t *trace_entry_payload(struct trace_entry *entry);
char *trace_entry_mark(struct trace_entry *entry);
char *trace_entry_place(struct trace_entry *entry);

/* Fills in the record, without the bytes of the TLP. */
void trace_entry_record(const struct trace_entry *entry, struct record *record);

/**
 * trace_entry_encode() - the bytes on the link
 * @entry: the TLP
 * @buf: room for TLP_BYTES_MAX bytes
 * @full: out: bytes that the TLP had
 *
 * Return: bytes written: the header, and what was kept of the payload.
 */
size_t trace_entry_encode(const struct trace_entry *entry, uint8_t *buf, size_t *full);

#endif
