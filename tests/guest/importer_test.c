// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interface of the importer: what it refuses, and that every byte gets to
 * its place. acc0 completes extended tags and dma0 sends them.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "foreign.h"
#include "guest.h"
#include "wire.h"

#define BUFFER_SIZE	(64 * PAGE)

struct setup {
	struct accelerator acc;
	int fd;
	int engine;
	uint32_t handle;
};

static struct setup setup(void)
{
	struct setup s = { .acc = acc_open("acc0") };

	s.fd = acc_export(&s.acc, 0, BUFFER_SIZE, NULL);
	s.engine = engine_open("dma0");
	s.handle = engine_import(s.engine, s.fd);
	return s;
}

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static void unknown_call(void)
{
	int engine = engine_open("dma0");

	expect_error(call(engine, _IO(TPH_DMA_IOC_MAGIC, 99), NULL), -ENOTTY, "unknown number");
	expect_error(call(engine, _IO('x', 0), NULL), -ENOTTY, "unknown type");
	expect_error(call(engine, TPH_DMA_IMPORT, NULL), -EFAULT, "IMPORT without argument");
	expect_error(call(engine, TPH_DMA_COPY, NULL), -EFAULT, "COPY without argument");
	expect_error(call(engine, TPH_DMA_QUERY, NULL), -EFAULT, "QUERY without argument");
	expect_error(call(engine, TPH_DMA_RELEASE, NULL), -EFAULT, "RELEASE without argument");
}

static void bad_flags(void)
{
	struct setup s = setup();
	struct tph_dma_import import = { .dmabuf_fd = s.fd, .flags = 1 };
	struct tph_dma_copy copy = { .handle = s.handle };
	struct tph_dma_release release = { .handle = s.handle, .flags = 1 };

	expect_error(call(s.engine, TPH_DMA_IMPORT, &import), -EINVAL, "IMPORT with a flag");
	import.flags = 0;
	import.pad = 1;
	expect_error(call(s.engine, TPH_DMA_IMPORT, &import), -EINVAL, "IMPORT with a pad");
	for (unsigned int bit = 1; bit < 32; bit++) {
		copy.flags = 1u << bit;
		expect_error(call(s.engine, TPH_DMA_COPY, &copy), -EINVAL, "COPY with bit %u", bit);
	}
	expect_error(call(s.engine, TPH_DMA_RELEASE, &release), -EINVAL, "RELEASE with a flag");
	release.flags = 0;
	expect_error(call(s.engine, TPH_DMA_RELEASE, &release), 0, "it is still there");
}

static void bad_fd(void)
{
	int engine = engine_open("dma0"), pipes[2];

	expect_error(dma_engine_import(engine, -1), -EBADF, "fd -1");
	expect_error(dma_engine_import(engine, 9999), -EBADF, "an fd that is not open");
	require_true(!pipe(pipes), "make a pipe");
	expect_error(dma_engine_import(engine, pipes[0]), -EINVAL, "a pipe");
	expect_error(dma_engine_import(engine, engine), -EINVAL, "the engine itself");
}

static void bad_handle(void)
{
	const uint32_t list[] = { 0, 2, 77, 0x7fffffff, 0x80000000, 0xffffffff };
	struct setup s = setup();
	struct tph_dma_query query;
	uint32_t word = 0;
	int other;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		expect_error(dma_engine_write(s.engine, list[i], 0, &word, 4), -EBADF,
			     "COPY to 0x%x", list[i]);
		expect_error(dma_engine_query(s.engine, list[i], &query), -EBADF, "QUERY of 0x%x",
			     list[i]);
		expect_error(dma_engine_release(s.engine, list[i]), -EBADF, "RELEASE of 0x%x",
			     list[i]);
	}
	other = engine_open("dma0");
	expect_error(dma_engine_write(other, s.handle, 0, &word, 4), -EBADF,
		     "handles belong to the open file");
	expect_error(dma_engine_release(s.engine, s.handle), 0, "release");
	expect_error(dma_engine_release(s.engine, s.handle), -EBADF, "release again");
	expect_error(dma_engine_write(s.engine, s.handle, 0, &word, 4), -EBADF, "copy after that");
}

