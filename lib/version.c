// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The version of the library that runs. */
#include <tphbuf/version.h>

#define STRING(x)		#x
#define DOTTED(a, b, c)		STRING(a) "." STRING(b) "." STRING(c)

const char *tphbuf_version(void)
{
	return DOTTED(TPHBUF_VERSION_MAJOR, TPHBUF_VERSION_MINOR, TPHBUF_VERSION_PATCH);
}
