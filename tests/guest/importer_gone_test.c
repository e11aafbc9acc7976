// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The importer loses its device or its module, at rest and in use: unbind,
 * function reset, unload. acc0 completes extended tags and dma0 sends them.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "wire.h"
#include "workers.h"

#define BUFFER_SIZE	(64 * PAGE)
#define DRIVER		"/sys/bus/pci/drivers/tph_dma/"

static void engine_unbind(const char *name)
{
	require_error(sysfs_write(DRIVER "unbind", device_bdf(name)), 0, "unbind %s", name);
}

static void engine_bind(const char *name)
{
	require_error(sysfs_write(DRIVER "bind", device_bdf(name)), 0, "bind %s", name);
}

static void engine_reset(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", device_bdf(name));
	require_error(sysfs_write(path, "1"), 0, "reset %s", name);
}

/* Whether the engine is attached to any dma-buf, as debugfs lists them. */
static bool is_attached(const char *name)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	const char *bdf = device_bdf(name);
	bool found = false;
	char line[200];

	require_true(file, "open the list of dma-bufs");
	while (fgets(line, sizeof(line), file))
		found = found || strstr(line, bdf);
	fclose(file);
	return found;
}

/* An engine that works, after all that was done to it. */
static void expect_engine_works(struct accelerator *acc, int fd)
{
	struct tphbuf_tag tag = tag_ext(0x00aa, 3);
	struct wire_path path;

	acc_set_tag(acc, fd, &tag);
	path = wire_path(acc, "dma0", fd);
	expect_writes(&path, wire_ext(0x00aa, 3), "afterwards");
	close(path.engine);
}

static void unbind_with_open_file(void)
{
	struct tphbuf_tag tag = tag_ext(0x0011, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);
	struct wire_path path = wire_path(&acc, "dma0", fd);
	struct tph_dma_query query;
	uint32_t word = 0;

	expect_writes(&path, wire_ext(0x0011, 1), "before");
	expect_true(is_attached("dma0"), "the engine is attached to the buffer");
	engine_unbind("dma0");
	expect_true(!is_attached("dma0"), "the engine that was unbound is attached to nothing");
	expect_error(dma_engine_open(device_bdf("dma0")), -ENODEV, "there is no device file");
	expect_error(dma_engine_write(path.engine, path.handle, 0, &word, 4), -ENODEV, "copy");
	expect_error(dma_engine_query(path.engine, path.handle, &query), -ENODEV, "query");
	expect_error(dma_engine_import(path.engine, fd), -ENODEV, "import");

	/* The owner is not held up by an importer without a device. */
	acc_decode(&acc, false);
	acc_decode(&acc, true);
	engine_bind("dma0");
	expect_error(dma_engine_write(path.engine, path.handle, 0, &word, 4), -ENODEV,
		     "the old file stays with the old binding");
	expect_engine_works(&acc, fd);
	expect_error(dma_engine_release(path.engine, path.handle), 0, "release in the old file");
	close(path.engine);
	expect_engine_works(&acc, fd);
}

static void unbind_under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x0012, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag);

	wire_begin(&acc);
	for (int i = 0; i < 5; i++) {
		struct wire_path path = wire_path(&acc, "dma0", fd);
		struct workers w = {
			.engine = path.engine,
			.handle = path.handle,
			.length = BUFFER_SIZE,
			.allowed = -ENODEV,
		};

		workers_start(&w, 4);
		workers_wait(&w.ok, 4, "copies before");
		engine_unbind("dma0");
		workers_wait(&w.refused, 4, "copies after");
		workers_stop(&w);
		close(path.engine);
		engine_bind("dma0");
	}
	expect_int(wire_refused(&acc, "dma0"), 0, "TLPs that went astray");
	expect_engine_works(&acc, fd);
}

/* The mapping, the ST table and the open file outlive a reset of the engine. */
static void reset_at_rest(void)
{
	struct tphbuf_tag tag = tag_ext(0x0013, 2);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));

	for (int i = 0; i < 3; i++) {
		expect_writes(&path, wire_ext(0x0013, 2), "between resets");
		engine_reset("dma0");
	}
	expect_writes(&path, wire_ext(0x0013, 2), "after the last");
	expect_int(engine_query(path.engine, path.handle).mappings, 1, "mappings");
}

static void reset_under_way(void)
{
	struct tphbuf_tag tag = tag_ext(0x0014, 2);
	struct accelerator acc = acc_open("acc0");
	struct wire_path path = wire_path(&acc, "dma0", acc_export(&acc, 0, BUFFER_SIZE, &tag));
	struct workers w = {
		.engine = path.engine,
		.handle = path.handle,
		.length = BUFFER_SIZE,
	};
	struct accelerator_counters c = acc_count(&acc, true, 0x0014);

	workers_start(&w, 4);
	for (int i = 0; i < 10; i++) {
		workers_wait(&w.ok, 2, "copies between resets");
		engine_reset("dma0");
	}
	workers_stop(&w);
	c = acc_count_since(&acc, true, 0x0014, &c);
	if (!domain_is_translated())
		expect_int(c.with_tag, c.writes, "writes with the tag");
	expect_writes(&path, wire_ext(0x0014, 2), "afterwards");
}

static void unload_in_use(void)
{
	int engine = engine_open("dma0");

	expect_error(syscall(SYS_delete_module, "tph_dma", O_NONBLOCK) ? -errno : 0, -EAGAIN,
		     "unload while a file is open");
	close(engine);
}

static void unload_and_load(void)
{
	struct tphbuf_tag tag = tag_ext(0x0015, 0);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, BUFFER_SIZE, &tag), module;
	const char *file = getenv("TPHBUF_MODULE");

	for (int i = 0; i < 3; i++) {
		struct wire_path path = wire_path(&acc, "dma0", fd);

		expect_writes(&path, wire_ext(0x0015, 0), "with the module");
		close(path.engine);
		require_error(syscall(SYS_delete_module, "tph_dma", O_NONBLOCK) ? -errno : 0, 0,
			      "unload");
		expect_error(dma_engine_open(device_bdf("dma0")), -ENODEV,
			     "there is no device file");
		acc_decode(&acc, false);
		acc_decode(&acc, true);
		module = open(file ? file : "tph_dma.ko", O_RDONLY | O_CLOEXEC);
		require_true(module >= 0, "open the module");
		require_error(syscall(SYS_finit_module, module, "", 0) ? -errno : 0, 0, "load");
		close(module);
	}
	expect_engine_works(&acc, fd);
}

static const struct test_case cases[] = {
	{ "unbind_with_open_file", unbind_with_open_file },
	{ "unbind_under_way", unbind_under_way },
	{ "reset_at_rest", reset_at_rest },
	{ "reset_under_way", reset_under_way },
	{ "unload_in_use", unload_in_use },
	{ "unload_and_load", unload_and_load },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
