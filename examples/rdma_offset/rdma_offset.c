// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An RDMA write to bytes of a buffer that begin and end within a page: the region
 * begins where the bytes do, and the tag goes with all of them.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "dmabuf_mr.h"
#include "loopback.h"

static int export_memory(const char *name, int bar, struct tphbuf_device **dev)
{
	const struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	const struct tphbuf_range range = { .length = 1 << 20 };
	const struct tphbuf_tag tag = { .valid = TPHBUF_TAG_ST_EXT, .st_ext = 0x0021, .ph = 0 };
	struct tphbuf_probe why = { .reason = TPHBUF_REASON_SYSTEM };
	char line[400];
	int ret;

	ret = tphbuf_device_open(name, &options, dev, &why);
	if (!ret)
		ret = tphbuf_device_enable_memory(*dev);
	if (!ret)
		ret = tphbuf_export(*dev, bar, &range, 1, &tag, 0, &why);
	if (ret < 0) {
		tphbuf_reason_text(why.reason, &why, line, sizeof(line));
		errx(1, "%s", line);
	}
	return ret;
}

/* Writes the text behind the region's first address. */
static int write_text(struct loopback *loop, struct ibv_mr *to, uint64_t address, char *text,
		      size_t length)
{
	/* loopback_write() takes one offset for both sides. */
	struct ibv_mr *from = ibv_reg_mr(loop->pd, text, address + length, 0);
	int status = from ? loopback_write(loop, from, to, address, length) : -1;

	if (from)
		ibv_dereg_mr(from);
	return status;
}

int main(int argc, char **argv)
{
	static char text[8192];
	struct tphbuf_device *dev;
	struct loopback loop;
	struct ibv_mr *mr;
	uint64_t offset, address;
	char why[400];
	const char *what;
	size_t length;
	int dmabuf, status = 1;

	if (argc != 6 || strlen(argv[5]) > sizeof(text) / 2)
		errx(1, "usage: rdma_offset DEVICE BAR NIC OFFSET TEXT");
	offset = strtoull(argv[4], NULL, 0);
	length = strlen(argv[5]);
	address = offset % (uint64_t)sysconf(_SC_PAGESIZE);
	memcpy(text + address, argv[5], length);
	dmabuf = export_memory(argv[1], atoi(argv[2]), &dev);
	if (loopback_open(&loop, argv[3], &what)) {
		warn("%s: cannot %s", argv[3], what);
	} else {
		mr = dmabuf_mr_register(loop.pd, dmabuf, offset, length, IBV_ACCESS_LOCAL_WRITE |
					IBV_ACCESS_REMOTE_WRITE, why, sizeof(why));
		if (!mr)
			warnx("%s", why);
		else
			status = write_text(&loop, mr, address, text, length);
		if (mr && status)
			warnx("the write ended with status %d", status);
		if (!status)
			printf("%zu bytes written to offset %llu\n", length,
			       (unsigned long long)offset);
		if (mr)
			ibv_dereg_mr(mr);
	}
	loopback_close(&loop);
	close(dmabuf);
	tphbuf_device_restore_driver(dev);
	return status ? 1 : 0;
}
