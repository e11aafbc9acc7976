// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "trace.h"
#include "wire.h"

#define GUARD	64u

static uint32_t mark;
static uint32_t span_begin;
static long trace_offset;

struct wire_hint wire_none(void)
{
	return (struct wire_hint){ 0 };
}

struct wire_hint wire_8bit(uint8_t st, uint8_t ph)
{
	return (struct wire_hint){ .tagged = true, .st = st, .ph = ph };
}

struct wire_hint wire_ext(uint16_t st, uint8_t ph)
{
	return (struct wire_hint){ .tagged = true, .extended = true, .st = st, .ph = ph };
}

struct wire_path wire_path(struct accelerator *acc, const char *engine_name, int dmabuf)
{
	int engine = engine_open(engine_name);

	return (struct wire_path){
		.engine_name = engine_name,
		.engine = engine,
		.handle = engine_import(engine, dmabuf),
		.acc = acc,
	};
}

/* Marks are unique in the trace of a machine, which several programs share. */
static uint32_t next_mark(struct accelerator *acc)
{
	if (!mark) {
		struct timespec now;

		/* Nothing before the first mark is of interest. */
		trace_offset = trace_end();
		clock_gettime(CLOCK_MONOTONIC, &now);
		mark = (uint32_t)getpid() << 20 ^
		       (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
	}
	mark++;
	require_error(accelerator_write32(acc, ACC_REG_MARK, mark), 0, "write MARK");
	return mark;
}

static void expect_counters(const struct accelerator_counters *c, struct wire_hint hint,
			    const char *what)
{
	if (domain_is_translated()) {
		expect_int(c->writes, 0, "%s: writes that the accelerator saw as TLPs", what);
		return;
	}
	expect_true(c->writes > 0, "%s: writes arrived", what);
	expect_int(c->bytes, WIRE_LENGTH, "%s: bytes that arrived", what);
	expect_int(c->malformed, 0, "%s: writes refused", what);
	expect_int(c->untagged, hint.tagged ? 0 : c->writes, "%s: writes without hint", what);
	expect_int(c->tagged, hint.tagged && !hint.extended ? c->writes : 0,
		   "%s: writes with an 8-bit tag", what);
	expect_int(c->tagged_ext, hint.tagged && hint.extended ? c->writes : 0,
		   "%s: writes with a 16-bit tag", what);
	if (!hint.tagged)
		return;
	expect_int(c->with_tag, c->writes, "%s: writes with tag 0x%x", what, hint.st);
	expect_int(c->ph[hint.ph], c->writes, "%s: writes with hint %u", what, hint.ph);
}

static void expect_trace(const struct wire_path *path, struct wire_hint hint, uint32_t begin,
			 uint32_t end, const char *what)
{
	char st[8];
	struct trace_query query = {
		.requester = device_bdf(path->engine_name),
		.completer = tphbuf_device_bdf(path->acc->dev),
		.begin = begin,
		.end = end,
		.st = hint.tagged ? st : NULL,
		.ph = hint.ph,
	};
	struct trace_sum sum;

	snprintf(st, sizeof(st), hint.extended ? "0x%04x" : "0x%02x", hint.st);
	if (!expect_error(trace_sum(&query, &trace_offset, &sum), 0, "%s: read the trace", what))
		return;
	expect_int(sum.refused, 0, "%s: TLPs refused", what);
	if (domain_is_translated()) {
		expect_int(sum.to_completer, 0, "%s: TLPs routed to the accelerator", what);
		/*
		 * Among those to the root complex are the engine's own, without
		 * hint.
		 */
		if (hint.tagged)
			expect_int(sum.matching_bytes, WIRE_LENGTH, "%s: bytes sent with tag %s",
				   what, st);
		expect_int(sum.tagged, hint.tagged ? sum.matching : 0, "%s: TLPs with a hint",
			   what);
		return;
	}
	expect_int(sum.to_completer_bytes, WIRE_LENGTH, "%s: bytes sent to the accelerator", what);
	expect_int(sum.tagged, hint.tagged ? sum.to_completer : 0, "%s: TLPs with a hint", what);
	if (hint.tagged)
		expect_int(sum.matching, sum.to_completer, "%s: TLPs with tag %s and hint %u", what,
			   st, hint.ph);
}

static int copy_bytes(const struct wire_path *path, uint64_t offset, const void *data,
		      size_t length)
{
	if (path->copy)
		return path->copy(path, offset, data, length);
	return dma_engine_write(path->engine, path->handle, offset, data, length);
}

void expect_writes(const struct wire_path *path, struct wire_hint hint, const char *what)
{
	static uint32_t seed;
	uint8_t data[GUARD + WIRE_LENGTH + GUARD], memory[sizeof(data)];
	volatile uint8_t *bar = path->acc->mem + path->bar_offset;
	struct accelerator_counters c;
	uint32_t begin, end;

	/*
	 * The buffer begins with a guard, the bytes, a guard: in one copy of
	 * what has to be there.
	 */
	memset(data, 0xa5, sizeof(data));
	for (size_t i = 0; i < sizeof(data); i++)
		bar[i] = data[i];
	fill_bytes(data + GUARD, WIRE_LENGTH, ++seed);

	c = acc_count(path->acc, hint.extended, hint.st);
	begin = next_mark(path->acc);
	require_error(copy_bytes(path, GUARD, data + GUARD, WIRE_LENGTH), 0, "%s: copy", what);
	end = next_mark(path->acc);
	c = acc_count_since(path->acc, hint.extended, hint.st, &c);

	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = bar[i];
	expect_true(!memcmp(data, memory, sizeof(data)), "%s: the bytes in memory are right", what);
	expect_counters(&c, hint, what);
	expect_trace(path, hint, begin, end, what);
}

void wire_begin(struct accelerator *acc)
{
	span_begin = next_mark(acc);
}

void wire_end(struct accelerator *acc, const char *engine_name, uint64_t *refused,
	      uint64_t *tagged)
{
	struct trace_query query = {
		.requester = device_bdf(engine_name),
		.completer = tphbuf_device_bdf(acc->dev),
		.begin = span_begin,
		.end = next_mark(acc),
	};
	struct trace_sum sum;

	require_error(trace_sum(&query, &trace_offset, &sum), 0, "read the trace");
	*refused = sum.refused;
	*tagged = sum.tagged;
}

void wire_walk(struct accelerator *acc, trace_visit *visit, void *arg)
{
	uint32_t end = next_mark(acc);

	require_error(trace_walk(span_begin, end, &trace_offset, visit, arg), 0, "read the trace");
}

uint64_t wire_refused(struct accelerator *acc, const char *engine_name)
{
	uint64_t refused, tagged;

	wire_end(acc, engine_name, &refused, &tagged);
	return refused;
}
