// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: TLPs between bytes and fields. The bytes are written out by the figures of the
 * specification named beside them.
 */
#include <errno.h>

#include "tap.h"
#include "trace/wire.h"

static struct record decode(const uint8_t *bytes, size_t size, size_t full, int want,
			    const char *what)
{
	struct record record = { .requester = -7, .completer = -7 };

	is_int(wire_decode(&record, bytes, size, full), want, "%s: decoded", what);
	return record;
}

static void round_trip(const struct record *record, const uint8_t *bytes, size_t header,
		       const char *what)
{
	uint8_t buf[WIRE_HEADER_MAX];

	is_int(wire_encode(record, buf), (int)header, "%s: bytes of the header", what);
	is_mem(buf, bytes, header, "%s: the same header again", what);
}

/* Memory write, 32-bit address, 8-bit tag in the Tag field (figures 2-15, 2-19, section 2.2.7.1.1)
 */
static void write_8bit(void)
{
	static const uint8_t bytes[] = {
		0x40, 0x01, 0x00, 0x40,		/* Fmt 010, Type 00000, TH, Length 64 DW */
		0x00, 0x28, 0x12, 0xff,		/* 00:05.0, ST, last and first BE */
		0xfe, 0xa0, 0x01, 0x02,		/* address, PH 10b */
	};
	struct record r = decode(bytes, sizeof(bytes), 12 + 256, 0, "8-bit write");

	is_int(r.type, RECORD_MWR, "a write");
	is_int(r.requester, 0x28, "requester");
	is_hex(r.address, 0xfea00100, "address");
	is_int(r.bytes, 256, "payload");
	ok(r.hint && !r.extended && !r.wide, "an 8-bit tag, a 32-bit address");
	is_hex(r.st, 0x12, "steering tag");
	is_int(r.ph, 2, "processing hint");
	is_int(r.completer, -7, "the bytes do not say who took it");
	is_int((int)wire_size(&r), 12 + 256, "size by its fields");
	round_trip(&r, bytes, 12, "8-bit write");
}

/* Memory write, 64-bit address, upper byte of the tag in a TPH prefix (figure 2-28) */
static void write_16bit(void)
{
	static const uint8_t bytes[] = {
		0x90, 0x43, 0x00, 0x00,		/* End-End prefix 0000b: ST[15:8] */
		0x60, 0x01, 0x00, 0x80,		/* Fmt 011, TH, Length 128 DW */
		0x00, 0x88, 0x05, 0xff,		/* 00:11.0, ST[7:0] */
		0x00, 0x00, 0x00, 0x01,
		0xf8, 0x10, 0x10, 0x43,		/* PH 11b */
	};
	struct record r = decode(bytes, sizeof(bytes), 20 + 512, 0, "16-bit write");

	ok(r.hint && r.extended && r.wide, "a 16-bit tag, a 64-bit address");
	is_hex(r.st, 0x4305, "steering tag");
	is_int(r.ph, 3, "processing hint");
	is_hex(r.address, 0x1f8101040, "address");
	is_int(r.requester, 0x88, "requester");
	round_trip(&r, bytes, 20, "16-bit write");
}

/* A read with a hint has its tag where the byte enables were (section 2.2.7.1.1). */
static void read_with_hint(void)
{
	static const uint8_t bytes[] = {
		0x00, 0x01, 0x00, 0x04,
		0x00, 0x28, 0x07, 0x99,
		0x80, 0x00, 0x00, 0x01,
	};
	struct record r = decode(bytes, sizeof(bytes), sizeof(bytes), 0, "read with a hint");

	is_int(r.type, RECORD_MRD, "a read");
	is_hex(r.st, 0x99, "steering tag");
	is_int(r.tag, 7, "transaction tag");
	is_int(r.bytes, 16, "all bytes of a read with a hint are enabled");
	round_trip(&r, bytes, 12, "read with a hint");
}

/* Byte enables select the bytes (section 2.2.5). */
static void byte_enables(void)
{
	static const uint8_t bytes[] = {
		0x40, 0x00, 0x00, 0x02,
		0x00, 0x00, 0x00, 0x1c,		/* last 0001b, first 1100b */
		0xf7, 0xf0, 0x00, 0x0c,
		0x00, 0x00, 0x11, 0x22, 0x33, 0x00, 0x00, 0x00,
	};
	struct record r = decode(bytes, sizeof(bytes), sizeof(bytes), 0, "three bytes");

	is_int(r.bytes, 3, "enabled bytes");
	is_int(r.value_bytes, 3, "they are shown");
	is_hex(r.value, 0x332211, "as a little-endian number");
	ok(!r.hint, "no hint");
	round_trip(&r, bytes, 12, "three bytes");
}

static void completion(void)
{
	static const uint8_t bytes[] = {
		0x4a, 0x00, 0x00, 0x01,
		0x00, 0x80, 0x00, 0x04,		/* completer 00:10.0, SC, four bytes */
		0x00, 0x88, 0x2a, 0x40,		/* requester 00:11.0, tag, lower address */
		1, 2, 3, 4,
	};
	struct record r = decode(bytes, sizeof(bytes), sizeof(bytes), 0, "completion");

	is_int(r.type, RECORD_CPLD, "a completion with data");
	is_int(r.requester, 0x80, "sent by the completer");
	is_int(r.completer, 0x88, "to the requester");
	is_int(r.tag, 0x2a, "of the request with this tag");
	is_int(r.status, STATUS_SC, "successful");
	is_int(r.byte_count, 4, "byte count");
	is_hex(r.address, 0x40, "lower address");
	is_int(r.bytes, 4, "payload");
	is_hex(r.value, 0x04030201, "as a little-endian number");
	round_trip(&r, bytes, 12, "completion");
}

