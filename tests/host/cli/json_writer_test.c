// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: the JSON writer: layout, escapes, and text that is not UTF-8. */
#include "tap.h"
#include "json_writer.h"

static char *text;
static size_t text_size;

static FILE *start(struct json_writer *json)
{
	FILE *out = open_memstream(&text, &text_size);

	if (!out)
		bail_out("no stream");
	json_start(json, out);
	return out;
}

static void expect(FILE *out, const char *want, const char *what)
{
	fclose(out);
	is_str(text, want, "%s", what);
	free(text);
}

static void string(const char *in, const char *want, const char *what)
{
	struct json_writer json;
	FILE *out = start(&json);

	json_string(&json, NULL, in);
	expect(out, want, what);
}

static void nesting(void)
{
	struct json_writer json;
	FILE *out = start(&json);

	json_object(&json, NULL);
	json_int(&json, "number", INT64_MIN);
	json_array(&json, "list");
	json_bool(&json, NULL, true);
	json_null(&json, NULL);
	json_object(&json, NULL);
	json_object_end(&json);
	json_array(&json, NULL);
	json_array_end(&json);
	json_array_end(&json);
	json_string(&json, "a\"b", NULL);
	json_object_end(&json);
	expect(out,
	       "{\n"
	       "  \"number\": -9223372036854775808,\n"
	       "  \"list\": [\n"
	       "    true,\n"
	       "    null,\n"
	       "    {},\n"
	       "    []\n"
	       "  ],\n"
	       "  \"a\\\"b\": null\n"
	       "}\n", "objects and arrays");
}

int main(void)
{
	nesting();
	string("plain", "\"plain\"\n", "plain text");
	string("", "\"\"\n", "no text");
	string(NULL, "null\n", "null");
	string("a\"b\\c/d", "\"a\\\"b\\\\c/d\"\n", "quote and backslash");
	string("\n\t\x01\x1f\x7f",
	       "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"\n", "control characters");
	string("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	       "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"\n", "two, three and four bytes");
	string("\xff", "\"\\ufffd\"\n", "a byte that is never there");
	string("\x80x", "\"\\ufffdx\"\n", "a continuation alone");
	string("\xc3", "\"\\ufffd\"\n", "a sequence that ends too early");
	string("\xe2\x82z", "\"\\ufffd\\ufffdz\"\n", "a sequence that is broken off");
	string("\xc0\x80", "\"\\ufffd\\ufffd\"\n", "an overlong form of two bytes");
	string("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"\n", "an overlong form of three bytes");
	string("\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n",
	       "an overlong form of four bytes");
	string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n", "a surrogate");
	string("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n", "above U+10FFFF");
	return done_testing();
}
