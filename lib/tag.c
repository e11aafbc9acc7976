// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Putting numbers from outside into a tag. */
#include <errno.h>

#include "tag.h"

int tphbuf_tag_set_st(struct tphbuf_tag *tag, uint64_t st)
{
	if (st > UINT8_MAX)
		return -ERANGE;
	tag->st = st;
	tag->valid |= TPHBUF_TAG_ST;
	return 0;
}

int tphbuf_tag_set_st_ext(struct tphbuf_tag *tag, uint64_t st_ext)
{
	if (st_ext > UINT16_MAX)
		return -ERANGE;
	tag->st_ext = st_ext;
	tag->valid |= TPHBUF_TAG_ST_EXT;
	return 0;
}

int tphbuf_tag_set_ph(struct tphbuf_tag *tag, uint64_t ph)
{
	if (ph > TPHBUF_PH_TARGET_PRIORITY)
		return -ERANGE;
	tag->ph = ph;
	return 0;
}

int tpb_tag_check(const struct tphbuf_tag *tag)
{
	if (!tag->valid || tag->valid & ~(TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT) ||
	    tag->ph > TPHBUF_PH_TARGET_PRIORITY)
		return -EINVAL;
	return 0;
}
