// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revocation against threads that read, write, map, unmap and fork, without and
 * with promotions of other pages to write-combining in between. An access
 * succeeds or is SIGBUS, nothing else, and none succeeds between revocation and
 * restoration.
 *
 * TPHBUF_ROUNDS: revocations a case, 200 if it is not set.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"

#define ROUNDS		200
#define LENGTH		(4 * MIB)
#define STRIDE		(64 * 1024 + PAGE)
/* Each maps all pieces of the BAR anew, which takes the debug kernel seconds when they are many. */
#define PROMOTIONS	64

static struct bar_memory mem;
static int dmabuf;
static volatile uint8_t *map;
static atomic_bool stop;
static atomic_ulong good, bus;

/*
 * Even while memory is decoded, odd from before the revocation is asked for
 * until after it is lifted; @revoked while the revocation is known to be
 * complete.
 */
static atomic_ulong phase;
static atomic_bool revoked;

/* One access; @result is what touch_*() returned. */
static void judge(int result, unsigned long phase_before, bool revoked_before, const char *what)
{
	if (result == SIGBUS) {
		atomic_fetch_add(&bus, 1);
		expect_true((phase_before & 1) || atomic_load(&phase) != phase_before,
			    "%s: SIGBUS while nothing is revoked", what);
		return;
	}
	expect_int(result, 0, "%s: signal", what);
	atomic_fetch_add(&good, 1);
	expect_true(!revoked_before || !atomic_load(&revoked) ||
			    atomic_load(&phase) != phase_before,
		    "%s: success while revoked", what);
}

static void access_once(volatile uint8_t *base, uint64_t offset, bool write, const char *what)
{
	unsigned long before = atomic_load(&phase);
	bool was_revoked = atomic_load(&revoked);
	uint32_t value;
	int result;

	result = write ? touch_write(base + offset, (uint32_t)offset)
		       : touch_read(base + offset, &value);
	judge(result, before, was_revoked, what);
}

static void *read_thread(void *arg)
{
	uint64_t at = (uintptr_t)arg;

	for (; !atomic_load(&stop); at = (at + STRIDE) % LENGTH)
		access_once(map, at & ~3ul, false, "read");
	return NULL;
}

static void *write_thread(void *arg)
{
	uint64_t at = (uintptr_t)arg;

	for (; !atomic_load(&stop); at = (at + STRIDE) % LENGTH)
		access_once(map, at & ~3ul, true, "write");
	return NULL;
}

static void *map_thread(void *arg)
{
	uint64_t at = (uintptr_t)arg;

	for (; !atomic_load(&stop); at = (at + STRIDE) % LENGTH) {
		volatile uint8_t *mine =
			mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);

		require_true(mine != MAP_FAILED, "map: errno %d", errno);
		access_once(mine, at & ~3ul, false, "read a new mapping");
		require_true(!munmap((void *)(mine + LENGTH / 4), LENGTH / 4), "unmap a part");
		access_once(mine, LENGTH / 2 + at / 4, true, "write behind a hole");
		require_true(!munmap((void *)mine, LENGTH), "unmap");
	}
	return NULL;
}

static void *fork_thread(void *arg)
{
	uint64_t at = (uintptr_t)arg;

	for (; !atomic_load(&stop); at = (at + STRIDE) % LENGTH) {
		pid_t pid = fork();
		int status;

		require_true(pid >= 0, "fork: errno %d", errno);
		if (!pid) {
			int result = touch_write(map + (at & ~3ul), 1);

			_exit(result == 0 ? 0 : result == SIGBUS ? 1 : 2);
		}
		require_true(waitpid(pid, &status, 0) == pid, "wait");
		expect_true(WIFEXITED(status) && WEXITSTATUS(status) < 2, "the child: status 0x%x",
			    status);
	}
	return NULL;
}

/* read() and write() on the device file fail while memory is not decoded. */
static void *file_thread(void *arg)
{
	uint64_t at = (uintptr_t)arg;
	uint8_t bytes[512];

	for (; !atomic_load(&stop); at = (at + STRIDE) % LENGTH) {
		int ret = tphbuf_device_bar_read(mem.dev, MEMORY_BAR, at & ~7ul, bytes,
						 sizeof(bytes));

		expect_true(!ret || ret == -EIO, "read the file: %d", ret);
		ret = tphbuf_device_bar_write(mem.dev, MEMORY_BAR, at & ~7ul, bytes, 64);
		expect_true(!ret || ret == -EIO, "write the file: %d", ret);
	}
	return NULL;
}

