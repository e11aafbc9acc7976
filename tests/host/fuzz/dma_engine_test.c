// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the DMA engine: its registers, its descriptors, its capability for hints. Input: steps,
 *
 *	control		bits 0-2: what, bits 3-7: number of a register or descriptor
 *	bytes		as many as the step takes
 *
 * Whatever comes: the engine stops when it is told to, and copies again after that.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/engine_rig.h"

#define RING_ENTRIES 32u
/* A long copy is the same code for longer. */
#define LENGTH_MAX   8192u
#define TPH_CONTROL  0x108u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step {
	STEP_REGISTER,
	STEP_DESCRIPTOR,
	STEP_NEAR, /* a descriptor whose addresses are there */
	STEP_DOORBELL,
	STEP_CONFIG,
	STEP_START,
	STEP_RESET,
	STEP_WAIT,
};

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static size_t size_of(enum step step)
{
	switch (step) {
	case STEP_REGISTER:
		return 8;
	case STEP_DESCRIPTOR:
	case STEP_NEAR:
		return sizeof(struct dma_engine_desc);
	case STEP_DOORBELL:
	case STEP_CONFIG:
		return 4;
	default:
		return 0;
	}
}

static void write_descriptor(unsigned int number, const uint8_t *bytes, bool near)
{
	struct dma_engine_desc desc;

	memcpy(&desc, bytes, sizeof(desc));
	desc.length = htole32(le32toh(desc.length) % LENGTH_MAX);
	if (near) {
		desc.src = htole64(SOURCE + (le64toh(desc.src) & 0xffff));
		desc.dst = htole64((le64toh(desc.dst) & 1 ? PEER : TARGET) +
				   (le64toh(desc.dst) & 0x7fff));
	}
	*rig_descriptor(number) = desc;
}

static void take_step(enum step step, unsigned int number, const uint8_t *bytes)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size_of(step) < 8 ? size_of(step) : 8);
	switch (step) {
	case STEP_REGISTER:
		rig_write(number * 4, value, number % 2 ? 4 : 8);
		break;
	case STEP_DESCRIPTOR:
	case STEP_NEAR:
		write_descriptor(number % RING_ENTRIES, bytes, step == STEP_NEAR);
		break;
	case STEP_DOORBELL:
		rig_write(DMA_ENGINE_REG_TAIL, number % 4 ? value % RING_ENTRIES : value, 4);
		break;
	case STEP_CONFIG:
		rig_write_config(TPH_CONTROL + number * 2, (uint32_t)value, number % 2 ? 2 : 4);
		break;
	case STEP_START:
		rig_start(RING_ENTRIES);
		break;
	case STEP_RESET:
		pci_function_reset(rig.engine);
		rig_enable();
		break;
	case STEP_WAIT:
		must(rig_wait(DMA_ENGINE_REG_ID, UINT32_MAX, DMA_ENGINE_ID) || number,
		     "an engine without registers");
		break;
	}
}

/* As after its creation, at the end of each input; an engine that cannot stop would hang here. */
static void recover(void)
{
	uint32_t seen;

	pci_function_connect(rig.engine, NULL, NULL);
	rig_connect();
	rig_fill(SOURCE, 64, 1);
	memset(rig.ram + (TARGET - RAM), 0, 64);
	seen = rig_run_one(SOURCE, TARGET, 64, 0, 0, 0);
	must(seen == DMA_ENGINE_DONE_OK, "the engine does not copy any more");
	must(!memcmp(rig.ram + (TARGET - RAM), rig.ram + (SOURCE - RAM), 64), "other bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;

	if (!rig.fabric) {
		rig_setup("");
	}
	memset(rig.ram + (RING - RAM), 0, RING_ENTRIES * sizeof(struct dma_engine_desc));
	while (at < size) {
		enum step step = data[at] & 7;

		if (size - at - 1 < size_of(step))
			break;
		take_step(step, data[at] >> 3, data + at + 1);
		at += 1 + size_of(step);
	}
	recover();
	return 0;
}
