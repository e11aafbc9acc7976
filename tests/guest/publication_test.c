// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is published under load. Threads set tuples in which the hint follows
 * from each tag, or withdraw them, while importers of both namespaces map anew
 * all the time, because memory decoding is turned off and on or because they
 * import anew. Each TLP with a hint is a pair that was published for the buffer
 * that it went to, in the width of its requester; and where SET or a clear has
 * returned and everything was mapped anew, it is that one. A requester is slow
 * beside a SET, so the exporter is also queried without one, in a loop.
 *
 * acc0 completes both kinds of tags; dma0 sends extended tags, dma1 8-bit ones.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "vfio_tph.h"
#include "wire.h"

#define ROUNDS		6
#define SECONDS		2
#define SETTERS		3
/* The last one is exported, set and closed again all the time. */
#define BUFFERS		4
#define LASTING		(BUFFERS - 1)
#define BUFFER_SIZE	(4 * PAGE)
#define ENGINES		2
#define QUERIES		100000u
#define QUERY_SETTERS	2
#define QUERY_FILE	"/sys/kernel/debug/tph_query/run"
/* In a tag that is not valid, so that whoever sends it has mixed two tuples. */
#define POISON_ST	0x0f
#define POISON_ST_EXT	0x00ff

static const char * const engine_names[ENGINES] = { "dma0", "dma1" };

static struct accelerator acc;
static int buffers[LASTING];
static struct wire_path paths[ENGINES][LASTING];
static atomic_bool stop;
static atomic_ulong sets, copies, imports;

/* Tags of a buffer: three of each namespace, all of which mean a store. */
static uint8_t tag_of(unsigned int buffer, unsigned int k)
{
	return buffer * 3 + k;
}

static uint16_t tag_ext_of(unsigned int buffer, unsigned int k)
{
	return 0x40 + buffer * 3 + k;
}

/* Neighbouring tags have different hints, and so have the tags of one number. */
static unsigned int hint_of(unsigned int k)
{
	return k + 1;
}

/* @k: which of the buffer's tags; @valid: in which namespaces, 0 to withdraw. */
static struct raw_set_tph tuple(int fd, unsigned int buffer, unsigned int k, uint32_t valid)
{
	struct raw_set_tph set = raw_set(fd);

	set.flags = valid;
	set.ph = hint_of(k);
	set.steering_tag = valid & RAW_TPH_ST ? tag_of(buffer, k) : POISON_ST;
	set.steering_tag_ext = valid & RAW_TPH_ST_EXT ? tag_ext_of(buffer, k) : POISON_ST_EXT;
	return set;
}

static void publish(int fd, unsigned int buffer, unsigned int k, uint32_t valid)
{
	struct raw_set_tph set = tuple(fd, buffer, k, valid);

	require_error(raw_feature(tphbuf_device_fd(acc.dev), &set), 0, "SET");
	atomic_fetch_add(&sets, 1);
}

static void *set_thread(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!atomic_load(&stop)) {
		unsigned int buffer = rand_r(&seed) % LASTING;

		publish(buffers[buffer], buffer, rand_r(&seed) % 3, rand_r(&seed) % 4);
	}
	return NULL;
}

static void copy(const struct wire_path *path)
{
	uint64_t word = 0;
	int ret = dma_engine_write(path->engine, path->handle, 0, &word, sizeof(word));

	require_true(!ret || ret == -ENODEV, "copy: %d", ret);
	atomic_fetch_add(&copies, !ret);
}

static void *copy_thread(void *arg)
{
	unsigned int engine = (uintptr_t)arg, i = 0;

	while (!atomic_load(&stop))
		copy(&paths[engine][i++ % LASTING]);
	return NULL;
}

