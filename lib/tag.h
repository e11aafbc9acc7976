/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_TAG_H
#define TPB_TAG_H

#include <tphbuf/tag.h>

/* -EINVAL for a tag that names no namespace or one that does not exist, or a bad hint. */
int tpb_tag_check(const struct tphbuf_tag *tag);

#endif
