// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of write-combining pages: a page has one type in all of its mappings,
 * whatever file they are of. So SET is refused while a page is mapped, a mapping
 * has one type, and neither mprotect(), mremap() nor fork() changes it. acc0 has
 * at least 8 MiB behind BAR2. Where many pages are promoted one by one, it is in
 * acc1: KASAN allocates a shadow for all that ioremap() maps, and BAR2 of acc0 may
 * be large.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "memory_type.h"

#define HUGE_ENTRY (2 * MIB)
#define RACE_PAGES 64u
#define CHECK_EACH 500u
/* Pages that are promoted until one was caught. */
#define LATE_PAGES 50u

static void refused_while_mapped(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev), fd = memory_export(&mem, 4 * PAGE, 2 * PAGE);
	int overlap = memory_export(&mem, 0, 8 * PAGE);
	uint64_t at = mem.file_offset;
	struct {
		const char *what;
		int fd;
		uint64_t offset;
		uint64_t length;
	} maps[] = {
		{ "the buffer", fd, 0, 2 * PAGE },
		{ "its last page", fd, PAGE, PAGE },
		{ "a page of it, through another buffer", overlap, 5 * PAGE, PAGE },
		{ "more than it, through another buffer", overlap, 0, 8 * PAGE },
		{ "a page of it, through the device file", device, at + 4 * PAGE, PAGE },
		{ "all of the BAR", device, at, mem.size },
	}, beside[] = {
		{ "another part of another buffer", overlap, 0, 4 * PAGE },
		{ "what is behind it, through the device file", device, at + 6 * PAGE, MIB },
	};
	volatile uint8_t *keep[2];
	unsigned int i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		volatile uint8_t *map = map_shared(maps[i].fd, maps[i].offset, maps[i].length);

		expect_error(wc_set(&mem, fd), -EBUSY,
			     "SET while this is mapped, not touched: %s", maps[i].what);
		must_read(map, maps[i].what);
		expect_error(wc_set(&mem, fd), -EBUSY, "and touched: %s", maps[i].what);
		expect_type_at(map, PAGE, TYPE_UC_MINUS, maps[i].what);
		munmap((void *)map, maps[i].length);
	}
	for (i = 0; i < 2; i++) {
		keep[i] = map_shared(beside[i].fd, beside[i].offset, beside[i].length);
		must_read(keep[i], beside[i].what);
	}
	expect_error(wc_set(&mem, fd), 0, "SET while only its neighbours are mapped");
	for (i = 0; i < 2; i++)
		expect_type_at(keep[i], 2 * PAGE, TYPE_UC_MINUS, beside[i].what);
	expect_file_type(fd, 0, 2 * PAGE, TYPE_WC, "the buffer");
}

/* The recipient has the buffer mapped; the owner takes it back, and is not held up. */
static void recipient_is_revoked(void)
{
	struct bar_memory mem = memory_open("acc0");
	int given = memory_export(&mem, 0, PAGE), fd, status;
	volatile uint8_t *map = map_shared(given, 0, PAGE);
	pid_t recipient;
	uint32_t value;

	must_read(map, "the recipient's page");
	recipient = fork();
	require_true(recipient >= 0, "fork");
	if (!recipient) {
		pause();
		_exit(0);
	}
	munmap((void *)map, PAGE);
	fd = memory_export(&mem, 0, PAGE);
	expect_error(wc_set(&mem, fd), -EBUSY, "SET while another process maps the page");
	memory_revoke(&mem);
	expect_error(wc_set(&mem, fd), -EBUSY, "and while it is revoked only for a while");
	memory_restore(&mem);
	require_error(revoke_set(&mem, given), 0, "revoke what the recipient has");
	expect_error(wc_set(&mem, fd), 0, "SET");
	map = map_shared(fd, 0, PAGE);
	expect_type_at(map, PAGE, TYPE_WC, "the owner's mapping");
	kill(recipient, SIGKILL);
	waitpid(recipient, &status, 0);
	expect_int(touch_read(map, &value), 0, "the owner's mapping in the end: signal");
}

