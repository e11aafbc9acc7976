// SPDX-License-Identifier: GPL-2.0-or-later
// Description: a C++ program links with the library and reaches its functions.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/mman.h>

#include <tphbuf/tphbuf.h>

int main()
{
	struct tphbuf_tag tag = {};
	char version[32];
	bool good;

	std::snprintf(version, sizeof(version), "%d.%d.%d", TPHBUF_VERSION_MAJOR,
		      TPHBUF_VERSION_MINOR, TPHBUF_VERSION_PATCH);
	good = !std::strcmp(version, tphbuf_version());
	std::printf("1..3\n%sok 1 - library and headers have one version\n", good ? "" : "not ");
	bool set = !tphbuf_tag_set_st(&tag, 1) && tag.st == 1 && tag.valid == TPHBUF_TAG_ST;
	std::printf("%sok 2 - a tag takes a number\n", set ? "" : "not ");
	void *addr = nullptr;
	bool refused = tphbuf_mmap(-1, 0, 0, PROT_READ, &addr) == -EINVAL && !addr;
	std::printf("%sok 3 - a mapping without a length is refused\n", refused ? "" : "not ");
	return !(good && set && refused);
}
