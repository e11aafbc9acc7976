// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the DMA map. Ranges at the edges of the address space, overlaps, partial unmaps,
 * files that are too small, of the wrong kind or truncated later, and a random sequence against a
 * naive model.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcie/dma_map.h"
#include "tap.h"

#define PAGE	DMA_MAP_PAGE

static struct dma_map map;

static int make_file(uint64_t size)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		bail_out("memfd_create: %s", strerror(errno));
	return fd;
}

/* Announces a range without a file. */
static int add(uint64_t start, uint64_t size)
{
	return dma_map_add(&map, start, size, true, true, -1, 0);
}

static int open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_ranges(void)
{
	const uint64_t top = -PAGE;

	dma_map_init(&map);
	is_int(add(0x1000, 0), -EINVAL, "empty");
	is_int(add(0x1800, PAGE), -EINVAL, "start within a page");
	is_int(add(0x1000, PAGE + 1), -EINVAL, "size not in pages");
	is_int(add(top, 2 * PAGE), -EINVAL, "wraps");
	is_int(add(PAGE, top), 0, "everything but the first page");
	is_int(add(0, PAGE), 0, "and the first page");
	ok(dma_map_find(&map, UINT64_MAX) == &map.entries[1], "the last address is found");
	is_int(dma_map_remove(&map, PAGE, top), 0, "up to the top can be removed");
	is_int(add(top, PAGE), 0, "the last page");
	ok(dma_map_find(&map, UINT64_MAX) && !dma_map_find(&map, top - 1),
	   "holds the last page only");
	is_int(dma_map_add(&map, 0x10000, PAGE, false, false, -1, 0), -EINVAL, "no right at all");
	dma_map_clear(&map);
	ok(!dma_map_find(&map, 0), "empty after a clear");
}

static void test_overlaps(void)
{
	dma_map_init(&map);
	is_int(add(0x10000, 0x4000), 0, "a range");
	is_int(add(0x10000, 0x4000), -EEXIST, "the same");
	is_int(add(0x11000, 0x1000), -EEXIST, "within");
	is_int(add(0xf000, 0x2000), -EEXIST, "over its start");
	is_int(add(0x13000, 0x2000), -EEXIST, "over its end");
	is_int(add(0xf000, 0x6000), -EEXIST, "around it");
	is_int(add(0xf000, 0x1000), 0, "just before");
	is_int(add(0x14000, 0x1000), 0, "just behind");
	is_int(map.count, 3, "three entries");
	is_hex(dma_map_find(&map, 0x10000)->start, 0x10000, "found by its first byte");
	is_hex(dma_map_find(&map, 0x13fff)->start, 0x10000, "by its last");
	is_hex(dma_map_find(&map, 0xffff)->start, 0xf000, "the one before");
	is_hex(dma_map_find(&map, 0x14000)->start, 0x14000, "the one behind");
	ok(!dma_map_find(&map, 0xefff) && !dma_map_find(&map, 0x15000), "nothing around");
	dma_map_clear(&map);
}

static void test_unmaps(void)
{
	dma_map_init(&map);
	add(0x10000, 0x4000);
	add(0x14000, 0x4000);
	add(0x20000, 0x1000);
	is_int(dma_map_remove(&map, 0x11000, 0x1000), -EINVAL, "the middle of an entry");
	is_int(dma_map_remove(&map, 0x10000, 0x1000), -EINVAL, "the start of an entry");
	is_int(dma_map_remove(&map, 0x10000, 0x6000), -EINVAL, "one entry and half the next");
	is_int(dma_map_remove(&map, 0x12000, 0x6000), -EINVAL, "half an entry and the next");
	is_int(map.count, 3, "nothing was removed");
	is_int(dma_map_remove(&map, 0x18000, 0x8000), -ENOENT, "a hole");
	is_int(dma_map_remove(&map, 0x18000, 0), -EINVAL, "nothing");
	is_int(dma_map_remove(&map, 0x18000, UINT64_MAX), -EINVAL, "wraps");
	is_int(dma_map_remove(&map, 0xf000, 0x10000), 0, "two entries and the holes around them");
	is_int(map.count, 1, "one is left");
	ok(!dma_map_find(&map, 0x10000) && dma_map_find(&map, 0x20000), "the right one");
	is_int(dma_map_remove(&map, 0, UINT64_MAX), 0, "all of the address space");
	is_int(map.count, 0, "none is left");
	is_int(dma_map_remove(&map, 0, UINT64_MAX), -ENOENT, "again");
	dma_map_clear(&map);
}