static void same_type_through_each_file(void)
{
	struct bar_memory mem = memory_open("acc0");
	int device = tphbuf_device_fd(mem.dev),
	    fd = memory_export(&mem, HUGE_ENTRY + PAGE, 2 * PAGE);
	int overlap = memory_export(&mem, HUGE_ENTRY, HUGE_ENTRY);
	uint64_t at = mem.file_offset + HUGE_ENTRY;

	require_error(wc_set(&mem, fd), 0, "SET");
	expect_file_type(fd, 0, 2 * PAGE, TYPE_WC, "own");
	expect_file_type(overlap, 0, PAGE, TYPE_UC_MINUS, "overlapping, the page before");
	expect_file_type(overlap, PAGE, 2 * PAGE, TYPE_WC, "overlapping, the same pages");
	expect_file_type(overlap, 3 * PAGE, HUGE_ENTRY - 3 * PAGE, TYPE_UC_MINUS,
			 "overlapping, behind");
	expect_file_type(device, at - HUGE_ENTRY, HUGE_ENTRY + PAGE, TYPE_UC_MINUS,
			 "device file, before");
	expect_file_type(device, at + PAGE, 2 * PAGE, TYPE_WC, "device file, the same pages");
	expect_file_type(device, at + 3 * PAGE, HUGE_ENTRY, TYPE_UC_MINUS, "device file, behind");

	require_error(wc_set(&mem, overlap), 0, "SET of the rest");
	expect_file_type(overlap, 0, HUGE_ENTRY, TYPE_WC, "overlapping, in the end");
	expect_file_type(device, at, HUGE_ENTRY, TYPE_WC, "device file, in the end");
	expect_file_type(device, at - HUGE_ENTRY, HUGE_ENTRY, TYPE_UC_MINUS,
			 "device file, what nobody asked for");
}

static void no_mixed_mapping(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct tphbuf_range apart[] = { { 16 * PAGE, PAGE },
					{ 2 * PAGE, PAGE },
					{ 18 * PAGE, PAGE } };
	int device = tphbuf_device_fd(mem.dev), fd = memory_export(&mem, 2 * PAGE, 2 * PAGE);
	int around = memory_export(&mem, 0, 8 * PAGE);
	int ranges = memory_export_ranges(&mem, apart, 3, O_RDWR | O_CLOEXEC);

	require_error(ranges < 0 ? ranges : 0, 0, "export pages of both kinds");
	require_error(wc_set(&mem, fd), 0, "SET");
	expect_error(try_map(around, PROT_READ, MAP_SHARED, 0, 8 * PAGE), -EBUSY,
		     "a buffer around them");
	expect_error(try_map(around, PROT_READ, MAP_SHARED, PAGE, 2 * PAGE), -EBUSY,
		     "its first seam");
	expect_error(try_map(around, PROT_READ, MAP_SHARED, 3 * PAGE, 2 * PAGE), -EBUSY,
		     "its second seam");
	expect_error(try_map(device, PROT_READ, MAP_SHARED, mem.file_offset, mem.size), -EBUSY,
		     "the BAR");
	expect_error(try_map(ranges, PROT_READ, MAP_SHARED, 0, 3 * PAGE), -EBUSY,
		     "ranges of both kinds");
	expect_error(try_map(ranges, PROT_READ, MAP_SHARED, PAGE, 2 * PAGE), -EBUSY, "two of them");
	expect_file_type(around, 0, 2 * PAGE, TYPE_UC_MINUS, "the part before");
	expect_file_type(around, 2 * PAGE, 2 * PAGE, TYPE_WC, "the pages");
	expect_file_type(around, 4 * PAGE, 4 * PAGE, TYPE_UC_MINUS, "the part behind");
	expect_file_type(ranges, 0, PAGE, TYPE_UC_MINUS, "the first range");
	expect_file_type(ranges, PAGE, PAGE, TYPE_WC, "the second range");
	require_error(wc_set(&mem, ranges), 0, "SET for all ranges");
	expect_file_type(ranges, 0, 3 * PAGE, TYPE_WC, "then all of them as one mapping");
}

