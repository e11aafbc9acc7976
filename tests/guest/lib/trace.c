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

/* False where the line is not a memory write; those of the CPU have @requester "rc". */
static bool parse_line(const char *line, struct trace_write *write, uint64_t *bytes)
{
	char type[8], buf[40];
	int rest = 0;

	if (sscanf(line, "%*u %15s -> %15s %7s 0x%" SCNx64 "%n", write->requester, write->completer,
		   type, &write->address, &rest) != 4 || !rest || strncmp(type, "MWr", 3))
		return false;
	line += rest;
	*bytes = strtoull(field(line, " len=", buf, sizeof(buf)), NULL, 0);
	write->tagged = !strcmp(field(line, " th=", buf, sizeof(buf)), "1");
	write->ph = strtoul(field(line, " ph=", buf, sizeof(buf)), NULL, 0);
	write->extended = *field(line, " st-ext=", buf, sizeof(buf)) != '\0';
	if (!write->extended)
		field(line, " st=", buf, sizeof(buf));
	write->st = strtoul(buf, NULL, 0);
	write->refused = strcmp(field(line, " result=", buf, sizeof(buf)), "ok") != 0;
	return true;
}

static uint32_t mark_value(const char *line)
{
	char buf[40];

	return strtoul(field(line, " value=", buf, sizeof(buf)), NULL, 16);
}

typedef void visit_line(const struct trace_write *write, uint64_t bytes, void *arg);

/* Whether both marks were found. */
static bool read_span(FILE *file, uint32_t begin, uint32_t end, visit_line *visit, void *arg)
{
	bool inside = false, found = false;
	struct trace_write write;
	char *line = NULL;
	uint64_t bytes;
	size_t size = 0;

	while (!found && getline(&line, &size, file) > 0) {
		if (!parse_line(line, &write, &bytes))
			continue;
		if (strcmp(write.requester, "rc")) {
			if (inside)
				visit(&write, bytes, arg);
		} else if (inside) {
			found = mark_value(line) == end;
		} else {
			inside = mark_value(line) == begin;
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

/* Reads the span as soon as the host has written all of it; @reset begins a try. */
static int read_when_whole(uint32_t begin, uint32_t end, long *offset, visit_line *visit,
			   void (*reset)(void *), void *arg)
{
	const struct timespec pause = { .tv_nsec = TRACE_PAUSE_MS * 1000000L };

	for (int i = 0; i < TRACE_TRIES; i++) {
		FILE *file = open_trace();
		bool found;

		if (!file)
			return -ENOENT;
		/* Each read is a request to the host. */
		setvbuf(file, NULL, _IOFBF, TRACE_BUFFER);
		reset(arg);
		found = !fseek(file, *offset, SEEK_SET) && read_span(file, begin, end, visit, arg);
		if (found)
			*offset = ftell(file);
		fclose(file);
		if (found)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ENODATA;
}

struct summing {
	const struct trace_query *query;
	struct trace_sum *sum;
	uint16_t st;
	bool extended;
};

static void reset_sum(void *arg)
{
	*((struct summing *)arg)->sum = (struct trace_sum){ 0 };
}

static void add_to_sum(const struct trace_write *write, uint64_t bytes, void *arg)
{
	const struct summing *s = arg;
	struct trace_sum *sum = s->sum;
	bool matching = write->tagged == !!s->query->st;

	if (strcmp(write->requester, without_domain(s->query->requester)))
		return;
	if (matching && write->tagged)
		matching = write->st == s->st && write->extended == s->extended &&
			   write->ph == s->query->ph;
	sum->writes++;
	sum->bytes += bytes;
	sum->tagged += write->tagged;
	sum->matching += matching;
	sum->matching_bytes += matching ? bytes : 0;
	sum->refused += write->refused;
	if (!strcmp(write->completer, without_domain(s->query->completer))) {
		sum->to_completer++;
		sum->to_completer_bytes += bytes;
	}
}

int trace_sum(const struct trace_query *query, long *offset, struct trace_sum *sum)
{
	struct summing s = { .query = query, .sum = sum };

	if (query->st) {
		s.st = strtoul(query->st, NULL, 0);
		s.extended = strlen(query->st) > 4;
	}
	return read_when_whole(query->begin, query->end, offset, add_to_sum, reset_sum, &s);
}

/* The span is read twice: a visitor must not see the beginning of one that is not whole. */
struct walk {
	trace_visit *visit;
	void *arg;
};

static void reset_nothing(void *arg)
{
	(void)arg;
}

static void visit_nothing(const struct trace_write *write, uint64_t bytes, void *arg)
{
	(void)write;
	(void)bytes;
	(void)arg;
}

static void visit_write(const struct trace_write *write, uint64_t bytes, void *arg)
{
	const struct walk *walk = arg;

	(void)bytes;
	walk->visit(write, walk->arg);
}

int trace_walk(uint32_t begin, uint32_t end, long *offset, trace_visit *visit, void *arg)
{
	struct walk walk = { visit, arg };
	long from = *offset;
	int ret = read_when_whole(begin, end, offset, visit_nothing, reset_nothing, &walk);

	return ret ? ret : read_when_whole(begin, end, &from, visit_write, reset_nothing, &walk);
}
