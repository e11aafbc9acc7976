// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program of somebody who has the installed headers and library, in C and in
 * C++. Prints the version; fails when something is not as the headers say.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include <tphbuf/tphbuf.h>

int main(void)
{
	struct tphbuf_probe *probes;
	struct tphbuf_tag tag = { 0, 0, 0, 0 };
	size_t count;
	void *addr;

	if (tphbuf_tag_set_st(&tag, 0x12) || tag.valid != TPHBUF_TAG_ST)
		return 1;
	if (tphbuf_mmap(-1, 0, 1, PROT_READ, &addr) != -EBADF)
		return 2;
	if (tphbuf_probe_all(NULL, &probes, &count))
		return 3;
	tphbuf_probe_free(probes);
	puts(tphbuf_version());
	return 0;
}
