// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers on the command line. */
#include <errno.h>
#include <string.h>

#include "number.h"

static int digit(char c, unsigned int base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

/* Reads as far as there are digits and tells where that was. */
static int read_digits(const char *text, uint64_t *value, const char **end)
{
	unsigned int base = 10;
	int ret = -EINVAL, d;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	*value = 0;
	for (; (d = digit(*text, base)) >= 0; text++) {
		if (ret == -EINVAL)
			ret = 0;
		/* Goes on to the end of the digits, so that garbage behind them is seen. */
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)d, value))
			ret = -ERANGE;
	}
	*end = text;
	return ret;
}

int number_parse(const char *text, uint64_t *value)
{
	const char *end;
	int ret = read_digits(text, value, &end);

	return *end ? -EINVAL : ret;
}

/* Up to @stop, which is not part of it. */
static int read_size(const char *text, uint64_t *value, char stop, const char **end)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	unsigned int shift;
	int ret;

	ret = read_digits(text, value, end);
	if (ret == -EINVAL)
		return ret;
	if (**end && **end != stop) {
		suffix = strchr(suffixes, **end >= 'a' ? **end - 'a' + 'A' : **end);
		if (!suffix)
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
		if (*value > UINT64_MAX >> shift)
			ret = -ERANGE;
		*value <<= shift;
		++*end;
		if (!strncmp(*end, "iB", 2))
			*end += 2;
	}
	return **end == stop ? ret : -EINVAL;
}

int size_parse(const char *text, uint64_t *value)
{
	const char *end;

	return read_size(text, value, '\0', &end);
}

int range_parse(const char *text, uint64_t *offset, uint64_t *length)
{
	const char *end;
	int ret, second;

	ret = read_size(text, offset, ':', &end);
	if (ret == -EINVAL)
		return ret;
	second = size_parse(end + 1, length);
	return second == -EINVAL || !ret ? second : ret;
}
