/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_OPTIONS_H
#define TPB_OPTIONS_H

#include <tphbuf/options.h>

/* -EINVAL for bits that are not in @allowed or a reserved field that is not zero. */
int tpb_options_check(const struct tphbuf_options *options, uint32_t allowed);

/* Each NULL for none. */
const char *tpb_options_sysroot(const struct tphbuf_options *options);
const char *tpb_options_vf_token(const struct tphbuf_options *options);

#endif