static void test_files(void)
{
	int before = open_fds(), fd = make_file(4 * PAGE);
	const struct dma_entry *entry;
	char bytes[8];

	dma_map_init(&map);
	is_int(dma_map_add(&map, 0x10000, 2 * PAGE, true, true, fd, PAGE), 0,
	       "part of a file");
	is_int(dma_map_add(&map, 0x80000, PAGE, true, false, fd, 2 * PAGE), 0,
	       "the same memory again");
	entry = dma_map_find(&map, 0x11ffc);
	is_int(dma_entry_write(entry, 0x11ffc, "abcd", 4), 0, "write of its last bytes");
	is_int(pread(fd, bytes, 4, 3 * PAGE - 4), 4, "the file");
	is_mem(bytes, "abcd", 4, "has them");
	is_int(dma_entry_read(dma_map_find(&map, 0x80000), 0x80ffc, bytes, 4), 0,
	       "the other range");
	is_mem(bytes, "abcd", 4, "has them, too");
	is_int(dma_entry_write(entry, 0x11ffd, "abcd", 4), -EFAULT, "write across the end");
	is_int(dma_entry_write(entry, 0x12000, "a", 1), -EFAULT, "write behind the end");
	is_int(dma_entry_read(entry, 0xffff, bytes, 1), -EFAULT, "read before the start");
	entry = dma_map_find(&map, 0x80000);
	is_int(dma_entry_write(entry, 0x80000, "a", 1), -EFAULT, "write without the right to");
	is_int(dma_map_add(&map, 0xa0000, PAGE, false, true, fd, 0), 0, "write-only");
	entry = dma_map_find(&map, 0xa0000);
	is_int(dma_entry_read(entry, 0xa0000, bytes, 1), -EFAULT, "read without the right to");
	is_int(dma_entry_write(entry, 0xa0000, "a", 1), 0, "write");
	is_int(add(0xc0000, PAGE), 0, "without a file");
	is_int(dma_entry_read(dma_map_find(&map, 0xc0000), 0xc0000, bytes, 1), -EFAULT,
	       "there is nothing to read");

	is_int(open_fds(), before + 1, "no descriptor is kept");
	is_int(map.files.count, 2, "one mapping for each kind of access");
	is_int(dma_map_remove(&map, 0x10000, 2 * PAGE), 0, "remove one");
	is_int(map.files.count, 2, "the others keep them");
	dma_map_clear(&map);
	close(fd);
}

/* An error leaves the descriptor with the caller. */
static void check_refused(const char *what, int fd, uint64_t size, uint64_t offset, bool writable,
			  int result)
{
	int ret = dma_map_add(&map, 0x100000, size, true, writable, fd, offset);

	is_int(ret, result, "%s", what);
	ok(fcntl(fd, F_GETFD) >= 0 || ret == -EBADF, "%s: the descriptor is still open", what);
	is_int(map.count, 0, "%s: no entry", what);
	close(fd);
}

/* The same file again, opened otherwise. */
static int reopen(int fd, int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, flags);
}

