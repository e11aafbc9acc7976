// SPDX-License-Identifier: GPL-2.0-or-later
/* TLPs in non-flit mode: from bytes to fields and back. */
#include <errno.h>
#include <string.h>

#include "wire.h"

/* Fmt and Type, the first byte of a header (tables 2-2 and 2-3). */
#define FMT_4DW		0x20
#define FMT_DATA	0x40
#define FMT_PREFIX	0x80
#define TYPE_MASK	0x1f
#define TYPE_MEMORY	0x00
#define TYPE_COMPLETION	0x0a
#define TYPE_FETCH_ADD	0x0c
#define TYPE_SWAP	0x0d
#define TYPE_CAS	0x0e
#define TYPE_MESSAGE	0x10
#define TYPE_MESSAGE_MASK	0x18

/* End-End prefix that holds the upper byte of a 16-bit Steering Tag (section 2.2.7.1.1) */
#define PREFIX_TPH	0x90

/* DW 0 */
#define DW0_T9		(1u << 23)
#define DW0_T8		(1u << 19)
#define DW0_TH		(1u << 16)
#define DW0_TD		(1u << 15)
#define DW0_EP		(1u << 14)
#define DW0_ATTR2	(1u << 18)
#define DW0_ATTR_SHIFT	12
#define DW0_AT_SHIFT	10
#define DW0_LENGTH	0x3ffu

static uint32_t wire_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void wire_put32(uint8_t *p, uint32_t value)
{
	p[0] = value >> 24;
	p[1] = value >> 16;
	p[2] = value >> 8;
	p[3] = value;
}

static enum record_type wire_type_of(uint8_t first)
{
	bool data = first & FMT_DATA;

	switch (first & TYPE_MASK) {
	case TYPE_MEMORY:
		return data ? RECORD_MWR : RECORD_MRD;
	case TYPE_COMPLETION:
		return data ? RECORD_CPLD : RECORD_CPL;
	case TYPE_FETCH_ADD:
		return data ? RECORD_FETCH_ADD : RECORD_OTHER;
	case TYPE_SWAP:
		return data ? RECORD_SWAP : RECORD_OTHER;
	case TYPE_CAS:
		return data ? RECORD_CAS : RECORD_OTHER;
	default:
		return (first & TYPE_MESSAGE_MASK) == TYPE_MESSAGE ? RECORD_MSG : RECORD_OTHER;
	}
}

/* Bits of a 10-bit tag (section 2.2.6.2). */
static uint16_t decode_tag_high(uint32_t dw0)
{
	return (dw0 & DW0_T8 ? 0x100 : 0) | (dw0 & DW0_T9 ? 0x200 : 0);
}

/* Requests by address: where hints are (section 2.2.7.1.1). */
static void decode_request(struct record *record, const uint8_t *p, uint32_t dw0, uint8_t high_st)
{
	uint32_t dw1 = wire_get32(p + 4), low = wire_get32(p + (record->wide ? 12 : 8));

	record->requester = dw1 >> 16;
	record->tag = (dw1 >> 8 & 0xff) | decode_tag_high(dw0);
	record->first_be = dw1 & 0xf;
	record->last_be = dw1 >> 4 & 0xf;
	record->address = (record->wide ? (uint64_t)wire_get32(p + 8) << 32 : 0) | (low & ~3u);
	record->hint = dw0 & DW0_TH;
	if (!record->hint)
		return;
	record->ph = low & 3;
	if (record->type == RECORD_MWR) {
		record->st = high_st << 8 | (dw1 >> 8 & 0xff);
		record->tag = 0;
	} else {
		record->st = high_st << 8 | (dw1 & 0xff);
		record->first_be = 0xf;
		record->last_be = record->dwords > 1 ? 0xf : 0;
	}
}

static void decode_completion(struct record *record, const uint8_t *p)
{
	uint32_t dw0 = wire_get32(p), dw1 = wire_get32(p + 4), dw2 = wire_get32(p + 8);

	record->requester = dw1 >> 16;
	record->completer = dw2 >> 16;
	record->tag = (dw2 >> 8 & 0xff) | decode_tag_high(dw0);
	record->status = dw1 >> 13 & 7;
	record->byte_count = dw1 & 0xfff ? dw1 & 0xfff : 4096;
	record->address = dw2 & 0x7f;
	if (record->type == RECORD_CPL)
		record->dwords = 0;
	record_enable_all(record);
}

static int decode_header(struct record *record, const uint8_t *p, size_t left, size_t full,
			 uint8_t high_st)
{
	uint32_t dw0 = wire_get32(p);
	size_t header, payload;

	record->type = wire_type_of(p[0]);
	record->attributes = dw0 >> DW0_ATTR_SHIFT & 3;
	if (dw0 & DW0_ATTR2)
		record->attributes |= ATTRIBUTE_ID_BASED;
	record->address_type = dw0 >> DW0_AT_SHIFT & 3;
	record->wide = p[0] & FMT_4DW;
	record->dwords = dw0 & DW0_LENGTH ? dw0 & DW0_LENGTH : 1024;
	header = record->wide ? 16 : 12;
	payload = p[0] & FMT_DATA ? (size_t)record->dwords * 4 : 0;
	if (left < header || full != header + payload + (dw0 & DW0_TD ? 4 : 0))
		return -EBADMSG;
	if (record->type == RECORD_OTHER || record->type == RECORD_MSG) {
		record->requester = wire_get32(p + 4) >> 16;
		record->bytes = payload;
		return record->type == RECORD_MSG ? 0 : -EOPNOTSUPP;
	}
	if (record_is_completion(record->type))
		decode_completion(record, p);
	else
		decode_request(record, p, dw0, high_st);
	record->bytes = record_enabled_bytes(record);
	return 0;
}

