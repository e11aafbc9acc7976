// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, parties and byte counts of a record. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record.h"

static const char *const type_names[RECORD_TYPES] = {
	[RECORD_MRD] = "MRd",
	[RECORD_MWR] = "MWr",
	[RECORD_FETCH_ADD] = "FAdd",
	[RECORD_SWAP] = "Swap",
	[RECORD_CAS] = "CAS",
	[RECORD_CPL] = "Cpl",
	[RECORD_CPLD] = "CplD",
	[RECORD_MSG] = "Msg",
	[RECORD_MSIX] = "MSI-X",
	[RECORD_OTHER] = "TLP",
};

static const char *const result_names[RESULTS] = {
	[RESULT_OK] = "ok",
	[RESULT_UNSUPPORTED] = "ur",
	[RESULT_MALFORMED] = "malformed",
	[RESULT_REJECTED] = "rejected",
	[RESULT_FAULT] = "fault",
	[RESULT_ABORT] = "abort",
	[RESULT_UNKNOWN] = "unknown",
	[RESULT_BLOCKED] = "blocked",
	[RESULT_HINT_DROPPED] = "hint-dropped",
	[RESULT_DROPPED] = "dropped",
	[RESULT_POISONED] = "poisoned",
};

static const char *const injection_names[INJECTIONS] = {
	[INJECTED_NONE] = "none",
	[INJECTED_UNSUPPORTED] = "ur",
	[INJECTED_MALFORMED] = "malformed",
	[INJECTED_DROP] = "drop",
	[INJECTED_DELAY] = "delay",
	[INJECTED_POISON] = "poison",
	[INJECTED_STRIP_PREFIX] = "strip-prefix",
	[INJECTED_CLEAR_TH] = "clear-th",
	[INJECTED_CORRUPT_TAG] = "corrupt-tag",
	[INJECTED_SPOOF] = "spoof",
};

static const char *const status_names[STATUSES] = {
	[STATUS_SC] = "SC",
	[STATUS_UR] = "UR",
	[STATUS_RRS] = "RRS",
	[3] = "3",
	[STATUS_CA] = "CA",
	[5] = "5",
	[6] = "6",
	[7] = "7",
};

static const char *const attribute_names[ATTRIBUTES] = { "no-snoop", "ro", "ido" };

static const char *const address_type_names[ADDRESS_TYPES] = {
	[ADDRESS_DEFAULT] = "default",
	[ADDRESS_TRANSLATION_REQUEST] = "translation-request",
	[ADDRESS_TRANSLATED] = "translated",
	[ADDRESS_RESERVED] = "reserved",
};

const char *record_type_name(enum record_type type)
{
	return type < RECORD_TYPES ? type_names[type] : type_names[RECORD_OTHER];
}

const char *record_result_name(enum record_result result)
{
	return result < RESULTS ? result_names[result] : result_names[RESULT_UNKNOWN];
}

const char *record_injection_name(enum record_injection injected)
{
	return injection_names[injected < INJECTIONS ? injected : INJECTED_NONE];
}

const char *record_attribute_name(unsigned int index)
{
	return attribute_names[index % ATTRIBUTES];
}

const char *record_address_type_name(enum record_address_type type)
{
	return address_type_names[type % ADDRESS_TYPES];
}

const char *record_status_name(enum record_status status)
{
	return status_names[status % STATUSES];
}

static unsigned int name_index(const char *const *names, unsigned int count, const char *name,
			       size_t len)
{
	unsigned int i;

	for (i = 0; i < count && len; i++)
		if (names[i][0] == *name && strlen(names[i]) == len && !memcmp(names[i], name, len))
			return i;
	return count;
}

enum record_type record_type_find(const char *name, size_t len)
{
	return name_index(type_names, RECORD_TYPES, name, len);
}

enum record_result record_result_find(const char *name, size_t len)
{
	return name_index(result_names, RESULTS, name, len);
}

enum record_injection record_injection_find(const char *name, size_t len)
{
	return name_index(injection_names, INJECTIONS, name, len);
}

unsigned int record_attribute_find(const char *name, size_t len)
{
	return name_index(attribute_names, ATTRIBUTES, name, len);
}