static unsigned int round_count(void)
{
	const char *text = getenv("TPHBUF_ROUNDS");

	return text ? (unsigned int)atoi(text) : ROUNDS;
}

/* Threads inherit it: who revokes does not queue behind eight busy ones for each of its steps. */
static void start_threads(pthread_t threads[8])
{
	static void *(*const runs[])(void *) = {
		read_thread, read_thread, write_thread, write_thread,
		map_thread, map_thread, fork_thread, file_thread,
	};
	uintptr_t i;

	require_true(!setpriority(PRIO_PROCESS, 0, 19), "lower the priority");
	for (i = 0; i < 8; i++)
		require_true(!pthread_create(&threads[i], NULL, runs[i], (void *)(i * 12345 * 4)),
			     "thread");
	require_true(!setpriority(PRIO_PROCESS, 0, -20), "raise the priority");
}

/*
 * A page behind what the threads map, so that each promotion changes how the
 * kernel maps the BAR. What they map cannot be promoted.
 */
static void promote_page(unsigned int page)
{
	int fd = memory_export(&mem, LENGTH + page * PAGE, PAGE);
	int mapped = memory_export(&mem, page * PAGE, PAGE);

	expect_error(wc_set(&mem, fd), 0, "SET for page %u", page);
	expect_error(wc_set(&mem, mapped), -EBUSY, "SET for page %u of what is mapped", page);
	close(fd);
	close(mapped);
}

static void run_rounds(unsigned int rounds, bool promote)
{
	volatile uint8_t *file_map;
	pthread_t threads[8];

	/* The limit of a case is too short for many rounds; the suite has one of its own. */
	alarm(0);
	mem = memory_open("acc0");
	dmabuf = memory_export(&mem, 0, LENGTH);
	map = map_shared(dmabuf, 0, LENGTH);
	file_map = map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, LENGTH);
	start_threads(threads);
	for (unsigned int i = 0; i < rounds; i++) {
		atomic_fetch_add(&phase, 1);
		memory_revoke(&mem);
		expect_int(touch_write(file_map, i), SIGBUS, "the device file, revoked");
		atomic_store(&revoked, true);
		sched_yield();
		atomic_store(&revoked, false);
		memory_restore(&mem);
		atomic_fetch_add(&phase, 1);
		expect_int(touch_write(file_map, i), 0, "the device file, restored");
		if (promote && i % 8 == 7 && i / 8 < PROMOTIONS)
			promote_page(i / 8 * 4);
		else
			usleep(500);
	}
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	diag("%u rounds: %lu accesses, %lu SIGBUS", rounds, atomic_load(&good), atomic_load(&bus));
	expect_true(atomic_load(&good) > rounds && atomic_load(&bus) > 0, "both have happened");
}

static void revocation(void)
{
	run_rounds(round_count(), false);
	expect_true(page_entries(map, LENGTH).type == TYPE_UC_MINUS, "uncached in the end: %s",
		    memory_type_name(page_entries(map, LENGTH).type));
}

static void revoke_and_promote(void)
{
	uint32_t value;

	run_rounds(round_count(), true);
	expect_true(page_entries(map, LENGTH).type == TYPE_UC_MINUS, "what was mapped: %s",
		    memory_type_name(page_entries(map, LENGTH).type));
	for (unsigned int page = 0; page < 8; page++) {
		int fd = memory_export(&mem, LENGTH + page * PAGE, PAGE);
		volatile uint8_t *at = map_shared(fd, 0, PAGE);
		enum memory_type want = page % 4 ? TYPE_UC_MINUS : TYPE_WC;

		require_true(!touch_read(at, &value), "read page %u", page);
		expect_true(page_entries(at, PAGE).type == want, "page %u: %s", page,
			    memory_type_name(page_entries(at, PAGE).type));
	}
}

static const struct test_case cases[] = {
	{ "revoke", revocation },
	{ "revoke_and_promote", revoke_and_promote },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
