// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More tags than a NIC can name. The first are sent, the others are left out
 * and said to be, and nothing stays behind. acc0 completes extended tags. nic0
 * has a table of 64 entries, nic3 one of 512, of which a memory key can name
 * 256; nic1 has none, there a memory key holds the tag itself, in 8 bits.
 */
#include <stdio.h>

#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)
#define TAGS		300

struct setup {
	struct accelerator acc;
	struct nic nic;
	int fd;
};

static struct setup setup(const char *nic)
{
	struct setup s = { .acc = acc_open("acc0"), .nic = nic_open(nic) };

	s.fd = acc_export(&s.acc, 0, BUFFER_SIZE, NULL);
	return s;
}

static struct nic_region register_tag(struct setup *s, uint16_t st, uint8_t ph)
{
	struct tphbuf_tag tag = tag_ext(st, ph);

	acc_set_tag(&s->acc, s->fd, &tag);
	return nic_register(&s->nic, s->fd, BUFFER_SIZE);
}

/* What the region sends. */
static void expect_sent(struct setup *s, struct nic_region *region, bool fits, uint16_t st)
{
	struct wire_path path = nic_path(&s->nic, region, &s->acc, 0);
	char what[40];

	snprintf(what, sizeof(what), "tag 0x%x", st);
	expect_writes(&path, fits ? wire_ext(st, st % 4) : wire_none(), what);
}

/* And what the driver says, which takes much longer. Returns the index. */
static int expect_state(struct setup *s, struct nic_region *region, bool fits, uint16_t st,
			const char *state)
{
	struct tphbuf_tag tag = tag_ext(st, st % 4);
	char what[40];

	/* It compares with what is published at that moment. */
	acc_set_tag(&s->acc, s->fd, &tag);
	expect_sent(s, region, fits, st);
	snprintf(what, sizeof(what), "tag 0x%x", st);
	if (fits)
		return expect_published(&s->nic, region, st, st % 4, what);
	expect_unhinted(&s->nic, region, state, what);
	return -1;
}

/* Tags of two rounds that have few in common; those that come first can be sent. */
static uint16_t tag_number(int round, unsigned int i)
{
	return round && i < 256 ? 255 - i : i;
}

/* A free entry goes to who asks next, not to who had to do without. */
static void free_one(struct setup *s, struct nic_region *region, uint16_t old_st,
		     uint16_t new_st, unsigned int usable)
{
	struct nic_region next[2];

	nic_deregister(&s->nic, region);
	expect_state(s, &region[usable], false, old_st, "table_full");
	next[0] = register_tag(s, new_st, new_st % 4);
	next[1] = register_tag(s, 0x0777, 0x0777 % 4);
	expect_state(s, &next[0], true, new_st, "");
	expect_state(s, &next[1], false, 0x0777, "table_full");
	nic_deregister(&s->nic, &next[0]);
	nic_deregister(&s->nic, &next[1]);
}

/* @count tags where @usable entries can be had. Nothing stays behind. */
static void fill(struct setup *s, int round, unsigned int count, unsigned int usable)
{
	struct nic_region region[TAGS];

	for (unsigned int i = 0; i < count; i++) {
		uint16_t st = tag_number(round, i);

		region[i] = register_tag(s, st, st % 4);
	}
	for (unsigned int i = 0; i < count; i += 16)
		expect_sent(s, &region[i], i < usable, tag_number(round, i));
	expect_state(s, &region[usable - 1], true, tag_number(round, usable - 1), "");
	expect_state(s, &region[usable], false, tag_number(round, usable), "table_full");
	free_one(s, region, tag_number(round, usable), round ? 0x0000 : 0x00ff, usable);
	for (unsigned int i = 1; i < count; i++)
		nic_deregister(&s->nic, &region[i]);
}

static void table_of_64(void)
{
	struct setup s = setup("nic0");

	fill(&s, 0, TAGS, 63);
	/* All are gone: the table takes as many again, with other tags. */
	fill(&s, 1, 70, 63);
	nic_close(&s.nic);
}

static void table_of_512(void)
{
	struct setup s = setup("nic3");

	fill(&s, 0, 260, 255);
	nic_close(&s.nic);
}

/* What has no hints from the start goes on without, whatever is published. */
static void revoked_when_full(void)
{
	struct setup s = setup("nic0");
	struct nic_region region[64];
	struct wire_path path;
	struct tphbuf_tag tag;
	int i;

	for (i = 0; i < 64; i++)
		region[i] = register_tag(&s, i, 1);
	path = nic_path(&s.nic, &region[63], &s.acc, 0);
	expect_unhinted(&s.nic, &region[63], "table_full", "the last");
	acc_decode(&s.acc, false);
	acc_decode(&s.acc, true);
	expect_writes(&path, wire_none(), "the last, after a revocation");

	tag = tag_ext(0x0063, 1);
	acc_set_tag(&s.acc, s.fd, &tag);
	acc_decode(&s.acc, false);
	acc_decode(&s.acc, true);
	expect_writes(&path, wire_none(), "the last, after another tag was published");
	expect_unhinted(&s.nic, &region[63], "published_later", "another tag");
	tag = tag_ext(63, 1);
	acc_set_tag(&s.acc, s.fd, &tag);
	expect_unhinted(&s.nic, &region[63], "table_full", "the tag that found no entry");
}

static void no_table(void)
{
	static const struct {
		uint16_t st;
		bool fits;
	} list[] = {
		{ 0x0001, true },  { 0x0041, true },  { 0x00ff, true },	 { 0x0000, true },
		{ 0x0100, false }, { 0x0141, false }, { 0xffff, false },
	};
	struct setup s = setup("nic1");

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct nic_region region = register_tag(&s, list[i].st, list[i].st % 4);

		expect_int(expect_state(&s, &region, list[i].fits, list[i].st, "tag_range"),
			   list[i].fits ? list[i].st : -1, "the index is the tag");
		nic_deregister(&s.nic, &region);
	}
	nic_close(&s.nic);
}

/* There are no entries to run out of. */
static void no_table_many(void)
{
	struct nic_region region[TAGS];
	struct setup s = setup("nic1");

	for (unsigned int i = 0; i < 260; i++)
		region[i] = register_tag(&s, i, i % 4);
	for (unsigned int i = 0; i < 260; i += 15)
		expect_sent(&s, &region[i], i < 256, i);
	expect_state(&s, &region[255], true, 255, "");
	expect_state(&s, &region[256], false, 256, "tag_range");
	for (unsigned int i = 0; i < 260; i++)
		nic_deregister(&s.nic, &region[i]);
	nic_close(&s.nic);
}

static const struct test_case cases[] = {
	{ "table_of_64", table_of_64 },
	{ "table_of_512", table_of_512 },
	{ "revoked_when_full", revoked_when_full },
	{ "no_table", no_table },
	{ "no_table_many", no_table_many },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
