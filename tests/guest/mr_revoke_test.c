// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory regions across revocations. The driver maps again in a page fault and
 * asks again for the hints. It cannot change those of a memory key, but what
 * the key's index selects in the ST table, if no other region uses it. Where
 * that does not help, a write with a tag that was replaced or withdrawn fails.
 * acc0 completes extended tags, nic0 sends them from a table, nic1 without one.
 */
#include <errno.h>
#include <string.h>

#include "nic.h"

#define BUFFER_SIZE	(4 * PAGE)

struct setup {
	struct accelerator acc;
	struct nic nic;
	int fd;
	struct nic_region region;
	struct wire_path path;
};

/* Registered, and proved to be as published. */
static void setup_nic(struct setup *s, const char *nic, const struct tphbuf_tag *tag)
{
	*s = (struct setup){ .acc = acc_open("acc0"), .nic = nic_open(nic) };
	s->fd = acc_export(&s->acc, 0, BUFFER_SIZE, tag);
	s->region = nic_register(&s->nic, s->fd, BUFFER_SIZE);
	s->path = nic_path(&s->nic, &s->region, &s->acc, 0);
	expect_writes(&s->path, tag ? wire_ext(tag->st_ext, tag->ph) : wire_none(),
		      "before the revocation");
}

static void setup(struct setup *s, const struct tphbuf_tag *tag)
{
	setup_nic(s, "nic0", tag);
}

static void publish(struct setup *s, const struct tphbuf_tag *tag)
{
	if (tag)
		acc_set_tag(&s->acc, s->fd, tag);
	else
		require_error(tphbuf_clear_tag(s->acc.dev, s->fd, NULL), 0, "clear the tag");
}

static void revoke_and_end(struct setup *s)
{
	acc_decode(&s->acc, false);
	acc_decode(&s->acc, true);
}

/* Three writes are errors to who sends them. */
static void fail_writes(struct setup *s, const char *what)
{
	uint32_t word = 0x12345678;

	for (int i = 0; i < 3; i++)
		expect_int(nic_write(&s->nic, &s->region, 0, &word, sizeof(word)),
			   IBV_WC_REM_ACCESS_ERR, "%s: write %d", what, i);
}

/* And nothing is sent, with or without tag. @revoked: for as long as they last. */
static void expect_refused(struct setup *s, bool revoked, const char *what)
{
	struct accelerator_counters c = acc_count(&s->acc, true, 0);
	uint64_t refused, tagged;

	wire_begin(&s->acc);
	if (revoked)
		acc_decode(&s->acc, false);
	fail_writes(s, what);
	if (revoked)
		acc_decode(&s->acc, true);
	wire_end(&s->acc, s->nic.name, &refused, &tagged);
	c = acc_count_since(&s->acc, true, 0, &c);
	expect_int(refused, 0, "%s: TLPs refused", what);
	expect_int(tagged, 0, "%s: TLPs with a hint", what);
	expect_int(c.writes + c.malformed, 0, "%s: writes that arrived", what);
}

static void same_tag(void)
{
	struct tphbuf_tag tag = tag_ext(0x0011, 2);
	struct setup s;

	setup(&s, &tag);
	for (int i = 0; i < 3; i++) {
		expect_refused(&s, true, "revoked");
		expect_writes(&s.path, wire_ext(0x0011, 2), "after the end of the revocation");
	}
	acc_reset(&s.acc);
	expect_writes(&s.path, wire_ext(0x0011, 2), "after a reset");
	nic_deregister(&s.nic, &s.region);
	nic_close(&s.nic);
}

/* The driver says that the hints of the region are not what is published now. */
static void expect_stale(struct setup *s, struct nic_region *region, const struct tphbuf_tag *tag,
			 const char *what)
{
	struct rdma_nic_hints hints = nic_hints(&s->nic, region);

	expect_true(!strcmp(hints.state, "stale"), "%s: the driver says \"%s\"", what,
		    hints.state);
	expect_true(hints.tagged, "%s: a tag is shown", what);
	expect_int(hints.st, tag->st_ext, "%s: tag shown", what);
	expect_int(hints.ph, tag->ph, "%s: hint shown", what);
}

/* A region starts with @first; @second is an answer that it cannot be given. */
static void refused(struct setup *s, const struct tphbuf_tag *first,
		    const struct tphbuf_tag *second)
{
	struct wire_hint hint_1 = wire_ext(first->st_ext, first->ph);
	struct wire_hint hint_2 = second ? wire_ext(second->st_ext, second->ph) : wire_none();
	struct nic_region again;
	struct wire_path path;

	publish(s, second);
	expect_writes(&s->path, hint_1, "published, not invalidated");
	expect_stale(s, &s->region, first, "published, not invalidated");
	revoke_and_end(s);
	expect_refused(s, false, "another answer");
	expect_stale(s, &s->region, first, "another answer");
	revoke_and_end(s);
	expect_refused(s, false, "another answer, once more");

	again = nic_register(&s->nic, s->fd, BUFFER_SIZE);
	path = nic_path(&s->nic, &again, &s->acc, 0);
	expect_writes(&path, hint_2, "registered again");
	expect_refused(s, false, "the old region beside it");

	publish(s, first);
	expect_writes(&s->path, hint_1, "the old answer");
	expect_published(&s->nic, &s->region, first->st_ext, first->ph, "the old answer");
	expect_writes(&path, hint_2, "the new region keeps its mapping");
	revoke_and_end(s);
	expect_writes(&s->path, hint_1, "the old answer, a new mapping");
	nic_deregister(&s->nic, &again);
	nic_deregister(&s->nic, &s->region);
	nic_close(&s->nic);
}