/* Payload of up to eight enabled bytes, as the text form shows it. */
static void decode_value(struct record *record, const uint8_t *payload, size_t kept)
{
	unsigned int skip = record_payload_skip(record), i;

	if ((record->type != RECORD_MWR && record->type != RECORD_CPLD) || !record->bytes ||
	    record->bytes > 8 || kept < skip + record->bytes)
		return;
	record->value_bytes = record->bytes;
	for (i = record->bytes; i-- > 0;)
		record->value = record->value << 8 | payload[skip + i];
}

size_t wire_full_size(const uint8_t *buf, size_t size)
{
	size_t at = 0, full;
	uint32_t dw0;

	while (size - at >= 4 && buf[at] & FMT_PREFIX)
		at += 4;
	if (size - at < 4)
		return size;
	dw0 = wire_get32(buf + at);
	full = at + (buf[at] & FMT_4DW ? 16 : 12) + (dw0 & DW0_TD ? 4 : 0);
	if (buf[at] & FMT_DATA)
		full += (dw0 & DW0_LENGTH ? dw0 & DW0_LENGTH : 1024) * 4;
	return full > size ? full : size;
}

int wire_decode(struct record *record, const uint8_t *buf, size_t size, size_t full)
{
	uint8_t high_st = 0;
	bool prefix = false;
	size_t at = 0, header;
	int ret;

	record->raw = buf;
	record->raw_size = size;
	record->raw_full = full;
	record->type = RECORD_OTHER;
	while (size - at >= 4 && buf[at] & FMT_PREFIX) {
		if (buf[at] == PREFIX_TPH) {
			prefix = true;
			high_st = buf[at + 1];
		}
		at += 4;
	}
	if (size - at < 12)
		return -EBADMSG;
	ret = decode_header(record, buf + at, size - at, full - at, high_st);
	record->extended = record->hint && prefix;
	header = at + (record->wide ? 16 : 12);
	if (!ret)
		decode_value(record, buf + header, size - header);
	return ret;
}

static int first_byte(const struct record *record)
{
	int format =
		(record->wide ? FMT_4DW : 0) | (record_has_payload(record->type) ? FMT_DATA : 0);

	switch (record->type) {
	case RECORD_MRD:
	case RECORD_MWR:
	case RECORD_MSIX:
		return format | TYPE_MEMORY;
	case RECORD_FETCH_ADD:
		return format | TYPE_FETCH_ADD;
	case RECORD_SWAP:
		return format | TYPE_SWAP;
	case RECORD_CAS:
		return format | TYPE_CAS;
	case RECORD_CPL:
	case RECORD_CPLD:
		return (format & ~FMT_4DW) | TYPE_COMPLETION;
	default:
		return -EOPNOTSUPP;
	}
}

size_t wire_size(const struct record *record)
{
	bool prefix = record->hint && record->extended;
	bool wide = record->wide && !record_is_completion(record->type);

	return (prefix ? 4 : 0) + (wide ? 16 : 12) +
	       (record_has_payload(record->type) ? record->dwords * 4u : 0);
}

static void encode_dw1_and_address(const struct record *record, uint8_t *p)
{
	uint32_t tag = record->tag & 0xff, be = record->last_be << 4 | record->first_be;
	uint32_t low = (uint32_t)record->address & ~3u;

	if (record->hint) {
		low |= record->ph & 3;
		if (record->type == RECORD_MWR)
			tag = record->st & 0xff;
		else
			be = record->st & 0xff;
	}
	wire_put32(p, (uint32_t)(record->requester & 0xffff) << 16 | tag << 8 | be);
	if (record->wide) {
		wire_put32(p + 4, record->address >> 32);
		p += 4;
	}
	wire_put32(p + 4, low);
}

/* The requester is who receives the completion (section 2.2.9). */
static void encode_completion(const struct record *record, uint8_t *p)
{
	uint32_t requester = record->completer == PARTY_NONE ? 0 : record->completer & 0xffff;

	wire_put32(p, (uint32_t)(record->requester & 0xffff) << 16 |
		   (uint32_t)record->status << 13 | (record->byte_count & 0xfff));
	wire_put32(p + 4, requester << 16 | (record->tag & 0xff) << 8 | (record->address & 0x7f));
}

int wire_encode(const struct record *record, uint8_t *buf)
{
	int first = first_byte(record);
	uint8_t *p = buf;
	uint32_t dw0;

	if (first < 0)
		return first;
	dw0 = (uint32_t)first << 24 | (record->dwords & DW0_LENGTH) | (record->hint ? DW0_TH : 0);
	if (record->hint && record->extended) {
		wire_put32(p, (uint32_t)PREFIX_TPH << 24 | (uint32_t)(record->st >> 8) << 16);
		p += 4;
	}
	dw0 |= (record->tag & 0x100 ? DW0_T8 : 0) | (record->tag & 0x200 ? DW0_T9 : 0);
	dw0 |= (record->attributes & 3u) << DW0_ATTR_SHIFT;
	dw0 |= (record->address_type & 3u) << DW0_AT_SHIFT;
	if (record->attributes & ATTRIBUTE_ID_BASED)
		dw0 |= DW0_ATTR2;
	if (record->type == RECORD_CPLD && record->result == RESULT_POISONED)
		dw0 |= DW0_EP;
	wire_put32(p, dw0);
	if (record_is_completion(record->type)) {
		encode_completion(record, p + 4);
		return p - buf + 12;
	}
	encode_dw1_and_address(record, p + 4);
	return p - buf + (record->wide ? 16 : 12);
}
