/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of JSON text (RFC 8259) that comes from outside: no allocation, bounded depth, strict
 * grammar.
 *
 * The caller walks the text in order: json_object_begin(), then json_object_next() and one value,
 * until it returns false. The first error sticks: every later call fails, and json_finish() gives
 * the verdict.
 */
#ifndef TPHBUF_VFIO_USER_JSON_READER_H
#define TPHBUF_VFIO_USER_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX	8

/**
 * struct json - a place in a text
 * @next: first byte that has not been read
 * @end: first byte behind the text
 * @depth: open objects and arrays
 * @first: no member of the innermost open object or array has been read
 * @error: what is wrong, or NULL
 */
struct json {
	const char *next;
	const char *end;
	unsigned int depth;
	bool first;
	const char *error;
};

/* The text stays the caller's; it needs no NUL. */
void json_init(struct json *json, const char *text, size_t size);

/* Reads '{'. False when the value is no object or too deep. */
bool json_object_begin(struct json *json);

/**
 * json_object_next() - go to the next member
 * @json: inside an object
 * @key: out: the member's name; cut off when it is longer
 * @key_size: of @key
 *
 * Return: true when a value follows, to be read by one of the functions below; false at the end of
 * the object or on an error.
 */
bool json_object_next(struct json *json, char *key, size_t key_size);

/* An integer of 0..2^64-1, without fraction and exponent. */
bool json_u64(struct json *json, uint64_t *value);

bool json_bool(struct json *json, bool *value);

/* Any value, read and forgotten. */
bool json_skip(struct json *json);

/*
 * After the walk. Return: NULL when the text was one whole value, otherwise what is wrong with it.
 */
const char *json_finish(struct json *json);

#endif
