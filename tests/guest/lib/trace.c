// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace.h"

/*
 * The host flushes at each mark; the file system between us may still need a
 * moment.
 */
#define TRACE_TRIES	50
#define TRACE_PAUSE_MS	20

#define TRACE_BUFFER	(256u << 10)

static const char *without_domain(const char *bdf)
{
	return strncmp(bdf, "0000:", 5) ? bdf : bdf + 5;
}

/* The value of "key=", copied; "" when the line has none. */
static const char *field(const char *line, const char *key, char *buf, size_t size)
{
	const char *at = strstr(line, key);
	size_t length;

	buf[0] = 0;
	if (!at)
		return buf;
	at += strlen(key);
	length = strcspn(at, " \n");
	if (length >= size)
		length = size - 1;
	memcpy(buf, at, length);
	buf[length] = 0;
	return buf;
}

static void add_line(const struct trace_query *query, const char *completer, const char *rest,
		     struct trace_sum *sum)
{
	char buf[40];
	uint64_t bytes = strtoull(field(rest, " len=", buf, sizeof(buf)), NULL, 0);
	bool tagged = !strcmp(field(rest, " th=", buf, sizeof(buf)), "1");
	bool matching = tagged == !!query->st;

	if (matching && tagged) {
		const char *key = strlen(query->st) > strlen("0x12") ? " st-ext=" : " st=";

		matching = !strcmp(field(rest, key, buf, sizeof(buf)), query->st) &&
			   strtoul(field(rest, " ph=", buf, sizeof(buf)), NULL, 0) == query->ph;
	}
	sum->writes++;
	sum->bytes += bytes;
	sum->tagged += tagged;
	sum->matching += matching;
	sum->matching_bytes += matching ? bytes : 0;
	sum->refused += strcmp(field(rest, " result=", buf, sizeof(buf)), "ok") != 0;
	if (!strcmp(completer, without_domain(query->completer))) {
		sum->to_completer++;
		sum->to_completer_bytes += bytes;
	}
}

/* Whether both marks were found. */
static bool read_span(FILE *file, const struct trace_query *query, struct trace_sum *sum)
{
	char requester[16], completer[16], type[8], buf[40], *line = NULL;
	bool inside = false, found = false;
	size_t size = 0;
	int rest;

	while (!found && getline(&line, &size, file) > 0) {
		rest = 0;
		if (sscanf(line, "%*u %15s -> %15s %7s 0x%*x%n", requester, completer, type,
			   &rest) != 3 || !rest || strncmp(type, "MWr", 3))
			continue;
		if (!strcmp(requester, "rc")) {
			uint32_t value =
				strtoul(field(line, " value=", buf, sizeof(buf)), NULL, 16);

			if (*buf && value == query->begin)
				inside = true;
			else if (*buf && inside && value == query->end)
				found = true;
		} else if (inside && !strcmp(requester, without_domain(query->requester))) {
			add_line(query, completer, line + rest, sum);
		}
	}
	free(line);
	return found;
}

static FILE *open_trace(void)
{
	const char *path = getenv("TPHBUF_TRACE");

	return fopen(path ? path : "trace.txt", "re");
}

long trace_end(void)
{
	FILE *file = open_trace();
	long end = 0;

	if (!file)
		return 0;
	if (!fseek(file, 0, SEEK_END))
		end = ftell(file);
	fclose(file);
	return end;
}

int trace_sum(const struct trace_query *query, long *offset, struct trace_sum *sum)
{
	const struct timespec pause = { .tv_nsec = TRACE_PAUSE_MS * 1000000L };

	for (int i = 0; i < TRACE_TRIES; i++) {
		FILE *file = open_trace();
		bool found;

		if (!file)
			return -ENOENT;
		/* Each read is a request to the host. */
		setvbuf(file, NULL, _IOFBF, TRACE_BUFFER);
		*sum = (struct trace_sum){ 0 };
		found = !fseek(file, *offset, SEEK_SET) && read_span(file, query, sum);
		if (found)
			*offset = ftell(file);
		fclose(file);
		if (found)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ENODATA;
}
