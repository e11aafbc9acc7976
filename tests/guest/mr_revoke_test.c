// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory regions across revocations. The driver maps again in a page fault and
 * asks again for the hints; it cannot change those of a memory key, so a write
 * fails when the answer is not what it was. acc0 completes extended tags, nic0
 * sends them.
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
static void setup(struct setup *s, const struct tphbuf_tag *tag)
{
	*s = (struct setup){ .acc = acc_open("acc0"), .nic = nic_open("nic0") };
	s->fd = acc_export(&s->acc, 0, BUFFER_SIZE, tag);
	s->region = nic_register(&s->nic, s->fd, BUFFER_SIZE);
	s->path = nic_path(&s->nic, &s->region, &s->acc, 0);
	expect_writes(&s->path, tag ? wire_ext(tag->st_ext, tag->ph) : wire_none(),
		      "before the revocation");
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
	wire_end(&s->acc, "nic0", &refused, &tagged);
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

/* A region starts with @first; @second is another answer, from which it does not recover. */
static void changed(const struct tphbuf_tag *first, const struct tphbuf_tag *second)
{
	struct wire_hint hint_1 = first ? wire_ext(first->st_ext, first->ph) : wire_none();
	struct wire_hint hint_2 = second ? wire_ext(second->st_ext, second->ph) : wire_none();
	struct nic_region again;
	struct wire_path path;
	struct setup s;

	setup(&s, first);
	publish(&s, second);
	expect_writes(&s.path, hint_1, "published, not invalidated");
	revoke_and_end(&s);
	expect_refused(&s, false, "another answer");
	revoke_and_end(&s);
	expect_refused(&s, false, "another answer, once more");

	again = nic_register(&s.nic, s.fd, BUFFER_SIZE);
	path = nic_path(&s.nic, &again, &s.acc, 0);
	expect_writes(&path, hint_2, "registered again");
	expect_refused(&s, false, "the old region beside it");

	publish(&s, first);
	expect_writes(&s.path, hint_1, "the old answer");
	expect_writes(&path, hint_2, "the new region keeps its mapping");
	revoke_and_end(&s);
	expect_writes(&s.path, hint_1, "the old answer, a new mapping");
	nic_deregister(&s.nic, &again);
	nic_deregister(&s.nic, &s.region);
	nic_close(&s.nic);
}

static void changed_tag(void)
{
	struct tphbuf_tag first = tag_ext(0x0021, 1), second = tag_ext(0x0022, 1);

	changed(&first, &second);
}

static void changed_hint(void)
{
	struct tphbuf_tag first = tag_ext(0x0031, 1), second = tag_ext(0x0031, 2);

	changed(&first, &second);
}

static void withdrawn_tag(void)
{
	struct tphbuf_tag first = tag_ext(0x0041, 1);

	changed(&first, NULL);
}

static void appeared_tag(void)
{
	struct tphbuf_tag second = tag_ext(0x0051, 1);

	changed(NULL, &second);
}

static void set_while_revoked(void)
{
	struct tphbuf_tag first = tag_ext(0x0061, 1), second = tag_ext(0x0062, 1);
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
	struct tphbuf_tag first = tag_ext(0x0081, 1), second = tag_ext(0x0082, 1);
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
	struct tphbuf_tag first = tag_ext(0x0091, 1), second = tag_ext(0x0092, 1);
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
	{ "changed_hint", changed_hint },
	{ "withdrawn_tag", withdrawn_tag },
	{ "appeared_tag", appeared_tag },
	{ "set_while_revoked", set_while_revoked },
	{ "other_namespace", other_namespace },
	{ "dmah", dmah },
	{ "prefetch", prefetch },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