/* The first of two, from the second byte of a DW on; 0 means 4096 bytes left (section 2.2.9). */
static void part_of_a_read(void)
{
	static const uint8_t bytes[] = {
		0x4a, 0x00, 0x00, 0x20, 0x00, 0x80, 0x00, 0x00, 0x00, 0x88, 0x2a, 0x01,
	};
	struct record r = decode(bytes, sizeof(bytes), 12 + 128, 0, "part of a read");

	is_int(r.bytes, 127, "bytes that were asked for");
	is_int(r.byte_count, 4096, "bytes left");
	round_trip(&r, bytes, 12, "part of a read");
}

/* Completion Status is in bits 15:13 of DW 1 (section 2.2.9.1). */
static void completion_without_data(void)
{
	static const uint8_t bytes[] = {
		0x0a, 0x00, 0x00, 0x00, 0x00, 0x80, 0x80, 0x08, 0x00, 0x88, 0x2a, 0x7c,
	};
	struct record r = decode(bytes, sizeof(bytes), sizeof(bytes), 0, "without data");

	is_int(r.type, RECORD_CPL, "a completion without data");
	is_int(r.status, STATUS_CA, "completer abort");
	is_int(r.byte_count, 8, "bytes that would have come");
	is_int(r.bytes, 0, "no payload");
	round_trip(&r, bytes, 12, "without data");
}

/* Attr[1:0] in bits 13:12, Attr[2] in bit 18, AT in bits 11:10 of DW 0 (sections 2.2.1, 2.2.6.3) */
static void attributes(void)
{
	static const struct {
		uint8_t dw0[4];
		unsigned int attributes;
		enum record_address_type type;
	} cases[] = {
		{ { 0x00, 0x00, 0x10, 0x01 }, ATTRIBUTE_NO_SNOOP, ADDRESS_DEFAULT },
		{ { 0x00, 0x00, 0x20, 0x01 }, ATTRIBUTE_RELAXED, ADDRESS_DEFAULT },
		{ { 0x00, 0x04, 0x00, 0x01 }, ATTRIBUTE_ID_BASED, ADDRESS_DEFAULT },
		{ { 0x00, 0x00, 0x08, 0x01 }, 0, ADDRESS_TRANSLATED },
		{ { 0x00, 0x04, 0x24, 0x01 }, ATTRIBUTE_ID_BASED | ATTRIBUTE_RELAXED,
		  ADDRESS_TRANSLATION_REQUEST },
	};
	uint8_t bytes[] = { 0, 0, 0, 0, 0x00, 0x28, 0x07, 0x0f, 0x80, 0x00, 0x00, 0x00 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record r;

		memcpy(bytes, cases[i].dw0, 4);
		r = decode(bytes, sizeof(bytes), sizeof(bytes), 0, "attributes");
		is_hex(r.attributes, cases[i].attributes, "attributes");
		is_int(r.address_type, cases[i].type, "address type");
		round_trip(&r, bytes, 12, "attributes");
	}
}

/* AtomicOps (section 2.2.4.1): a compare-and-swap of 8 bytes carries 16. */
static void atomic(void)
{
	static const uint8_t bytes[] = {
		0x6e, 0x00, 0x00, 0x04,
		0x00, 0x88, 0x01, 0xff,
		0x00, 0x00, 0x00, 0x02,
		0x00, 0x00, 0x10, 0x00,
	};
	struct record r = decode(bytes, sizeof(bytes), 16 + 16, 0, "compare and swap");

	is_int(r.type, RECORD_CAS, "a compare and swap");
	is_int(r.bytes, 16, "payload");
	round_trip(&r, bytes, 16, "compare and swap");
}

static void broken(void)
{
	static const uint8_t bytes[] = {
		0x90, 0x43, 0x00, 0x00, 0x60, 0x01, 0x00, 0x80, 0x00, 0x88, 0x05, 0xff,
		0x00, 0x00, 0x00, 0x01, 0xf8, 0x10, 0x10, 0x43,
	};
	static const uint8_t config[] = { 0x04, 0, 0, 1, 0, 0, 0, 0x0f, 0, 0x80, 0, 0 };
	size_t size;

	for (size = 0; size < sizeof(bytes); size++)
		decode(bytes, size, 20 + 512, -EBADMSG, "a header that is cut off");
	decode(bytes, sizeof(bytes), 20 + 508, -EBADMSG, "a size that contradicts Length");
	decode(bytes, 4, 4, -EBADMSG, "a prefix alone");
	decode(config, sizeof(config), sizeof(config), -EOPNOTSUPP, "a configuration request");
}

int main(void)
{
	write_8bit();
	write_16bit();
	read_with_hint();
	byte_enables();
	completion();
	part_of_a_read();
	completion_without_data();
	attributes();
	atomic();
	broken();
	return done_testing();
}
