// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registration of a dma-buf with the n-th allocation failing, n = 1, 2, ...
 * until none is left to fail. One that fails leaves nothing behind: afterwards,
 * each index of the table can be had once. acc0 completes extended tags; nic0
 * sends them from a table of 64 entries, nic1 has none.
 */
#include "fail_nth.h"
#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)
/* Entry 0 of the table is for mkeys without a tag. */
#define ENTRIES		63
/* No tag of the failing registrations: an entry that one of them kept is not found again. */
#define OTHER_TAGS	0x1000

struct setup {
	struct accelerator acc;
	struct nic nic;
	int fd;
};

static struct setup setup(const char *nic)
{
	struct setup s = { .acc = acc_open("acc0"), .nic = nic_open(nic) };

	s.fd = acc_export(&s.acc, 0, BUFFER_SIZE, NULL);
	fail_nth_open();
	return s;
}

static struct nic_region register_tag(struct setup *s, uint16_t st)
{
	struct tphbuf_tag tag = tag_ext(st, 1);

	acc_set_tag(&s->acc, s->fd, &tag);
	return nic_register(&s->nic, s->fd, BUFFER_SIZE);
}

/* @step: 1 for another tag each time, 0 for always the same. */
static void fail_registrations(struct setup *s, unsigned int step)
{
	unsigned int n, failed = 0;
	bool more = true;

	for (n = 1; more && n < FAIL_NTH_MANY; n++) {
		struct tphbuf_tag tag = tag_ext(1 + step * (n % 200), 1);
		struct nic_region region = { 0 };
		int ret;

		acc_set_tag(&s->acc, s->fd, &tag);
		fail_nth(n);
		ret = rdma_nic_register(&s->nic.rdma, s->fd, BUFFER_SIZE, &region.mr);
		more = fail_nth_done();
		expect_true(!ret || is_injected(ret), "registration %u: %d", n, ret);
		failed += ret < 0;
		if (!ret)
			nic_deregister(&s->nic, &region);
	}
	diag("%u chances, %u registrations failed", n - 2, failed);
	expect_true(failed > 0 && n < FAIL_NTH_MANY, "some failed, and there was an end");
}

static void expect_whole_table(struct setup *s)
{
	struct tphbuf_tag last = tag_ext(OTHER_TAGS + ENTRIES - 1, 1);
	struct nic_region regions[ENTRIES + 1];
	unsigned int i;

	for (i = 0; i <= ENTRIES; i++)
		regions[i] = register_tag(s, OTHER_TAGS + i);
	expect_unhinted(&s->nic, &regions[ENTRIES], "table_full", "one more than there are");
	/* The driver compares with what is published at that moment. */
	acc_set_tag(&s->acc, s->fd, &last);
	expect_published(&s->nic, &regions[ENTRIES - 1], OTHER_TAGS + ENTRIES - 1, 1, "the last");
	for (i = 0; i <= ENTRIES; i++)
		nic_deregister(&s->nic, &regions[i]);
}

static void new_tags(void)
{
	struct setup s = setup("nic0");

	fail_registrations(&s, 1);
	expect_whole_table(&s);
	nic_close(&s.nic);
}

/* Another region has the tag all the time, and keeps it. */
static void known_tag(void)
{
	struct setup s = setup("nic0");
	struct nic_region other = register_tag(&s, 1);
	int index = expect_published(&s.nic, &other, 1, 1, "the other region before");

	fail_registrations(&s, 0);
	expect_int(expect_published(&s.nic, &other, 1, 1, "the other region"), index,
		   "the index of the other region");
	nic_deregister(&s.nic, &other);
	expect_whole_table(&s);
	nic_close(&s.nic);
}

static void no_table(void)
{
	struct setup s = setup("nic1");

	fail_registrations(&s, 1);
	nic_close(&s.nic);
}

static const struct test_case cases[] = {
	{ "new_tags", new_tags },
	{ "known_tag", known_tag },
	{ "no_table", no_table },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
