// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every kind of requester against every kind of completer: an importer gets the
 * tag of its own namespace or none, and the other never stands in for it.
 *
 * acc0 completes extended tags, acc1 8-bit ones, acc2 none, acc3 has the
 * reserved value. dma0 sends extended tags from a table in its capability, dma1
 * 8-bit ones. dma2 is an extended one in interrupt vector mode, dma3 has no
 * table and takes the tag in the descriptor, dma4 cannot send tags at all.
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "wire.h"

#define BUFFER_SIZE	(4 * PAGE)

/*
 * Numbers that are no tag of the other namespace by chance: taken for one, they
 * would do something else or nothing.
 */
#define ST8		0x05
#define ST_EXT		0x0047
#define PH		2

static bool sends_extended(const char *engine)
{
	return strchr("023", engine[3]);
}

static bool sends_8bit(const char *engine)
{
	return engine[3] == '1';
}

/*
 * Publish, import anew, copy, and compare with what this pair of devices has to
 * give.
 */
static void check(struct wire_path *path, int fd, const struct tphbuf_tag *tag, const char *name)
{
	struct wire_hint want = wire_none();
	struct tph_dma_query query;
	char what[80];

	snprintf(what, sizeof(what), "%s, 8-bit tag %s, extended tag %s", name,
		 tag && tag->valid & TPHBUF_TAG_ST ? "published" : "none",
		 tag && tag->valid & TPHBUF_TAG_ST_EXT ? "published" : "none");
	if (tag && tag->valid & TPHBUF_TAG_ST_EXT && sends_extended(path->engine_name))
		want = wire_ext(tag->st_ext, tag->ph);
	else if (tag && tag->valid & TPHBUF_TAG_ST && sends_8bit(path->engine_name))
		want = wire_8bit(tag->st, tag->ph);

	path->handle = engine_import(path->engine, fd);
	expect_writes(path, want, what);
	query = engine_query(path->engine, path->handle);
	expect_int(query.state & TPH_DMA_STATE_TAGGED, want.tagged ? TPH_DMA_STATE_TAGGED : 0,
		   "%s: the importer says tagged", what);
	expect_int(query.state & TPH_DMA_STATE_EXTENDED,
		   sends_extended(path->engine_name) ? TPH_DMA_STATE_EXTENDED : 0,
		   "%s: the importer asks for extended tags", what);
	expect_int(query.state & TPH_DMA_STATE_TABLE_FULL, 0, "%s: the table is full", what);
	if (want.tagged) {
		expect_int(query.steering_tag, want.st, "%s: tag of the importer", what);
		expect_int(query.ph, want.ph, "%s: hint of the importer", what);
	}
	require_error(dma_engine_release(path->engine, path->handle), 0, "%s: release", what);
}

static void check_pair(const char *acc_name, const char *engine_name)
{
	const struct tphbuf_tag tags[] = {
		tag_8bit(ST8, PH), tag_ext(ST_EXT, PH), tag_both(ST8, ST_EXT, PH),
		tag_8bit(0, 0), tag_ext(0, 0), tag_both(0, 0, 3),
	};
	struct accelerator acc = acc_open(acc_name);
	int fd = acc_export(&acc, PAGE, BUFFER_SIZE, NULL);
	struct wire_path path = {
		.engine_name = engine_name,
		.engine = engine_open(engine_name),
		.acc = &acc,
		.bar_offset = PAGE,
	};
	char name[40];

	snprintf(name, sizeof(name), "%s to %s", engine_name, acc_name);
	check(&path, fd, NULL, name);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		bool legal = acc.completer == 3 ||
			     (acc.completer == 1 && !(tags[i].valid & TPHBUF_TAG_ST_EXT));
		int ret;

		require_error(acc.completer & 1 ? tphbuf_clear_tag(acc.dev, fd, NULL) : 0, 0,
			      "clear");
		ret = tphbuf_set_tag(acc.dev, fd, &tags[i], NULL);
		expect_error(ret, legal ? 0 : -EOPNOTSUPP, "%s: SET of valid bits %u", name,
			     tags[i].valid);
		check(&path, fd, legal ? &tags[i] : NULL, name);
	}
}

#define PAIR(acc, dma) \
	static void dma##_to_##acc(void) \
	{ \
		check_pair(#acc, #dma); \
	}
#define PAIRS(dma) PAIR(acc0, dma) PAIR(acc1, dma) PAIR(acc2, dma) PAIR(acc3, dma)
#define CASE(acc, dma) { #dma "_to_" #acc, dma##_to_##acc }
#define CASES(dma) CASE(acc0, dma), CASE(acc1, dma), CASE(acc2, dma), CASE(acc3, dma)

PAIRS(dma0)
PAIRS(dma1)
PAIRS(dma2)
PAIRS(dma3)
PAIRS(dma4)

/*
 * One buffer, imported by requesters of both namespaces and by one of none:
 * each gets its own.
 */
static void one_buffer_three_engines(void)
{
	static const char * const names[] = { "dma0", "dma1", "dma4" };
	const struct wire_hint want[] = { wire_ext(ST_EXT, PH), wire_8bit(ST8, PH), wire_none() };
	struct tphbuf_tag tag = tag_both(ST8, ST_EXT, PH);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct wire_path path[3];

	for (int i = 0; i < 3; i++) {
		path[i] = wire_path(&acc, names[i], fd);
	}
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 3; i++)
			expect_writes(&path[i], want[i], names[i]);
}

/*
 * An entry of one engine says nothing about the entry with the same index of
 * another.
 */
static void tables_are_separate(void)
{
	struct tphbuf_tag tag = tag_both(0x01, 0x0002, 0);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct wire_path a = {
		.engine_name = "dma0",
		.engine = engine_open("dma0"),
		.acc = &acc,
	}, b = a;

	b.engine_name = "dma2";
	b.engine = engine_open("dma2");
	a.handle = engine_import(a.engine, fd);
	expect_writes(&a, wire_ext(0x0002, 0), "first engine");
	tag = tag_both(0x03, 0x0004, 1);
	acc_set_tag(&acc, fd, &tag);
	b.handle = engine_import(b.engine, fd);
	expect_writes(&b, wire_ext(0x0004, 1), "second engine, with a table of its own");
	expect_writes(&a, wire_ext(0x0002, 0), "first engine, whose entry has the same index");
}

static const struct test_case cases[] = {
	CASES(dma0), CASES(dma1), CASES(dma2), CASES(dma3), CASES(dma4),
	{ "one_buffer_three_engines", one_buffer_three_engines },
	{ "tables_are_separate", tables_are_separate },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
