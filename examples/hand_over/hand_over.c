// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes: the owner of a device offers a buffer on a socket, the other one
 * receives the buffer, writes to it, and learns that it is revoked.
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

/* The other process. It needs no permission for the device. */
static int use(const char *path)
{
	struct tphbuf_connection *connection;
	struct tphbuf_handover got;
	char name[TPHBUF_NAME_SIZE];
	void *map;

	if (tphbuf_connect(path, &connection) ||
	    tphbuf_connection_get(connection, "frames", 10000, &got) ||
	    tphbuf_mmap(got.dmabuf_fd, 0, got.size, PROT_READ | PROT_WRITE, &map))
		errx(1, "cannot get the buffer");
	((volatile uint32_t *)map)[0] = 0x12345678;
	printf("%llu bytes with the tag 0x%x, written\n", (unsigned long long)got.size,
	       got.tag.st);
	fflush(stdout);
	/* From here on access is SIGBUS: a program that goes on has a handler for it. */
	if (tphbuf_connection_wait(connection, 10000, name))
		errx(1, "nobody says that it is revoked");
	printf("%s is revoked\n", name);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	struct tphbuf_range range = { .length = 1 << 16 };
	struct tphbuf_offer offer = {
		.name = "frames",
		.tag = { .valid = TPHBUF_TAG_ST, .st = 0x12 },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct tphbuf_server *server;
	struct tphbuf_device *dev;
	struct tphbuf_probe why;
	uint32_t value = 0;
	char line[400];
	pid_t ended = 0;
	int fd, status;

	if (argc != 4)
		errx(1, "usage: hand_over DEVICE BAR SOCKET");
	if (tphbuf_device_open(argv[1], &options, &dev, &why)) {
		tphbuf_reason_text(why.reason, &why, line, sizeof(line));
		errx(1, "%s", line);
	}
	tphbuf_device_enable_memory(dev);
	offer.dmabuf_fd = tphbuf_export(dev, atoi(argv[2]), &range, 1, &offer.tag, 0, NULL);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[3]);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (offer.dmabuf_fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 8) || tphbuf_server_create(fd, NULL, &server) ||
	    tphbuf_server_offer(server, &offer))
		errx(1, "cannot offer the buffer");
	if (!fork())
		_exit(use(argv[3]));
	/* Your event loop. The other process may fail as well. */
	while (value != 0x12345678 && !ended) {
		poll(&(struct pollfd) { .fd = tphbuf_server_fd(server), .events = POLLIN }, 1, 10);
		tphbuf_server_dispatch(server);
		tphbuf_device_bar_read(dev, atoi(argv[2]), 0, &value, sizeof(value));
		ended = waitpid(-1, &status, WNOHANG);
	}
	tphbuf_revoke(dev, offer.dmabuf_fd, NULL);
	tphbuf_server_withdraw(server, "frames");
	while (!ended) {
		poll(&(struct pollfd) { .fd = tphbuf_server_fd(server), .events = POLLIN }, 1, 10);
		tphbuf_server_dispatch(server);
		ended = waitpid(-1, &status, WNOHANG);
	}
	tphbuf_server_close(server);
	unlink(argv[3]);
	tphbuf_device_restore_driver(dev);
	return status ? 1 : 0;
}
