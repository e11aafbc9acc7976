// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text trace. Every TLP passes here under the fabric's lock, hence the formatting by hand.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace.h"

#define TRACE_BUFFER_SIZE	(256u << 10)
#define TRACE_LINE_MAX		192
#define TRACE_VALUE_MAX		8

struct trace {
	int fd;
	int error;
	uint64_t number;
	size_t used;
	char buffer[TRACE_BUFFER_SIZE];
};

static const char *const type_names[] = {
	[TLP_MRD] = " MRd",
	[TLP_MWR] = " MWr",
	[TLP_FETCH_ADD] = " FAdd",
	[TLP_CAS] = " CAS",
};

static const char *const result_names[] = {
	[TLP_OK] = "ok",
	[TLP_UNSUPPORTED] = "ur",
	[TLP_MALFORMED] = "malformed",
	[TLP_REJECTED] = "rejected",
	[TLP_FAULT] = "fault",
	[TLP_ABORT] = "abort",
};

static char *put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_hex(char *p, uint64_t value, unsigned int digits)
{
	for (unsigned int i = digits; i-- > 0; value >>= 4)
		p[i] = "0123456789abcdef"[value & 0xf];
	return p + digits;
}

static char *put_decimal(char *p, uint64_t value)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = '0' + value % 10;
		value /= 10;
	} while (value);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_party(char *p, int id)
{
	if (id == TRACE_RC)
		return put_text(p, "rc");
	if (id == TRACE_NOBODY)
		return put_text(p, "-");
	p = put_hex(p, (unsigned int)id >> 8, 2);
	*p++ = ':';
	p = put_hex(p, (unsigned int)id >> 3 & 0x1f, 2);
	*p++ = '.';
	return put_hex(p, (unsigned int)id & 7, 1);
}

static char *put_hint(char *p, const struct tlp_hint *hint)
{
	if (!hint->present)
		return put_text(p, " th=0");
	p = put_text(p, " th=1 ph=");
	p = put_decimal(p, hint->ph);
	p = put_text(p, " st=0x");
	return put_hex(p, hint->st, hint->extended ? 4 : 2);
}

struct trace *trace_create(int fd)
{
	struct trace *trace = malloc(sizeof(*trace));

	if (!trace) {
		close(fd);
		return NULL;
	}
	trace->fd = fd;
	trace->error = 0;
	trace->number = 0;
	trace->used = 0;
	return trace;
}

int trace_destroy(struct trace *trace)
{
	int error;

	if (!trace)
		return 0;
	trace_flush(trace);
	if (close(trace->fd) && !trace->error)
		trace->error = -errno;
	error = trace->error;
	free(trace);
	return error;
}

void trace_flush(struct trace *trace)
{
	size_t done = 0;

	if (!trace)
		return;
	/* Nothing more is written after an error: what is in the file has no hole. */
	while (done < trace->used && !trace->error) {
		ssize_t n = write(trace->fd, trace->buffer + done, trace->used - done);

		if (n > 0)
			done += n;
		else if (!n || errno != EINTR)
			trace->error = n ? -errno : -EIO;
	}
	trace->used = 0;
}

void trace_record(struct trace *trace, const struct tlp *tlp, int completer, enum tlp_result result,
		  const uint8_t *value)
{
	size_t len = tlp_enabled_bytes(tlp);
	bool wide = tlp->address >> 32;
	char *p;

	if (!trace)
		return;
	if (trace->used > sizeof(trace->buffer) - TRACE_LINE_MAX)
		trace_flush(trace);
	p = trace->buffer + trace->used;

	p = put_decimal(p, ++trace->number);
	*p++ = ' ';
	p = put_party(p, tlp->requester);
	p = put_text(p, " -> ");
	p = put_party(p, completer);
	p = put_text(p, type_names[tlp->type]);
	p = put_text(p, wide ? "64 0x" : "32 0x");
	p = put_hex(p, tlp->address, 16);
	p = put_text(p, " len=");
	p = put_decimal(p, len);
	p = put_hint(p, &tlp->hint);
	p = put_text(p, " be=");
	p = put_hex(p, tlp->first_be, 1);
	*p++ = '/';
	p = put_hex(p, tlp->last_be, 1);
	if (value && len && len <= TRACE_VALUE_MAX) {
		p = put_text(p, " value=0x");
		for (size_t i = len; i-- > 0;)
			p = put_hex(p, value[i], 2);
	}
	p = put_text(p, " result=");
	p = put_text(p, result_names[result]);
	*p++ = '\n';
	trace->used = p - trace->buffer;
}
