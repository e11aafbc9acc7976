/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options as text: "TYPE,key=value,..." of a device, "key=value,..." of something else. Each key
 * may be given once; what no one asks for is unknown.
 */
#ifndef TPHBUF_DEVICE_OPTIONS_H
#define TPHBUF_DEVICE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_TEXT_MAX	511
#define OPTIONS_MAX		16

/**
 * struct device_option - one key
 * @key: its name, in the text of the options
 * @value: what it is set to, in the same text
 * @used: a device has asked for it
 */
struct device_option {
	const char *key;
	const char *value;
	bool used;
};

/**
 * struct options - all keys of a device
 * @text: copy of the text, cut at commas and equal signs
 * @type: first word, or what the keys are about
 * @list: the keys
 * @count: how many
 * @error: where a message goes; one line
 * @error_size: of @error
 */
struct options {
	char text[OPTIONS_TEXT_MAX + 1];
	const char *type;
	struct device_option list[OPTIONS_MAX];
	unsigned int count;
	char *error;
	size_t error_size;
};

/* A decimal number with an optional K, M or G behind it; false if @text is not one. */
bool option_parse_size(const char *text, uint64_t *value);

/*
 * The other functions return 0, or -EINVAL with a message in error. A key that was not given leaves
 * *value alone.
 */

int options_parse(struct options *options, const char *text, char *error, size_t error_size);

/* Keys alone; @subject, a string that stays, is what messages begin with. */
int options_parse_keys(struct options *options, const char *subject, const char *text, char *error,
		       size_t error_size);

/* Writes "TYPE: message" as the error and returns -EINVAL. */
int options_error(const struct options *options, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* *value points into the options. */
int options_text(struct options *options, const char *key, const char **value);

/* A name of at most @max bytes, as one that becomes part of a file name. */
int options_check_name(const struct options *options, const char *name, unsigned int max);

/* "BB:DD.F" with hex digits, not 00:00.0, which is the host bridge. */
int options_bdf(struct options *options, const char *key, uint16_t *value);

/* A power of two with an optional K, M or G behind the number. */
int options_size(struct options *options, const char *key, uint64_t min, uint64_t max,
		 uint64_t *value);

int options_number(struct options *options, const char *key, unsigned int min, unsigned int max,
		   unsigned int *value);

/* One of @count words; *value is its index. */
int options_choice(struct options *options, const char *key, const char *const *words,
		   unsigned int count, unsigned int *value);

/* Words joined by '+'; *value gets the bits of their indexes. */
int options_set(struct options *options, const char *key, const char *const *words,
		unsigned int count, unsigned int *value);

/* Every key that was given has been asked for. */
int options_finish(const struct options *options);

#endif
