/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TLP of a trace, whatever file it comes from: the text form and pcapng hold the same records
 * (docs/reference/trace-format.md).
 *
 * Section numbers here and in the rest of trace/ are those of the PCI Express Base Specification,
 * Revision 6.x.
 */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids of a party beside the bus << 8 | device << 3 | function of a function. */
#define PARTY_ROOT_COMPLEX	0
#define PARTY_NONE		(-1)

#define RECORD_MARK_MAX		200	/* bytes of the text of a mark, the 0 included */
#define RECORD_PLACE_MAX	32	/* bytes of the name of a place, the 0 included */
#define RECORD_VECTORS_MAX	256	/* of MSI-X that a record can name */

enum record_type {
	RECORD_MRD,
	RECORD_MWR,
	RECORD_FETCH_ADD,
	RECORD_SWAP,
	RECORD_CAS,
	RECORD_CPL,
	RECORD_CPLD,
	RECORD_MSG,
	RECORD_MSIX,	/* a memory write that signals an interrupt */
	RECORD_OTHER,
	RECORD_TYPES
};

enum record_result {
	RESULT_OK,
	RESULT_UNSUPPORTED,
	RESULT_MALFORMED,
	RESULT_REJECTED,
	RESULT_FAULT,
	RESULT_ABORT,
	RESULT_UNKNOWN,
	RESULT_BLOCKED,
	RESULT_HINT_DROPPED,
	RESULT_DROPPED,
	RESULT_POISONED,
	RESULTS
};

/* Attr[2:0] (section 2.2.6.3) */
enum record_attribute {
	ATTRIBUTE_NO_SNOOP = 1 << 0,
	ATTRIBUTE_RELAXED = 1 << 1,
	ATTRIBUTE_ID_BASED = 1 << 2,
};

#define ATTRIBUTES	3

/* AT (section 2.2.4.1, 10.2.1) */
enum record_address_type {
	ADDRESS_DEFAULT,
	ADDRESS_TRANSLATION_REQUEST,
	ADDRESS_TRANSLATED,
	ADDRESS_RESERVED,
	ADDRESS_TYPES
};

/* Completion Status (section 2.2.9.1); the other values of the field are reserved. */
enum record_status {
	STATUS_SC = 0,		/* Successful Completion */
	STATUS_UR = 1,		/* Unsupported Request */
	STATUS_RRS = 2,		/* Request Retry Status */
	STATUS_CA = 4,		/* Completer Abort */
	STATUSES = 8
};

/* A fault that was injected on the link of the requester. */
enum record_injection {
	INJECTED_NONE,
	INJECTED_UNSUPPORTED,
	INJECTED_MALFORMED,
	INJECTED_DROP,
	INJECTED_DELAY,
	INJECTED_POISON,
	INJECTED_STRIP_PREFIX,
	INJECTED_CLEAR_TH,
	INJECTED_CORRUPT_TAG,
	INJECTED_SPOOF,
	INJECTIONS
};

/**
 * struct record - a TLP and what became of it
 * @number: counts from 1 over the life of the process that wrote the trace; a gap says that TLPs
 *	were lost
 * @time: nanoseconds since 1970, 0 when the file does not say
 * @requester: party that sent it: the requester of a request, the completer of a completion
 * @completer: party that received it, PARTY_NONE when nothing claimed the address
 * @type: kind of TLP
 * @wide: 64-bit address, a header of four DW
 * @address: of the first DW; of a completion its Lower Address
 * @dwords: Length of the header, 1..1024; 0 for a completion without data
 * @bytes: payload bytes, or bytes asked for, byte enables counted; of a completion the bytes that
 *	were asked for
 * @tag: transaction tag; of no meaning for a write with a hint in non-flit mode
 * @attributes: bits of enum record_attribute
 * @address_type: of a request; a completion has ADDRESS_DEFAULT
 * @status: of a completion (section 2.2.9.1)
 * @byte_count: of a completion: bytes that the request still waits for, these included, 1..4096
 * @vector: of an MSI-X interrupt
 * @first_be: byte enables of the first DW
 * @last_be: byte enables of the last DW, 0 when there is only one
 * @hint: the TLP carries a processing hint (section 2.2.7.1.1)
 * @extended: the steering tag has 16 bits
 * @ph: processing hint, 0..3
 * @st: steering tag
 * @result: what became of it
 * @at: name of the port, or "rc", where a TLP ended before its completer or lost its hint; ""
 *	elsewhere
 * @injected: fault that it met; all else is as it left the requester
 * @value_bytes: length of @value, 0 when the file does not have it, at most 8
 * @value: payload as a little-endian number
 * @raw: the TLP as on the link, prefix first, NULL when the file does not have it; valid until
 *	the next record is read
 * @raw_size: bytes of @raw that were kept
 * @raw_full: bytes that the TLP had
 * @mark: text of a mark that divides the trace at this TLP, "" without one
 */