static void type_lasts(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, HUGE_ENTRY), status;
	volatile uint8_t *map, *room;
	pid_t child;

	memory_revoke(&mem);
	require_error(wc_set(&mem, fd), 0, "SET while revoked");
	memory_restore(&mem);
	map = map_shared(fd, 0, HUGE_ENTRY);
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after a revocation");
	require_true(!mprotect((void *)map, PAGE, PROT_READ), "read only");
	expect_type_at(map, PAGE, TYPE_WC, "read only");
	require_true(!mprotect((void *)map, PAGE, PROT_READ | PROT_WRITE), "writable again");
	expect_type_at(map, HUGE_ENTRY, TYPE_WC, "after mprotect");
	memory_revoke(&mem);
	memory_restore(&mem);
	expect_type_at(map, PAGE, TYPE_WC, "after mprotect, filled again");
	room = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require_true(room != MAP_FAILED, "room");
	require_true(mremap((void *)(map + 4 * PAGE), 4 * PAGE, 4 * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, (void *)room) == (void *)room,
		     "move a part");
	expect_type_at(room, 4 * PAGE, TYPE_WC, "what was moved");
	child = fork();
	require_true(child >= 0, "fork");
	if (!child) {
		expect_type_at(map, PAGE, TYPE_WC, "in a child");
		memory_revoke(&mem);
		memory_restore(&mem);
		expect_type_at(map, PAGE, TYPE_WC, "in a child, filled by it");
		_exit(0);
	}
	require_true(waitpid(child, &status, 0) == child && WIFEXITED(status) &&
			     !WEXITSTATUS(status),
		     "the child ends well");
	require_true(!munmap((void *)(map + PAGE), PAGE), "a hole");
	expect_type_at(map + 2 * PAGE, PAGE, TYPE_WC, "behind a hole");
}

struct race {
	struct bar_memory *mem;
	int fd;
	atomic_bool stop;
	atomic_bool promoted[RACE_PAGES];
	atomic_ulong fine;
	atomic_ulong checked;
	atomic_ulong dead;
};

/*
 * An entry that is uncached is wrong if SET has returned, and a SET that came
 * later is refused for as long as this mapping is there. So look at the entry
 * first and at the state of the page behind it.
 */
static void check_entry(struct race *race, volatile uint8_t *map, unsigned int page)
{
	enum memory_type type = page_entries(map, PAGE).type;
	bool promoted = atomic_load(&race->promoted[page]);

	expect_true(type == TYPE_WC || (type == TYPE_UC_MINUS && !promoted),
		    "page %u, promoted %d: the entry is %s", page, promoted,
		    memory_type_name(type));
	atomic_fetch_add(&race->checked, 1);
}

/* The dump of the page tables takes long, so it is for some mappings only. */
static void *map_pages(void *arg)
{
	struct race *race = arg;
	unsigned int seed = (unsigned int)(uintptr_t)&seed;

	for (unsigned int round = 0; !atomic_load(&race->stop); round++) {
		unsigned int page = (unsigned int)rand_r(&seed) % RACE_PAGES;
		volatile uint8_t *map =
			mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, race->fd, page * PAGE);
		uint32_t value;

		if (map == MAP_FAILED) {
			expect_int(-errno, 0, "mmap of page %u", page);
			continue;
		}
		if (touch_read(map, &value))
			atomic_fetch_add(&race->dead, 1);
		else if (round % CHECK_EACH)
			atomic_fetch_add(&race->fine, 1);
		else
			check_entry(race, map, page);
		munmap((void *)map, PAGE);
	}
	return NULL;
}

