// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

static char last[1024];

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

int option_error(const struct verb *verb, int c, char **argv)
{
	/* After a long option optopt is its value, or 0 when it is unknown. */
	const char *given = argv[optind - 1];

	if (c == ':')
		return usage_error(verb, "option %s needs a value: none follows it; give one",
				   given);
	if (optopt > ' ' && optopt < 0x7f && given[0] == '-' && given[1] != '-')
		return usage_error(verb, "option -%c is not known: this verb has no such option; "
				   "leave it out", optopt);
	return usage_error(verb, "option %s is not known or takes no value: this verb has no such "
			   "option; leave it out", given);
}

int reason_exit_code(enum tphbuf_reason reason)
{
	switch (reason) {
	case TPHBUF_REASON_NONE:
	case TPHBUF_REASON_NOT_ASKED:
		return EXIT_OK;
	case TPHBUF_REASON_NOT_FOUND:
	case TPHBUF_REASON_NOT_VFIO:
	case TPHBUF_REASON_NOT_BOUND:
	case TPHBUF_REASON_NO_BAR:
	case TPHBUF_REASON_REVOKED:
		return EXIT_NO_DEVICE;
	case TPHBUF_REASON_NO_IOMMU:
	case TPHBUF_REASON_NO_VFIO:
	case TPHBUF_REASON_NO_CDEV:
	case TPHBUF_REASON_NO_IOMMUFD:
	case TPHBUF_REASON_NO_DMABUF:
	case TPHBUF_REASON_NO_TPH_FEATURE:
	case TPHBUF_REASON_NO_COMPLETER:
	case TPHBUF_REASON_ST_8BIT_ONLY:
	case TPHBUF_REASON_NO_MMAP:
	case TPHBUF_REASON_NO_WC_FEATURE:
	case TPHBUF_REASON_NO_WC:
		return EXIT_UNSUPPORTED;
	case TPHBUF_REASON_NO_PERMISSION:
		return EXIT_PERMISSION;
	case TPHBUF_REASON_GROUP_NOT_VIABLE:
	case TPHBUF_REASON_GROUP_REFUSED:
	case TPHBUF_REASON_BUSY:
	case TPHBUF_REASON_WC_BUSY:
		return EXIT_BUSY;
	case TPHBUF_REASON_BIND_FAILED:
	case TPHBUF_REASON_SYSTEM:
		break;
	}
	return EXIT_FAILED;
}

int reason_error(enum tphbuf_reason reason, const struct tphbuf_probe *about)
{
	char line[512];

	tphbuf_reason_text(reason, about, line, sizeof(line));
	error_line("%s", line);
	return reason_exit_code(reason);
}
