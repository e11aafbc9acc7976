// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A GiB of device memory mapped with the largest entries that there are, and a
 * part of it treated alone: every call that splits a mapping. The device file
 * has one entry for the GiB, a dma-buf has entries of 2 MiB. acc0 has at least
 * 2 GiB behind BAR2, which has to be aligned to a GiB.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"

#define GIB		(1024 * MIB)
#define HUGE_ENTRY	(2 * MIB)
/* In the middle, away from the borders of all entries but the smallest. */
#define PART		(512 * MIB + 3 * PAGE)
#define FIRST		0x11111111
#define INSIDE		0x22222222
#define LAST		0x33333333

/**
 * struct mapped - a GiB that is mapped and touched
 * @mem: the device
 * @at: the mapping; a GiB of reserved addresses is behind it
 */
struct mapped {
	struct bar_memory mem;
	volatile uint8_t *at;
};

static void check_bytes(volatile uint8_t *at, const char *what)
{
	expect_int(must_read(at, what), FIRST, "%s: the first page", what);
	expect_int(must_read(at + PART, what), INSIDE, "%s: the page in the middle", what);
	expect_int(must_read(at + GIB - PAGE, what), LAST, "%s: the last page", what);
}

static struct mapped map_gib(bool device_file)
{
	struct mapped m = { .mem = memory_open("acc0") };
	struct page_entries entries;
	int fd;

	if (m.mem.size < GIB)
		skip_case("BAR2 has %llu MiB", (unsigned long long)(m.mem.size / MIB));
	fd = device_file ? tphbuf_device_fd(m.mem.dev) : memory_export(&m.mem, 0, GIB);
	m.at = map_shared_for(fd, device_file ? m.mem.file_offset : 0, GIB, GIB);
	must_write(m.at, FIRST, "the first page");
	must_write(m.at + PART, INSIDE, "the page in the middle");
	must_write(m.at + GIB - PAGE, LAST, "the last page");
	entries = page_entries(m.at, GIB);
	diag("the smallest entry maps 0x%llx bytes", (unsigned long long)entries.smallest);
	expect_int((int64_t)entries.smallest, device_file ? GIB : HUGE_ENTRY,
		   "bytes that an entry maps");
	return m;
}

/* A revocation reaches every part of what is left of the mapping. */
static void revoke_and_restore(struct mapped *m, const volatile uint8_t *without)
{
	memory_revoke(&m->mem);
	must_bus(m->at, "the first page, revoked");
	if (!without)
		must_bus(m->at + PART, "the page in the middle, revoked");
	must_bus(m->at + GIB - PAGE, "the last page, revoked");
	memory_restore(&m->mem);
}

static void protect_part(bool device_file)
{
	struct mapped m = map_gib(device_file);

	require_true(!mprotect((void *)(m.at + PART), PAGE, PROT_READ), "a page read only");
	check_bytes(m.at, "afterwards");
	expect_int(touch_write(m.at + PART, 1), SIGSEGV, "write the page");
	must_write(m.at + PART - PAGE, 1, "the page before");
	must_write(m.at + PART + PAGE, 1, "the page behind");
	memory_revoke(&m.mem);
	must_bus(m.at, "the first page, revoked");
	must_bus(m.at + GIB - PAGE, "the last page, revoked");
	memory_restore(&m.mem);
	check_bytes(m.at, "restored");
	require_true(!mprotect((void *)(m.at + PART), PAGE, PROT_READ | PROT_WRITE),
		     "writable again");
	must_write(m.at + PART, INSIDE, "the page");
	check_bytes(m.at, "in the end");
}

static void unmap_part(bool device_file)
{
	struct mapped m = map_gib(device_file);
	uint32_t value;

	require_true(!munmap((void *)(m.at + PART), PAGE), "a page less");
	expect_int(must_read(m.at, "before the hole"), FIRST, "the first page");
	expect_int(must_read(m.at + GIB - PAGE, "behind it"), LAST, "the last page");
	expect_int(touch_read(m.at + PART, &value), SIGSEGV, "read the hole");
	revoke_and_restore(&m, m.at + PART);
	expect_int(must_read(m.at + GIB - PAGE, "restored"), LAST, "the last page");
}

static void unmap_end(bool device_file)
{
	struct mapped m = map_gib(device_file);
	uint32_t value;

	require_true(!munmap((void *)(m.at + PART), GIB - PART),
		     "what is behind a page in the middle");
	expect_int(must_read(m.at, "what is left"), FIRST, "the first page");
	must_write(m.at + PART - PAGE, 1, "the page that is the last now");
	expect_int(touch_read(m.at + PART, &value), SIGSEGV, "read behind it");
}

