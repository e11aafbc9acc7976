// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the DMA engine. Registers, ring and descriptors with every way to get them wrong,
 * and the hints of each ST mode.
 */
#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "engine_rig.h"
#include "tap.h"

#define TPH_CONTROL 0x108
#define ST_TABLE    0x10c

static void test_registers(void)
{
	rig_setup("");
	is_hex(rig_read(DMA_ENGINE_REG_ID, 4), DMA_ENGINE_ID, "ID");
	is_hex(rig_read(DMA_ENGINE_REG_VERSION, 4), 1, "VERSION");
	is_hex(rig_status(), 0, "STATUS");
	rig_write(DMA_ENGINE_REG_RING_BASE, 0x123456789abcdeffull, 8);
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE, 8), 0x123456789abcdee0, "RING_BASE is aligned");
	rig_write(DMA_ENGINE_REG_RING_BASE, 0x11111111, 4);
	rig_write(DMA_ENGINE_REG_RING_BASE + 4, 0x22222222, 4);
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE, 4), 0x11111100, "RING_BASE, low half");
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE + 4, 4), 0x22222222, "RING_BASE, high half");
	rig_write(DMA_ENGINE_REG_RING_SIZE, 4096, 4);
	for (unsigned int bad = 0; bad < 5; bad++)
		rig_write(DMA_ENGINE_REG_RING_SIZE,
			    (const uint32_t[]){ 0, 1, 3, 8192, 1u << 31 }[bad], 4);
	is_int(rig_read(DMA_ENGINE_REG_RING_SIZE, 4), 4096, "RING_SIZE takes legal values only");
	rig_write(DMA_ENGINE_REG_TAIL, 5, 4);
	is_int(rig_read(DMA_ENGINE_REG_TAIL, 4), 0, "TAIL is for a running engine");
	rig_write(DMA_ENGINE_REG_ID, 0, 4);
	rig_write(DMA_ENGINE_REG_HEAD, 7, 4);
	rig_write(DMA_ENGINE_REG_SENT, 7, 8);
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4) + rig_read(DMA_ENGINE_REG_SENT, 8), 0,
	       "constant registers");
	is_hex(rig_read(DMA_ENGINE_REG_ID, 1), 0xff, "a byte reads as all ones");
	is_hex(rig_read(DMA_ENGINE_REG_ID, 8), UINT64_MAX, "two registers at once as well");
	is_hex(rig_read(0x24, 4), 0xffffffff, "and no register");
	rig_write(DMA_ENGINE_REG_RING_BASE, 0xff, 1);
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE, 4), 0x11111100, "a byte is dropped");
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET | DMA_ENGINE_CONTROL_RUN, 4);
	is_hex(rig_read(DMA_ENGINE_REG_CONTROL, 4), 0, "RESET reads as 0 and does not start");
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE, 8) | rig_read(DMA_ENGINE_REG_RING_SIZE, 4), 0,
	       "all is 0");
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RING_ERROR, "RUN without a ring");
	rig_start(8);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RUNNING, "RUN with a ring clears the error");
	rig_write(DMA_ENGINE_REG_RING_BASE, 0, 8);
	rig_write(DMA_ENGINE_REG_RING_SIZE, 2, 4);
	is_hex(rig_read(DMA_ENGINE_REG_RING_BASE, 8), RING,
	       "the ring stays where it is while it runs");
	is_int(rig_read(DMA_ENGINE_REG_RING_SIZE, 4), 8, "as large as it is");
	rig_teardown();
}

static void test_copies(void)
{
	static const struct {
		uint32_t src, dst, length;
	} cases[] = {
		{ 0, 0, 1 },	 { 1, 2, 3 },	       { 0, 0, 4 },
		{ 3, 0, 512 },	 { 0, 5, 512 },	       { 7, 9, 4097 },
		{ 0, 0, 65536 }, { 1, 65535, 200000 }, { 4, 4, DMA_ENGINE_LENGTH_MAX },
	};

	rig_setup("");
	rig_fill(SOURCE, 300000, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t src = SOURCE + cases[i].src, dst = TARGET + cases[i].dst;

		memset(rig.ram + (TARGET - RAM), 0, 300000);
		is_int(rig_run_one(src, dst, cases[i].length, 0, 0xffff, 0xffff),
		       DMA_ENGINE_DONE_OK, "%u bytes from +%u to +%u", cases[i].length,
		       cases[i].src, cases[i].dst);
		is_mem(rig.ram + (dst - RAM), rig.ram + (src - RAM), cases[i].length,
		       "  are copied");
		is_int(rig.ram[dst - RAM - 1] | rig.ram[dst - RAM + cases[i].length], 0,
		       "  and nothing around them");
	}
	is_int(rig_read(DMA_ENGINE_REG_FAILED, 8), 0, "none failed");
	is_hex(rig.interrupts, 0, "no interrupt was asked for");
	rig_teardown();
}

