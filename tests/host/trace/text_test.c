// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: lines of the text form, read and written. */
#include <errno.h>

#include "tap.h"
#include "trace/text.h"

static void round_trip(const char *line)
{
	char again[TEXT_LINE_MAX + 1];
	struct record record;
	size_t len;

	if (!is_int(text_parse(&record, line, strlen(line)), 0, "%s", line))
		return;
	len = text_format(&record, again);
	is_int(again[len - 1], '\n', "a whole line");
	again[len - 1] = 0;
	is_str(again, line, "the same line again");
}

static void fields(void)
{
	static const char line[] = "23793 00:11.0 -> 3f:1f.7 MWr32 0x00000000f8101200 len=512 "
				   "th=1 ph=3 st-ext=0x0021 be=e/7 t=12 mark=a%20b%25 result=blocked "
				   "at=port-1 inject=corrupt-tag";
	struct record r;

	is_int(text_parse(&r, line, strlen(line)), 0, "a line with everything");
	is_int((intmax_t)r.number, 23793, "number");
	is_int(r.requester, 0x88, "requester");
	is_int(r.completer, 0x3f << 8 | 0x1f << 3 | 7, "completer");
	is_int(r.type, RECORD_MWR, "type");
	is_hex(r.address, 0xf8101200, "address");
	is_int(r.bytes, 512, "bytes");
	ok(r.hint && r.extended, "a 16-bit tag by its four digits");
	is_hex(r.st, 0x21, "steering tag");
	is_int(r.ph, 3, "hint");
	is_hex(r.first_be, 0xe, "first byte enables");
	is_hex(r.last_be, 7, "last byte enables");
	is_int((intmax_t)r.time, 12, "time");
	is_str(r.mark, "a b%", "mark");
	is_int(r.result, RESULT_BLOCKED, "result");
	is_str(r.at, "port-1", "place");
	is_int(r.injected, INJECTED_CORRUPT_TAG, "fault");
}

static void order_and_unknown_fields(void)
{
	static const char line[] = "1 rc -> - MRd64 0x00000001f8101200 result=ur later=thing:1 "
				   "be=f/f st=0x12 ph=0 th=1 len=8";
	struct record r;

	is_int(text_parse(&r, line, strlen(line)), 0, "any order, a field of a later version");
	is_int(r.requester, PARTY_ROOT_COMPLEX, "root complex");
	is_int(r.completer, PARTY_NONE, "nobody");
	ok(r.wide && r.hint && !r.extended, "what the fields say");
	is_hex(r.st, 0x12, "steering tag");
	is_int(r.result, RESULT_UNSUPPORTED, "result");
	is_str(r.at, "", "no place");
}

static void broken(void)
{
	static const char *const lines[] = {
		"",
		"1",
		"x 00:11.0 -> 00:10.0 MWr32 0x0 len=4",
		"1 00:11.0 <- 00:10.0 MWr32 0x0 len=4",
		"1 00:21.0 -> 00:20.0 MWr32 0x0 len=4",
		"1 00:11.8 -> 00:10.0 MWr32 0x0 len=4",
		"1 00:11.0 -> 00:10.0 XWr32 0x0 len=4",
		"1 00:11.0 -> 00:10.0 MWr32 len=4",
		"1 00:11.0 -> 00:10.0 MWr32 0x len=4",
		"1 00:11.0 -> 00:10.0 MWr32 0x00000000000000000 len=4",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4097",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4x",
		"1 00:11.0 -> 00:10.0 MWr32 0x0  len=4",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 th=2",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 ph=4",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 st=0x123",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 be=f",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 value=0x123",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 result=fine",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 at=",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 inject=rain",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 at=0123456789abcdef0123456789abcdef",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 mark=%2",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 t=99999999999999999999",
		"1 00:10.0 -> 00:11.0 CplD32 0x0 len=4",
		"1 00:10.0 -> 00:11.0 CplD 0x0 len=4",
		"1 00:10.0 -> 00:11.0 CplD len=4 status=XX",
		"1 00:10.0 -> 00:11.0 CplD len=4 byte-count=0",
		"1 00:10.0 -> 00:11.0 CplD len=4 byte-count=4097",
		"1 00:10.0 -> 00:11.0 CplD len=4 lower-address=0x80",
		"1 00:10.0 -> 00:11.0 CplD len=4 lower-address=8",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4 lower-address=0x00",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4 attr=",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4 attr=ro+x",
		"1 00:11.0 -> 00:10.0 MWr32 0x0 len=4 address-type=physical",
		"1 00:11.0 -> 00:10.0 MWr 0x0 len=4",
		"1 00:11.0 -> rc MSI-X32 0x0 len=4 vector=256",
		"18446744073709551616 00:11.0 -> 00:10.0 MWr32 0x0 len=4",
	};
	struct record record;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		is_int(text_parse(&record, lines[i], strlen(lines[i])), -EBADMSG, "\"%s\"",
		       lines[i]);
}

/* Every prefix of a line is a line that was cut off: none may be read beyond its end. */
static void cut_off(void)
{
	static const char line[] = "1 00:11.0 -> 00:10.0 MWr32 0x00000000f8101200 len=8 th=1 ph=3 "
				   "st-ext=0x0021 be=f/f value=0x1122334455667788 mark=a%20b result=ok";
	struct record record;
	size_t len;
	int bad = 0;

	for (len = 0; len < strlen(line); len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, line, len);
		bad += text_parse(&record, copy, len) == -EBADMSG;
		free(copy);
	}
	ok(bad > 40, "cut off lines are refused, %d of them", bad);
}

int main(void)
{
	round_trip("3 00:05.0 -> 00:04.0 MWr64 0x00000001fea00100 len=256 th=1 ph=2 st=0x12 be=f/f "
		   "result=ok");
	round_trip("4 rc -> 00:10.0 MWr32 0x00000000f7f0000c len=4 th=0 be=f/0 value=0x54504801 "
		   "t=7 mark=phase%20store result=ok");
	round_trip("5 00:11.0 -> rc MRd32 0x000000003f000000 len=4096 th=0 be=f/f tag=17 "
		   "result=fault");
	round_trip("6 00:11.0 -> - CAS64 0x0000000200001000 len=16 th=1 ph=0 st-ext=0x4305 be=f/f "
		   "result=ur");
	round_trip("7 00:10.0 -> 00:11.0 CplD len=127 tag=0 status=SC byte-count=4096 "
		   "lower-address=0x01 t=7 result=poisoned");
	round_trip("8 rc -> 00:11.0 Cpl len=0 tag=255 status=UR byte-count=4 lower-address=0x7c "
		   "result=ok");
	round_trip("9 00:10.0 -> rc CplD len=4 tag=3 status=SC byte-count=4 lower-address=0x08 "
		   "value=0x00000007 result=ok");
	round_trip("10 00:11.0 -> rc MSI-X32 0x00000000fee01000 len=4 th=0 be=f/0 "
		   "value=0x00004021 vector=255 result=ok");
	round_trip("11 00:11.0 -> 00:10.0 MRd64 0x0000000200001000 len=16 th=1 ph=0 st-ext=0x4305 "
		   "be=f/f tag=1 attr=no-snoop+ro+ido address-type=translated result=ok");
	round_trip("12 00:10.0 -> 00:11.0 CplD len=8 tag=0 status=SC byte-count=8 "
		   "lower-address=0x00 attr=ro result=ok");
	fields();
	order_and_unknown_fields();
	broken();
	cut_off();
	return done_testing();
}
