// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options of a device: taking the text apart, and answers in the form that a device wants.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_options.h"

#define WORDS_TEXT_MAX	128

int options_error(const struct options *options, const char *fmt, ...)
{
	int n = snprintf(options->error, options->error_size, "%s: ", options->type);
	va_list ap;

	if (n >= 0 && (size_t)n < options->error_size) {
		va_start(ap, fmt);
		vsnprintf(options->error + n, options->error_size - n, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static int add_option(struct options *options, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word || !equals[1])
		return options_error(options, "'%s' is not an option: expected key=value", word);
	*equals = '\0';
	for (unsigned int i = 0; i < options->count; i++)
		if (!strcmp(options->list[i].key, word))
			return options_error(options, "%s= is given twice", word);
	if (options->count == OPTIONS_MAX)
		return options_error(options, "more than %d options", OPTIONS_MAX);
	options->list[options->count++] =
		(struct device_option){ .key = word, .value = equals + 1 };
	return 0;
}

/* A copy of the text, to be cut. */
static int keep_text(struct options *options, const char *subject, const char *text, char *error,
		     size_t error_size)
{
	memset(options, 0, sizeof(*options));
	options->error = error;
	options->error_size = error_size;
	options->type = subject;
	if (strlen(text) > OPTIONS_TEXT_MAX)
		return options_error(options, "the text is longer than %d bytes", OPTIONS_TEXT_MAX);
	for (const char *p = text; *p; p++)
		if (!isprint((unsigned char)*p))
			return options_error(options, "byte %d of the text is not printable",
					     (int)(p - text));
	strcpy(options->text, text);
	return 0;
}

static int add_options(struct options *options, char *rest)
{
	int ret = 0;

	while (rest && !ret)
		ret = add_option(options, strsep(&rest, ","));
	return ret;
}

int options_parse(struct options *options, const char *text, char *error, size_t error_size)
{
	int ret = keep_text(options, "device", text, error, error_size);
	char *rest = options->text;

	if (ret)
		return ret;
	options->type = strsep(&rest, ",");
	return add_options(options, rest);
}

int options_parse_keys(struct options *options, const char *subject, const char *text, char *error,
		       size_t error_size)
{
	int ret = keep_text(options, subject, text, error, error_size);

	return ret ? ret : add_options(options, options->text);
}

int options_check_name(const struct options *options, const char *name, unsigned int max)
{
	bool good = strlen(name) <= max && isalnum((unsigned char)name[0]);

	for (const char *p = name; *p; p++)
		good = good && (isalnum((unsigned char)*p) || strchr("._-", *p));
	if (!good)
		return options_error(options,
				     "name=%s: expected at most %u letters, digits, '.', '_', '-', "
				     "beginning with a letter or digit",
				     name, max);
	return 0;
}

int options_text(struct options *options, const char *key, const char **value)
{
	for (unsigned int i = 0; i < options->count; i++) {
		if (!strcmp(options->list[i].key, key)) {
			options->list[i].used = true;
			*value = options->list[i].value;
		}
	}
	return 0;
}

static const char *get(struct options *options, const char *key)
{
	const char *value = NULL;

	options_text(options, key, &value);
	return value;
}

/* Value of "BB:DD.F", -1 when it is anything else. */
static int parse_bdf(const char *text)
{
	static const char form[] = "xx:xx.x";
	unsigned int device, function;

	if (strlen(text) != strlen(form))
		return -1;
	for (unsigned int i = 0; form[i]; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return -1;
	device = strtoul(text + 3, NULL, 16);
	function = strtoul(text + 6, NULL, 16);
	if (device > 0x1f || function > 7)
		return -1;
	return (int)strtoul(text, NULL, 16) << 8 | device << 3 | function;
}

int options_bdf(struct options *options, const char *key, uint16_t *value)
{
	const char *text = get(options, key);
	int bdf;

	if (!text)
		return 0;
	bdf = parse_bdf(text);
	if (bdf < 0)
		return options_error(
			options,
			"%s=%s: expected bus:device.function in hex, from 00:00.1 to ff:1f.7", key,
			text);
	if (!bdf)
		return options_error(options, "%s=%s is the place of the host bridge", key, text);
	*value = bdf;
	return 0;
}

bool option_parse_size(const char *text, uint64_t *value)
{
	unsigned int shift;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno)
		return false;
	switch (*end) {
	case 'G':
		shift = 30;
		break;
	case 'M':
		shift = 20;
		break;
	case 'K':
		shift = 10;
		break;
	default:
		return !*end;
	}
	if (end[1] || *value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

static const char *size_text(uint64_t size, char *buf, size_t buf_size)
{
	static const char units[] = { 0, 'K', 'M', 'G' };
	unsigned int unit = 0;

	while (unit < 3 && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(buf, buf_size, unit ? "%" PRIu64 "%c" : "%" PRIu64, size, units[unit]);
	return buf;
}

int options_size(struct options *options, const char *key, uint64_t min, uint64_t max,
		 uint64_t *value)
{
	const char *text = get(options, key);
	char low[24], high[24];
	uint64_t size;

	if (!text)
		return 0;
	if (!option_parse_size(text, &size) || size & (size - 1) || size < min || size > max)
		return options_error(options, "%s=%s: expected a power of two from %s to %s", key,
				     text, size_text(min, low, sizeof(low)),
				     size_text(max, high, sizeof(high)));
	*value = size;
	return 0;
}

int options_number(struct options *options, const char *key, unsigned int min, unsigned int max,
		   unsigned int *value)
{
	const char *text = get(options, key);
	uint64_t number;

	if (!text)
		return 0;
	if (!option_parse_size(text, &number) || number < min || number > max)
		return options_error(options, "%s=%s: expected a number from %u to %u", key, text,
				     min, max);
	*value = number;
	return 0;
}

static const char *join_words(const char *const *words, unsigned int count, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < count && used < size; i++)
		used += snprintf(buf + used, size - used, "%s%s", i ? ", " : "", words[i]);
	return buf;
}

static bool find_word(const char *const *words, unsigned int count, const char *text, size_t len,
		      unsigned int *index)
{
	for (unsigned int i = 0; i < count; i++) {
		if (strlen(words[i]) == len && !strncmp(words[i], text, len)) {
			*index = i;
			return true;
		}
	}
	return false;
}

int options_choice(struct options *options, const char *key, const char *const *words,
		   unsigned int count, unsigned int *value)
{
	const char *text = get(options, key);
	char list[WORDS_TEXT_MAX];

	if (text && !find_word(words, count, text, strlen(text), value))
		return options_error(options, "%s=%s: expected one of %s", key, text,
				     join_words(words, count, list, sizeof(list)));
	return 0;
}

int options_set(struct options *options, const char *key, const char *const *words,
		unsigned int count, unsigned int *value)
{
	const char *text = get(options, key);
	char list[WORDS_TEXT_MAX];
	unsigned int set = 0, index;

	if (!text)
		return 0;
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, "+");

		if (!find_word(words, count, p, len, &index))
			return options_error(options, "%s=%s: expected some of %s, joined by '+'",
					     key, text,
					     join_words(words, count, list, sizeof(list)));
		set |= 1u << index;
		p += len;
		if (!*p)
			break;
	}
	*value = set;
	return 0;
}

int options_finish(const struct options *options)
{
	for (unsigned int i = 0; i < options->count; i++)
		if (!options->list[i].used)
			return options_error(options,
					     "there is no option %s=", options->list[i].key);
	return 0;
}