static void bad_range(void)
{
	static const struct {
		uint64_t offset;
		uint64_t length;
		int want;
	} list[] = {
		{ 0, 0, 0 },
		{ BUFFER_SIZE, 0, 0 },
		{ BUFFER_SIZE - 1, 1, 0 },
		{ BUFFER_SIZE, 1, -EINVAL },
		{ BUFFER_SIZE - 1, 2, -EINVAL },
		{ BUFFER_SIZE + 1, 0, -EINVAL },
		{ 0, BUFFER_SIZE + 1, -EINVAL },
		{ 0, UINT64_MAX, -EINVAL },
		{ UINT64_MAX, 1, -EINVAL },
		{ UINT64_MAX, UINT64_MAX, -EINVAL },
		{ 1, UINT64_MAX, -EINVAL },
		{ BUFFER_SIZE - 1, UINT64_MAX - BUFFER_SIZE + 2, -EINVAL },
	};
	static uint8_t data[BUFFER_SIZE + PAGE];
	struct setup s = setup();

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		expect_error(
			dma_engine_write(s.engine, s.handle, list[i].offset, data, list[i].length),
			list[i].want, "write 0x%llx bytes at 0x%llx",
			(unsigned long long)list[i].length, (unsigned long long)list[i].offset);
		expect_error(
			dma_engine_read(s.engine, s.handle, list[i].offset, data, list[i].length),
			list[i].want, "read 0x%llx bytes at 0x%llx",
			(unsigned long long)list[i].length, (unsigned long long)list[i].offset);
	}
}

static void bad_memory(void)
{
	struct setup s = setup();
	uint8_t *pages =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *above = (void *)(UINTPTR_MAX - 3);

	require_true(pages != MAP_FAILED, "map three pages");
	memset(pages, 0x11, 3 * PAGE);
	require_true(!munmap(pages + PAGE, PAGE), "unmap the one in the middle");
	require_true(!mprotect(pages + 2 * PAGE, PAGE, PROT_READ), "make the last read-only");
	s.acc.mem[0] = 0x99;

	expect_error(dma_engine_write(s.engine, s.handle, 0, NULL, 1), -EFAULT, "from address 0");
	expect_error(dma_engine_write(s.engine, s.handle, 0, pages, PAGE + 1), -EFAULT,
		     "from memory that ends too early");
	expect_int(s.acc.mem[0], 0x99, "nothing of it was sent");
	expect_error(dma_engine_write(s.engine, s.handle, 0, above, 64), -EFAULT,
		     "from memory that wraps");
	expect_error(dma_engine_write(s.engine, s.handle, 0, (void *)(UINTPTR_MAX / 2), 64),
		     -EFAULT, "from addresses that are none");
	expect_error(dma_engine_read(s.engine, s.handle, 0, pages + 2 * PAGE, 1), -EFAULT,
		     "to read-only memory");
	expect_error(dma_engine_write(s.engine, s.handle, 0, pages + 2 * PAGE, 1), 0,
		     "from read-only memory");
	expect_int(s.acc.mem[0], 0x11, "it was sent");
	expect_error(dma_engine_read(s.engine, s.handle, 0, pages + PAGE - 1, 2), -EFAULT,
		     "to memory that ends too early");
}

/* Lengths around pages, chunks and payloads, at odd places on either side. */
static void every_alignment(void)
{
	static const uint32_t lengths[] = { 1, 2, 3, 4, 5, 127, 128, 129, 511, 512, 513, 4095, 4096,
					    4097, 65535, 65536, 65537, 131073, 200003 };
	static uint8_t data[BUFFER_SIZE + 64], back[BUFFER_SIZE + 64];
	struct setup s = setup();

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (unsigned int shift = 0; shift < 4; shift++) {
			uint8_t *from = data + shift, *to = back + 3 - shift;
			uint64_t offset = shift * 1021;

			fill_bytes(data, sizeof(data), lengths[i] * 4 + shift);
			memset(back, 0, sizeof(back));
			expect_error(dma_engine_write(s.engine, s.handle, offset, from, lengths[i]),
				     0, "write %u bytes", lengths[i]);
			expect_error(dma_engine_read(s.engine, s.handle, offset, to, lengths[i]), 0,
				     "read %u bytes", lengths[i]);
			expect_true(!memcmp(from, to, lengths[i]), "%u bytes come back, shift %u",
				    lengths[i], shift);
			expect_int(to[lengths[i]], 0, "the byte behind them");
		}
	}
}

/*
 * Ranges in another order than in the BAR: a copy across a seam goes to both.
 */