/* The only user of an entry of the table is given another tag in it. */
static void changed_tag(void)
{
	struct tphbuf_tag tag = tag_ext(0x0021, 1), last;
	struct nic_region again;
	struct wire_path path;
	struct setup s;
	int index, i;

	setup(&s, &tag);
	index = expect_published(&s.nic, &s.region, 0x0021, 1, "registered");
	for (i = 2; i < 5; i++) {
		last = tag;
		tag = tag_ext(0x0020 + i, 1);
		publish(&s, &tag);
		expect_writes(&s.path, wire_ext(last.st_ext, 1), "published, not invalidated");
		expect_stale(&s, &s.region, &last, "published, not invalidated");
		revoke_and_end(&s);
		expect_writes(&s.path, wire_ext(tag.st_ext, 1), "a new mapping has the new tag");
		expect_int(expect_published(&s.nic, &s.region, tag.st_ext, 1, "reprogrammed"),
			   index, "the index is the same");
	}
	again = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &again, &s.acc, 0);
	expect_writes(&path, wire_ext(tag.st_ext, 1), "another region of the new tag");
	expect_int(expect_published(&s.nic, &again, tag.st_ext, 1, "another region"), index,
		   "it is found by its new tag");
	nic_deregister(&s.nic, &again);
	nic_deregister(&s.nic, &s.region);

	publish(&s, &last);
	again = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &again, &s.acc, 0);
	expect_writes(&path, wire_ext(last.st_ext, 1), "a tag that was replaced, used anew");
	nic_deregister(&s.nic, &again);
	nic_close(&s.nic);
}

/* Where another region has the entry too, it keeps the tag; the last one may change it. */
static void shared_entry(void)
{
	struct tphbuf_tag first = tag_ext(0x0028, 1), second = tag_ext(0x0029, 1);
	struct nic_region other;
	struct wire_path path;
	struct setup s;

	setup(&s, &first);
	other = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &other, &s.acc, 0);
	publish(&s, &second);
	expect_writes(&path, wire_ext(0x0028, 1), "the other region, not invalidated");
	revoke_and_end(&s);
	expect_refused(&s, false, "an entry of two users");
	expect_stale(&s, &s.region, &first, "an entry of two users");
	publish(&s, &first);
	expect_writes(&path, wire_ext(0x0028, 1), "the other region, the old answer");
	publish(&s, &second);
	nic_deregister(&s.nic, &s.region);
	expect_writes(&path, wire_ext(0x0028, 1), "the last user, not invalidated");
	revoke_and_end(&s);
	expect_writes(&path, wire_ext(0x0029, 1), "the last user, reprogrammed");
	nic_deregister(&s.nic, &other);
	nic_close(&s.nic);
}

/* The new tag has an entry already: both hold it, and each ends with its own user. */
static void tag_of_another_entry(void)
{
	struct tphbuf_tag first = tag_ext(0x002a, 1), second = tag_ext(0x002b, 1);
	struct nic_region other, third;
	struct wire_path path;
	struct setup s;
	int index, fd;

	setup(&s, &first);
	fd = acc_export(&s.acc, 1u << 20, BUFFER_SIZE, &second);
	other = nic_register(&s.nic, fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &other, &s.acc, 1u << 20);
	index = expect_published(&s.nic, &other, 0x002b, 1, "the other buffer");
	publish(&s, &second);
	revoke_and_end(&s);
	expect_writes(&s.path, wire_ext(0x002b, 1), "reprogrammed");
	expect_writes(&path, wire_ext(0x002b, 1), "the other buffer");
	expect_true(expect_published(&s.nic, &s.region, 0x002b, 1, "reprogrammed") != index,
		    "two entries");
	nic_deregister(&s.nic, &s.region);
	third = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	expect_int(expect_published(&s.nic, &third, 0x002b, 1, "registered again"), index,
		   "the entry that was there first is found");
	nic_deregister(&s.nic, &other);
	expect_int(expect_published(&s.nic, &third, 0x002b, 1, "its second user"), index,
		   "the entry stays");
	nic_deregister(&s.nic, &third);
	nic_close(&s.nic);
}

/* A memory key holds the tag itself. */
static void no_table(void)
{
	struct tphbuf_tag first = tag_ext(0x0023, 1), second = tag_ext(0x0024, 1);
	struct setup s;

	setup_nic(&s, "nic1", &first);
	refused(&s, &first, &second);
}

