/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of faults: "ACTION,key=value,...", a rule a line; '#' begins a comment.
 */
#ifndef TPHBUF_INJECTION_FILE_H
#define TPHBUF_INJECTION_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "pcie/injection.h"

/**
 * injection_file_read() - read all rules of a file
 * @injection: out: its rules are released with free(), also after an error
 * @path: the file
 * @error: receives one line without newline when the call fails: what, why, what is allowed
 * @error_size: of @error
 *
 * Return: 0, -EINVAL for a rule that cannot be, or another -errno.
 */
int injection_file_read(struct injection *injection, const char *path, char *error,
			size_t error_size);

/* Prints actions and keys, for a program's --help. */
void injection_print_help(FILE *out);

#endif
