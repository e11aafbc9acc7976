// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory keys come from pools and go back there. Whatever key a region gets, its
 * writes carry the tag of this region. acc0 completes extended tags, nic0 sends
 * them.
 */
#include <accelerator_regs.h>

#include "nic.h"

#define BUFFERS		8
#define TAG		0x0010
#define BUFFER_SIZE	(4 * PAGE)
#define CYCLES		1250 /* of each of the first eight cases: 10,000 together */
#define HELD		12

struct setup {
	struct accelerator acc;
	struct nic nic;
	int fd[BUFFERS];
};

static struct setup setup(void)
{
	struct setup s = { .acc = acc_open("acc0"), .nic = nic_open("nic0") };

	for (int i = 0; i < BUFFERS; i++)
		s.fd[i] = acc_export(&s.acc, i * BUFFER_SIZE, BUFFER_SIZE, NULL);
	return s;
}

static void set_tag(struct setup *s, int buffer, uint16_t st, uint8_t ph)
{
	struct tphbuf_tag tag = tag_ext(st, ph);

	acc_set_tag(&s->acc, s->fd[buffer], &tag);
}

/* One write of one TLP, with the tag and no other. */
static void expect_one(struct setup *s, struct nic_region *region, struct wire_hint hint, int cycle)
{
	struct accelerator_counters c = acc_count(&s->acc, true, hint.st);
	uint64_t word = cycle;

	require_int(nic_write(&s->nic, region, 0, &word, sizeof(word)), 0, "cycle %d: write",
		    cycle);
	c = acc_count_since(&s->acc, true, hint.st, &c);
	require_int(c.writes, 1, "cycle %d: writes that arrived", cycle);
	if (!hint.tagged) {
		require_int(c.untagged, 1, "cycle %d: without hint", cycle);
		return;
	}
	require_int(c.with_tag, 1, "cycle %d: with tag 0x%x", cycle, hint.st);
	require_int(c.ph[hint.ph], 1, "cycle %d: with hint %u", cycle, hint.ph);
}

static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

/* Writes with the tag of a buffer; all other counters would take most of the time. */
static uint64_t tag_count(struct setup *s, int buffer)
{
	uint64_t count = 0;

	require_error(accelerator_write32(&s->acc, ACC_REG_SELECT, ACC_SELECT_EXT | (TAG + buffer)),
		      0, "select the tag of buffer %d", buffer);
	require_error(accelerator_read64(&s->acc, ACC_REG_TAG_COUNT, &count), 0, "count");
	return count;
}

/*
 * The same 8 tags all the time, each with its buffer. Which one is next says
 * @order; @held regions are there at the same time.
 */
static void eight_tags(int (*order)(int cycle, uint32_t *random), int held)
{
	struct setup s = setup();
	struct accelerator_counters c = acc_count(&s.acc, true, 0);
	struct nic_region region[HELD] = { 0 };
	uint64_t count[BUFFERS];
	uint32_t random = 1;

	for (int i = 0; i < BUFFERS; i++) {
		set_tag(&s, i, TAG + i, i % 4);
		count[i] = tag_count(&s, i);
	}
	for (int i = 0; i < CYCLES; i++) {
		struct nic_region *mine = &region[i % held];
		int n = order(i, &random);
		uint64_t word = i;

		if (mine->lkey)
			nic_deregister(&s.nic, mine);
		*mine = nic_register(&s.nic, s.fd[n], BUFFER_SIZE);
		require_int(nic_write(&s.nic, mine, 0, &word, sizeof(word)), 0, "cycle %d: write",
			    i);
		require_int(tag_count(&s, n), ++count[n],
			    "cycle %d: writes with the tag of the buffer", i);
	}
	for (int i = 0; i < held; i++)
		nic_deregister(&s.nic, &region[i]);
	c = acc_count_since(&s.acc, true, 0, &c);
	expect_int(c.writes, CYCLES, "writes");
	expect_int(c.tagged_ext, CYCLES, "writes with a tag");
	nic_close(&s.nic);
}