static void changed_hint(void)
{
	struct tphbuf_tag first = tag_ext(0x0031, 1), second = tag_ext(0x0031, 2);
	struct setup s;

	setup(&s, &first);
	refused(&s, &first, &second);
}

static void withdrawn_tag(void)
{
	struct tphbuf_tag first = tag_ext(0x0041, 1);
	struct setup s;

	setup(&s, &first);
	refused(&s, &first, NULL);
}

/* What worked without hints goes on without, whatever is published since. */
static void set_then_reset(void)
{
	struct tphbuf_tag tag = tag_ext(0x0051, 1);
	struct nic_region again;
	struct wire_path path;
	struct setup s;

	setup(&s, NULL);
	expect_unhinted(&s.nic, &s.region, "unpublished", "registered");
	publish(&s, &tag);
	expect_writes(&s.path, wire_none(), "published, not invalidated");
	expect_unhinted(&s.nic, &s.region, "published_later", "published, not invalidated");
	acc_reset(&s.acc);
	expect_writes(&s.path, wire_none(), "after a reset");
	expect_unhinted(&s.nic, &s.region, "published_later", "after a reset");
	expect_refused(&s, true, "revoked");

	again = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &again, &s.acc, 0);
	expect_writes(&path, wire_ext(0x0051, 1), "registered again");
	expect_writes(&s.path, wire_none(), "the old region beside it");
	publish(&s, NULL);
	expect_unhinted(&s.nic, &s.region, "unpublished", "withdrawn again");
	nic_deregister(&s.nic, &again);
	nic_deregister(&s.nic, &s.region);
	nic_close(&s.nic);
}

static void set_while_revoked(void)
{
	struct tphbuf_tag first = tag_ext(0x0061, 1), second = tag_ext(0x0062, 2);
	struct setup s;

	setup(&s, &first);
	acc_decode(&s.acc, false);
	publish(&s, &second);
	acc_decode(&s.acc, true);
	expect_refused(&s, false, "set while revoked");
	acc_decode(&s.acc, false);
	publish(&s, &first);
	acc_decode(&s.acc, true);
	expect_writes(&s.path, wire_ext(0x0061, 1), "set back while revoked");
}

/* The NIC does not ask for 8-bit tags, so they are no change to it. */
static void other_namespace(void)
{
	struct tphbuf_tag first = tag_both(0x01, 0x0071, 1), second = tag_both(0x02, 0x0071, 1);
	struct setup s;

	setup(&s, &first);
	publish(&s, &second);
	revoke_and_end(&s);
	expect_writes(&s.path, wire_ext(0x0071, 1), "another 8-bit tag");
}

/* A region with a DMAH never asked. */
static void dmah(void)
{
	struct tphbuf_tag first = tag_ext(0x0081, 1), second = tag_ext(0x0082, 2);
	struct nic_region region;
	struct wire_path path;
	struct setup s;

	setup(&s, &first);
	region = nic_register_dmah(&s.nic, s.fd, BUFFER_SIZE, nic_alloc_dmah(&s.nic, 3));
	path = nic_path(&s.nic, &region, &s.acc, 0);
	publish(&s, &second);
	revoke_and_end(&s);
	expect_writes(&path, wire_ext(0, 3), "with the hint of the DMAH");
	expect_refused(&s, false, "the region without DMAH");
}

/* The user may ask for the fault before a write needs it, and hears the same. */
static void prefetch(void)
{
	struct tphbuf_tag first = tag_ext(0x0091, 1), second = tag_ext(0x0092, 2);
	struct ibv_sge sge = { .length = PAGE };
	struct setup s;

	setup(&s, &first);
	sge.lkey = s.region.lkey;
	revoke_and_end(&s);
	expect_int(ibv_advise_mr(s.nic.rdma.pd, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE,
				 IBV_ADVISE_MR_FLAG_FLUSH, &sge, 1),
		   0, "prefetch with the same tag");
	publish(&s, &second);
	revoke_and_end(&s);
	expect_int(ibv_advise_mr(s.nic.rdma.pd, IBV_ADVISE_MR_ADVICE_PREFETCH_WRITE,
				 IBV_ADVISE_MR_FLAG_FLUSH, &sge, 1),
		   EFAULT, "prefetch with another tag");
}

static const struct test_case cases[] = {
	{ "same_tag", same_tag },
	{ "changed_tag", changed_tag },
	{ "shared_entry", shared_entry },
	{ "tag_of_another_entry", tag_of_another_entry },
	{ "no_table", no_table },
	{ "changed_hint", changed_hint },
	{ "withdrawn_tag", withdrawn_tag },
	{ "set_then_reset", set_then_reset },
	{ "set_while_revoked", set_while_revoked },
	{ "other_namespace", other_namespace },
	{ "dmah", dmah },
	{ "prefetch", prefetch },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