static void test_sent(void)
{
	rig_setup("");
	rig_run_one(SOURCE, TARGET + 1, 65536 + 511, 0, 0, 0);
	is_int(rig_read(DMA_ENGINE_REG_SENT, 8), 129,
	       "TLPs, whatever the pieces: 129 begin in the range");
	rig_run_one(SOURCE, PEER + 0x100, 1024, 0, 0, 0);
	is_int(rig_read(DMA_ENGINE_REG_SENT, 8), 132, "and three more");
	is_int(rig.peer->writes, 3, "which the peer got");
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	is_int(rig_read(DMA_ENGINE_REG_SENT, 8), 0, "RESET sets it to 0");
	rig_teardown();
}

static void test_ring(void)
{
	struct dma_engine_desc *desc[10];
	unsigned int done = 0;

	rig_setup("");
	rig_start(4);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 2; i++) {
			rig.ram[SOURCE - RAM + round * 2 + i] = 'a' + round * 2 + i;
			desc[round * 2 + i] =
				rig_post(SOURCE + round * 2 + i, TARGET + round * 2 + i, 1,
					   DMA_ENGINE_DESC_IRQ, 0, round);
		}
		rig_doorbell();
		ok(rig_drain(), "round %u", round);
		done += desc[round * 2]->status == htole32(1) &&
			desc[round * 2 + 1]->status == htole32(1);
	}
	is_int(done, 5, "a ring of four takes ten");
	is_mem(rig.ram + (TARGET - RAM), "abcdefghij", 10, "in order");
	is_hex(rig_interrupts(), 0x1f, "each with its interrupt");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 2, "HEAD went around");
	rig_start(4);
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 0, "RUN starts over");
	rig_teardown();
}

static void test_bad_descriptors(void)
{
	static const struct {
		const char *what;
		uint64_t src, dst;
		uint32_t length, flags;
		uint16_t st_index, vector;
		uint32_t status;
	} cases[] = {
		{ "no length", SOURCE, TARGET, 0, 0, 0, 0, DMA_ENGINE_DONE_BAD_DESC },
		{ "too long", SOURCE, TARGET, DMA_ENGINE_LENGTH_MAX + 1, 0, 0, 0,
		  DMA_ENGINE_DONE_BAD_DESC },
		{ "longest there is", SOURCE, TARGET, UINT32_MAX, 0, 0, 0,
		  DMA_ENGINE_DONE_BAD_DESC },
		{ "unknown flag", SOURCE, TARGET, 4, 0x200, 0, 0, DMA_ENGINE_DONE_BAD_DESC },
		{ "all flags", SOURCE, TARGET, 4, UINT32_MAX, 0, 0, DMA_ENGINE_DONE_BAD_DESC },
		{ "st_index behind the table", SOURCE, TARGET, 4, DMA_ENGINE_DESC_TH, 64, 0,
		  DMA_ENGINE_DONE_BAD_DESC },
		{ "vector out of range", SOURCE, TARGET, 4, DMA_ENGINE_DESC_IRQ, 0, 8,
		  DMA_ENGINE_DONE_BAD_DESC },
		{ "source nowhere", 0x900000000, TARGET, 4, 0, 0, 0, DMA_ENGINE_DONE_READ_ERROR },
		{ "source runs out", RAM + RAM_SIZE - 4, TARGET, 8, 0, 0, 0,
		  DMA_ENGINE_DONE_READ_ERROR },
		{ "source wraps", UINT64_MAX - 3, TARGET, 8, 0, 0, 0, DMA_ENGINE_DONE_READ_ERROR },
		{ "target nowhere", SOURCE, 0x900000000, 4, 0, 0, 0, DMA_ENGINE_DONE_WRITE_ERROR },
		{ "target wraps", SOURCE, UINT64_MAX - 3, 8, 0, 0, 0, DMA_ENGINE_DONE_WRITE_ERROR },
		{ "target within reach", SOURCE, TARGET, 8, 0, 0, 0, DMA_ENGINE_DONE_OK },
	};
	unsigned int failed = 0;

	rig_setup("");
	rig_write_config(TPH_CONTROL, TPH_MODE_DEVICE_SPECIFIC | TPH_REQUESTER_8BIT << 8, 4);
	rig.upstream_result = -EFAULT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(rig_run_one(cases[i].src, cases[i].dst, cases[i].length, cases[i].flags,
				     cases[i].st_index, cases[i].vector),
		       cases[i].status, "%s", cases[i].what);
		failed += cases[i].status != DMA_ENGINE_DONE_OK;
		is_int(rig_read(DMA_ENGINE_REG_FAILED, 8), failed, "  is counted");
	}
	rig.interrupts = 0;
	is_int(rig_run_one(SOURCE, TARGET, 0, DMA_ENGINE_DESC_IRQ, 0, 3),
	       DMA_ENGINE_DONE_BAD_DESC, "bad one with an interrupt");
	is_hex(rig_interrupts(), 8, "  sends it");
	rig.upstream_writes = 0;
	is_int(rig_run_one(SOURCE, UINT64_MAX - 100000, 200000, 0, 0, 0),
	       DMA_ENGINE_DONE_WRITE_ERROR, "target that wraps late");
	is_int(rig.upstream_writes, 0, "  nothing is sent");
	is_int(rig_run_one(SOURCE, PEER + PEER_SIZE - 512, 1024, 0, 0, 0),
	       DMA_ENGINE_DONE_WRITE_ERROR, "target runs out");
	is_int(rig.peer->writes, 1, "  after what was in reach");
	rig.peer->refuse = true;
	is_int(rig_run_one(SOURCE, PEER, 4, 0, 0, 0), DMA_ENGINE_DONE_WRITE_ERROR,
	       "target refuses");
	is_int(rig_run_one(PEER, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_READ_ERROR,
	       "source refuses");
	rig_start(8);
	rig_post(SOURCE, TARGET, 0, 0, 0, 0);
	rig_post(SOURCE, TARGET, 4, 0, 0, 0);
	rig_doorbell();
	ok(rig_drain() && rig_descriptor(1)->status == htole32(DMA_ENGINE_DONE_OK),
	   "a bad one does not stop the next");
	rig_teardown();
}

