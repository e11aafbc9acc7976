// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The importer under load: thousands of imports, more tags than the ST table has
 * entries, files that are closed with buffers, signals, threads that fight over
 * handles. acc0 completes extended tags; dma0 sends them from a table of 64
 * entries, dma2 from one of 8 in interrupt vector mode.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "guest.h"
#include "wire.h"

#define BUFFER_SIZE	(64 * PAGE)
#define TABLE_SIZE	64
#define VECTORS		8

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

static void many_imports(void)
{
	struct tphbuf_tag tag;
	struct setup s = setup();
	uint32_t word = 0, handle;

	for (int i = 0; i < 2000; i++) {
		tag = tag_ext(i % 200, 0);
		acc_set_tag(&s.acc, s.fd, &tag);
		handle = engine_import(s.engine, s.fd);
		require_error(dma_engine_write(s.engine, handle, 0, &word, 4), 0, "copy %d", i);
		expect_int(engine_query(s.engine, handle).steering_tag, i % 200, "tag of import %d",
			   i);
		require_error(dma_engine_release(s.engine, handle), 0, "release %d", i);
	}
	expect_int(engine_query(s.engine, engine_import(s.engine, s.fd)).mappings, 0,
		   "a fresh one");
}

/*
 * Fill the table to the last entry and beyond; then it has to be empty again.
 */
static void fill_table(const char *engine_name, unsigned int size)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 4 * PAGE, NULL);
	struct wire_path path[TABLE_SIZE + 3];
	struct tphbuf_tag tag;
	unsigned int i;

	path[0] = wire_path(&acc, engine_name, fd);
	for (int round = 0; round < 2; round++) {
		for (i = 0; i < size + 3; i++) {
			struct tph_dma_query query;
			bool fits = i < size;
			char what[40];

			/* Partitions 0 to 255 of the store operation. */
			tag = tag_ext(100 * round + i, i % 4);
			acc_set_tag(&acc, fd, &tag);
			path[i] = path[0];
			if (i || round)
				path[i].handle = engine_import(path[0].engine, fd);
			snprintf(what, sizeof(what), "round %d, tag %u of %u", round, i + 1, size);
			expect_writes(&path[i], fits ? wire_ext(tag.st_ext, i % 4) : wire_none(),
				      what);
			query = engine_query(path[i].engine, path[i].handle);
			expect_int(query.state & (TPH_DMA_STATE_TAGGED | TPH_DMA_STATE_TABLE_FULL),
				   fits ? TPH_DMA_STATE_TAGGED : TPH_DMA_STATE_TABLE_FULL,
				   "%s: state", what);
		}
		/* A tag that is in the table needs no room. */
		tag = tag_ext(100 * round + 1, 1);
		acc_set_tag(&acc, fd, &tag);
		path[i - 1].handle = engine_import(path[0].engine, fd);
		expect_writes(&path[i - 1], wire_ext(tag.st_ext, 1), "a tag that is there");

		if (round)
			return;
		close(path[0].engine);
		path[0] = wire_path(&acc, engine_name, fd);
		require_error(dma_engine_release(path[0].engine, path[0].handle), 0, "release");
	}
}

static void table_full(void)
{
	fill_table("dma0", TABLE_SIZE);
}

static void vector_table_full(void)
{
	fill_table("dma2", VECTORS);
}

static void file_closed_with_buffers(void)
{
	struct tphbuf_tag tag = tag_ext(0x0066, 1);
	struct setup s = setup();
	struct wire_path path;
	uint32_t word = 0;

	acc_set_tag(&s.acc, s.fd, &tag);
	for (int i = 0; i < 50; i++) {
		uint32_t handle = engine_import(s.engine, s.fd);

		require_error(dma_engine_write(s.engine, handle, 0, &word, 4), 0, "copy");
	}
	close(s.engine);
	acc_decode(&s.acc, false);
	acc_decode(&s.acc, true);
	path = wire_path(&s.acc, "dma0", s.fd);
	expect_writes(&path, wire_ext(0x0066, 1), "another file");
}

static void on_alarm(int number)
{
	(void)number;
}

/*
 * Data that is added twice is wrong: a copy that was interrupted half way does
 * not start again.
 */