/* Where buffers come and go; an export or an import while revoked is refused. */
static void *import_thread(void *arg)
{
	unsigned int engine = (uintptr_t)arg, k;

	for (k = engine; !atomic_load(&stop); k++) {
		struct wire_path path = paths[engine][0];
		int fd = acc_export(&acc, LASTING * BUFFER_SIZE, BUFFER_SIZE, NULL);
		int64_t handle;

		publish(fd, LASTING, k % 3, RAW_TPH_ST | RAW_TPH_ST_EXT);
		handle = dma_engine_import(path.engine, fd);
		require_true(handle > 0 || handle == -ENODEV, "import: %d", (int)handle);
		close(fd);
		if (handle <= 0)
			continue;
		path.handle = (uint32_t)handle;
		copy(&path);
		require_error(dma_engine_release(path.engine, path.handle), 0, "release");
		atomic_fetch_add(&imports, 1);
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *), uintptr_t argument)
{
	require_true(!pthread_create(thread, NULL, run, (void *)argument), "thread");
}

static void run_threads(void)
{
	pthread_t threads[SETTERS + 2 * ENGINES];
	struct timespec end, now;
	unsigned int count = 0, i;
	uintptr_t n;

	atomic_store(&stop, false);
	for (n = 0; n < SETTERS; n++)
		start(&threads[count++], set_thread, n + 1);
	for (n = 0; n < ENGINES; n++) {
		start(&threads[count++], copy_thread, n);
		start(&threads[count++], import_thread, n);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += limit(SECONDS);
	do {
		acc_decode(&acc, false);
		acc_decode(&acc, true);
		usleep(500);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/**
 * struct judgement - of the writes of a span
 * @only: what was published last for each buffer, where nothing else may be seen
 */
struct judgement {
	const struct raw_set_tph *only;
	unsigned long writes;
	unsigned long tagged[ENGINES];
	unsigned long wrong;
};

static int engine_of(const struct trace_write *write)
{
	for (int i = 0; i < ENGINES; i++) {
		const char *bdf = device_bdf(engine_names[i]);

		if (strstr(bdf, write->requester))
			return i;
	}
	return -1;
}

static void judge(const struct trace_write *write, void *arg)
{
	unsigned int buffer = (write->address & (acc.mem_size - 1)) / BUFFER_SIZE, k;
	struct judgement *j = arg;
	int engine = engine_of(write);
	bool right;

	if (engine < 0 || !strstr(tphbuf_device_bdf(acc.dev), write->completer) ||
	    buffer >= BUFFERS)
		return;
	j->writes++;
	j->tagged[engine] += write->tagged;
	k = write->st - (engine ? tag_of(buffer, 0) : tag_ext_of(buffer, 0));
	right = !write->tagged ||
		(write->extended == !engine && k < 3 && write->ph == hint_of(k));
	if (right && j->only) {
		const struct raw_set_tph *set = &j->only[buffer];
		bool tagged = set->flags & (engine ? RAW_TPH_ST : RAW_TPH_ST_EXT);

		right = write->tagged == tagged &&
			(!tagged ||
			 write->st == (engine ? set->steering_tag : set->steering_tag_ext));
	}
	if (!right && !j->wrong++)
		diag("buffer %u by %s: st 0x%x%s ph %u, tagged %d", buffer, engine_names[engine],
		     write->st, write->extended ? " extended" : "", write->ph, write->tagged);
}

/* The threads have ended: what is set now is all that may be sent for new mappings. */
static void settle(unsigned int round)
{
	struct raw_set_tph last[LASTING];
	struct judgement j = { .only = last };
	unsigned int i, engine;

	for (i = 0; i < LASTING; i++) {
		last[i] = tuple(buffers[i], i, (round + i) % 3, (round + i) % 4);
		publish(buffers[i], i, (round + i) % 3, (round + i) % 4);
	}
	acc_decode(&acc, false);
	acc_decode(&acc, true);
	wire_begin(&acc);
	for (engine = 0; engine < ENGINES; engine++)
		for (i = 0; i < LASTING; i++)
			copy(&paths[engine][i]);
	wire_walk(&acc, judge, &j);
	expect_int(j.writes, ENGINES * LASTING, "round %u: writes after the last SET", round);
	expect_int(j.wrong, 0, "round %u: of these, not as published last", round);
}

static void under_load(void)
{
	struct judgement all = { 0 };
	unsigned int round, engine, i;

	alarm(0);
	acc = acc_open("acc0");
	for (i = 0; i < LASTING; i++)
		buffers[i] = acc_export(&acc, i * BUFFER_SIZE, BUFFER_SIZE, NULL);
	for (engine = 0; engine < ENGINES; engine++) {
		int fd = engine_open(engine_names[engine]);

		for (i = 0; i < LASTING; i++)
			paths[engine][i] = (struct wire_path){
				.engine_name = engine_names[engine],
				.engine = fd,
				.handle = engine_import(fd, buffers[i]),
			};
	}
	for (round = 0; round < ROUNDS; round++) {
		wire_begin(&acc);
		run_threads();
		wire_walk(&acc, judge, &all);
		settle(round);
	}
	diag("%lu SET, %lu copies, %lu imports; %lu TLPs, %lu with an extended tag, %lu with an "
	     "8-bit tag", atomic_load(&sets), atomic_load(&copies), atomic_load(&imports),
	     all.writes, all.tagged[0], all.tagged[1]);
	expect_int(all.wrong, 0, "TLPs with a pair that was never published");
	expect_true(all.tagged[0] > ROUNDS && all.tagged[1] > ROUNDS &&
		    all.tagged[0] + all.tagged[1] < all.writes,
		    "with and without hints, in both namespaces");
}

/**
 * struct queries - of one namespace
 * @right: a pair that was published
 * @none: nothing was published
 * @wrong: anything else
 */
struct queries {
	bool extended;
	unsigned long right;
	unsigned long none;
	unsigned long wrong;
};

static void *query_thread(void *arg)
{
	struct queries *queries = arg;
	char text[80];
	int file = open(QUERY_FILE, O_RDWR | O_CLOEXEC), length;

	require_true(file >= 0, "open " QUERY_FILE);
	length = snprintf(text, sizeof(text), "%d %u %u %u", buffers[0], queries->extended,
			  queries->extended ? tag_ext_of(0, 0) : tag_of(0, 0), QUERIES);
	require_true(write(file, text, (size_t)length) == length, "query: errno %d", errno);
	memset(text, 0, sizeof(text));
	require_true(pread(file, text, sizeof(text) - 1, 0) > 0 &&
			     sscanf(text, "%lu %lu %lu", &queries->right, &queries->none,
				    &queries->wrong) == 3,
		     "read the result");
	close(file);
	return NULL;
}

static void *set_one_thread(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!atomic_load(&stop))
		publish(buffers[0], 0, rand_r(&seed) % 3, rand_r(&seed) % 4);
	return NULL;
}

static void queries_under_load(void)
{
	struct queries queries[2] = { { .extended = false }, { .extended = true } };
	pthread_t setters[QUERY_SETTERS], threads[2];
	unsigned int i;

	alarm(0);
	acc = acc_open("acc0");
	buffers[0] = acc_export(&acc, 0, BUFFER_SIZE, NULL);
	for (i = 0; i < QUERY_SETTERS; i++)
		start(&setters[i], set_one_thread, i + 1);
	for (i = 0; i < 2; i++)
		start(&threads[i], query_thread, (uintptr_t)&queries[i]);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, true);
	for (i = 0; i < QUERY_SETTERS; i++)
		pthread_join(setters[i], NULL);
	for (i = 0; i < 2; i++) {
		diag("%s: %lu right, %lu with nothing published, %lu wrong, during %lu SET",
		     i ? "extended" : "8-bit", queries[i].right, queries[i].none,
		     queries[i].wrong, atomic_load(&sets));
		expect_int((int64_t)queries[i].wrong, 0, "pairs that were never published");
		expect_true(queries[i].right > QUERIES / 10 && queries[i].none > QUERIES / 10,
			    "both kinds of answer were seen");
	}
	expect_true(atomic_load(&sets) > QUERIES / 100, "there was enough SET");
}

static const struct test_case cases[] = {
	{ "queries_under_load", queries_under_load },
	{ "under_load", under_load },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
