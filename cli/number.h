/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers on the command line: decimal, or hex with 0x; no sign, no octal. */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stdint.h>

/* Each returns 0; -EINVAL when the text is no number; -ERANGE above UINT64_MAX. */
int number_parse(const char *text, uint64_t *value);

/* Also with K, M, G or T behind it, or KiB and so on, for the powers of 1024. */
int size_parse(const char *text, uint64_t *value);

/* "OFFSET:LENGTH", two sizes. */
int range_parse(const char *text, uint64_t *offset, uint64_t *length);

#endif
