// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libtphbuf and the CPU: mapping dma-bufs, in the process that exported them and
 * in another, surviving their revocation, and write-combining. What the kernel
 * does below is for cpu_map and write_combining to look at. acc0 is the device,
 * acc1 another one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foreign.h"
#include "guest.h"
#include "page_table.h"

#define RW	(PROT_READ | PROT_WRITE)

static const char * const accelerators[] = { "acc0", "acc1", "acc2", "acc3" };

/* The handler of tphbuf_mmap(3). */
static sigjmp_buf gone;
static char *map;
static size_t map_length;

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	char *at = info->si_addr;

	(void)context;
	if (at >= map && at < map + map_length)
		siglongjmp(gone, 1);
	signal(number, SIG_DFL);
}

static int read_word(size_t offset, uint32_t *value)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(gone, 1))
		return -EIO;
	*value = *(volatile uint32_t *)(map + offset);
	return 0;
}

static void map_buffer(int fd, uint64_t offset, size_t length)
{
	void *addr;

	require_error(tphbuf_mmap(fd, offset, length, RW, &addr), 0, "map");
	map = addr;
	map_length = length;
}

static void must_read(size_t offset, uint32_t want, const char *what)
{
	uint32_t value = 0;

	if (expect_error(read_word(offset, &value), 0, "read %s", what))
		expect_int(value, want, "%s", what);
}

/* Each way of asking says that the CPU can. */
static void probes(void)
{
	struct tphbuf_options options = { .flags = TPHBUF_PROBE_OPEN };
	struct tphbuf_probe probe;

	for (int i = 0; i < 4; i++) {
		struct accelerator acc = acc_open(accelerators[i]);

		require_error(tphbuf_device_probe(acc.dev, &probe), 0, "probe %s", accelerators[i]);
		expect_int(probe.mmap, TPHBUF_REASON_NONE, "%s: mmap", accelerators[i]);
		expect_int(probe.wc, TPHBUF_REASON_NONE, "%s: wc", accelerators[i]);
		acc_decode(&acc, false);
		require_error(tphbuf_device_probe(acc.dev, &probe), 0, "probe it, revoked");
		expect_int(probe.mmap, TPHBUF_REASON_NONE, "%s: mmap, revoked", accelerators[i]);
		accelerator_close(&acc);
		require_error(tphbuf_probe(device_bdf(accelerators[i]), &options, &probe), 0,
			      "open and probe");
		expect_int(probe.mmap, TPHBUF_REASON_NONE, "%s: mmap", accelerators[i]);
		expect_int(probe.wc, TPHBUF_REASON_NONE, "%s: wc", accelerators[i]);
	}
}

static void bounds(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, PAGE, 4 * PAGE, NULL),
	    null = open("/dev/zero", O_RDWR | O_CLOEXEC);
	uint64_t size = 0;
	void *addr;

	expect_error(tphbuf_dmabuf_size(fd, &size), 0, "size");
	expect_int((int64_t)size, 4 * PAGE, "bytes");
	expect_error(tphbuf_mmap(fd, 0, 4 * PAGE, RW, &addr), 0, "all");
	expect_error(tphbuf_mmap(fd, 3 * PAGE, 1, PROT_READ, &addr), 0, "a byte of the last page");
	expect_error(tphbuf_mmap(fd, 0, 4 * PAGE + 1, RW, &addr), -ERANGE, "a byte more");
	expect_error(tphbuf_mmap(fd, 4 * PAGE, 1, RW, &addr), -ERANGE, "behind the end");
	expect_error(tphbuf_mmap(fd, 100, 1, RW, &addr), -EINVAL, "within a page");
	expect_error(tphbuf_mmap(fd, 0, 0, RW, &addr), -EINVAL, "nothing");
	expect_error(tphbuf_mmap(fd, 0, 1, RW | PROT_EXEC, &addr), -EINVAL, "executable");
	expect_error(tphbuf_mmap(null, 0, 1, RW, &addr), -EINVAL, "/dev/zero");
	expect_error(tphbuf_dmabuf_size(null, &size), -EINVAL, "size of /dev/zero");
	close(null);
	expect_error(tphbuf_mmap(null, 0, 1, RW, &addr), -EBADF, "a closed file");
}