static int in_turn(int cycle, uint32_t *random)
{
	(void)random;
	return cycle * 5 % BUFFERS;
}

static int in_runs(int cycle, uint32_t *random)
{
	(void)random;
	return cycle / 50 % BUFFERS;
}

static int at_random(int cycle, uint32_t *random)
{
	(void)cycle;
	return next_random(random) % BUFFERS;
}

/* A key of another tag is what went to the pools last. */
static void in_turn_1(void)
{
	eight_tags(in_turn, 1);
}

static void in_turn_5(void)
{
	eight_tags(in_turn, 5);
}

/* The same key again and again. */
static void in_runs_1(void)
{
	eight_tags(in_runs, 1);
}

static void in_runs_5(void)
{
	eight_tags(in_runs, 5);
}

static void at_random_1(void)
{
	eight_tags(at_random, 1);
}

static void at_random_2(void)
{
	eight_tags(at_random, 2);
}

static void at_random_5(void)
{
	eight_tags(at_random, 5);
}

static void at_random_12(void)
{
	eight_tags(at_random, HELD);
}

/*
 * The entry of the table is the same one each time, with another tag: a key from
 * the pool of that entry sends the tag that the entry has now.
 */
static void entry_with_new_tag(void)
{
	struct setup s = setup();
	int first = -1;

	for (int i = 0; i < 256; i++) {
		struct nic_region region;

		set_tag(&s, 0, i, 1);
		region = nic_register(&s.nic, s.fd[0], BUFFER_SIZE);
		expect_one(&s, &region, wire_ext(i, 1), i);
		if (i % 128 == 0) {
			int index = expect_published(&s.nic, &region, i, 1, "region");

			if (first < 0)
				first = index;
			expect_int(index, first, "cycle %d: the entry", i);
		}
		nic_deregister(&s.nic, &region);
	}
	nic_close(&s.nic);
}

/* Regions of all kinds, in and out of order, with and without hints. */
static void mixed(void)
{
	struct setup s = setup();
	struct nic_region region[HELD] = { 0 };
	struct wire_hint hint[HELD];
	uint32_t random = 2, dmah = nic_alloc_dmah(&s.nic, 3);

	for (int i = 0; i < 600; i++) {
		int n = next_random(&random) % HELD;

		if (region[n].lkey) {
			expect_one(&s, &region[n], hint[n], i);
			nic_deregister(&s.nic, &region[n]);
			continue;
		}
		switch (next_random(&random) % 4) {
		case 0:
			require_error(tphbuf_clear_tag(s.acc.dev, s.fd[n % BUFFERS], NULL), 0,
				      "clear");
			hint[n] = wire_none();
			region[n] = nic_register(&s.nic, s.fd[n % BUFFERS], BUFFER_SIZE);
			break;
		case 1:
			hint[n] = wire_ext(0, 3);
			region[n] = nic_register_dmah(&s.nic, s.fd[n % BUFFERS], BUFFER_SIZE, dmah);
			break;
		default:
			hint[n] = wire_ext(next_random(&random) % 32, next_random(&random) % 4);
			set_tag(&s, n % BUFFERS, hint[n].st, hint[n].ph);
			region[n] = nic_register(&s.nic, s.fd[n % BUFFERS], BUFFER_SIZE);
		}
		expect_one(&s, &region[n], hint[n], i);
	}
	for (int i = 0; i < HELD; i++) {
		if (region[i].lkey)
			nic_deregister(&s.nic, &region[i]);
	}
}

static const struct test_case cases[] = {
	{ "in_turn_1", in_turn_1 },
	{ "in_turn_5", in_turn_5 },
	{ "in_runs_1", in_runs_1 },
	{ "in_runs_5", in_runs_5 },
	{ "at_random_1", at_random_1 },
	{ "at_random_2", at_random_2 },
	{ "at_random_5", at_random_5 },
	{ "at_random_12", at_random_12 },
	{ "entry_with_new_tag", entry_with_new_tag },
	{ "mixed", mixed },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
