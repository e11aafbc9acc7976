// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The options that calls take: what is allowed in them, and what is left out. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "options.h"

int tpb_options_check(const struct tphbuf_options *options, uint32_t allowed)
{
	static const uint32_t zero[sizeof(options->reserved) / sizeof(options->reserved[0])];

	if (options && (options->flags & ~allowed ||
			memcmp(options->reserved, zero, sizeof(zero))))
		return -EINVAL;
	return 0;
}

const char *tpb_options_sysroot(const struct tphbuf_options *options)
{
	return options && options->sysroot && options->sysroot[0] ? options->sysroot : NULL;
}

const char *tpb_options_vf_token(const struct tphbuf_options *options)
{
	return options && options->vf_token && options->vf_token[0] ? options->vf_token : NULL;
}
