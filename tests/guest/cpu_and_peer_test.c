// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPU, through a mapping of a dma-buf, and the DMA engine, as its importer,
 * see the same bytes, uncached and write-combined. acc0 is the memory, dma0 the
 * engine.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "page_table.h"

#define LENGTH		(64 * 1024u)
#define OFFSET		(MIB - 5 * PAGE)

/* Stores may sit in a write-combining buffer until something drains it. */
static void drain_stores(void)
{
	__asm__ volatile("sfence" ::: "memory");
}

static void both_ways(bool promote)
{
	struct bar_memory mem = memory_open("acc0");
	int engine = engine_open("dma0"), fd = memory_export(&mem, OFFSET, LENGTH);
	uint32_t handle = engine_import(engine, fd);
	uint8_t *want = malloc(LENGTH), *got = malloc(LENGTH);
	volatile uint8_t *map;

	require_true(want && got, "buffers");
	if (promote)
		require_error(wc_set(&mem, fd), 0, "SET");
	map = map_shared(fd, 0, LENGTH);

	fill_bytes(want, LENGTH, 1 + promote);
	for (unsigned int i = 0; i < LENGTH; i++)
		map[i] = want[i];
	drain_stores();
	expect_true(page_entries(map, LENGTH).type == (promote ? TYPE_WC : TYPE_UC_MINUS),
		    "entries: %s", memory_type_name(page_entries(map, LENGTH).type));
	require_error(dma_engine_read(engine, handle, 0, got, LENGTH), 0, "the peer reads");
	expect_true(!memcmp(got, want, LENGTH), "the peer reads what the CPU wrote");

	fill_bytes(want, LENGTH, 3 + promote);
	require_error(dma_engine_write(engine, handle, 0, want, LENGTH), 0, "the peer writes");
	for (unsigned int i = 0; i < LENGTH; i++)
		got[i] = map[i];
	expect_true(!memcmp(got, want, LENGTH), "the CPU reads what the peer wrote");

	memory_revoke(&mem);
	expect_int(touch_write(map, 1), SIGBUS, "the CPU, revoked: signal");
	expect_true(dma_engine_write(engine, handle, 0, want, LENGTH) < 0, "the peer, revoked");
	memory_restore(&mem);
	require_error(dma_engine_read(engine, handle, 0, got, LENGTH), 0, "the peer reads again");
	expect_true(!memcmp(got, want, LENGTH), "nothing came through in between");
	free(want);
	free(got);
}

static void uncached(void)
{
	both_ways(false);
}

static void write_combined(void)
{
	both_ways(true);
}

static const struct test_case cases[] = {
	{ "uncached", uncached },
	{ "write_combined", write_combined },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