static void same_memory(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_range ranges[] = { { 8 * PAGE, PAGE }, { 2 * PAGE, 2 * PAGE } };
	int fd = tphbuf_export(acc.dev, 2, ranges, 2, NULL, 0, NULL);
	uint32_t value = 0;

	require_error(fd < 0 ? fd : 0, 0, "export two ranges");
	map_buffer(fd, 0, 3 * PAGE);
	close(fd);
	*(volatile uint32_t *)(map + PAGE + 8) = 0x11223344;
	require_error(tphbuf_device_bar_read(acc.dev, 2, 2 * PAGE + 8, &value, 4), 0,
		      "read the BAR");
	expect_int(value, 0x11223344, "what the CPU wrote");
	value = 0x55667788;
	require_error(tphbuf_device_bar_write(acc.dev, 2, 8 * PAGE, &value, 4), 0, "write the BAR");
	must_read(0, 0x55667788, "what was written through the device");
	expect_error(tphbuf_munmap(map, 3 * PAGE), 0, "unmap");
}

/* Where the offset allows it, without a choice of the address by the caller. */
static void large_entries(void)
{
	struct accelerator acc = acc_open("acc0");
	const size_t large = 2u << 20;
	int fd = acc_export(&acc, 0, 4 * large, NULL);
	struct page_entries entries;

	map_buffer(fd, PAGE, 4 * large - PAGE);
	for (size_t at = 0; at < map_length; at += large) {
		uint32_t value;

		expect_error(read_word(at, &value), 0, "read at 0x%zx", at);
	}
	entries = page_entries(map + large - PAGE, 3 * large);
	expect_int((int64_t)entries.smallest, (int64_t)large, "bytes that an entry maps");
	expect_int((int64_t)entries.mapped, (int64_t)(3 * large), "bytes that are mapped");
	expect_error(tphbuf_munmap(map, map_length), 0, "unmap");
	expect_int((int64_t)page_entries(map, map_length).mapped, 0, "bytes mapped after that");
}

static void survives_revocation(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 2 * PAGE, NULL), pipes[2];
	uint32_t value;
	void *addr;

	map_buffer(fd, 0, 2 * PAGE);
	*(volatile uint32_t *)(map + PAGE) = 0x0badcafe;
	acc_decode(&acc, false);
	expect_error(read_word(PAGE, &value), -EIO, "read, revoked");
	require_true(!pipe(pipes), "a pipe");
	expect_true(write(pipes[1], map, 4) < 0 && errno == EFAULT, "write(2) from it: %s",
		    strerror(errno));
	expect_error(tphbuf_mmap(fd, 0, PAGE, PROT_READ, &addr), 0, "map it meanwhile");
	acc_decode(&acc, true);
	must_read(PAGE, 0x0badcafe, "what was there before");
	accelerator_close(&acc);
	expect_error(read_word(PAGE, &value), -EIO, "read, closed");
	expect_error(tphbuf_mmap(fd, 0, PAGE, PROT_READ, &addr), -ENODEV, "map it, closed");
	acc = acc_open("acc0");
	expect_error(read_word(PAGE, &value), -EIO, "read, opened again");
}

/* A process that has nothing but the dma-buf: the command, with its number. */
static int run_cli(const char *verb, int fd, const char *input)
{
	const char *cli = getenv("TPHBUF_CLI");
	char number[12];
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		fcntl(fd, F_SETFD, 0);
		execl(cli ? cli : "/build/cli/tphbuf", "tphbuf", verb, "--fd", number, "--length",
		      "4", input, NULL);
		_exit(99);
	}
	require_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "tphbuf %s ends", verb);
	return WEXITSTATUS(status);
}

static void another_process(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, PAGE, PAGE, NULL), file;
	char path[] = "/tmp/library_cpu_XXXXXX";
	volatile uint32_t *word = (volatile uint32_t *)(acc.mem + PAGE);
	uint32_t value = 0;

	file = mkstemp(path);
	require_true(file >= 0, "a file");
	*word = 0x01020304;
	expect_int(run_cli("read", fd, path), 0, "exit code of read");
	require_true(pread(file, &value, 4, 0) == 4, "it wrote the file");
	expect_int(value, 0x01020304, "what it read");
	acc_decode(&acc, false);
	expect_int(run_cli("read", fd, path), 5, "exit code of read, revoked");
	expect_int(run_cli("write", fd, "/dev/zero"), 5, "exit code of write, revoked");
	acc_decode(&acc, true);
	expect_int(*word, 0x01020304, "nothing was written");
	expect_int(run_cli("write", fd, "/dev/zero"), 0, "exit code of write");
	expect_int(*word, 0, "what it wrote");
	accelerator_close(&acc);
	expect_int(run_cli("read", fd, path), 5, "exit code of read, closed");
	unlink(path);
}

