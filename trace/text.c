// SPDX-License-Identifier: GPL-2.0-or-later
/* The text form. A trace has millions of lines, hence the parsing and formatting by hand. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "text.h"

#define NOT_HEX	UINT_MAX

/* What is left of a line. */
struct cursor {
	const char *at;
	const char *end;
};

/* Its value, or NOT_HEX. */
static unsigned int text_digit(char c)
{
	static const uint8_t above_by_1[256] = {
		['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
		['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
		['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	};

	return above_by_1[(unsigned char)c] - 1u;
}

static bool text_take(struct cursor *c, const char *text, size_t len)
{
	if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len))
		return false;
	c->at += len;
	return true;
}

/* Nineteen digits cannot overflow; a twentieth one can. */
static bool take_decimal(struct cursor *c, uint64_t *value)
{
	const char *p = c->at, *start = p, *safe = c->end - p > 19 ? p + 19 : c->end;
	uint64_t n = 0;

	for (; p < safe && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	for (; p < c->end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	c->at = p;
	*value = n;
	return p > start;
}

/* Hex digits; @digits tells how many there were, 1 to 16. */
static bool take_hex(struct cursor *c, uint64_t *value, unsigned int *digits)
{
	const char *p = c->at, *most = c->end - p > 16 ? p + 16 : c->end;
	unsigned int digit;
	uint64_t n = 0;

	for (; p < most && (digit = text_digit(*p)) != NOT_HEX; p++)
		n = n << 4 | digit;
	*value = n;
	*digits = p - c->at;
	c->at = p;
	return *digits && (p == c->end || text_digit(*p) == NOT_HEX);
}

/* Where the word ends that begins here. */
static const char *word_end(const struct cursor *c)
{
	const char *space = memchr(c->at, ' ', c->end - c->at);

	return space ? space : c->end;
}

static bool take_party(struct cursor *c, int *party)
{
	const char *end = word_end(c);

	if (party_parse(c->at, end - c->at, party))
		return false;
	c->at = end;
	return true;
}

/* @width: whether the width of the address is behind the type. */
static bool take_type(struct cursor *c, struct record *record, bool *width)
{
	const char *end = word_end(c);
	size_t len = end - c->at;

	*width = false;
	if (len < 3)
		return false;
	if (!memcmp(end - 2, "64", 2))
		record->wide = true;
	if (record->wide || !memcmp(end - 2, "32", 2)) {
		*width = true;
		len -= 2;
	}
	record->type = len == 3 && !memcmp(c->at, "MWr", 3) ? RECORD_MWR :
							       record_type_find(c->at, len);
	c->at = end;
	return record->type != RECORD_TYPES;
}

static int percent(const char *p, const char *end)
{
	unsigned int high, low;

	if (end - p < 3)
		return -1;
	high = text_digit(p[1]);
	low = text_digit(p[2]);
	return high == NOT_HEX || low == NOT_HEX ? -1 : (int)(high << 4 | low);
}

/* A mark has no spaces in the line: what is not printable, a space and % stand as %xx. */
static bool parse_mark(struct record *record, struct cursor *c)
{
	size_t n = 0;

	for (; c->at < c->end && *c->at != ' '; c->at++) {
		int byte = (unsigned char)*c->at;

		if (byte == '%') {
			byte = percent(c->at, c->end);
			if (byte < 0)
				return false;
			c->at += 2;
		}
		if (n == RECORD_MARK_MAX - 1)
			return false;
		record->mark[n++] = byte;
	}
	record->mark[n] = 0;
	return true;
}

static bool parse_be(struct record *record, struct cursor *c)
{
	unsigned int first, last;

	if (c->end - c->at < 3 || c->at[1] != '/')
		return false;
	first = text_digit(c->at[0]);
	last = text_digit(c->at[2]);
	if (first == NOT_HEX || last == NOT_HEX)
		return false;
	record->first_be = first;
	record->last_be = last;
	c->at += 3;
	return true;
}

static bool parse_st(struct record *record, struct cursor *c, bool extended)
{
	unsigned int digits;
	uint64_t st;

	if (!text_take(c, "0x", 2) || !take_hex(c, &st, &digits) || digits != (extended ? 4 : 2))
		return false;
	record->st = st;
	record->extended = extended;
	return true;
}

static bool parse_value(struct record *record, struct cursor *c)
{
	unsigned int digits;

	if (!text_take(c, "0x", 2) || !take_hex(c, &record->value, &digits) || digits % 2)
		return false;
	record->value_bytes = digits / 2;
	return true;
}

/* To the next space; returns the length of what was passed. */
static size_t take_word(struct cursor *c)
{
	const char *start = c->at;

	while (c->at < c->end && *c->at != ' ')
		c->at++;
	return c->at - start;
}

static bool parse_result(struct record *record, struct cursor *c)
{
	const char *start = c->at;

	record->result = record_result_find(start, take_word(c));
	return record->result != RESULTS;
}

static bool parse_status(struct record *record, struct cursor *c)
{
	const char *start = c->at;

	record->status = record_status_find(start, take_word(c));
	return record->status != STATUSES;
}

static bool parse_lower_address(struct record *record, struct cursor *c)
{
	unsigned int digits;

	return record_is_completion(record->type) && text_take(c, "0x", 2) &&
	       take_hex(c, &record->address, &digits) && record->address <= 0x7f;
}

static bool parse_place(struct record *record, struct cursor *c)
{
	const char *start = c->at;
	size_t len = take_word(c);

	if (!len || len >= RECORD_PLACE_MAX)
		return false;
	memcpy(record->at, start, len);
	return true;
}

static bool parse_injection(struct record *record, struct cursor *c)
{
	const char *start = c->at;

	record->injected = record_injection_find(start, take_word(c));
	return record->injected != INJECTIONS;
}

static bool parse_number(struct cursor *c, uint64_t max, uint64_t *value)
{
	return take_decimal(c, value) && *value <= max;
}

/* "ro+ido" */
static bool parse_attributes(struct record *record, struct cursor *c)
{
	while (c->at < c->end && *c->at != ' ') {
		const char *start = c->at;
		unsigned int index;

		while (c->at < c->end && *c->at != ' ' && *c->at != '+')
			c->at++;
		index = record_attribute_find(start, c->at - start);
		if (index == ATTRIBUTES)
			return false;
		record->attributes |= 1u << index;
		if (c->at < c->end && *c->at == '+')
			c->at++;
	}
	return record->attributes;
}

static bool parse_address_type(struct record *record, struct cursor *c)
{
	const char *start = c->at;

	record->address_type = record_address_type_find(start, take_word(c));
	return record->address_type != ADDRESS_TYPES;
}

/* Fields that most lines do not have. */
static bool parse_rare(struct record *record, const char *key, size_t len, struct cursor *c,
		       bool *known)
{
	uint64_t n = 0;
	bool ok = true;

	if (len == 6 && !memcmp(key, "status", 6)) {
		ok = parse_status(record, c);
	} else if (len == 10 && !memcmp(key, "byte-count", 10)) {
		ok = parse_number(c, 4096, &n) && n;
		record->byte_count = n;
	} else if (len == 13 && !memcmp(key, "lower-address", 13)) {
		ok = parse_lower_address(record, c);
	} else if (len == 4 && !memcmp(key, "attr", 4)) {
		ok = parse_attributes(record, c);
	} else if (len == 12 && !memcmp(key, "address-type", 12)) {
		ok = parse_address_type(record, c);
	} else if (len == 6 && !memcmp(key, "vector", 6)) {
		ok = parse_number(c, RECORD_VECTORS_MAX - 1, &n);
		record->vector = n;
	} else {
		*known = false;
	}
	return ok;
}

static bool parse_known(struct record *record, const char *key, size_t len, struct cursor *c,
			bool *known)
{
	uint64_t n = 0;
	bool ok;

	*known = true;
	if (len == 2 && !memcmp(key, "th", 2)) {
		ok = parse_number(c, 1, &n);
		record->hint = n;
	} else if (len == 2 && !memcmp(key, "ph", 2)) {
		ok = parse_number(c, 3, &n);
		record->ph = n;
	} else if (len == 2 && !memcmp(key, "st", 2)) {
		ok = parse_st(record, c, false);
	} else if (len == 6 && !memcmp(key, "st-ext", 6)) {
		ok = parse_st(record, c, true);
	} else if (len == 2 && !memcmp(key, "be", 2)) {
		ok = parse_be(record, c);
	} else if (len == 3 && !memcmp(key, "len", 3)) {
		ok = parse_number(c, 4096, &n);
		record->bytes = n;
	} else if (len == 6 && !memcmp(key, "result", 6)) {
		ok = parse_result(record, c);
	} else if (len == 1 && *key == 't') {
		ok = parse_number(c, UINT64_MAX, &record->time);
	} else if (len == 3 && !memcmp(key, "tag", 3)) {
		ok = parse_number(c, 0x3fff, &n);
		record->tag = n;
	} else if (len == 5 && !memcmp(key, "value", 5)) {
		ok = parse_value(record, c);
	} else if (len == 2 && !memcmp(key, "at", 2)) {
		ok = parse_place(record, c);
	} else if (len == 6 && !memcmp(key, "inject", 6)) {
		ok = parse_injection(record, c);
	} else if (len == 4 && !memcmp(key, "mark", 4)) {
		ok = parse_mark(record, c);
	} else {
		ok = parse_rare(record, key, len, c, known);
	}
	return ok;
}

static bool parse_fields(struct record *record, struct cursor *c)
{
	while (c->at < c->end) {
		const char *key = c->at + 1;
		bool known;

		if (*c->at != ' ')
			return false;
		while (++c->at < c->end && *c->at != '=')
			if (*c->at == ' ')
				return false;
		if (c->at++ == c->end)
			return false;
		if (!parse_known(record, key, c->at - 1 - key, c, &known))
			return false;
		while (!known && c->at < c->end && *c->at != ' ')
			c->at++;
	}
	return true;
}

int text_parse(struct record *record, const char *line, size_t len)
{
	struct cursor c = { line, line + len };
	unsigned int digits;
	bool width;

	memset(record, 0, offsetof(struct record, mark) + 1);
	record->result = RESULT_UNKNOWN;
	if (!take_decimal(&c, &record->number) || !text_take(&c, " ", 1) ||
	    !take_party(&c, &record->requester) || !text_take(&c, " -> ", 4) ||
	    !take_party(&c, &record->completer) || !text_take(&c, " ", 1) ||
	    !take_type(&c, record, &width) || width == record_is_completion(record->type))
		return -EBADMSG;
	/* A completion has no address. */
	if (width && (!text_take(&c, " 0x", 3) || !take_hex(&c, &record->address, &digits)))
		return -EBADMSG;
	if (!parse_fields(record, &c))
		return -EBADMSG;
	record_find_dwords(record);
	return 0;
}

/* The fields in front, which have no key in a line. */
static bool parse_front(struct record *record, const char *key, struct cursor *c, bool *known)
{
	unsigned int digits;
	bool width;

	*known = true;
	if (!strcmp(key, "number"))
		return take_decimal(c, &record->number);
	if (!strcmp(key, "requester"))
		return take_party(c, &record->requester);
	if (!strcmp(key, "completer"))
		return take_party(c, &record->completer);
	if (!strcmp(key, "type"))
		return take_type(c, record, &width);
	if (!strcmp(key, "address"))
		return text_take(c, "0x", 2) && take_hex(c, &record->address, &digits);
	*known = false;
	return true;
}

int text_parse_field(struct record *record, const char *key, const char *value, size_t len)
{
	struct cursor c = { value, value + len };
	bool known, ok = parse_front(record, key, &c, &known);

	if (!known)
		ok = parse_known(record, key, strlen(key), &c, &known);
	if (!known)
		return 0;
	return ok && c.at == c.end ? 1 : -EBADMSG;
}

static char *put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_hex(char *p, uint64_t value, unsigned int digits)
{
	unsigned int i;

	for (i = digits; i-- > 0; value >>= 4)
		p[i] = "0123456789abcdef"[value & 0xf];
	return p + digits;
}

static char *put_decimal(char *p, uint64_t value)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = '0' + value % 10;
		value /= 10;
	} while (value);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_party(char *p, int party)
{
	char text[8];

	party_format(party, text);
	return put_text(p, text);
}

static char *put_mark(char *p, const char *mark)
{
	p = put_text(p, " mark=");
	for (; *mark; mark++) {
		unsigned char c = *mark;

		if (c > ' ' && c < 0x7f && c != '%') {
			*p++ = c;
		} else {
			*p++ = '%';
			p = put_hex(p, c, 2);
		}
	}
	return p;
}

static char *put_hint(char *p, const struct record *record)
{
	if (!record->hint)
		return put_text(p, " th=0");
	p = put_text(p, " th=1 ph=");
	p = put_decimal(p, record->ph);
	p = put_text(p, record->extended ? " st-ext=0x" : " st=0x");
	return put_hex(p, record->st, record->extended ? 4 : 2);
}

static char *put_tag(char *p, uint16_t tag)
{
	return put_decimal(put_text(p, " tag="), tag);
}

/* The fields of a request between its type and the value of its payload. */
static char *put_request(char *p, const struct record *record)
{
	p = put_text(p, record->wide ? "64 0x" : "32 0x");
	p = put_hex(p, record->address, 16);
	p = put_text(p, " len=");
	p = put_decimal(p, record->bytes);
	p = put_hint(p, record);
	p = put_text(p, " be=");
	p = put_hex(p, record->first_be, 1);
	*p++ = '/';
	return put_hex(p, record->last_be, 1);
}

/* A tag of a request may be of no interest; a completion says nothing without it. */
static char *put_completion(char *p, const struct record *record)
{
	p = put_text(p, " len=");
	p = put_decimal(p, record->bytes);
	p = put_tag(p, record->tag);
	p = put_text(p, " status=");
	p = put_text(p, record_status_name(record->status));
	p = put_text(p, " byte-count=");
	p = put_decimal(p, record->byte_count);
	p = put_text(p, " lower-address=0x");
	return put_hex(p, record->address, 2);
}

static char *put_attributes(char *p, const struct record *record)
{
	const char *before = " attr=";

	for (unsigned int i = 0; i < ATTRIBUTES; i++) {
		if (!(record->attributes & 1u << i))
			continue;
		p = put_text(put_text(p, before), record_attribute_name(i));
		before = "+";
	}
	if (record->address_type == ADDRESS_DEFAULT)
		return p;
	p = put_text(p, " address-type=");
	return put_text(p, record_address_type_name(record->address_type));
}

size_t text_format(const struct record *record, char *line)
{
	bool completion = record_is_completion(record->type);
	char *p = put_decimal(line, record->number);

	*p++ = ' ';
	p = put_party(p, record->requester);
	p = put_text(p, " -> ");
	p = put_party(p, record->completer);
	*p++ = ' ';
	p = put_text(p, record_type_name(record->type));
	p = completion ? put_completion(p, record) : put_request(p, record);
	if (record->value_bytes) {
		p = put_text(p, " value=0x");
		p = put_hex(p, record->value, record->value_bytes * 2u);
	}
	if (record->tag && !completion)
		p = put_tag(p, record->tag);
	if (record->attributes || record->address_type)
		p = put_attributes(p, record);
	if (record->type == RECORD_MSIX)
		p = put_decimal(put_text(p, " vector="), record->vector);
	if (record->time) {
		p = put_text(p, " t=");
		p = put_decimal(p, record->time);
	}
	if (record->mark[0])
		p = put_mark(p, record->mark);
	p = put_text(p, " result=");
	p = put_text(p, record_result_name(record->result));
	if (record->at[0]) {
		p = put_text(p, " at=");
		p = put_text(p, record->at);
	}
	if (record->injected) {
		p = put_text(p, " inject=");
		p = put_text(p, record_injection_name(record->injected));
	}
	*p++ = '\n';
	return p - line;
}