enum record_address_type record_address_type_find(const char *name, size_t len)
{
	return name_index(address_type_names, ADDRESS_TYPES, name, len);
}

enum record_status record_status_find(const char *name, size_t len)
{
	return name_index(status_names, STATUSES, name, len);
}

bool record_has_payload(enum record_type type)
{
	return type == RECORD_CPLD || type == RECORD_MSIX ||
	       (record_is_request(type) && type != RECORD_MRD);
}

bool record_is_completion(enum record_type type)
{
	return type == RECORD_CPL || type == RECORD_CPLD;
}

bool record_is_request(enum record_type type)
{
	return type <= RECORD_CAS;
}

/* The payload of a completion begins with the DW of its Lower Address. */
static uint32_t completed_bytes(const struct record *record)
{
	uint32_t bytes = record->dwords * 4u - (record->address & 3);

	if (record->type == RECORD_CPL)
		return 0;
	return bytes < record->byte_count ? bytes : record->byte_count;
}

unsigned int record_payload_skip(const struct record *record)
{
	if (record_is_completion(record->type))
		return record->address & 3;
	return record->first_be ? __builtin_ctz(record->first_be) : 0;
}

void record_enable_all(struct record *record)
{
	record->first_be = 0xf;
	record->last_be = record->dwords > 1 ? 0xf : 0;
}

/* Of a DW; a table, because without an instruction for it the compiler calls a function. */
static uint32_t enabled_in_dword(unsigned int be)
{
	static const uint8_t bytes[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };

	return bytes[be & 0xf];
}

uint32_t record_enabled_bytes(const struct record *record)
{
	uint32_t bytes = enabled_in_dword(record->first_be);

	if (record_is_completion(record->type))
		return completed_bytes(record);
	if (record->dwords > 1)
		bytes += (record->dwords - 2u) * 4 + enabled_in_dword(record->last_be);
	return bytes;
}

void record_find_dwords(struct record *record)
{
	uint32_t ends = enabled_in_dword(record->first_be) + enabled_in_dword(record->last_be);

	if (record_is_completion(record->type)) {
		record->dwords =
			record->bytes ? ((record->address & 3) + record->bytes + 3) / 4 : 0;
		record_enable_all(record);
	} else if (!record->last_be || record->bytes <= ends) {
		record->dwords = record->last_be ? 2 : 1;
	} else {
		record->dwords = 2 + (record->bytes - ends) / 4;
	}
}

size_t record_value_payload(const struct record *record, uint8_t *buf)
{
	size_t size = record->dwords * 4u, at = record_payload_skip(record);

	if (!record->value_bytes || !record_has_payload(record->type) ||
	    record->dwords > RECORD_VALUE_DWORDS || at + record->value_bytes > size)
		return 0;
	memset(buf, 0, size);
	for (unsigned int i = 0; i < record->value_bytes; i++)
		buf[at + i] = record->value >> 8 * i;
	return size;
}

void party_format(int party, char *text)
{
	if (party == PARTY_ROOT_COMPLEX)
		strcpy(text, "rc");
	else if (party == PARTY_NONE)
		strcpy(text, "-");
	else
		snprintf(text, 8, "%02x:%02x.%x", party >> 8 & 0xff, party >> 3 & 0x1f, party & 7);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "bb:dd.f" */
static int bdf_parse(const char *text)
{
	int bus_high = hex_digit(text[0]), bus_low = hex_digit(text[1]);
	int device_high = hex_digit(text[3]), device_low = hex_digit(text[4]);
	int function = hex_digit(text[6]);

	if ((bus_high | bus_low | device_high | device_low | function) < 0 || device_high > 1 ||
	    function > 7 || text[2] != ':' || text[5] != '.')
		return -EINVAL;
	return bus_high << 12 | bus_low << 8 | device_high << 7 | device_low << 3 | function;
}

int party_parse(const char *text, size_t len, int *party)
{
	if (len == 7) {
		int bdf = bdf_parse(text);

		if (bdf < 0)
			return bdf;
		*party = bdf;
	} else if (len == 2 && text[0] == 'r' && text[1] == 'c') {
		*party = PARTY_ROOT_COMPLEX;
	} else if (len == 1 && text[0] == '-') {
		*party = PARTY_NONE;
	} else {
		return -EINVAL;
	}
	return 0;
}
