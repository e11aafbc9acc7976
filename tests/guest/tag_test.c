// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tag does to the mappings of an importer: all four hints, tag 0, full
 * replace, new mappings only, clear, two buffers at once. acc0 completes
 * extended tags and dma0 sends them. Runs in both domains: behind the root
 * complex the hint is on the wire of the engine and nowhere else.
 */
#include <string.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "guest.h"
#include "wire.h"

#define BUFFER_SIZE	(4 * PAGE)
#define OTHER_OFFSET	(1u << 20)

/* One accelerator, one buffer, one engine, not imported yet. */
struct setup {
	struct accelerator acc;
	int fd;
	struct wire_path path;
};

static struct setup setup(const struct tphbuf_tag *tag)
{
	struct setup s = { .acc = acc_open("acc0") };

	s.fd = acc_export(&s.acc, 0, BUFFER_SIZE, tag);
	s.path.engine_name = "dma0";
	s.path.engine = engine_open("dma0");
	return s;
}

/* A new import has a new mapping. */
static void import_again(struct setup *s)
{
	if (s->path.handle)
		require_error(dma_engine_release(s->path.engine, s->path.handle), 0, "release");
	s->path.handle = engine_import(s->path.engine, s->fd);
	s->path.acc = &s->acc;
}

static void untagged_before_set(void)
{
	struct setup s = setup(NULL);

	import_again(&s);
	expect_writes(&s.path, wire_none(), "nothing published");
}

static void every_hint(void)
{
	struct setup s = setup(NULL);

	for (uint8_t ph = 0; ph < 4; ph++) {
		struct tphbuf_tag tag = tag_ext(0x0031, ph);

		acc_set_tag(&s.acc, s.fd, &tag);
		import_again(&s);
		expect_writes(&s.path, wire_ext(0x0031, ph), "published");
	}
}

static void zero_is_a_tag(void)
{
	struct tphbuf_tag tag = tag_ext(0, 0);
	struct setup s = setup(&tag);

	import_again(&s);
	expect_writes(&s.path, wire_ext(0, 0), "tag 0, hint 0");
}

static void exported_with_tag(void)
{
	struct tphbuf_tag tag = tag_both(0x04, 0x0044, 1);
	struct setup s = setup(&tag);

	import_again(&s);
	expect_writes(&s.path, wire_ext(0x0044, 1), "tagged at the export");
}

static void set_is_for_new_mappings(void)
{
	struct tphbuf_tag first = tag_ext(0x0051, 1), second = tag_ext(0x0052, 2);
	struct setup s = setup(&first);
	struct wire_path old;

	import_again(&s);
	expect_writes(&s.path, wire_ext(0x0051, 1), "first tag");
	acc_set_tag(&s.acc, s.fd, &second);
	expect_writes(&s.path, wire_ext(0x0051, 1), "the mapping that exists keeps its tag");

	old = s.path;
	s.path.handle = 0;
	import_again(&s);
	expect_writes(&s.path, wire_ext(0x0052, 2), "a new mapping has the new one");
	expect_writes(&old, wire_ext(0x0051, 1), "the old mapping beside it");

	require_error(tphbuf_clear_tag(s.acc.dev, s.fd, NULL), 0, "clear");
	expect_writes(&s.path, wire_ext(0x0052, 2), "a clear is for new mappings, too");
	import_again(&s);
	expect_writes(&s.path, wire_none(), "a mapping after the clear");
	expect_writes(&old, wire_ext(0x0051, 1), "the oldest mapping");
}

static void set_replaces_all(void)
{
	struct tphbuf_tag both = tag_both(0x06, 0x0061, 3), narrow = tag_8bit(0x07, 1);
	struct setup s = setup(&both);

	acc_set_tag(&s.acc, s.fd, &narrow);
	import_again(&s);
	expect_writes(&s.path, wire_none(), "a SET without extended tag takes the old one away");
	acc_set_tag(&s.acc, s.fd, &both);
	import_again(&s);
	expect_writes(&s.path, wire_ext(0x0061, 3), "and another SET brings it back");
}

static void clear_without_tag(void)
{
	struct setup s = setup(NULL);

	expect_error(tphbuf_clear_tag(s.acc.dev, s.fd, NULL), 0, "clear what is clear");
	import_again(&s);
	expect_writes(&s.path, wire_none(), "still nothing");
}