static void races_with_mmap(void)
{
	struct bar_memory mem = memory_open("acc1");
	struct race race = { .mem = &mem, .fd = memory_export(&mem, 0, RACE_PAGES * PAGE) };
	unsigned int page, busy = 0, i;
	pthread_t threads[3];

	for (i = 0; i < 3; i++)
		require_true(!pthread_create(&threads[i], NULL, map_pages, &race), "thread");
	for (page = 0; page < RACE_PAGES; page++) {
		int fd = memory_export(&mem, page * PAGE, PAGE), ret;

		while ((ret = wc_set(&mem, fd)) == -EBUSY)
			busy++;
		atomic_store(&race.promoted[page], !ret);
		expect_error(ret, 0, "SET for page %u", page);
		close(fd);
		usleep(5000);
	}
	atomic_store(&race.stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	diag("%lu mapped and touched, %lu entries looked at, %lu SIGBUS, SET refused %u times",
	     atomic_load(&race.fine), atomic_load(&race.checked), atomic_load(&race.dead), busy);
	expect_true(atomic_load(&race.fine) > RACE_PAGES && atomic_load(&race.checked),
		    "the threads got their share");
	expect_file_type(race.fd, 0, RACE_PAGES * PAGE, TYPE_WC, "all pages in the end");
}

/**
 * struct late - a page that is promoted while a thread maps it
 * @fd: buffer of MEMORY_MAX_RANGES ranges, the page is the first
 * @mapped: the thread has mapped it once
 * @dead: mappings in which the page could not be touched
 * @ret: what ended the thread: -EBUSY of mmap() once the pages have two types
 */
struct late {
	int fd;
	atomic_bool mapped;
	unsigned int dead;
	int ret;
};

static void *map_until_promoted(void *arg)
{
	const size_t length = MEMORY_MAX_RANGES * PAGE;
	struct late *late = arg;
	uint32_t value;
	void *map;

	while ((map = mmap(NULL, length, PROT_READ, MAP_SHARED, late->fd, 0)) != MAP_FAILED) {
		int number = touch_read(map, &value);

		if (number)
			expect_int(number, SIGBUS, "signal");
		late->dead += number != 0;
		munmap(map, length);
		atomic_store(&late->mapped, true);
	}
	late->ret = -errno;
	return NULL;
}

/* Pages from @rest on are never promoted. */
static unsigned int promote_while_mapping(struct bar_memory *mem, unsigned int page,
					  unsigned int rest)
{
	struct tphbuf_range ranges[MEMORY_MAX_RANGES] = { { page * PAGE, PAGE } };
	int fd = memory_export(mem, page * PAGE, PAGE), ret;
	struct late late = { 0 };
	pthread_t thread;

	for (unsigned int i = 1; i < MEMORY_MAX_RANGES; i++)
		ranges[i] = (struct tphbuf_range){ (rest + 2 * i) * PAGE, PAGE };
	late.fd = memory_export_ranges(mem, ranges, MEMORY_MAX_RANGES, O_RDWR | O_CLOEXEC);
	require_error(late.fd < 0 ? late.fd : 0, 0, "export many ranges");
	require_true(!pthread_create(&thread, NULL, map_until_promoted, &late), "thread");
	while (!atomic_load(&late.mapped))
		sched_yield();
	do {
		ret = wc_set(mem, fd);
	} while (ret == -EBUSY);
	expect_error(ret, 0, "SET for page %u", page);
	pthread_join(thread, NULL);
	expect_error(late.ret, -EBUSY, "mmap() in the end");
	close(late.fd);
	close(fd);
	return late.dead;
}

/*
 * mmap() looks at the type of one range after the other, and SET sees the
 * mapping only behind the last. A page that became WC in between cannot be used
 * through it.
 */
static void promoted_during_mmap(void)
{
	struct bar_memory mem = memory_open("acc1");
	unsigned int page, dead = 0;

	for (page = 0; page < LATE_PAGES && !dead; page++)
		dead = promote_while_mapping(&mem, page, LATE_PAGES);
	diag("%u promotions, %u during mmap()", page, dead);
	expect_int(dead, 1, "dead mappings");
}

static const struct test_case cases[] = {
	{ "refused_while_mapped", refused_while_mapped },
	{ "recipient_is_revoked", recipient_is_revoked },
	{ "same_type_through_each_file", same_type_through_each_file },
	{ "no_mixed_mapping", no_mixed_mapping },
	{ "type_lasts", type_lasts },
	{ "races_with_mmap", races_with_mmap },
	{ "promoted_during_mmap", promoted_during_mmap },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
