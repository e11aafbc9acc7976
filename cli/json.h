/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes one JSON value (RFC 8259) to a stream. Members of objects have a
 * name, elements of arrays and the value as a whole have NULL. Text that is not
 * UTF-8 gets U+FFFD in place of each wrong byte.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned int depth;
	bool first;	/* in the object or array that is open */
};

void json_start(struct json *json, FILE *out);
void json_object(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *name);
void json_array_end(struct json *json);
/* null when @text is NULL */
void json_string(struct json *json, const char *name, const char *text);
void json_int(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

#endif
