// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two parts of a BAR with a Steering Tag each: a tag belongs to a dma-buf, so
 * there are two. A command runs for one after the other, while both are there.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#define PART	(64 << 10)

static const struct {
	struct tphbuf_range range;
	struct tphbuf_tag tag;
} parts[] = {
	{ { 0, PART }, { TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT, 0x0021, 0x01, TPHBUF_PH_TARGET } },
	{ { PART, PART }, { TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT, 0x0022, 0x02,
			    TPHBUF_PH_REQUESTER } },
};

__attribute__((noreturn)) static void fail(enum tphbuf_reason reason, struct tphbuf_probe *why,
					   struct tphbuf_device *dev)
{
	char line[400];

	tphbuf_device_restore_driver(dev);
	tphbuf_reason_text(reason, why, line, sizeof(line));
	errx(1, "%s", line);
}

static int run(int dmabuf, char **command)
{
	char number[16];
	pid_t child;
	int status;

	child = fork();
	if (!child) {
		snprintf(number, sizeof(number), "%d", dmabuf);
		setenv("TPHBUF_FD", number, 1);
		snprintf(number, sizeof(number), "%d", PART);
		setenv("TPHBUF_SIZE", number, 1);
		fcntl(dmabuf, F_SETFD, 0);
		execvp(command[0], command);
		err(1, "%s", command[0]);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	struct tphbuf_probe why = { .reason = TPHBUF_REASON_SYSTEM };
	struct tphbuf_device *dev;
	int dmabufs[2], status = 0;

	if (argc < 4)
		errx(1, "usage: two_tags DEVICE BAR COMMAND...");
	if (tphbuf_device_open(argv[1], &options, &dev, &why))
		fail(why.reason, &why, NULL);
	if (tphbuf_device_enable_memory(dev))
		fail(TPHBUF_REASON_REVOKED, &why, dev);
	for (int i = 0; i < 2; i++) {
		dmabufs[i] = tphbuf_export(dev, atoi(argv[2]), &parts[i].range, 1, &parts[i].tag, 0,
					   &why);
		if (dmabufs[i] < 0)
			fail(why.reason, &why, dev);
	}
	for (int i = 0; i < 2 && !status; i++)
		status = run(dmabufs[i], argv + 3);
	close(dmabufs[0]);
	close(dmabufs[1]);
	tphbuf_device_restore_driver(dev);
	return status;
}