/* To an address where the GiB can have the same entries. */
static void move_all(bool device_file)
{
	struct mapped m = map_gib(device_file);
	volatile uint8_t *to = m.at + GIB;
	uint32_t value;

	require_true(mremap((void *)m.at, GIB, GIB, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
		     "move: %m");
	expect_int(touch_read(m.at, &value), SIGSEGV, "read where it was");
	check_bytes(to, "where it is");
	m.at = to;
	revoke_and_restore(&m, NULL);
	check_bytes(to, "restored");
}

/* To one where it cannot. */
static void move_off(bool device_file)
{
	struct mapped m = map_gib(device_file);
	volatile uint8_t *to = m.at + GIB + PAGE;
	uint32_t value;

	require_true(mremap((void *)m.at, GIB, GIB, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
		     "move: %m");
	expect_int(touch_read(m.at, &value), SIGSEGV, "read where it was");
	check_bytes(to, "where it is");
	m.at = to;
	revoke_and_restore(&m, NULL);
	check_bytes(to, "restored");
}

static void move_part(bool device_file)
{
	struct mapped m = map_gib(device_file);
	volatile uint8_t *to = m.at + GIB;
	uint32_t value;

	require_true(mremap((void *)(m.at + PART), 16 * PAGE, 16 * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
		     "move: %m");
	expect_int(touch_read(m.at + PART, &value), SIGSEGV, "read where it was");
	expect_int(must_read(to, "the part"), INSIDE, "its first page");
	expect_int(must_read(m.at, "the rest"), FIRST, "the first page");
	expect_int(must_read(m.at + GIB - PAGE, "the rest"), LAST, "the last page");
	memory_revoke(&m.mem);
	must_bus(to, "the part, revoked");
	must_bus(m.at + GIB - PAGE, "the rest, revoked");
	memory_restore(&m.mem);
	expect_int(must_read(to, "the part, restored"), INSIDE, "its first page");
}

static void shrink(bool device_file)
{
	struct mapped m = map_gib(device_file);
	uint32_t value;

	require_true(mremap((void *)m.at, GIB, PART, 0) == m.at, "shrink: %m");
	expect_int(must_read(m.at, "what is left"), FIRST, "the first page");
	expect_int(touch_read(m.at + PART, &value), SIGSEGV, "read what is not");
}

/* Advice on a part splits the mapping as well; a child has what is left. */
static void advise_part(bool device_file)
{
	struct mapped m = map_gib(device_file);
	uint32_t value;
	int status;
	pid_t pid;

	require_true(!madvise((void *)(m.at + PART), PAGE, MADV_DONTFORK),
		     "a page that a child does not get: %m");
	check_bytes(m.at, "afterwards");
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		expect_int(must_read(m.at, "in the child"), FIRST, "the first page");
		expect_int(must_read(m.at + GIB - PAGE, "in the child"), LAST, "the last page");
		expect_int(touch_read(m.at + PART, &value), SIGSEGV, "read the page in the child");
		_exit(0);
	}
	require_true(waitpid(pid, &status, 0) == pid && !status, "the child ends well");
	revoke_and_restore(&m, NULL);
	check_bytes(m.at, "restored");
}

/* Something else in the place of a page. */
static void cover_part(bool device_file)
{
	struct mapped m = map_gib(device_file);
	void *page = mmap((void *)(m.at + PART), PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	require_true(page == m.at + PART, "memory in the place of a page: %m");
	expect_int(must_read(m.at + PART, "the memory"), 0, "bytes");
	expect_int(must_read(m.at, "before it"), FIRST, "the first page");
	expect_int(must_read(m.at + GIB - PAGE, "behind it"), LAST, "the last page");
	revoke_and_restore(&m, m.at + PART);
}

#define BOTH(act)							\
	static void act##_of_file(void) { act(true); }			\
	static void act##_of_buffer(void) { act(false); }
#define CASES(act) { #act "_of_file", act##_of_file }, { #act "_of_buffer", act##_of_buffer }

BOTH(protect_part)
BOTH(unmap_part)
BOTH(unmap_end)
BOTH(move_all)
BOTH(move_off)
BOTH(move_part)
BOTH(shrink)
BOTH(advise_part)
BOTH(cover_part)

static const struct test_case cases[] = {
	CASES(protect_part),
	CASES(unmap_part),
	CASES(unmap_end),
	CASES(move_all),
	CASES(move_off),
	CASES(move_part),
	CASES(shrink),
	CASES(advise_part),
	CASES(cover_part),
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
