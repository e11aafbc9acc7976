// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: memory request TLPs. Encodings against bytes put together by hand from the tables
 * of the specification, every malformed form, and a round trip of random legal requests.
 */
#include <errno.h>

#include "pcie/tlp.h"
#include "tap.h"

#define ALL_PAYLOADS TLP_PAYLOAD_MAX

static uint8_t payload[TLP_PAYLOAD_MAX];

/* A legal write: one DW at 0xfea00100 from 00:05.0. */
static struct tlp write_tlp(void)
{
	return (struct tlp){
		.type = TLP_MWR, .requester = 0x0028, .address = 0xfea00100, .length = 1,
		.first_be = 0xf, .data = payload,
	};
}

static struct tlp read_tlp(void)
{
	struct tlp tlp = write_tlp();

	tlp.type = TLP_MRD;
	tlp.tag = 0x5a;
	tlp.data = NULL;
	return tlp;
}

static bool same_tlp(const struct tlp *a, const struct tlp *b)
{
	if (a->type != b->type || a->requester != b->requester || a->tag != b->tag ||
	    a->address != b->address || a->length != b->length || a->first_be != b->first_be ||
	    a->last_be != b->last_be || a->hint.present != b->hint.present)
		return false;
	if (a->hint.present && (a->hint.extended != b->hint.extended || a->hint.ph != b->hint.ph ||
				a->hint.st != b->hint.st))
		return false;
	return a->type == TLP_MRD || !memcmp(a->data, b->data, (size_t)a->length * 4);
}

static void check_vector(const char *what, const struct tlp *tlp, const uint8_t *bytes, size_t size)
{
	uint8_t buf[TLP_BYTES_MAX];
	struct tlp back;

	if (is_int(tlp_encode(tlp, buf, sizeof(buf)), size, "%s: size", what))
		is_mem(buf, bytes, size, "%s: bytes", what);
	is_int(tlp_decode(&back, bytes, size, ALL_PAYLOADS), 0, "%s: decodes", what);
	ok(same_tlp(tlp, &back), "%s: decodes to the same request", what);
}