static void check_hint(const char *what, uint32_t flags, uint16_t st_index, uint16_t vector,
		       bool present, bool extended, unsigned int ph, unsigned int st)
{
	unsigned int writes = rig.peer->writes;

	is_int(rig_run_one(SOURCE, PEER, 4, flags, st_index, vector), DMA_ENGINE_DONE_OK, "%s",
	       what);
	is_int(rig.peer->writes, writes + 1, "  one TLP");
	is_int(rig.peer->last.hint.present, present, "  TH");
	if (!present)
		return;
	is_int(rig.peer->last.hint.extended, extended, "  width");
	is_int(rig.peer->last.hint.ph, ph, "  PH");
	is_hex(rig.peer->last.hint.st, st, "  ST");
}

#define TH(ph) (DMA_ENGINE_DESC_TH | (ph) << DMA_ENGINE_DESC_PH_SHIFT)

static void control(enum tph_mode mode, enum tph_requester requester)
{
	rig_write_config(TPH_CONTROL, mode | requester << 8, 4);
}

static void test_hints(void)
{
	rig_setup("");
	rig_write_config(ST_TABLE + 2 * 5, 0x4312, 2);
	rig_write_config(ST_TABLE + 2 * 6, 0x0099, 2);
	check_hint("requester off", TH(2), 5, 0, false, false, 0, 0);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_EXTENDED);
	check_hint("16-bit tag", TH(2), 5, 0, true, true, 2, 0x4312);
	check_hint("16-bit tag below 0x100", TH(0), 6, 0, true, true, 0, 0x0099);
	check_hint("no TH in the descriptor", 3 << DMA_ENGINE_DESC_PH_SHIFT, 5, 0, false, false, 0,
		   0);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_8BIT);
	check_hint("8-bit tag", TH(1), 6, 0, true, false, 1, 0x99);
	check_hint("8-bit requester: low byte of the entry", TH(3), 5, 0, true, false, 3, 0x12);
	control(TPH_MODE_INTERRUPT_VECTOR, TPH_REQUESTER_8BIT);
	check_hint("interrupt vector mode", TH(1), 0xffff, 6, true, false, 1, 0x99);
	is_int(rig_run_one(SOURCE, PEER, 4, TH(1), 0, 64), DMA_ENGINE_DONE_BAD_DESC,
	       "interrupt vector mode, vector behind the table");
	control(TPH_MODE_NO_ST, TPH_REQUESTER_EXTENDED);
	check_hint("No ST Mode", TH(2), 0xffff, 0xffff, true, false, 2, 0);
	is_int(rig_run_one(SOURCE, TARGET, 4, TH(2), 0, 0), DMA_ENGINE_DONE_OK,
	       "to guest memory");
	rig_teardown();

	rig_setup(",table=none");
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_EXTENDED);
	check_hint("no table: st_index is the tag", TH(2), 0x4312, 0, true, true, 2, 0x4312);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_8BIT);
	check_hint("no table, 8 bits: its low byte", TH(2), 0x4312, 0, true, false, 2, 0x12);
	rig_teardown();

	rig_setup(",ext=no,entries=1");
	rig_write_config(ST_TABLE, 0x4312, 2);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_EXTENDED);
	check_hint("no 16-bit tags", TH(2), 0, 0, true, false, 2, 0x12);
	is_int(rig_run_one(SOURCE, PEER, 4, TH(1), 1, 0), DMA_ENGINE_DONE_BAD_DESC, "one entry");
	rig_teardown();
}