/* An invalidation makes the importer ask again, without a new import. */
static void invalidation_asks_again(void)
{
	struct tphbuf_tag first = tag_ext(0x0071, 1), second = tag_ext(0x0072, 2);
	struct setup s = setup(&first);
	struct tph_dma_query query;

	import_again(&s);
	expect_writes(&s.path, wire_ext(0x0071, 1), "before");
	acc_set_tag(&s.acc, s.fd, &second);
	require_error(tphbuf_device_disable_memory(s.acc.dev), 0, "revoke");
	query = engine_query(s.path.engine, s.path.handle);
	expect_int(query.state & (TPH_DMA_STATE_MAPPED | TPH_DMA_STATE_TAGGED), 0,
		   "the revoked buffer is not mapped");
	require_error(tphbuf_device_enable_memory(s.acc.dev), 0, "un-revoke");
	expect_writes(&s.path, wire_ext(0x0072, 2), "after");
	query = engine_query(s.path.engine, s.path.handle);
	expect_int(query.mappings, 2, "mappings of this import");
}

static void two_buffers(void)
{
	struct tphbuf_tag tag_a = tag_ext(0x0081, 1), tag_b = tag_ext(0x0082, 3);
	struct setup s = setup(&tag_a);
	struct wire_path b;
	int fd;

	import_again(&s);
	fd = acc_export(&s.acc, OTHER_OFFSET, BUFFER_SIZE, &tag_b);
	b = s.path;
	b.handle = engine_import(b.engine, fd);
	b.bar_offset = OTHER_OFFSET;
	for (int i = 0; i < 4; i++) {
		expect_writes(&s.path, wire_ext(0x0081, 1), "first buffer");
		expect_writes(&b, wire_ext(0x0082, 3), "second buffer");
	}
}

static void same_tag_same_entry(void)
{
	struct tphbuf_tag tag = tag_ext(0x0091, 1), other = tag_ext(0x0092, 1);
	struct setup s = setup(&tag);
	struct tph_dma_query a, b, c;
	struct wire_path path[3];

	for (int i = 0; i < 3; i++) {
		if (i == 2)
			acc_set_tag(&s.acc, s.fd, &other);
		s.path.handle = 0;
		import_again(&s);
		path[i] = s.path;
		expect_writes(&path[i], wire_ext(i < 2 ? 0x0091 : 0x0092, 1), "import");
	}
	a = engine_query(path[0].engine, path[0].handle);
	b = engine_query(path[1].engine, path[1].handle);
	c = engine_query(path[2].engine, path[2].handle);
	expect_int(a.st_index, b.st_index, "the entry of the same tag");
	expect_true(a.st_index != c.st_index, "another tag has another entry");
	expect_int(c.state, TPH_DMA_STATE_MAPPED | TPH_DMA_STATE_TAGGED | TPH_DMA_STATE_EXTENDED,
		   "the state");

	/* The first user leaves, the entry stays for the second. */
	require_error(dma_engine_release(path[0].engine, path[0].handle), 0, "release");
	expect_writes(&path[1], wire_ext(0x0091, 1), "the other user of the entry");
}

/* The tag is an instruction: the same bytes end differently. */
static void operations(void)
{
	static const struct {
		uint16_t st;
		uint32_t want;
	} list[] = {
		{ ACC_ST_EXT_OP_STORE << 8, 0x00000102 },
		{ ACC_ST_EXT_OP_ADD << 8, 0x80000ffeu + 0x00000102 },
		{ ACC_ST_EXT_OP_MAX << 8, 0x80000ffe },
		{ ACC_ST_EXT_OP_XOR << 8, 0x80000ffe ^ 0x00000102 },
	};
	struct setup s = setup(NULL);
	volatile uint32_t *mem = (volatile uint32_t *)s.acc.mem;
	uint32_t payload = 0x00000102;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct tphbuf_tag tag = tag_ext(list[i].st, 0);

		acc_set_tag(&s.acc, s.fd, &tag);
		import_again(&s);
		mem[4] = 0x80000ffe;
		require_error(dma_engine_write(s.path.engine, s.path.handle, 16, &payload, 4), 0,
			      "copy");
		expect_int(mem[4], domain_is_translated() ? payload : list[i].want,
			   "operation of tag 0x%04x", list[i].st);
	}
}

static const struct test_case cases[] = {
	{ "untagged_before_set", untagged_before_set },
	{ "every_hint", every_hint },
	{ "zero_is_a_tag", zero_is_a_tag },
	{ "exported_with_tag", exported_with_tag },
	{ "set_is_for_new_mappings", set_is_for_new_mappings },
	{ "set_replaces_all", set_replaces_all },
	{ "clear_without_tag", clear_without_tag },
	{ "invalidation_asks_again", invalidation_asks_again },
	{ "two_buffers", two_buffers },
	{ "same_tag_same_entry", same_tag_same_entry },
	{ "operations", operations },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
