/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes one JSON value (RFC 8259) to a stream. Members of objects have a
 * name, elements of arrays and the value as a whole have NULL. Text that is not
 * UTF-8 gets U+FFFD in place of each wrong byte.
 */
#ifndef CLI_JSON_WRITER_H
#define CLI_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Grows when a member of what a subcommand prints changes its meaning or goes. */
#define JSON_VERSION	1

struct json_writer {
	FILE *out;
	unsigned int depth;
	bool first;	/* in the object or array that is open */
};

void json_start(struct json_writer *json, FILE *out);
void json_object(struct json_writer *json, const char *name);
void json_object_end(struct json_writer *json);
void json_array(struct json_writer *json, const char *name);
void json_array_end(struct json_writer *json);
/* null when @text is NULL */
void json_string(struct json_writer *json, const char *name, const char *text);
void json_int(struct json_writer *json, const char *name, int64_t value);
void json_bool(struct json_writer *json, const char *name, bool value);
void json_null(struct json_writer *json, const char *name);

#endif
