// SPDX-License-Identifier: GPL-2.0-or-later
/* One JSON value, written to a stream. */
#include <inttypes.h>

#include "json_writer.h"

/* Bytes of the UTF-8 sequence at @text, 0 when it is not well-formed (RFC 3629). */
static unsigned int utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	unsigned int length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		length = 2;
	else if (text[0] >= 0xe0 && text[0] <= 0xef)
		length = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		length = 4;
	else
		return 0;
	/* No overlong forms, no surrogates, nothing above U+10FFFF. */
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	for (unsigned int i = 1; i < length; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static void put_string(FILE *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	unsigned int length;

	putc('"', out);
	for (; *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (!length)
			fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text < 0x20 || *text == 0x7f)
			fprintf(out, "\\u%04x", *text);
		else
			fwrite(text, 1, length, out);
	}
	putc('"', out);
}

/* What stands before a value: the comma, the line and its name. */
static void start_value(struct json_writer *json, const char *name)
{
	if (json->depth) {
		if (!json->first)
			putc(',', json->out);
		putc('\n', json->out);
		for (unsigned int i = 0; i < json->depth; i++)
			fputs("  ", json->out);
	}
	if (name) {
		put_string(json->out, name);
		fputs(": ", json->out);
	}
	json->first = false;
}

/* The value as a whole ends with a newline. */
static void end_value(struct json_writer *json)
{
	if (!json->depth)
		putc('\n', json->out);
}

static void open_nest(struct json_writer *json, const char *name, char bracket)
{
	start_value(json, name);
	putc(bracket, json->out);
	json->depth++;
	json->first = true;
}

static void close_nest(struct json_writer *json, char bracket)
{
	json->depth--;
	if (!json->first) {
		putc('\n', json->out);
		for (unsigned int i = 0; i < json->depth; i++)
			fputs("  ", json->out);
	}
	putc(bracket, json->out);
	json->first = false;
	end_value(json);
}

void json_start(struct json_writer *json, FILE *out)
{
	*json = (struct json_writer) { .out = out, .first = true };
}

void json_object(struct json_writer *json, const char *name)
{
	open_nest(json, name, '{');
}

void json_object_end(struct json_writer *json)
{
	close_nest(json, '}');
}

void json_array(struct json_writer *json, const char *name)
{
	open_nest(json, name, '[');
}

void json_array_end(struct json_writer *json)
{
	close_nest(json, ']');
}

void json_string(struct json_writer *json, const char *name, const char *text)
{
	if (!text) {
		json_null(json, name);
		return;
	}
	start_value(json, name);
	put_string(json->out, text);
	end_value(json);
}

void json_int(struct json_writer *json, const char *name, int64_t value)
{
	start_value(json, name);
	fprintf(json->out, "%" PRId64, value);
	end_value(json);
}

void json_bool(struct json_writer *json, const char *name, bool value)
{
	start_value(json, name);
	fputs(value ? "true" : "false", json->out);
	end_value(json);
}

void json_null(struct json_writer *json, const char *name)
{
	start_value(json, name);
	fputs("null", json->out);
	end_value(json);
}
