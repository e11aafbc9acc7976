// SPDX-License-Identifier: GPL-2.0-or-later
/* What the command says when something does not work, and its exit codes. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

static char last[1024];
static enum tphbuf_reason last_seen = TPHBUF_REASON_NONE;

void error_line(const char *format, ...)
{
	va_list ap;

	/* What was printed so far comes first where both go to one place. */
	fflush(stdout);
	va_start(ap, format);
	vsnprintf(last, sizeof(last), format, ap);
	va_end(ap);
	fprintf(stderr, "tphbuf: %s\n", last);
}

const char *last_error(void)
{
	return last;
}

int usage_error(const struct verb *verb, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "tphbuf%s%s: ", verb ? " " : "", verb ? verb->name : "");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " (see \"tphbuf help%s%s\")\n", verb ? " " : "", verb ? verb->name : "");
	return EXIT_USAGE;
}

int reason_exit_code(enum tphbuf_reason reason)
{
	switch (tphbuf_reason_errno(reason)) {
	case 0:
		return EXIT_OK;
	case -EINVAL:
		return EXIT_USAGE;
	case -ENOTTY:
	case -EOPNOTSUPP:
		return EXIT_UNSUPPORTED;
	case -EACCES:
		return EXIT_PERMISSION;
	case -ENODEV:
	case -ENXIO:
		return EXIT_NO_DEVICE;
	case -EBUSY:
		return EXIT_BUSY;
	default:
		return EXIT_FAILED;
	}
}

enum tphbuf_reason last_reason(void)
{
	return last_seen;
}

int reason_error_with(enum tphbuf_reason reason, const struct tphbuf_probe *about,
		      const char *more)
{
	char line[512];

	last_seen = reason;
	tphbuf_reason_text(reason, about, line, sizeof(line));
	error_line(more ? "%s (%s)" : "%s", line, more);
	return reason_exit_code(reason);
}

int reason_error(enum tphbuf_reason reason, const struct tphbuf_probe *about)
{
	return reason_error_with(reason, about, NULL);
}
