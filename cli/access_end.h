/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a run of read or write ended, for people. */
#ifndef CLI_ACCESS_END_H
#define CLI_ACCESS_END_H

#include "access.h"

/* The line for a file that cannot be opened, and the exit code. */
int cannot_open(const char *file, int error);

/* The exit code, after a line where there is something to say. @file: the other end. */
int access_end(struct access *access, const char *file);

#endif