static void test_bad_files(void)
{
	int pipes[2], fd = make_file(4 * PAGE), before, other;

	if (pipe(pipes))
		bail_out("cannot make files: %s", strerror(errno));
	before = open_fds();
	dma_map_init(&map);
	check_refused("range behind the end of the file", make_file(4 * PAGE), PAGE, 4 * PAGE, true,
		      -ERANGE);
	check_refused("range across the end of the file", make_file(4 * PAGE), 2 * PAGE, 3 * PAGE,
		      true, -ERANGE);
	check_refused("offset near 2^64", make_file(4 * PAGE), 2 * PAGE, -PAGE, true, -ERANGE);
	check_refused("file shorter than a page", make_file(100), PAGE, 0, true, -ERANGE);
	check_refused("empty file", make_file(0), PAGE, 0, true, -ERANGE);
	check_refused("offset within a page", make_file(4 * PAGE), PAGE, 8, true, -EINVAL);
	check_refused("a pipe", dup(pipes[0]), PAGE, 0, false, -EMEDIUMTYPE);
	check_refused("a device", open("/dev/zero", O_RDWR), PAGE, 0, true, -EMEDIUMTYPE);
	check_refused("a folder", open("/tmp", O_RDONLY), PAGE, 0, false, -EMEDIUMTYPE);
	check_refused("a file of another file system", open("/proc/self/maps", O_RDONLY), PAGE, 0,
		      false, -EMEDIUMTYPE);
	check_refused("read-only file, range to be written", reopen(fd, O_RDONLY), PAGE, 0, true,
		      -EACCES);
	check_refused("write-only file", reopen(fd, O_WRONLY), PAGE, 0, true, -EACCES);
	check_refused("not open for data", reopen(fd, O_PATH), PAGE, 0, false, -EBADF);
	check_refused("a descriptor that is closed", 250, PAGE, 0, true, -EBADF);
	other = reopen(fd, O_RDONLY);
	is_int(dma_map_add(&map, 0, PAGE, true, false, other, 0), 0,
	       "read-only file, range to be read");
	is_int(dma_map_add(&map, PAGE, PAGE, true, true, fd, 0), 0,
	       "the same file for writing");
	is_int(dma_entry_write(dma_map_find(&map, PAGE), PAGE, "x", 1), 0, "which works");
	dma_map_clear(&map);
	close(other);
	is_int(open_fds(), before, "no descriptor is left");
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void test_sealed_file(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char byte;

	dma_map_init(&map);
	if (ftruncate(fd, PAGE) || pwrite(fd, "x", 1, 5) != 1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK))
		bail_out("cannot seal a file: %s", strerror(errno));
	is_int(dma_map_add(&map, 0, PAGE, true, true, fd, 0), -EACCES,
	       "a file that is sealed against writing, to be written");
	is_int(dma_map_add(&map, 0, PAGE, true, false, fd, 0), 0, "to be read");
	is_int(dma_entry_read(dma_map_find(&map, 0), 5, &byte, 1), 0, "read");
	is_int(byte, 'x', "what it holds");
	dma_map_clear(&map);
	close(fd);
}

/* However large a file is, only what is announced and a window around it take addresses. */
static void test_large_files(void)
{
	unsigned int pages = 0;
	int fd = make_file(1ull << 46), ret = 0;

	dma_map_init(&map);
	for (; pages < 1024 && !ret; pages++)
		ret = dma_map_add(&map, pages * 2 * PAGE, PAGE, true, true, fd,
				  (uint64_t)pages << 36);
	is_int(ret, -ENOSPC, "pages all over a file of 64 TiB meet the limit");
	ok(map.files.bytes <= DMA_BYTES_MAX, "of address space: %" PRIu64 " bytes",
	   map.files.bytes);
	dma_map_clear(&map);
	is_int(map.files.bytes, 0, "which is given back");

	for (pages = 0, ret = 0; pages < 2 * DMA_PIECES_MAX && !ret; pages++) {
		int small = make_file(PAGE);

		ret = dma_map_add(&map, pages * 2 * PAGE, PAGE, true, true, small, 0);
		close(small);
	}
	is_int(ret, -ENOSPC, "many files meet the limit");
	is_int(map.files.count, DMA_PIECES_MAX, "of mappings");
	dma_map_clear(&map);
	close(fd);
}

/* What a client with an IOMMU does: guest memory page by page, in any order. */
static void test_page_by_page(void)
{
	unsigned int errors = 0;
	int fd = make_file(1ull << 30);

	dma_map_init(&map);
	for (uint64_t i = 0; i < 8192; i++)
		errors += dma_map_add(&map, i * 2 * PAGE, PAGE, true, true, fd,
				      i * 7919 % (1ull << 18) * PAGE) != 0;
	is_int(errors, 0, "8192 pages of a file of 1 GiB");
	ok(map.files.count <= 16, "share %u mappings", map.files.count);
	dma_map_clear(&map);
	close(fd);
}

static void test_file_that_grows(void)
{
	int fd = make_file(PAGE);
	char byte = 0;

	dma_map_init(&map);
	is_int(dma_map_add(&map, 0, PAGE, true, true, fd, 0), 0, "first page");
	dma_entry_write(dma_map_find(&map, 0), 0, "1", 1);
	if (ftruncate(fd, 1024 * PAGE))
		bail_out("ftruncate: %s", strerror(errno));
	is_int(dma_map_add(&map, PAGE, PAGE, true, true, fd, 1023 * PAGE), 0,
	       "a page of the file that has grown");
	is_int(dma_entry_write(dma_map_find(&map, PAGE), PAGE, "2", 1), 0, "write to the new page");
	is_int(dma_entry_read(dma_map_find(&map, 0), 0, &byte, 1), 0, "read of the first page");
	is_int(byte, '1', "which is where it was");
	dma_map_clear(&map);
	close(fd);
}

