/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command says when something does not work, and its exit codes. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include <tphbuf/probe.h>

#include "verb.h"

enum exit_code {
	EXIT_OK			= 0,
	EXIT_FAILED		= 1,
	EXIT_USAGE		= 2,	/* the command line is wrong */
	EXIT_UNSUPPORTED	= 3,	/* by the machine, the kernel or the device */
	EXIT_PERMISSION		= 4,
	EXIT_NO_DEVICE		= 5,	/* or not bound to VFIO, no such BAR, memory revoked */
	EXIT_BUSY		= 6,	/* the device, its IOMMU group, or its memory */
	EXIT_MAY_BE_LOST	= 7,	/* the tag, on its way */
	EXIT_CANNOT_RUN		= 126,	/* as env(1) */
	EXIT_NOT_FOUND		= 127,	/* as env(1) */
};

/* "tphbuf: ..." and a newline, to standard error. */
__attribute__((format(printf, 1, 2)))
void error_line(const char *format, ...);

/* The text of the last error_line(), "" before the first. */
const char *last_error(void);

/* A line on the command line of @verb, or of tphbuf when NULL; EXIT_USAGE. */
__attribute__((format(printf, 2, 3)))
int usage_error(const struct verb *verb, const char *format, ...);

/* The reason of the last reason_error(), NONE before the first. */
enum tphbuf_reason last_reason(void);

/* The line for a reason, and its exit code. */
int reason_error(enum tphbuf_reason reason, const struct tphbuf_probe *about);

/* The same, with @more in parentheses behind it. */
int reason_error_with(enum tphbuf_reason reason, const struct tphbuf_probe *about,
		      const char *more);

int reason_exit_code(enum tphbuf_reason reason);

#endif
