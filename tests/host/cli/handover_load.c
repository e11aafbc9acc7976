// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of "tphbuf serve" that is many: handover_load SOCKET NAME CONNECTIONS
 * COUNTER KIND. COUNTER is a file of 8 bytes, which all processes share, with
 * the number of buffers that were received. KIND is
 *   get      receives the buffer through one connection after the other
 *   deaf     asks and does not receive
 *   rubbish  sends what is not a request, with files
 *   churn    connects and goes
 * Runs until it is killed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "handover.h"

#define MAX_CONNECTIONS	256

static const char *path, *name;
static unsigned int nr_connections;
static _Atomic uint64_t *counter;

static void get(void)
{
	struct tphbuf_connection *connections[MAX_CONNECTIONS];
	struct tphbuf_handover got;
	int ret;

	for (unsigned int i = 0; i < nr_connections; i++) {
		ret = tphbuf_connect(path, &connections[i]);
		if (ret)
			errx(1, "cannot connect: %s", strerror(-ret));
	}
	for (unsigned int i = 0; ; i = (i + 1) % nr_connections) {
		ret = tphbuf_connection_get(connections[i], name, 60000, &got);
		if (ret)
			errx(1, "cannot get: %s", strerror(-ret));
		close(got.dmabuf_fd);
		atomic_fetch_add(counter, 1);
	}
}

static int connect_raw(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "connect");
	return fd;
}

static void deaf(void)
{
	const struct tpb_handover request = tpb_handover_make(TPB_HANDOVER_GET, name);
	int fds[MAX_CONNECTIONS], sent = 1;

	for (unsigned int i = 0; i < nr_connections; i++)
		fds[i] = connect_raw();
	while (sent) {
		sent = 0;
		for (unsigned int i = 0; i < nr_connections; i++)
			sent += !tpb_handover_send(fds[i], &request, -1);
	}
	pause();
}

static void rubbish(void)
{
	const struct tpb_handover odd = { .magic = 1 };
	int fd;

	for (;;) {
		fd = connect_raw();
		tpb_handover_send(fd, &odd, STDIN_FILENO);
		close(fd);
		usleep(1000);
	}
}

static void churn(void)
{
	for (;;) {
		close(connect_raw());
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
		{ "get", get },
		{ "deaf", deaf },
		{ "rubbish", rubbish },
		{ "churn", churn },
	};
	int fd;

	if (argc != 6)
		errx(2, "want SOCKET NAME CONNECTIONS COUNTER KIND");
	path = argv[1];
	name = argv[2];
	nr_connections = (unsigned int)atoi(argv[3]);
	fd = open(argv[4], O_RDWR | O_CLOEXEC);
	counter = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || counter == MAP_FAILED || !nr_connections || nr_connections > MAX_CONNECTIONS)
		errx(2, "wrong arguments");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, argv[5]))
			kinds[i].run();
	errx(2, "no kind %s", argv[5]);
}