static void is_type(enum memory_type want, const char *what)
{
	enum memory_type type;
	uint32_t value;

	require_error(read_word(0, &value), 0, "touch %s", what);
	type = page_entries(map, map_length).type;
	expect_true(type == want, "%s: %s, want %s", what, memory_type_name(type),
		    memory_type_name(want));
}

static void write_combining(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_range range = { 64 * PAGE, PAGE };
	struct tphbuf_tag tag = tag_ext(0x0001, 0);
	int fd = acc_export(&acc, 0, PAGE, NULL);
	char *first;

	accelerator_unmap(&acc);
	map_buffer(fd, 0, PAGE);
	is_type(TYPE_UC_MINUS, "as it was exported");
	expect_error(tphbuf_set_wc(acc.dev, fd, NULL), -EBUSY, "while it is mapped");
	expect_error(tphbuf_munmap(map, PAGE), 0, "unmap it");
	expect_error(tphbuf_set_wc(acc.dev, fd, NULL), 0, "make it write-combining");
	map_buffer(fd, 0, PAGE);
	first = map;
	is_type(TYPE_WC, "mapped again");
	map_buffer(fd, 0, PAGE);
	is_type(TYPE_WC, "another mapping");
	expect_error(tphbuf_set_wc(acc.dev, fd, NULL), 0, "twice");
	*(volatile uint32_t *)map = 0x77;
	expect_int(*(volatile uint32_t *)first, 0x77, "both are the same memory");

	fd = tphbuf_export(acc.dev, 2, &range, 1, &tag, TPHBUF_EXPORT_WC, NULL);
	require_error(fd < 0 ? fd : 0, 0, "export it so, with a tag");
	map_buffer(fd, 0, PAGE);
	is_type(TYPE_WC, "as it was exported");
	map_buffer(acc_export(&acc, PAGE, PAGE, NULL), 0, PAGE);
	is_type(TYPE_UC_MINUS, "its neighbour");
	accelerator_close(&acc);
	acc = acc_open("acc0");
	map_buffer(acc_export(&acc, 0, PAGE, NULL), 0, PAGE);
	is_type(TYPE_UC_MINUS, "after the device was closed");
}

static void write_combining_refused(void)
{
	struct accelerator acc = acc_open("acc0"), other = acc_open("acc1");
	int foreign = foreign_system_heap(PAGE), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = acc_export(&acc, 0, PAGE, NULL);

	require_error(foreign < 0 ? foreign : 0, 0, "a dma-buf of the system heap");
	expect_error(tphbuf_set_wc(other.dev, fd, NULL), -EXDEV, "of another device");
	expect_error(tphbuf_set_wc(acc.dev, foreign, NULL), -ENXIO, "of another driver");
	expect_error(tphbuf_set_wc(acc.dev, null, NULL), -EINVAL, "no dma-buf");
	close(null);
	expect_error(tphbuf_set_wc(acc.dev, null, NULL), -EBADF, "a closed file");
	map_buffer(fd, 0, PAGE);
	is_type(TYPE_UC_MINUS, "nothing changed");
	accelerator_close(&acc);
	acc = acc_open("acc0");
	expect_error(tphbuf_set_wc(acc.dev, fd, NULL), -ENODEV, "of a device that was closed");
}

/* Mapped through sysfs, uncached: an export that has to be write-combining leaves nothing. */
static void export_while_busy(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_range range = { 0, PAGE };
	char path[100];
	void *sysfs;
	int file, fd;

	accelerator_unmap(&acc);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", device_bdf("acc0"));
	file = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	require_error(file < 0 ? -errno : 0, 0, "open %s", path);
	sysfs = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
	if (sysfs == MAP_FAILED)
		skip_case("BARs cannot be mapped through sysfs: %s", strerror(errno));
	fd = dup(file);
	close(fd);
	expect_error(tphbuf_export(acc.dev, 2, &range, 1, NULL, TPHBUF_EXPORT_WC, NULL), -EBUSY,
		     "export");
	expect_int(dup(file), fd, "the first free number: no file was left open");
	munmap(sysfs, PAGE);
	expect_true(tphbuf_export(acc.dev, 2, &range, 1, NULL, TPHBUF_EXPORT_WC, NULL) >= 0,
		    "export without that mapping");
}

static const struct test_case cases[] = {
	{ "probes", probes },
	{ "bounds", bounds },
	{ "same_memory", same_memory },
	{ "large_entries", large_entries },
	{ "survives_revocation", survives_revocation },
	{ "another_process", another_process },
	{ "write_combining", write_combining },
	{ "write_combining_refused", write_combining_refused },
	{ "export_while_busy", export_while_busy },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
