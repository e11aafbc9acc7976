// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revocation with copies under way, from many threads and from processes that
 * are killed: a copy ends well or with -ENODEV, and nothing reaches a device
 * that was told to stop. acc0 completes extended tags and dma0 sends them; acc1
 * is another device.
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "guest.h"
#include "wire.h"
#include "workers.h"

#define BUFFER_SIZE	(64 * PAGE)
#define ROUNDS		24

static void pause_ms(long ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000 };

	nanosleep(&pause, NULL);
}

/* A revocation stops what is under way; other buffers go on. */
static void under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x0018, 2);
	struct accelerator acc = acc_open("acc0"), other = acc_open("acc1");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));
	struct workers w = {
		.engine = path.engine,
		.handle = path.handle,
		.length = BUFFER_SIZE,
		.allowed = -ENODEV,
	}, bystander = {
		.engine = path.engine,
		.handle = engine_import(path.engine, acc_export(&other, 0, PAGE, NULL)),
		.length = PAGE,
	};

	wire_begin(&acc);
	workers_start(&w, 6);
	workers_start(&bystander, 1);
	for (int i = 0; i < ROUNDS; i++) {
		workers_wait(&w.ok, 1, "copies before the revocation");
		acc_decode(&acc, false);
		workers_wait(&w.refused, 1, "copies to the revoked buffer");
		if (i % 4 == 0)
			workers_wait(&bystander.ok, 1, "copies to another buffer");
		acc_decode(&acc, true);
	}
	workers_stop(&w);
	workers_stop(&bystander);
	expect_int(wire_refused(&acc, "dma0"), 0, "TLPs that came too late");
	expect_writes(&path, wire_ext(0x0018, 2), "afterwards");
}

static void reset_under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x0019, 2);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));
	struct workers w = {
		.engine = path.engine,
		.handle = path.handle,
		.length = BUFFER_SIZE,
		.allowed = -ENODEV,
	};

	wire_begin(&acc);
	workers_start(&w, 4);
	for (int i = 0; i < ROUNDS / 4; i++) {
		workers_wait(&w.ok, 2, "copies between resets");
		acc_reset(&acc);
	}
	workers_stop(&w);
	expect_int(wire_refused(&acc, "dma0"), 0, "TLPs that came too late");
	expect_writes(&path, wire_ext(0x0019, 2), "afterwards");
}

static void set_under_way(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, NULL), i;
	struct wire_path path = wire_path(&acc, "dma0", fd);
	struct workers w = {
		.engine = path.engine,
		.handle = path.handle,
		.length = PAGE,
		.allowed = -ENODEV,
	};
	struct accelerator_counters c;

	/*
	 * The number of untagged and tagged writes is known by nobody, but no
	 * other tag may show.
	 */
	require_error(accelerator_write32(&acc, ACC_REG_CONTROL, ACC_CONTROL_CLEAR), 0,
		      "clear the counters");
	workers_start(&w, 4);
	for (i = 0; i < ROUNDS; i++) {
		struct tphbuf_tag tag = tag_ext(i % 2 ? 0x0021 : 0x0022, i % 2);

		acc_set_tag(&acc, fd, &tag);
		acc_decode(&acc, false);
		acc_decode(&acc, true);
		workers_wait(&w.ok, 1, "copies");
	}
	workers_stop(&w);
	if (domain_is_translated())
		return;
	c = acc_count(&acc, true, 0x0021);
	i = c.with_tag;
	expect_true(c.with_tag > 0, "writes with the one tag");
	c = acc_count(&acc, true, 0x0022);
	expect_true(c.with_tag > 0, "writes with the other");
	expect_int(i + c.with_tag, c.tagged_ext, "writes with either");
	expect_int(c.malformed, 0, "writes refused");
}

static void device_closed_under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x001b, 1);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));
	struct workers w = {
		.engine = path.engine,
		.handle = path.handle,
		.length = BUFFER_SIZE,
		.allowed = -ENODEV,
	};

	workers_start(&w, 4);
	workers_wait(&w.ok, 2, "copies while the device is open");
	accelerator_close(&acc);
	workers_wait(&w.refused, 4, "copies after it was closed");
	workers_stop(&w);
}

static void send_fd(int sock, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	require_int(sendmsg(sock, &msg, 0), 1, "pass an fd on");
}

static int receive_fd(int sock)
{
	char space[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	int fd;

	require_int(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC), 1, "receive an fd");
	require_true(CMSG_FIRSTHDR(&msg), "it came with the message");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* The owner is another process, and is killed while its buffer is in use. */
static void owner_killed(void)
{
	struct tphbuf_tag tag = tag_ext(0x001c, 1);
	struct accelerator acc;
	int sock[2], engine, fd, status;
	struct workers w;
	pid_t pid;

	require_true(!socketpair(AF_UNIX, SOCK_STREAM, 0, sock), "make a pair of sockets");
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		acc = acc_open("acc0");
		send_fd(sock[1], acc_export(&acc, 0, BUFFER_SIZE, &tag));
		pause();
		_exit(0);
	}
	fd = receive_fd(sock[0]);
	engine = engine_open("dma0");
	w = (struct workers){
		.engine = engine,
		.handle = engine_import(engine, fd),
		.length = BUFFER_SIZE,
		.allowed = -ENODEV,
	};
	workers_start(&w, 4);
	workers_wait(&w.ok, 4, "copies while the owner lives");
	expect_int(atomic_load(&w.refused), 0, "copies that were refused while the owner lives");
	kill(pid, SIGKILL);
	require_true(waitpid(pid, &status, 0) == pid, "the owner is dead");
	workers_wait(&w.refused, 4, "copies afterwards");
	workers_stop(&w);

	acc = acc_open("acc0");
	fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	{
		struct wire_path path = wire_path(&acc, "dma0", fd);

		expect_writes(&path, wire_ext(0x001c, 1), "the next owner");
	}
}

/*
 * The importer's process is killed in a copy: neither the engine nor the owner
 * is held up.
 */
static void importer_killed(void)
{
	struct tphbuf_tag tag = tag_ext(0x001d, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag), status;
	struct wire_path path;

	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		require_true(pid >= 0, "fork");
		if (!pid) {
			struct workers w = { .engine = engine_open("dma0"), .length = BUFFER_SIZE };

			w.handle = engine_import(w.engine, fd);
			workers_start(&w, 4);
			pause();
		}
		pause_ms(100);
		kill(pid, SIGKILL);
		require_true(waitpid(pid, &status, 0) == pid, "the importer's process is dead");
		expect_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "by our hand");
	}
	path = wire_path(&acc, "dma0", fd);
	expect_writes(&path, wire_ext(0x001d, 1), "the next importer");
	acc_decode(&acc, false);
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x001d, 1), "after a revocation");
}

static const struct test_case cases[] = {
	{ "under_way", under_way },
	{ "reset_under_way", reset_under_way },
	{ "set_under_way", set_under_way },
	{ "device_closed_under_way", device_closed_under_way },
	{ "owner_killed", owner_killed },
	{ "importer_killed", importer_killed },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