static void interrupted_copy_is_not_repeated(void)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value.tv_usec = 1 }, never = { 0 };
	struct tphbuf_tag tag = tag_ext(ACC_ST_EXT_OP_ADD << 8, 0);
	static uint32_t ones[BUFFER_SIZE / 4];
	volatile uint32_t *mem;
	struct setup s = setup();
	unsigned int round, interrupted = 0;

	if (domain_is_translated())
		skip_case("the accelerator adds nothing behind the root complex");
	require_true(!sigaction(SIGALRM, &action, NULL), "catch SIGALRM");
	for (unsigned int i = 0; i < BUFFER_SIZE / 4; i++)
		ones[i] = 1;
	acc_set_tag(&s.acc, s.fd, &tag);
	mem = (volatile uint32_t *)s.acc.mem;

	for (round = 0; round < 200 && interrupted < 5; round++) {
		unsigned int sent = 0;
		int ret;

		for (unsigned int i = 0; i < BUFFER_SIZE / 4; i++)
			mem[i] = 0;
		soon.it_value.tv_usec = 1 + round * 100;
		require_true(!setitimer(ITIMER_REAL, &soon, NULL), "arm the timer");
		ret = dma_engine_write(s.engine, s.handle, 0, ones, sizeof(ones));
		setitimer(ITIMER_REAL, &never, NULL);

		for (unsigned int i = 0; i < BUFFER_SIZE / 4; i++) {
			require_true(mem[i] <= 1, "lane %u was added %u times", i, mem[i]);
			sent += mem[i];
		}
		if (!ret) {
			expect_int(sent, BUFFER_SIZE / 4, "lanes after a copy that succeeded");
			continue;
		}
		require_error(ret, -EINTR, "a copy with a signal");
		expect_true(sent > 0, "one that sent nothing would have been restarted");
		expect_true(sent < BUFFER_SIZE / 4, "some of it is missing");
		interrupted++;
	}
	expect_true(interrupted > 0, "a signal came half way in %u rounds", round);
}

/* Threads that import, copy, query and release whatever handles there are. */
static void *handle_storm(void *arg)
{
	const struct setup *s = arg;
	unsigned int seed = (uintptr_t)&seed >> 4;

	for (int i = 0; i < 400; i++) {
		uint32_t handle = rand_r(&seed) % 6 + 1, word = 0;
		struct tph_dma_query query;
		int64_t ret = 0;

		switch (rand_r(&seed) % 4) {
		case 0:
			ret = dma_engine_import(s->engine, s->fd);
			ret = ret > 0 ? 0 : ret;
			break;
		case 1:
			ret = dma_engine_release(s->engine, handle);
			break;
		case 2:
			ret = dma_engine_query(s->engine, handle, &query);
			break;
		case 3:
			ret = dma_engine_write(s->engine, handle, 0, &word, 4);
			break;
		}
		expect_true(!ret || ret == -EBADF, "a call on handle %u: %d", handle, (int)ret);
	}
	return NULL;
}

static void handles_under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x0067, 1);
	struct setup s = setup();
	pthread_t threads[6];
	struct wire_path path;

	acc_set_tag(&s.acc, s.fd, &tag);
	for (unsigned int i = 0; i < 6; i++)
		require_true(!pthread_create(&threads[i], NULL, handle_storm, &s),
			     "start a thread");
	for (unsigned int i = 0; i < 6; i++)
		require_true(!pthread_join(threads[i], NULL), "end a thread");
	close(s.engine);
	acc_decode(&s.acc, false);
	acc_decode(&s.acc, true);
	path = wire_path(&s.acc, "dma0", s.fd);
	expect_writes(&path, wire_ext(0x0067, 1), "afterwards");
	expect_int(engine_query(path.engine, path.handle).st_index, 0,
		   "nothing holds the first entry");
}

static const struct test_case cases[] = {
	{ "many_imports", many_imports },
	{ "table_full", table_full },
	{ "vector_table_full", vector_table_full },
	{ "file_closed_with_buffers", file_closed_with_buffers },
	{ "interrupted_copy_is_not_repeated", interrupted_copy_is_not_repeated },
	{ "handles_under_way", handles_under_way },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