/* What a hostile client does. */
static void test_file_that_shrinks(void)
{
	int fd = make_file(16 * PAGE);
	char bytes[64] = { 0 };

	dma_map_init(&map);
	is_int(dma_map_add(&map, 0, 16 * PAGE, true, true, fd, 0), 0, "a file");
	if (ftruncate(fd, PAGE))
		bail_out("ftruncate: %s", strerror(errno));
	for (unsigned int i = 0; i < 3; i++) {
		is_int(dma_entry_write(dma_map_find(&map, 0x8000), 0x8000, bytes, 64), -EFAULT,
		       "write where it was cut");
		is_int(dma_entry_read(dma_map_find(&map, 0xf000), 0xffc0, bytes, 64), -EFAULT,
		       "read where it was cut");
		is_int(dma_entry_write(dma_map_find(&map, 0), 0xfc0, bytes, 64), 0,
		       "write where it is left");
	}
	is_int(dma_entry_write(dma_map_find(&map, 0), 0xfe0, bytes, 64), -EFAULT,
	       "write across the cut");
	dma_map_clear(&map);
	close(fd);
}

/* The guard is for copies alone: any other SIGBUS still ends the process. */
static void test_foreign_sigbus(void)
{
	int fd = make_file(PAGE), status;
	pid_t child;

	dma_map_init(&map);
	child = fork();
	if (!child) {
		volatile char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		struct rlimit none = { 0 };

		setrlimit(RLIMIT_CORE, &none);
		if (ftruncate(fd, 0))
			_exit(2);
		(void)*page;
		_exit(1);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
	   "a SIGBUS from elsewhere: status 0x%x", status);
	close(fd);
}

static void test_limit(void)
{
	unsigned int errors = 0;

	dma_map_init(&map);
	for (uint64_t i = 0; i < DMA_MAP_ENTRIES_MAX; i++)
		errors += add(i * 2 * PAGE, PAGE) != 0;
	is_int(errors, 0, "as many as allowed");
	is_int(add(UINT64_MAX / 2 + 1, PAGE), -ENOSPC, "one more");
	is_int(dma_map_remove(&map, 0, PAGE), 0, "one less");
	is_int(add(UINT64_MAX / 2 + 1, PAGE), 0, "and there is room again");
	dma_map_clear(&map);
}

enum { MODEL_PAGES = 64 };

static unsigned int model[MODEL_PAGES];	/* number of the entry that holds the page, 0: none */

static bool model_has(unsigned int first, unsigned int count)
{
	for (unsigned int i = first; i < first + count; i++)
		if (model[i])
			return true;
	return false;
}

static void model_fill(unsigned int first, unsigned int count, unsigned int entry)
{
	for (unsigned int i = first; i < first + count; i++)
		model[i] = entry;
}

static int model_remove_result(unsigned int first, unsigned int count)
{
	unsigned int end = first + count;

	if (!model_has(first, count))
		return -ENOENT;
	if (first && model[first] && model[first] == model[first - 1])
		return -EINVAL;
	if (end < MODEL_PAGES && model[end] && model[end] == model[end - 1])
		return -EINVAL;
	return 0;
}

static void test_random(void)
{
	unsigned int wrong = 0, lost = 0;

	srandom(4);
	dma_map_init(&map);
	for (unsigned int i = 1; i < 50000; i++) {
		unsigned int first = random() % MODEL_PAGES, page = random() % MODEL_PAGES;
		unsigned int count = 1 + random() % (random() % 2 ? 4 : MODEL_PAGES - first);
		const struct dma_entry *entry;

		if (first + count > MODEL_PAGES)
			continue;
		if (random() % 2) {
			int want = model_has(first, count) ? -EEXIST : 0;

			wrong += add(first * PAGE, count * PAGE) != want;
			if (!want)
				model_fill(first, count, i);
		} else {
			int want = model_remove_result(first, count);

			wrong += dma_map_remove(&map, first * PAGE, count * PAGE) != want;
			if (!want)
				model_fill(first, count, 0);
		}
		entry = dma_map_find(&map, page * PAGE + 5);
		lost += !entry != !model[page];
		if (entry && model[page])
			lost += model[entry->start / PAGE] != model[page] ||
				model[entry->last / PAGE] != model[page];
	}
	is_int(wrong, 0, "random ranges: results as the model has them");
	is_int(lost, 0, "random ranges: entries as the model has them");
	dma_map_clear(&map);
}

int main(void)
{
	test_ranges();
	test_overlaps();
	test_unmaps();
	test_files();
	test_bad_files();
	test_sealed_file();
	test_large_files();
	test_page_by_page();
	test_file_that_grows();
	test_file_that_shrinks();
	test_foreign_sigbus();
	test_limit();
	test_random();
	return done_testing();
}