static void test_ring_errors(void)
{
	rig_setup("");
	rig_start(8);
	rig_post(SOURCE, TARGET, 4, 0, 0, 0);
	rig_write(DMA_ENGINE_REG_TAIL, 8, 4);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RING_ERROR, "TAIL out of range");
	rig_write(DMA_ENGINE_REG_TAIL, 1, 4);
	is_hex(rig_status(), DMA_ENGINE_STATUS_RING_ERROR, "the engine has stopped");
	is_int(rig_descriptor(0)->status, 0, "and does nothing");
	is_int(rig_run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK,
	       "RUN 0 to 1 clears it");

	rig.upstream_result = -EFAULT;
	rig_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	rig_write(DMA_ENGINE_REG_RING_BASE, 0x900000000, 8);
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	rig_write(DMA_ENGINE_REG_TAIL, 1, 4);
	ok(rig_wait(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "ring that cannot be read");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");

	pci_function_dma_unmap_all(rig.engine);
	pci_function_dma_map(rig.engine, RAM, 0x2000, true, false, rig.ram_fd, 0);
	pci_function_dma_map(rig.engine, RAM + 0x2000, RAM_SIZE - 0x2000, true, true,
			     rig.ram_fd, 0x2000);
	rig_start(8);
	rig_post(SOURCE, TARGET, 4, DMA_ENGINE_DESC_IRQ, 0, 1);
	rig_doorbell();
	ok(rig_wait(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "ring that cannot be written");
	is_int(rig_read(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");
	is_hex(rig_interrupts(), 0, "and no interrupt says it is done");
	rig_teardown();
}

static void test_msix_bar(void)
{
	uint32_t value = 0xffffffff;

	rig_setup("");
	pci_function_region_read(rig.engine, DMA_ENGINE_BAR_MSIX, 12, &value, 4);
	is_hex(value, 1, "the table is there");
	pci_function_region_write(rig.engine, DMA_ENGINE_BAR_MSIX, 0x400, &value, 4);
	pci_function_region_read(rig.engine, DMA_ENGINE_BAR_MSIX, 0x400, &value, 4);
	is_hex(value, 0, "nothing is behind it");
	rig_teardown();
}

static void test_random(void)
{
	unsigned int wrong = 0, differences = 0;
	static uint8_t model[PEER_SIZE];

	rig_setup("");
	rig_fill(SOURCE, 0x20000, 8);
	srandom(9);
	for (unsigned int i = 0; i < 50; i++) {
		unsigned int count = 1 + random() % 7;

		rig_start(8);
		for (unsigned int j = 0; j < count; j++) {
			uint32_t length = 1 + random() % (random() % 2 ? 64 : 20000);
			uint32_t from = random() % 0x10000, to = random() % (PEER_SIZE - length);

			rig_post(SOURCE + from, PEER + to, length, 0, 0, 0);
			memcpy(model + to, rig.ram + (SOURCE - RAM) + from, length);
		}
		rig_doorbell();
		wrong += !rig_drain();
		for (unsigned int j = 0; j < count; j++)
			wrong += rig_descriptor(j)->status != htole32(DMA_ENGINE_DONE_OK);
		differences += memcmp(rig.peer->memory, model, PEER_SIZE) != 0;
	}
	is_int(wrong, 0, "random copies to the peer: all done");
	is_int(differences, 0, "random copies to the peer: its memory as the model has it");
	is_int(rig.peer->bad_tlps, 0, "random copies to the peer: no bad TLP");
	rig_teardown();
}

int main(void)
{
	test_registers();
	test_copies();
	test_sent();
	test_ring();
	test_bad_descriptors();
	test_hints();
	test_ring_errors();
	test_msix_bar();
	test_random();
	return done_testing();
}
