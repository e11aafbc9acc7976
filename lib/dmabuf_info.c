// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What the kernel reports of a dma-buf to whoever has it. */
#include <stdio.h>
#include <string.h>

#include <tphbuf/dmabuf.h>
#include <tphbuf/mmap.h>

#include "sysfs.h"

/* Value of a line "key:<tab>value" of a file in /proc; "" when it has none. */
static void find_value(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);
	const char *line = text;

	value[0] = '\0';
	while (line && (strncmp(line, key, length) || line[length] != ':')) {
		line = strchr(line, '\n');
		line += !!line;
	}
	if (!line)
		return;
	line += length + 1;
	line += strspn(line, " \t");
	snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
}

int tphbuf_dmabuf_info(int dmabuf_fd, struct tphbuf_dmabuf_info *info)
{
	char text[1024];
	struct tpb_path path;
	uint64_t size;
	int ret;

	ret = tphbuf_dmabuf_size(dmabuf_fd, &size);
	if (ret)
		return ret;
	*info = (struct tphbuf_dmabuf_info) { .size = size };
	/* The rest is told as far as it can be found. */
	if (tpb_path(&path, NULL, "/proc/self/fdinfo/%d", dmabuf_fd) ||
	    tpb_sysfs_read_text(&path, text, sizeof(text)) < 0)
		return 0;
	find_value(text, "exp_name", info->exporter, sizeof(info->exporter));
	find_value(text, "name", info->name, sizeof(info->name));
	return 0;
}