static void test_vectors(void)
{
	struct tlp tlp = write_tlp();

	memcpy(payload, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	check_vector("MWr32", &tlp,
		     (const uint8_t[]){ 0x40, 0x00, 0x00, 0x01, 0x00, 0x28, 0x00, 0x0f, 0xfe, 0xa0,
					0x01, 0x00, 0x11, 0x22, 0x33, 0x44 }, 16);

	tlp.address = 0x280000008;
	tlp.length = 2;
	tlp.last_be = 0xf;
	tlp.hint = (struct tlp_hint){ .present = true, .ph = 2, .st = 0x12 };
	check_vector("MWr64 with an 8-bit tag", &tlp,
		     (const uint8_t[]){ 0x60, 0x01, 0x00, 0x02, 0x00, 0x28, 0x12, 0xff,
					0x00, 0x00, 0x00, 0x02, 0x80, 0x00, 0x00, 0x0a,
					0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 }, 24);

	tlp = write_tlp();
	tlp.first_be = 0xc;
	tlp.hint = (struct tlp_hint){ .present = true, .extended = true, .ph = 3, .st = 0xabcd };
	check_vector("MWr32 with a 16-bit tag",
		     &tlp, (const uint8_t[]){ 0x90, 0xab, 0x00, 0x00, 0x40, 0x01, 0x00,
					      0x01, 0x00, 0x28, 0xcd, 0x0c, 0xfe, 0xa0,
					      0x01, 0x03, 0x11, 0x22, 0x33, 0x44 },
		     20);

	tlp.hint.st = 0x0042;
	check_vector("a 16-bit tag below 0x100 keeps its prefix",
		     &tlp, (const uint8_t[]){ 0x90, 0x00, 0x00, 0x00, 0x40, 0x01, 0x00,
					      0x01, 0x00, 0x28, 0x42, 0x0c, 0xfe, 0xa0,
					      0x01, 0x03, 0x11, 0x22, 0x33, 0x44 },
		     20);

	tlp = read_tlp();
	tlp.first_be = 0x3;
	check_vector("MRd32", &tlp,
		     (const uint8_t[]){ 0x00, 0x00, 0x00, 0x01, 0x00, 0x28, 0x5a, 0x03, 0xfe, 0xa0,
					0x01, 0x00 }, 12);

	tlp = read_tlp();
	tlp.address = 0x100000000;
	tlp.length = 4;
	tlp.last_be = 0xf;
	tlp.hint = (struct tlp_hint){ .present = true, .ph = 1, .st = 0x34 };
	check_vector("MRd64 with an 8-bit tag in place of the byte enables", &tlp,
		     (const uint8_t[]){ 0x20, 0x01, 0x00, 0x04, 0x00, 0x28, 0x5a, 0x34,
					0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01 }, 16);
}

static void test_atomics(void)
{
	struct tlp tlp = {
		.type = TLP_FETCH_ADD, .requester = 0x0028, .tag = 0x5a, .address = 0xfea00108,
		.length = 2, .first_be = 0xf, .last_be = 0xf, .data = payload,
	};

	memcpy(payload,
	       "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00", 16);
	check_vector("FetchAdd", &tlp,
		     (const uint8_t[]){
			0x4c, 0x00, 0x00, 0x02, 0x00, 0x28, 0x5a, 0xff, 0xfe, 0xa0,
			0x01, 0x08, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		     },
		     20);
	is_int(tlp_payload(&tlp), 8, "payload");
	tlp.address = 0xfea0010c;
	is_int(tlp_check(&tlp, ALL_PAYLOADS), -EBADMSG, "not aligned to the operand");
	tlp.address = 0xfea00108;
	tlp.length = 4;
	is_int(tlp_check(&tlp, ALL_PAYLOADS), -EBADMSG, "FetchAdd with two operands");
	tlp.type = TLP_CAS;
	tlp.address = 0x380000000ff8;
	check_vector("CAS64, two operands for the last 8 bytes of a page", &tlp,
		     (const uint8_t[]){ 0x6e, 0x00, 0x00, 0x04, 0x00, 0x28, 0x5a, 0xff,
					0x00, 0x00, 0x38, 0x00, 0x00, 0x00, 0x0f, 0xf8,
					0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
					0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00 },
		     32);
	tlp.length = 2;
	is_int(tlp_check(&tlp, ALL_PAYLOADS), -EBADMSG, "CAS with one operand");
}

static void test_largest(void)
{
	uint8_t buf[TLP_BYTES_MAX];
	struct tlp tlp = write_tlp(), back;

	tlp.address = 0xffffffff00000000;
	tlp.length = 1024;
	tlp.last_be = 0xf;
	tlp.hint = (struct tlp_hint){ .present = true, .extended = true, .st = 0xffff };
	is_int(tlp_encode(&tlp, buf, sizeof(buf)), TLP_BYTES_MAX, "the largest TLP fits exactly");
	is_hex((buf[6] & 3) | buf[7], 0, "1024 DWs are encoded as 0");
	is_int(tlp_encode(&tlp, buf, sizeof(buf) - 1), -ENOSPC, "no room for its last byte");
	is_int(tlp_decode(&back, buf, sizeof(buf), ALL_PAYLOADS), 0, "and it decodes");
	is_int(back.length, 1024, "to 1024 DWs");
}

static void test_byte_enables(void)
{
	static const struct {
		const char *what;
		unsigned int length, first, last;
		uint64_t address;
		int result;
	} cases[] = {
		{ "holes in a single DW", 1, 0x5, 0, 0x1000, 0 },
		{ "a single DW with nothing enabled", 1, 0, 0, 0x1000, 0 },
		{ "last enables of a single DW", 1, 0xf, 0xf, 0x1000, -EBADMSG },
		{ "holes in an aligned quadword", 2, 0x5, 0xa, 0x1000, 0 },
		{ "holes in a quadword that is not aligned", 2, 0x5, 0xf, 0x1004, -EBADMSG },
		{ "part of a quadword that is not aligned", 2, 0xe, 0x7, 0x1004, 0 },
		{ "first enables 0 of two DWs", 2, 0, 0xf, 0x1000, -EBADMSG },
		{ "last enables 0 of two DWs", 2, 0xf, 0, 0x1000, -EBADMSG },
		{ "a hole at the start of three DWs", 3, 0xb, 0xf, 0x1000, -EBADMSG },
		{ "first enables that stop short in three DWs", 3, 0x7, 0xf, 0x1000, -EBADMSG },
		{ "last enables that begin late in three DWs", 3, 0xf, 0xe, 0x1000, -EBADMSG },
		{ "ragged ends of three DWs", 3, 0x8, 0x1, 0x1000, 0 },
		{ "first enables beyond four bits", 3, 0x1f, 0xf, 0x1000, -EBADMSG },
		{ "last enables beyond four bits", 3, 0xf, 0x1f, 0x1000, -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tlp tlp = write_tlp();

		tlp.length = cases[i].length;
		tlp.first_be = cases[i].first;
		tlp.last_be = cases[i].last;
		tlp.address = cases[i].address;
		is_int(tlp_check(&tlp, ALL_PAYLOADS), cases[i].result, "%s, write", cases[i].what);
		tlp.type = TLP_MRD;
		is_int(tlp_check(&tlp, ALL_PAYLOADS), cases[i].result, "%s, read", cases[i].what);
	}
}

static void check_refused(const char *what, struct tlp tlp)
{
	uint8_t buf[TLP_BYTES_MAX];

	is_int(tlp_check(&tlp, ALL_PAYLOADS), -EBADMSG, "%s: malformed", what);
	is_int(tlp_encode(&tlp, buf, sizeof(buf)), -EBADMSG, "%s: not encoded", what);
}

static void test_malformed_requests(void)
{
	struct tlp tlp = write_tlp();

	tlp.type = 2;
	check_refused("no such type", tlp);
	tlp = write_tlp();
	tlp.length = 0;
	check_refused("no length", tlp);
	tlp = write_tlp();
	tlp.length = 1025;
	tlp.last_be = 0xf;
	check_refused("too long", tlp);
	tlp = write_tlp();
	tlp.data = NULL;
	check_refused("write without data", tlp);
	tlp = write_tlp();
	tlp.address |= 2;
	check_refused("address within a DW", tlp);
	tlp = write_tlp();
	tlp.address = 0x1ffc;
	tlp.length = 2;
	tlp.last_be = 0xf;
	check_refused("across a 4 KiB boundary", tlp);
	tlp.length = 1;
	tlp.last_be = 0;
	is_int(tlp_check(&tlp, ALL_PAYLOADS), 0, "up to the boundary is fine");
	tlp.hint = (struct tlp_hint){ .present = true, .ph = 4 };
	check_refused("processing hint of three bits", tlp);
	tlp.hint = (struct tlp_hint){ .present = true, .st = 0x100 };
	check_refused("9-bit tag without prefix", tlp);
	tlp.hint.present = false;
	is_int(tlp_check(&tlp, ALL_PAYLOADS), 0, "tag of a hint that is not there");
	tlp = read_tlp();
	tlp.first_be = 0x7;
	tlp.hint.present = true;
	check_refused("read with a hint and byte enables", tlp);

	tlp = write_tlp();
	tlp.address = 0x1000;
	tlp.length = 64;
	tlp.last_be = 0xf;
	is_int(tlp_check(&tlp, 256), 0, "payload of Max_Payload_Size");
	is_int(tlp_check(&tlp, 252), -EBADMSG, "payload above Max_Payload_Size");
	tlp.type = TLP_MRD;
	is_int(tlp_check(&tlp, 128), 0, "a read may ask for more than Max_Payload_Size");
}

static void check_bytes(const char *what, const void *bytes, size_t size, int result)
{
	struct tlp tlp;

	is_int(tlp_decode(&tlp, bytes, size, 128), result, "%s", what);
}

/* Attr[1:0] in bits 13:12, Attr[2] in bit 18, AT in bits 11:10 of DW 0 (sections 2.2.1, 2.2.6.3) */
static void test_attributes(void)
{
	static const struct {
		uint8_t dw0[4];
		unsigned int attributes;
		bool translated;
	} cases[] = {
		{ { 0, 0x00, 0x10, 1 }, TLP_NO_SNOOP, false },
		{ { 0, 0x00, 0x20, 1 }, TLP_RELAXED_ORDERING, false },
		{ { 0, 0x04, 0x00, 1 }, TLP_ID_ORDERING, false },
		{ { 0, 0x04, 0x28, 1 }, TLP_ID_ORDERING | TLP_RELAXED_ORDERING, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[12] = { 0, 0, 0, 0, 0, 0x28, 7, 0x0f, 0, 0, 0x10, 0 }, again[12];
		struct tlp tlp;

		memcpy(bytes, cases[i].dw0, 4);
		is_int(tlp_decode(&tlp, bytes, sizeof(bytes), 128), 0, "decoded");
		is_hex(tlp.attributes, cases[i].attributes, "attributes");
		is_int(tlp.translated, cases[i].translated, "address type");
		is_int(tlp_encode(&tlp, again, sizeof(again)), sizeof(again), "encoded");
		is_mem(again, bytes, sizeof(bytes), "the same bytes");
	}
}

static void test_malformed_bytes(void)
{
	uint8_t tlp[20 + 132] = { 0x40, 0, 0, 1, 0, 0x28, 0, 0x0f, 0, 0, 0x10, 0, 1, 2, 3, 4 };

	check_bytes("the plain write", tlp, 16, 0);
	check_bytes("nothing", tlp, 0, -EBADMSG);
	check_bytes("less than a DW", tlp, 3, -EBADMSG);
	check_bytes("not whole DWs", tlp, 15, -EBADMSG);
	check_bytes("header cut off", tlp, 8, -EBADMSG);
	check_bytes("payload cut off", tlp, 12, -EBADMSG);
	check_bytes("bytes behind the payload", tlp, 20, -EBADMSG);
	tlp[0] = 0x41;
	check_bytes("type of a locked request", tlp, 16, -EOPNOTSUPP);
	tlp[0] = 0x4a;
	check_bytes("completion", tlp, 16, -EOPNOTSUPP);
	tlp[0] = 0x60;
	check_bytes("64-bit header", tlp, 20, 0);
	tlp[10] = 0;
	check_bytes("64-bit header of an address below 4 GiB", tlp, 20, -EBADMSG);
	tlp[0] = 0x40;
	tlp[2] = 0x80;
	check_bytes("digest", tlp, 16, -EOPNOTSUPP);
	tlp[2] = 0x40;
	check_bytes("poisoned", tlp, 16, -EOPNOTSUPP);
	tlp[2] = 0x08;
	check_bytes("translated", tlp, 16, 0);
	tlp[2] = 0x04;
	check_bytes("request for a translation", tlp, 16, -EOPNOTSUPP);
	tlp[2] = 0x0c;
	check_bytes("reserved address type", tlp, 16, -EOPNOTSUPP);
	tlp[2] = 0;
	tlp[3] = 33;
	tlp[7] = 0xff;
	check_bytes("payload above Max_Payload_Size", tlp, 12 + 132, -EBADMSG);
	tlp[3] = 32;
	check_bytes("payload of Max_Payload_Size", tlp, 12 + 128, 0);
}

static void test_prefixes(void)
{
	uint8_t tlp[] = { 0x90, 0xab, 0, 0, 0x40, 0x01, 0, 1, 0, 0x28,
			  0xcd, 0x0f, 0, 0, 0x10, 2,	1, 2, 3, 4 };

	check_bytes("TPH prefix", tlp, sizeof(tlp), 0);
	check_bytes("prefix without a header", tlp, 4, -EBADMSG);
	tlp[0] = 0x91;
	check_bytes("PASID prefix", tlp, sizeof(tlp), -EOPNOTSUPP);
	tlp[0] = 0x80;
	check_bytes("local prefix", tlp, sizeof(tlp), -EOPNOTSUPP);
	tlp[0] = 0x90;
	tlp[5] = 0;
	check_bytes("TPH prefix without the TH bit", tlp, sizeof(tlp), -EOPNOTSUPP);
	tlp[4] = 0x90;
	check_bytes("two prefixes", tlp, sizeof(tlp), -EOPNOTSUPP);
}

static void test_ranges(void)
{
	static const struct {
		uint64_t address;
		size_t bytes;
		int result;
		uint64_t first_dw;
		unsigned int length, first, last;
	} cases[] = {
		{ 0x1000, 1, 0, 0x1000, 1, 0x1, 0 },
		{ 0x1003, 1, 0, 0x1000, 1, 0x8, 0 },
		{ 0x1001, 2, 0, 0x1000, 1, 0x6, 0 },
		{ 0x1003, 2, 0, 0x1000, 2, 0x8, 0x1 },
		{ 0x1000, 4, 0, 0x1000, 1, 0xf, 0 },
		{ 0x1001, 4, 0, 0x1000, 2, 0xe, 0x1 },
		{ 0x1002, 9, 0, 0x1000, 3, 0xc, 0x7 },
		{ 0x1000, 4096, 0, 0x1000, 1024, 0xf, 0xf },
		{ 0x1ffd, 3, 0, 0x1ffc, 1, 0xe, 0 },
		{ UINT64_MAX, 1, 0, UINT64_MAX - 3, 1, 0x8, 0 },
		{ 0x1000, 0, -EINVAL, 0, 0, 0, 0 },
		{ 0x1000, 4097, -EINVAL, 0, 0, 0, 0 },
		{ 0x1ffd, 4, -EINVAL, 0, 0, 0, 0 },
		{ 0x1004, 4096, -EINVAL, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tlp tlp = write_tlp();
		int ret = tlp_init_range(&tlp, cases[i].address, cases[i].bytes);

		is_int(ret, cases[i].result, "%zu bytes at 0x%" PRIx64, cases[i].bytes,
		       cases[i].address);
		if (ret)
			continue;
		is_hex(tlp.address, cases[i].first_dw, "  address");
		is_int(tlp.length, cases[i].length, "  length");
		is_hex(tlp.first_be, cases[i].first, "  first byte enables");
		is_hex(tlp.last_be, cases[i].last, "  last byte enables");
		is_int(tlp_enabled_bytes(&tlp), cases[i].bytes, "  bytes enabled");
		is_int(tlp_first_byte(&tlp), cases[i].address & 3, "  first byte");
		is_int(tlp_check(&tlp, ALL_PAYLOADS), 0, "  well-formed");
	}
}

/* All legal requests that a random stream of numbers leads to survive the round trip. */
static void test_round_trip(void)
{
	uint8_t buf[TLP_BYTES_MAX];
	unsigned int wrong = 0;

	srandom(1);
	for (unsigned int i = 0; i < sizeof(payload); i++)
		payload[i] = random();
	for (unsigned int i = 0; i < 20000; i++) {
		struct tlp tlp = { .requester = random(), .data = payload + random() % 4 }, back;
		uint64_t address = (uint64_t)random() << (random() % 33) ^ random();
		size_t bytes = 1 + random() % (random() % 16 ? 64 : 4000);
		int size;

		if (tlp_init_range(&tlp, address, bytes))
			continue;
		tlp.type = random() % 2 ? TLP_MWR : TLP_MRD;
		tlp.hint.present = random() % 2;
		if (tlp.hint.present) {
			tlp.hint.extended = random() % 2;
			tlp.hint.ph = random() % 4;
			tlp.hint.st = random() & (tlp.hint.extended ? 0xffff : 0xff);
		}
		if (tlp.type == TLP_MRD && tlp.hint.present) {
			tlp.first_be = 0xf;
			tlp.last_be = tlp.length > 1 ? 0xf : 0;
		}
		if (tlp.type == TLP_MRD || !tlp.hint.present)
			tlp.tag = random();
		size = tlp_encode(&tlp, buf, sizeof(buf));
		if (size < 0 || tlp_decode(&back, buf, size, ALL_PAYLOADS) ||
		    !same_tlp(&tlp, &back))
			wrong++;
	}
	is_int(wrong, 0, "random requests survive encoding and decoding");
}

/*
 * Whatever bytes come in: the decoder refuses them or gives a request that encodes to the same
 * bytes.
 */
static void test_random_bytes(void)
{
	unsigned int wrong = 0, accepted = 0;

	srandom(2);
	for (unsigned int i = 0; i < 200000; i++) {
		uint8_t in[64], out[TLP_BYTES_MAX];
		size_t size = random() % (sizeof(in) / 4) * 4;
		struct tlp tlp;

		for (size_t j = 0; j < size; j++)
			in[j] = random() % 8 ? 0 : random();
		if (size && random() % 4) {
			in[0] = (const uint8_t[]){ 0x00, 0x20, 0x40, 0x60, 0x90 }[random() % 5];
			in[3] = size / 4 - (in[0] & 0x20 ? 4 : 3);
		}
		if (tlp_decode(&tlp, in, size, 128))
			continue;
		accepted++;
		/* Reserved bits, traffic class and attributes are not kept. */
		if (tlp_encode(&tlp, out, sizeof(out)) != (int)size)
			wrong++;
	}
	is_int(wrong, 0, "random bytes decode to nothing or to a request of their size");
	ok(accepted > 2000, "%u of them were accepted", accepted);
}

int main(void)
{
	test_vectors();
	test_atomics();
	test_largest();
	test_byte_enables();
	test_malformed_requests();
	test_attributes();
	test_malformed_bytes();
	test_prefixes();
	test_ranges();
	test_round_trip();
	test_random_bytes();
	return done_testing();
}
