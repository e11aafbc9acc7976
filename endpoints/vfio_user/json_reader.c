// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "json_reader.h"

static bool json_fail(struct json *json, const char *why)
{
	if (!json->error)
		json->error = why;
	json->next = json->end;
	return false;
}

void json_init(struct json *json, const char *text, size_t size)
{
	*json = (struct json){ .next = text, .end = text + size };
}

/* The next byte that is not white space, without taking it; -1 at the end. */
static int peek(struct json *json)
{
	while (json->next < json->end && strchr(" \t\n\r", *json->next) && *json->next)
		json->next++;
	return json->next < json->end ? (unsigned char)*json->next : -1;
}

static bool json_take(struct json *json, char c)
{
	if (peek(json) != c)
		return false;
	json->next++;
	return true;
}

static bool is_digit(const struct json *json)
{
	return json->next < json->end && *json->next >= '0' && *json->next <= '9';
}

static bool enter(struct json *json)
{
	if (json->depth == JSON_DEPTH_MAX)
		return json_fail(json, "nested too deep");
	json->depth++;
	json->first = true;
	return true;
}

static void leave(struct json *json)
{
	json->depth--;
	json->first = false;
}

/* Four hex digits of an escape; -1 when they are not. */
static int read_hex4(struct json *json)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdefABCDEF";
		const char *at;

		if (json->next == json->end || !*json->next)
			return -1;
		at = strchr(digits, *json->next++);
		if (!at)
			return -1;
		value = value << 4 | (int)(at - digits < 16 ? at - digits : at - digits - 6);
	}
	return value;
}

/*
 * One character behind a backslash; what is not ASCII becomes 0x7f, which no known name contains.
 * -1 when malformed.
 */
static int read_escape(struct json *json)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int code;

	if (json->next == json->end || !*json->next)
		return -1;
	if (*json->next == 'u') {
		json->next++;
		code = read_hex4(json);
		return code > 0x7f ? 0x7f : code;
	}
	at = strchr(from, *json->next++);
	return at ? to[at - from] : -1;
}

/* A string; @out may be NULL. */
static bool read_string(struct json *json, char *out, size_t out_size)
{
	size_t used = 0;
	int c;

	if (!json_take(json, '"'))
		return json_fail(json, "string expected");
	for (;;) {
		if (json->next == json->end)
			return json_fail(json, "string without end");
		c = (unsigned char)*json->next++;
		if (c == '"')
			break;
		if (c < 0x20)
			return json_fail(json, "control character in a string");
		if (c == '\\') {
			c = read_escape(json);
			if (c < 0)
				return json_fail(json, "malformed escape in a string");
		}
		if (out && used + 1 < out_size)
			out[used++] = (char)c;
	}
	if (out)
		out[used] = '\0';
	return true;
}

bool json_object_begin(struct json *json)
{
	if (!json_take(json, '{'))
		return json_fail(json, "object expected");
	return enter(json);
}

/*
 * Steps over the comma between members. False at the closing bracket, which is taken, and on an
 * error.
 */
static bool next_member(struct json *json, char close)
{
	if (json->error)
		return false;
	if (json_take(json, close)) {
		leave(json);
		return false;
	}
	if (!json->first && !json_take(json, ','))
		return json_fail(json, "comma or closing bracket expected");
	json->first = false;
	return true;
}

bool json_object_next(struct json *json, char *key, size_t key_size)
{
	if (!next_member(json, '}') || !read_string(json, key, key_size))
		return false;
	return json_take(json, ':') || json_fail(json, "colon expected");
}

bool json_u64(struct json *json, uint64_t *value)
{
	uint64_t sum = 0;

	peek(json);
	if (!is_digit(json))
		return json_fail(json, "non-negative integer expected");
	if (*json->next == '0') {
		json->next++;
		if (is_digit(json))
			return json_fail(json, "number with a leading zero");
	}
	while (is_digit(json)) {
		unsigned int digit = (unsigned int)(*json->next++ - '0');

		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return json_fail(json, "number too large");
	}
	if (json->next < json->end && strchr(".eE", *json->next) && *json->next)
		return json_fail(json, "integer expected");
	*value = sum;
	return true;
}

static bool read_word(struct json *json, const char *word)
{
	size_t len = strlen(word);

	peek(json);
	if ((size_t)(json->end - json->next) < len || memcmp(json->next, word, len))
		return false;
	json->next += len;
	return true;
}

bool json_bool(struct json *json, bool *value)
{
	*value = read_word(json, "true");
	return *value || read_word(json, "false") || json_fail(json, "true or false expected");
}

static bool skip_digits(struct json *json)
{
	if (!is_digit(json))
		return json_fail(json, "digit expected");
	while (is_digit(json))
		json->next++;
	return true;
}

static bool skip_number(struct json *json)
{
	json_take(json, '-');
	if (is_digit(json) && *json->next == '0')
		json->next++;
	else if (!skip_digits(json))
		return false;
	if (json->next < json->end && *json->next == '.') {
		json->next++;
		if (!skip_digits(json))
			return false;
	}
	if (json->next < json->end && (*json->next == 'e' || *json->next == 'E')) {
		json->next++;
		if (json->next < json->end && (*json->next == '+' || *json->next == '-'))
			json->next++;
		return skip_digits(json);
	}
	return true;
}

static bool skip_array(struct json *json)
{
	json->next++;
	if (!enter(json))
		return false;
	while (next_member(json, ']'))
		if (!json_skip(json))
			return false;
	return !json->error;
}

static bool skip_object(struct json *json)
{
	char key[1];

	if (!json_object_begin(json))
		return false;
	while (json_object_next(json, key, sizeof(key)))
		if (!json_skip(json))
			return false;
	return !json->error;
}

/* Recursion ends at JSON_DEPTH_MAX: enter() refuses the next level. */
bool json_skip(struct json *json)
{
	switch (peek(json)) {
	case '{':
		return skip_object(json);
	case '[':
		return skip_array(json);
	case '"':
		return read_string(json, NULL, 0);
	case '-':
	case '0' ... '9':
		return skip_number(json);
	default:
		return read_word(json, "true") || read_word(json, "false") ||
		       read_word(json, "null") || json_fail(json, "value expected");
	}
}

const char *json_finish(struct json *json)
{
	if (!json->error && peek(json) != -1)
		json_fail(json, "text behind the value");
	return json->error;
}
