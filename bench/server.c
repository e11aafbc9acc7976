// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two builds of tphbuf-endpoints in turn: round trips of reads, and posted writes.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vfio_user/message.h"

#define ROUNDS		7
#define READS		4000
#define WRITES		64000
#define PER_SEND_MAX	64u
#define REGISTER	0x8	/* of BAR0 of the accelerator: reads and writes have no effect */

struct read_message {
	struct vfio_user_header header;
	struct vfio_user_region_access access;
} VFIO_USER_PACKED;

struct write_message {
	struct vfio_user_header header;
	struct vfio_user_region_access access;
	uint32_t value;
} VFIO_USER_PACKED;

/**
 * struct result - the best of all rounds
 * @read_us: median round trip of a read, in microseconds
 * @write_rate: posted writes per microsecond, by messages per send: 1, PER_SEND_MAX
 */
struct result {
	double read_us;
	double write_rate[2];
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void receive(int fd, void *buf, size_t size)
{
	if (recv(fd, buf, size, MSG_WAITALL) != (ssize_t)size)
		fail("receive");
}

static pid_t start(const char *program, const char *folder)
{
	int ends[2];
	char line[6];
	pid_t pid;

	if (pipe(ends))
		fail("pipe");
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execl(program, program, "--dir", folder, "--device", "accelerator,bdf=00:04.0",
		      "--device", "dma-engine,name=dma,bdf=00:05.0", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], line, sizeof(line)) != sizeof(line))
		fail(program);
	close(ends[0]);
	return pid;
}

static int attach(const char *folder)
{
	static const char version[] = "\0\0\0\0";
	struct vfio_user_header header = { .command = VFIO_USER_VERSION,
					   .size = sizeof(header) + 4 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char reply[4096];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/accelerator.sock", folder);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(address.sun_path);
	if (send(fd, &header, sizeof(header), 0) < 0 || send(fd, version, 4, 0) < 0)
		fail("VERSION");
	receive(fd, &header, sizeof(header));
	receive(fd, reply, header.size - sizeof(header));
	return fd;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void read_once(int fd)
{
	struct read_message message = {
		.header = { .command = VFIO_USER_REGION_READ, .size = sizeof(message) },
		.access = { .offset = REGISTER, .region = 0, .count = 4 },
	};
	char reply[sizeof(message) + 4];

	if (send(fd, &message, sizeof(message), 0) < 0)
		fail("read");
	receive(fd, reply, sizeof(reply));
}

static double time_reads(int fd)
{
	static double times[READS];

	for (unsigned int i = 0; i < READS; i++) {
		double begin = microseconds();

		read_once(fd);
		times[i] = microseconds() - begin;
	}
	qsort(times, READS, sizeof(times[0]), compare);
	return times[READS / 2];
}

/* The read behind them comes back when all writes are done. */
static double time_writes(int fd, unsigned int per_send)
{
	struct write_message messages[PER_SEND_MAX];
	double begin;

	for (unsigned int i = 0; i < per_send; i++)
		messages[i] = (struct write_message){
			.header = { .command = VFIO_USER_REGION_WRITE,
				    .size = sizeof(messages[i]),
				    .flags = VFIO_USER_FLAG_NO_REPLY },
			.access = { .offset = REGISTER, .region = 0, .count = 4 },
		};
	begin = microseconds();
	for (unsigned int i = 0; i < WRITES; i += per_send)
		if (send(fd, messages, per_send * sizeof(messages[0]), 0) < 0)
			fail("write");
	read_once(fd);
	return WRITES / (microseconds() - begin);
}

static void measure(const char *program, struct result *best)
{
	char folder[] = "/tmp/tphbuf-bench-XXXXXX", path[64];
	struct result now;
	pid_t pid;
	int fd;

	if (!mkdtemp(folder))
		fail(folder);
	pid = start(program, folder);
	fd = attach(folder);
	now.read_us = time_reads(fd);
	now.write_rate[0] = time_writes(fd, 1);
	now.write_rate[1] = time_writes(fd, PER_SEND_MAX);
	close(fd);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/accelerator.sock", folder);
	unlink(path);
	rmdir(folder);
	if (!best->read_us || now.read_us < best->read_us)
		best->read_us = now.read_us;
	for (unsigned int i = 0; i < 2; i++)
		if (now.write_rate[i] > best->write_rate[i])
			best->write_rate[i] = now.write_rate[i];
}

int main(int argc, char **argv)
{
	struct result results[2] = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: %s TPHBUF-ENDPOINTS TPHBUF-ENDPOINTS\n", argv[0]);
		return 2;
	}
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < 2; i++)
			measure(argv[1 + i], &results[i]);
	printf("4-byte read, median:       %8.2f us, %8.2f us, ratio %.2f\n", results[0].read_us,
	       results[1].read_us, results[1].read_us / results[0].read_us);
	for (unsigned int i = 0; i < 2; i++)
		printf("posted writes, %2u a send:  %8.2f/us, %8.2f/us, ratio %.2f\n",
		       i ? PER_SEND_MAX : 1, results[0].write_rate[i], results[1].write_rate[i],
		       results[1].write_rate[i] / results[0].write_rate[i]);
	return 0;
}
