// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dma-buf that is held by nothing but a descriptor opened with O_PATH: it has
 * no file any more, and the memory of the file may be another one by now. acc0
 * has at least 1 MiB behind BAR2.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"

#define LENGTH	(64 * PAGE)
/* Enough that one of them gets the memory of the file that was freed. */
#define FILES	512
#define UNBIND_MS	5000

static int open_path(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	require_true(again >= 0, "open %s: %m", path);
	return again;
}

/* A dma-buf without a file; returns the descriptor that holds it. */
static int export_without_file(struct bar_memory *mem)
{
	int fd = memory_export(mem, 0, LENGTH), held = open_path(fd, O_PATH);

	close(fd);
	return held;
}

/* A process with written private pages of a file, which nobody but itself can take away. */
struct bystander {
	pid_t pid;
	int ask;
	int answer;
};

static struct bystander bystander_start(int file)
{
	struct bystander other;
	int ask[2], answer[2];
	char byte = 0;

	require_true(!pipe(ask) && !pipe(answer), "pipes");
	other = (struct bystander){ .pid = fork(), .ask = ask[1], .answer = answer[0] };
	require_true(other.pid >= 0, "fork");
	if (!other.pid) {
		char *map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

		require_true(map != MAP_FAILED, "map the file: %m");
		memset(map, 'p', LENGTH);
		require_true(write(answer[1], map, 1) == 1 && read(ask[0], &byte, 1) == 1, "talk");
		require_true(write(answer[1], map, 1) == 1, "answer");
		_exit(0);
	}
	require_true(read(other.answer, &byte, 1) == 1, "the other process is ready");
	return other;
}

static char bystander_first_byte(struct bystander *other)
{
	char byte = 0;
	int status;

	require_true(write(other->ask, &byte, 1) == 1 && read(other->answer, &byte, 1) == 1,
		     "talk");
	require_true(waitpid(other->pid, &status, 0) == other->pid && !status, "it ends well");
	return byte;
}

static int bystander_file(void)
{
	char page[PAGE];
	int file = memfd_create("bystander", MFD_CLOEXEC);

	require_true(file >= 0, "memfd_create: %m");
	memset(page, 'f', sizeof(page));
	for (int i = 0; i < (int)(LENGTH / PAGE); i++)
		require_true(write(file, page, sizeof(page)) == sizeof(page), "fill the file");
	return file;
}

static void other_files_are_left_alone(void)
{
	struct bar_memory mem = memory_open("acc0");
	int file = bystander_file(), held;
	struct bystander other = bystander_start(file);

	held = export_without_file(&mem);
	for (int i = 0; i < FILES; i++)
		open_path(file, O_RDONLY);
	memory_revoke(&mem);
	memory_restore(&mem);
	expect_int(bystander_first_byte(&other), 'p', "the private page of another process");
	close(held);
	must_write(map_shared(memory_export(&mem, 0, PAGE), 0, PAGE), 1,
		   "a dma-buf that is exported then");
}

/* The list of the device is as it should be, whatever way its dma-bufs go. */
static void many_come_and_go(void)
{
	struct bar_memory mem = memory_open("acc0");
	int held[16], whole[16];

	for (int i = 0; i < 16; i++) {
		held[i] = export_without_file(&mem);
		whole[i] = memory_export(&mem, 0, LENGTH);
	}
	memory_revoke(&mem);
	for (int i = 0; i < 16; i += 2) {
		close(held[i]);
		close(whole[i + 1]);
	}
	memory_restore(&mem);
	memory_revoke(&mem);
	for (int i = 0; i < 16; i += 2)
		must_bus(map_shared(whole[i], 0, PAGE), "revoked");
	memory_restore(&mem);
	for (int i = 0; i < 16; i += 2) {
		must_write(map_shared(whole[i], 0, PAGE), 1, "restored");
		close(held[i + 1]);
		close(whole[i]);
	}
	memory_revoke(&mem);
	memory_restore(&mem);
}

/* In a process of its own: a driver that waits for the holder would do so for ever. */
static void unbound_while(bool without_file)
{
	struct bar_memory mem = memory_open("acc0");
	int held = without_file ? export_without_file(&mem) : memory_export(&mem, 0, LENGTH);
	pid_t pid, ended = 0;
	int status = 0;
	unsigned int ms;

	tphbuf_device_close(mem.dev);
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		close(held);
		devices_unbind();
		_exit(0);
	}
	for (ms = 0; ms < limit(UNBIND_MS) && !ended; ms += 10) {
		usleep(10000);
		ended = waitpid(pid, &status, WNOHANG);
	}
	expect_int(ended, pid, "the driver is unbound while somebody holds a dma-buf");
	close(held);
	if (!ended)
		ended = waitpid(pid, &status, 0);
	expect_int(ended, pid, "the driver is unbound");
	mem = memory_open("acc0");
	must_write(map_shared(memory_export(&mem, 0, PAGE), 0, PAGE), 1, "the device, bound again");
}

static void unbound_while_a_file_is_held(void)
{
	unbound_while(false);
}

static void unbound_while_a_path_is_held(void)
{
	unbound_while(true);
}

/* Whoever comes first, the device that closes or the holder that lets go. */
static void close_and_release_at_once(void)
{
	for (int round = 0; round < 20; round++) {
		struct bar_memory mem = memory_open("acc0");
		int held[8], status;
		pid_t pid;

		for (int i = 0; i < 8; i++)
			held[i] = export_without_file(&mem);
		pid = fork();
		require_true(pid >= 0, "fork");
		if (!pid) {
			for (int i = 0; i < 8; i++)
				close(held[i]);
			_exit(0);
		}
		for (int i = 0; i < 8; i++)
			close(held[i]);
		tphbuf_device_close(mem.dev);
		require_true(waitpid(pid, &status, 0) == pid, "the other process");
	}
}

static const struct test_case cases[] = {
	{ "other_files_are_left_alone", other_files_are_left_alone },
	{ "many_come_and_go", many_come_and_go },
	{ "unbound_while_a_file_is_held", unbound_while_a_file_is_held },
	{ "unbound_while_a_path_is_held", unbound_while_a_path_is_held },
	{ "close_and_release_at_once", close_and_release_at_once },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