struct record {
	uint64_t number;
	uint64_t time;
	int requester;
	int completer;
	enum record_type type;
	bool wide;
	uint64_t address;
	uint16_t dwords;
	uint32_t bytes;
	uint16_t tag;
	uint8_t attributes;
	enum record_address_type address_type;
	enum record_status status;
	uint16_t byte_count;
	uint8_t vector;
	uint8_t first_be;
	uint8_t last_be;
	bool hint;
	bool extended;
	uint8_t ph;
	uint16_t st;
	enum record_result result;
	char at[RECORD_PLACE_MAX];
	enum record_injection injected;
	uint8_t value_bytes;
	uint64_t value;
	const uint8_t *raw;
	size_t raw_size;
	size_t raw_full;
	char mark[RECORD_MARK_MAX];
};

/* Name as the text form has it: "MWr", "ok"; never NULL. */
const char *record_type_name(enum record_type type);
const char *record_result_name(enum record_result result);
const char *record_injection_name(enum record_injection injected);
/* "no-snoop", "ro", "ido" of bit @index; "translated". */
const char *record_attribute_name(unsigned int index);
const char *record_address_type_name(enum record_address_type type);
/* "SC"; a digit for a reserved status. */
const char *record_status_name(enum record_status status);

/*
 * RECORD_TYPES, RESULTS, INJECTIONS, STATUSES, ATTRIBUTES or ADDRESS_TYPES when there is none of
 * this name.
 */
enum record_type record_type_find(const char *name, size_t len);
enum record_result record_result_find(const char *name, size_t len);
enum record_injection record_injection_find(const char *name, size_t len);
enum record_status record_status_find(const char *name, size_t len);
unsigned int record_attribute_find(const char *name, size_t len);
enum record_address_type record_address_type_find(const char *name, size_t len);

/* Whether the TLP has a payload by its type. */
bool record_has_payload(enum record_type type);

/* Cpl or CplD. */
bool record_is_completion(enum record_type type);

/* Whether the TLP could carry a hint: a memory request or an AtomicOp, and not an interrupt. */
bool record_is_request(enum record_type type);

/*
 * Bytes that Length and byte enables of @record select (section 2.2.5), or Length, Lower Address
 * and Byte Count of a completion (section 2.2.9).
 */
uint32_t record_enabled_bytes(const struct record *record);

/* Bytes of the payload before the first one that is enabled, or that was asked for. */
unsigned int record_payload_skip(const struct record *record);

/* Byte enables of a completion, which has none: all of its DWs. */
void record_enable_all(struct record *record);

/*
 * Sets the Length of @record by its other fields: the fewest DW that its bytes and byte enables
 * need; of a completion the byte enables too.
 */
void record_find_dwords(struct record *record);

#define RECORD_VALUE_DWORDS	3	/* that a payload of eight bytes touches at most */

/*
 * The payload of which @record->value holds the enabled bytes, as on the link; the others are 0.
 * @buf has room for RECORD_VALUE_DWORDS. Returns bytes written, 0 without a value.
 */
size_t record_value_payload(const struct record *record, uint8_t *buf);

/* "00:10.0", "rc" or "-"; @text has room for 8 bytes. */
void party_format(int party, char *text);

/* Returns 0, or -EINVAL when it is none of these. */
int party_parse(const char *text, size_t len, int *party);

#endif