static void several_ranges(void)
{
	const struct tphbuf_range ranges[] = {
		{ 8 * PAGE, PAGE }, { 0, 2 * PAGE }, { 1u << 20, PAGE }, { 4 * PAGE, PAGE },
	};
	static uint8_t data[5 * PAGE], back[5 * PAGE];
	struct tphbuf_tag tag = tag_ext(0x0055, 1);
	struct accelerator acc = acc_open("acc0");
	struct accelerator_counters c;
	int fd, engine = engine_open("dma0");
	size_t at = 0;
	uint32_t handle;

	fd = tphbuf_export(acc.dev, 2, ranges, 4, &tag, 0, NULL);
	require_error(fd < 0 ? fd : 0, 0, "export four ranges");
	handle = engine_import(engine, fd);
	fill_bytes(data, sizeof(data), 7);
	c = acc_count(&acc, true, 0x0055);
	expect_error(dma_engine_write(engine, handle, 0, data, sizeof(data)), 0, "write all");
	c = acc_count_since(&acc, true, 0x0055, &c);
	for (size_t i = 0; i < 4; i++) {
		uint64_t j;

		for (j = 0; j < ranges[i].length; j++)
			back[j] = acc.mem[ranges[i].offset + j];
		expect_true(!memcmp(back, data + at, ranges[i].length), "range %zu", i);
		at += ranges[i].length;
	}
	if (!domain_is_translated()) {
		expect_int(c.bytes, sizeof(data), "bytes that arrived");
		expect_int(c.with_tag, c.writes, "writes with the tag");
	}
	memset(back, 0, sizeof(back));
	expect_error(dma_engine_read(engine, handle, 10, back, sizeof(back) - 20), 0,
		     "read across");
	expect_true(!memcmp(back, data + 10, sizeof(back) - 20), "the bytes");
}

static void foreign_buffers(void)
{
	int engine = engine_open("dma0");

	for (int i = 0; i < 2; i++) {
		const char *what = i ? "system heap" : "udmabuf";
		uint8_t data[3 * PAGE - 10], back[sizeof(data)] = { 0 }, *mem;
		int fd = i ? foreign_system_heap(4 * PAGE) : foreign_udmabuf(4 * PAGE);
		struct tph_dma_query query;
		uint32_t handle;

		require_error(fd < 0 ? fd : 0, 0, "%s: make a buffer", what);
		handle = engine_import(engine, fd);
		fill_bytes(data, sizeof(data), i);
		expect_error(dma_engine_write(engine, handle, 5, data, sizeof(data)), 0,
			     "%s: write", what);
		mem = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		require_true(mem != MAP_FAILED, "%s: map", what);
		expect_true(!memcmp(mem + 5, data, sizeof(data)), "%s: the bytes", what);
		expect_error(dma_engine_read(engine, handle, 5, back, sizeof(back)), 0, "%s: read",
			     what);
		expect_true(!memcmp(back, data, sizeof(data)), "%s: the bytes again", what);
		query = engine_query(engine, handle);
		expect_int(query.state & TPH_DMA_STATE_TAGGED, 0, "%s: tagged", what);
	}
}

/*
 * The tag is for the memory of its owner, not for that of the user who reads
 * from there.
 */
static void reads_carry_no_hint(void)
{
	struct tphbuf_tag tag = tag_ext(0x0056, 1);
	struct setup s = setup();
	uint64_t refused, tagged;
	uint8_t data[3000];

	acc_set_tag(&s.acc, s.fd, &tag);
	wire_begin(&s.acc);
	require_error(dma_engine_read(s.engine, s.handle, 0, data, sizeof(data)), 0, "read");
	wire_end(&s.acc, "dma0", &refused, &tagged);
	expect_true(engine_query(s.engine, s.handle).state & TPH_DMA_STATE_TAGGED, "it is tagged");
	expect_int(refused, 0, "writes refused");
	expect_int(tagged, 0, "writes with a hint");
}

static void query_before_mapping(void)
{
	struct setup s = setup();
	struct tph_dma_query query = engine_query(s.engine, s.handle);
	uint32_t word;

	expect_int(query.state, TPH_DMA_STATE_EXTENDED, "state before the first copy");
	expect_int(query.mappings, 0, "mappings");
	require_error(dma_engine_read(s.engine, s.handle, 0, &word, 4), 0, "read");
	query = engine_query(s.engine, s.handle);
	expect_int(query.state, TPH_DMA_STATE_EXTENDED | TPH_DMA_STATE_MAPPED, "state after it");
	expect_int(query.mappings, 1, "mappings");
}

static const struct test_case cases[] = {
	{ "unknown_call", unknown_call },
	{ "bad_flags", bad_flags },
	{ "bad_fd", bad_fd },
	{ "bad_handle", bad_handle },
	{ "bad_range", bad_range },
	{ "bad_memory", bad_memory },
	{ "every_alignment", every_alignment },
	{ "several_ranges", several_ranges },
	{ "foreign_buffers", foreign_buffers },
	{ "reads_carry_no_hint", reads_carry_no_hint },
	{ "query_before_mapping", query_before_mapping },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
