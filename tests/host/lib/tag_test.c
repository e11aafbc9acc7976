// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: numbers enter a tag whole or not at all. */
#include <errno.h>

#include <tphbuf/tag.h>

#include "tap.h"
#include "tag.h"

static void st_ranges(void)
{
	struct tphbuf_tag tag = { 0 };

	is_int(tphbuf_tag_set_st(&tag, 0x100), -ERANGE, "ST 0x100 does not fit");
	is_int(tag.valid, 0, "nothing became valid");
	is_int(tphbuf_tag_set_st(&tag, 0xff), 0, "ST 0xff fits");
	is_hex(tag.st, 0xff, "ST is stored");
	is_int(tag.valid, TPHBUF_TAG_ST, "only the 8-bit namespace is valid");
	is_int(tphbuf_tag_set_st(&tag, UINT64_C(0x100000012)), -ERANGE,
	       "ST with low bits that would fit is refused");
	is_hex(tag.st, 0xff, "the old ST stays");
	is_int(tphbuf_tag_set_st(&tag, 0), 0, "zero is a legal ST");
	is_int(tag.valid, TPHBUF_TAG_ST, "and valid");
}

static void st_ext_ranges(void)
{
	struct tphbuf_tag tag = { 0 };

	is_int(tphbuf_tag_set_st_ext(&tag, 0x10000), -ERANGE, "Extended ST 0x10000 does not fit");
	is_int(tag.valid, 0, "nothing became valid");
	is_int(tphbuf_tag_set_st_ext(&tag, 0xffff), 0, "Extended ST 0xffff fits");
	is_hex(tag.st_ext, 0xffff, "Extended ST is stored");
	is_int(tag.valid, TPHBUF_TAG_ST_EXT, "only the 16-bit namespace is valid");
	is_int(tphbuf_tag_set_st_ext(&tag, 0x12), 0, "a small Extended ST is one too");
	is_hex(tag.st, 0, "and does not reach the 8-bit ST");
}

static void ph_ranges(void)
{
	struct tphbuf_tag tag = { 0 };

	is_int(tphbuf_tag_set_ph(&tag, 4), -ERANGE, "PH 4 does not fit");
	is_int(tphbuf_tag_set_ph(&tag, 3), 0, "PH 3 fits");
	is_int(tag.ph, TPHBUF_PH_TARGET_PRIORITY, "PH is stored");
	is_int(tag.valid, 0, "PH alone makes no namespace valid");
}

static void checks(void)
{
	struct tphbuf_tag tag = { .valid = TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT, .ph = 3 };

	is_int(tpb_tag_check(&tag), 0, "both namespaces and PH 3 pass");
	tag.ph = 4;
	is_int(tpb_tag_check(&tag), -EINVAL, "PH 4 does not");
	tag.ph = 0;
	tag.valid = 0;
	is_int(tpb_tag_check(&tag), -EINVAL, "no namespace does not");
	tag.valid = TPHBUF_TAG_ST | 1u << 2;
	is_int(tpb_tag_check(&tag), -EINVAL, "an unknown bit does not");
}

int main(void)
{
	st_ranges();
	st_ext_ranges();
	ph_ranges();
	checks();
	return done_testing();
}
