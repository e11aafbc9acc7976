// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DMA engine: copies what descriptors in a ring name, and tags the writes.
 */
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include <dma_engine_regs.h>

#include "dma_engine.h"
#include "device_options.h"
#include "pcie/byteorder.h"
#include "pcie/cap_ats.h"
#include "pcie/device_model.h"
#include "pcie/transaction.h"
#include "registers.h"

#define DMA_ENGINE_CLASS_CODE	0x088000	/* other system peripheral */
#define DMA_ENGINE_REVISION	1
#define DMA_ENGINE_VERSION	1
#define DMA_ENGINE_MSIX_SIZE	0x1000
#define DMA_ENGINE_MSIX_PENDING	0x800
#define RING_ALIGN		32u
#define CHUNK			8192u	/* copied at once: half of the L1 cache or less */

_Static_assert(sizeof(struct dma_engine_desc) == 32, "descriptor");

/**
 * struct dma_engine - guarded by the fabric's lock
 * @control: register, the RUN bit
 * @running: works on the ring; stays set after RUN was cleared until the descriptor at hand is
 *	done
 * @ring_error: status bit
 * @ring_base: register
 * @ring_size: register, 0 until it is set to a legal value
 * @tail: register
 * @head: register
 * @sent: register
 * @failed: register
 * @latch: of a 64-bit register that is read in halves
 * @generation: counts resets, starts and ring errors; the worker compares it after each access,
 *	which may have dropped the lock, and then drops what it was doing
 * @busy: @desc is being worked on
 * @desc: the descriptor at hand, in host byte order
 * @done: bytes of it that have been copied
 * @buffer: bytes on their way; used by the worker alone
 */
struct dma_engine {
	uint32_t control;
	bool running;
	bool ring_error;
	uint64_t ring_base;
	uint32_t ring_size;
	uint32_t tail;
	uint32_t head;
	uint64_t sent;
	uint64_t failed;
	struct register_latch latch;
	uint64_t generation;
	bool busy;
	struct {
		uint64_t src;
		uint64_t dst;
		uint32_t length;
		uint32_t flags;
		uint16_t st_index;
		uint16_t vector;
	} desc;
	uint32_t done;
	uint8_t buffer[CHUNK];
};

/* What the worker was doing is over. */
static void dma_engine_abandon(struct pci_function *fn, struct dma_engine *engine)
{
	engine->running = false;
	engine->busy = false;
	engine->generation++;
	pci_function_cancel(fn);
}

static void clear_registers(struct pci_function *fn, struct dma_engine *engine)
{
	dma_engine_abandon(fn, engine);
	engine->control = 0;
	engine->ring_error = false;
	engine->ring_base = 0;
	engine->ring_size = 0;
	engine->tail = 0;
	engine->head = 0;
	engine->sent = 0;
	engine->failed = 0;
	engine->latch = (struct register_latch){ 0 };
}

static void stop_with_ring_error(struct pci_function *fn, struct dma_engine *engine)
{
	dma_engine_abandon(fn, engine);
	engine->ring_error = true;
}

/*
 * Tag selection of a descriptor in the mode in force: an index into the ST table, or the tag where
 * there is no table.
 */
static unsigned int st_selector(const struct dma_engine *engine, const struct pci_config *config)
{
	return tph_cap_mode(config) == TPH_MODE_INTERRUPT_VECTOR ? engine->desc.vector :
								   engine->desc.st_index;
}

static bool descriptor_ok(const struct dma_engine *engine, const struct pci_config *config)
{
	unsigned int entries = tph_cap_entries(config);
	uint32_t flags = engine->desc.flags;

	if (flags & ~DMA_ENGINE_DESC_VALID)
		return false;
	if (!engine->desc.length || engine->desc.length > DMA_ENGINE_LENGTH_MAX)
		return false;
	if (flags & DMA_ENGINE_DESC_IRQ && engine->desc.vector >= DMA_ENGINE_MSIX_VECTORS)
		return false;
	if (flags & DMA_ENGINE_DESC_TRANSLATED && !ats_cap_enabled(config))
		return false;
	if (flags & (DMA_ENGINE_DESC_TH | DMA_ENGINE_DESC_READ_TH) && entries &&
	    tph_cap_mode(config) != TPH_MODE_NO_ST &&
	    st_selector(engine, config) >= entries)
		return false;
	return true;
}

static bool wraps(uint64_t address, uint32_t length)
{
	return address + (length - 1) < address;
}

/* The first check that a new descriptor fails, DMA_ENGINE_DONE_OK when it may be started. */
static uint32_t check_descriptor(const struct dma_engine *engine, const struct pci_config *config)
{
	if (!descriptor_ok(engine, config))
		return DMA_ENGINE_DONE_BAD_DESC;
	if (wraps(engine->desc.src, engine->desc.length))
		return DMA_ENGINE_DONE_READ_ERROR;
	if (wraps(engine->desc.dst, engine->desc.length))
		return DMA_ENGINE_DONE_WRITE_ERROR;
	return DMA_ENGINE_DONE_OK;
}

static uint64_t descriptor_address(const struct dma_engine *engine)
{
	return engine->ring_base + (uint64_t)engine->head * sizeof(struct dma_engine_desc);
}

static bool fetch_descriptor(struct pci_function *fn, struct dma_engine *engine)
{
	uint64_t generation = engine->generation;
	struct dma_engine_desc desc;
	int ret = fabric_read(fn, descriptor_address(engine), &desc, sizeof(desc), NULL);

	if (engine->generation != generation || !engine->running)
		return false;
	if (ret) {
		stop_with_ring_error(fn, engine);
		return false;
	}
	engine->desc.src = le64_to_cpu(desc.src);
	engine->desc.dst = le64_to_cpu(desc.dst);
	engine->desc.length = le32_to_cpu(desc.length);
	engine->desc.flags = le32_to_cpu(desc.flags);
	engine->desc.st_index = le16_to_cpu(desc.st_index);
	engine->desc.vector = le16_to_cpu(desc.vector);
	engine->done = 0;
	engine->busy = true;
	return true;
}

/* Status, interrupt, next. */
static void finish_descriptor(struct pci_function *fn, struct dma_engine *engine, uint32_t status)
{
	uint64_t generation = engine->generation;
	__le32 value = cpu_to_le32(status);
	bool irq = engine->desc.flags & DMA_ENGINE_DESC_IRQ &&
		   engine->desc.vector < DMA_ENGINE_MSIX_VECTORS;
	int ret;

	if (status != DMA_ENGINE_DONE_OK)
		engine->failed++;
	ret = fabric_write(fn,
			   descriptor_address(engine) + offsetof(struct dma_engine_desc, status),
			   &value, sizeof(value), NULL, NULL);
	if (engine->generation != generation)
		return;
	if (ret) {
		stop_with_ring_error(fn, engine);
		return;
	}
	engine->busy = false;
	engine->head = (engine->head + 1) % engine->ring_size;
	if (!(engine->control & DMA_ENGINE_CONTROL_RUN))
		engine->running = false;
	if (irq)
		pci_function_msix_raise(fn, engine->desc.vector);
}

/*
 * The hint as the capability allows it at this moment: software may have changed it since the last
 * piece.
 */
static struct tlp_hint current_hint(const struct dma_engine *engine,
				    const struct pci_config *config, uint32_t flag)
{
	unsigned int ph =
		(engine->desc.flags & DMA_ENGINE_DESC_PH_MASK) >> DMA_ENGINE_DESC_PH_SHIFT;
	struct tlp_hint none = { 0 };

	/* A mode selected since the descriptor was checked may use another index. */
	if (!(engine->desc.flags & flag) || !descriptor_ok(engine, config))
		return none;
	return tph_cap_hint(config, ph, st_selector(engine, config));
}

static uint8_t attributes_of(const struct dma_engine *engine)
{
	return (engine->desc.flags & DMA_ENGINE_DESC_RO ? TLP_RELAXED_ORDERING : 0) |
	       (engine->desc.flags & DMA_ENGINE_DESC_IDO ? TLP_ID_ORDERING : 0);
}

static struct tlp_properties engine_write_properties(const struct dma_engine *engine,
						     const struct pci_config *config)
{
	return (struct tlp_properties){
		.hint = current_hint(engine, config, DMA_ENGINE_DESC_TH),
		.attributes = attributes_of(engine),
		.translated = engine->desc.flags & DMA_ENGINE_DESC_DST_TRANSLATED,
	};
}

static struct tlp_properties engine_read_properties(const struct dma_engine *engine,
						    const struct pci_config *config)
{
	return (struct tlp_properties){
		.hint = current_hint(engine, config, DMA_ENGINE_DESC_READ_TH),
		.attributes = attributes_of(engine),
		.translated = engine->desc.flags & DMA_ENGINE_DESC_SRC_TRANSLATED,
	};
}

/*
 * Copies a piece; the pieces end where TLPs would end anyhow, so that their number does not depend
 * on CHUNK.
 */
static void copy_piece(struct pci_function *fn, struct dma_engine *engine)
{
	uint64_t src = engine->desc.src + engine->done, dst = engine->desc.dst + engine->done;
	uint64_t generation = engine->generation, sent = 0;
	uint32_t left = engine->desc.length - engine->done;
	uint32_t n = CHUNK - dst % CHUNK;
	struct tlp_properties properties;
	int ret;

	if (n > left)
		n = left;
	properties = engine_read_properties(engine, pci_function_config(fn));
	ret = fabric_read(fn, src, engine->buffer, n, &properties);
	if (engine->generation != generation)
		return;
	if (ret) {
		finish_descriptor(fn, engine, DMA_ENGINE_DONE_READ_ERROR);
		return;
	}
	properties = engine_write_properties(engine, pci_function_config(fn));
	ret = fabric_write(fn, dst, engine->buffer, n, &properties, &sent);
	if (engine->generation != generation)
		return;
	engine->sent += sent;
	if (ret) {
		finish_descriptor(fn, engine, DMA_ENGINE_DONE_WRITE_ERROR);
		return;
	}
	engine->done += n;
	if (engine->done == engine->desc.length)
		finish_descriptor(fn, engine, DMA_ENGINE_DONE_OK);
}

static bool dma_engine_work(struct pci_function *fn)
{
	struct dma_engine *engine = pci_function_device(fn);
	uint32_t status;

	if (!engine->running)
		return false;
	if (engine->busy) {
		copy_piece(fn, engine);
	} else {
		if (engine->head == engine->tail || !fetch_descriptor(fn, engine))
			return false;
		status = check_descriptor(engine, pci_function_config(fn));
		if (status != DMA_ENGINE_DONE_OK)
			finish_descriptor(fn, engine, status);
	}
	return engine->running && (engine->busy || engine->head != engine->tail);
}

static void write_control(struct pci_function *fn, struct dma_engine *engine, uint32_t value)
{
	bool run = value & DMA_ENGINE_CONTROL_RUN;

	if (value & DMA_ENGINE_CONTROL_RESET) {
		clear_registers(fn, engine);
		return;
	}
	if (run == (engine->control & DMA_ENGINE_CONTROL_RUN))
		return;
	if (!run) {
		engine->control = 0;
		engine->running = engine->busy;
		return;
	}
	/* The descriptor at hand still belongs to the run before. */
	if (engine->running)
		return;
	engine->generation++;
	engine->control = DMA_ENGINE_CONTROL_RUN;
	engine->head = 0;
	engine->tail = 0;
	engine->ring_error = !engine->ring_size;
	engine->running = !engine->ring_error;
	pci_function_kick(fn);
}

static void write_tail(struct pci_function *fn, struct dma_engine *engine, uint32_t value)
{
	if (!engine->running)
		return;
	if (value >= engine->ring_size) {
		stop_with_ring_error(fn, engine);
		return;
	}
	engine->tail = value;
	pci_function_kick(fn);
}

static void write_ring_size(struct dma_engine *engine, uint32_t value)
{
	if (value >= 2 && value <= DMA_ENGINE_RING_MAX && !(value & (value - 1)))
		engine->ring_size = value;
}

static void dma_engine_write_register(struct pci_function *fn, struct dma_engine *engine,
				      uint64_t offset, uint32_t value)
{
	/* The ring stays where it is while the engine works on it. */
	bool ring_fixed = engine->running;

	switch (offset) {
	case DMA_ENGINE_REG_CONTROL:
		write_control(fn, engine, value);
		break;
	case DMA_ENGINE_REG_RING_BASE:
		if (!ring_fixed)
			engine->ring_base =
				(engine->ring_base >> 32 << 32) | (value & ~(RING_ALIGN - 1));
		break;
	case DMA_ENGINE_REG_RING_BASE + 4:
		if (!ring_fixed)
			engine->ring_base = (uint32_t)engine->ring_base | (uint64_t)value << 32;
		break;
	case DMA_ENGINE_REG_RING_SIZE:
		if (!ring_fixed)
			write_ring_size(engine, value);
		break;
	case DMA_ENGINE_REG_TAIL:
		write_tail(fn, engine, value);
		break;
	}
}

static bool dma_engine_register32(struct pci_function *fn, uint64_t offset, uint32_t *value)
{
	const struct dma_engine *engine = pci_function_device(fn);

	switch (offset) {
	case DMA_ENGINE_REG_ID:
		*value = DMA_ENGINE_ID;
		return true;
	case DMA_ENGINE_REG_VERSION:
		*value = DMA_ENGINE_VERSION;
		return true;
	case DMA_ENGINE_REG_CONTROL:
		*value = engine->control;
		return true;
	case DMA_ENGINE_REG_STATUS:
		*value = (engine->running ? DMA_ENGINE_STATUS_RUNNING : 0) |
			 (engine->ring_error ? DMA_ENGINE_STATUS_RING_ERROR : 0);
		return true;
	case DMA_ENGINE_REG_RING_SIZE:
		*value = engine->ring_size;
		return true;
	case DMA_ENGINE_REG_TAIL:
		*value = engine->tail;
		return true;
	case DMA_ENGINE_REG_HEAD:
		*value = engine->head;
		return true;
	default:
		return false;
	}
}

static bool dma_engine_register64(struct pci_function *fn, uint64_t offset, uint64_t *value)
{
	const struct dma_engine *engine = pci_function_device(fn);

	switch (offset) {
	case DMA_ENGINE_REG_RING_BASE:
		*value = engine->ring_base;
		return true;
	case DMA_ENGINE_REG_SENT:
		*value = engine->sent;
		return true;
	case DMA_ENGINE_REG_FAILED:
		*value = engine->failed;
		return true;
	default:
		return false;
	}
}

static const struct register_map dma_engine_registers = {
	.read32 = dma_engine_register32,
	.read64 = dma_engine_register64,
};

static int dma_engine_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
			       void *buf, size_t len)
{
	struct dma_engine *engine = pci_function_device(fn);

	if (bar == DMA_ENGINE_BAR_MSIX)
		memset(buf, 0, len);
	else
		register_read(&dma_engine_registers, &engine->latch, fn, offset, buf, len);
	return 0;
}

static int dma_engine_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
				const void *buf, size_t len)
{
	struct dma_engine *engine = pci_function_device(fn);
	const uint8_t *bytes = buf;

	if (bar == DMA_ENGINE_BAR_MSIX)
		return 0;
	if (len == 4) {
		dma_engine_write_register(fn, engine, offset, get_le32(bytes));
	} else if (len == 8 && offset == DMA_ENGINE_REG_RING_BASE) {
		dma_engine_write_register(fn, engine, offset, get_le32(bytes));
		dma_engine_write_register(fn, engine, offset + 4, get_le32(bytes + 4));
	}
	return 0;
}

static void dma_engine_reset(struct pci_function *fn)
{
	clear_registers(fn, pci_function_device(fn));
}

static void dma_engine_destroy(struct pci_function *fn)
{
	free(pci_function_device(fn));
}

static const struct pci_device_ops dma_engine_ops = {
	.reset = dma_engine_reset,
	.bar_read = dma_engine_bar_read,
	.bar_write = dma_engine_bar_write,
	.work = dma_engine_work,
	.destroy = dma_engine_destroy,
};

static const char *const mode_words[] = {
	[TPH_MODE_NO_ST] = "ns",
	[TPH_MODE_INTERRUPT_VECTOR] = "iv",
	[TPH_MODE_DEVICE_SPECIFIC] = "ds",
};

static const char *const table_words[] = { "none", "cap" };
static const char *const yes_no_words[] = { "no", "yes" };

/* Takes the options of the TPH Requester capability. */
static int tph_options(struct options *options, struct tph_cap_options *tph)
{
	unsigned int table = 1, ext = 1, modes = 0;
	int ret;

	tph->entries = DMA_ENGINE_ST_ENTRIES;
	ret = options_choice(options, "table", table_words, 2, &table);
	if (!ret)
		ret = options_choice(options, "ext", yes_no_words, 2, &ext);
	if (!ret)
		ret = options_set(options, "modes", mode_words, 3, &modes);
	if (!ret)
		ret = options_number(options, "entries", 1, DMA_ENGINE_ST_ENTRIES, &tph->entries);
	if (ret)
		return ret;
	if (!modes)
		modes = 1u << TPH_MODE_NO_ST | 1u << TPH_MODE_DEVICE_SPECIFIC |
			(table ? 1u << TPH_MODE_INTERRUPT_VECTOR : 0);
	if (!table && modes & 1u << TPH_MODE_INTERRUPT_VECTOR)
		return options_error(
			options, "modes= has iv, which needs an ST table: expected table=cap");
	if (!table)
		tph->entries = 0;
	tph->modes = modes;
	tph->extended = ext;
	return 0;
}

static int dma_engine_create(struct fabric *fabric, struct options *options,
			     struct pci_function_desc *desc, struct pci_function **fn)
{
	struct tph_cap_options tph;
	struct dma_engine *engine;
	unsigned int ats = 0;
	int ret;

	(void)fabric;
	ret = tph_options(options, &tph);
	if (!ret)
		ret = options_choice(options, "ats", yes_no_words, 2, &ats);
	if (!ret)
		ret = options_finish(options);
	if (ret)
		return ret;
	engine = calloc(1, sizeof(*engine));
	if (!engine)
		return -ENOMEM;

	desc->ids = (struct pci_config_ids){
		.vendor = DMA_ENGINE_VENDOR_ID, .device = DMA_ENGINE_DEVICE_ID,
		.class_code = DMA_ENGINE_CLASS_CODE, .revision = DMA_ENGINE_REVISION,
	};
	desc->bars[DMA_ENGINE_BAR_REGS] =
		(struct pci_bar){ PCI_BAR_MEM32, DMA_ENGINE_BAR_REGS_SIZE, -1 };
	desc->bars[DMA_ENGINE_BAR_MSIX] =
		(struct pci_bar){ PCI_BAR_MEM64_PREF, DMA_ENGINE_MSIX_SIZE, -1 };
	desc->pcie.end_end_prefix = tph.extended;
	desc->pcie.ordering = true;
	desc->ats = ats;
	desc->msix = (struct msix_options){
		.vectors = DMA_ENGINE_MSIX_VECTORS, .bar = DMA_ENGINE_BAR_MSIX,
		.pending = DMA_ENGINE_MSIX_PENDING,
	};
	desc->tph = &tph;
	desc->ops = &dma_engine_ops;
	desc->device = engine;
	ret = pci_function_create(desc, fn);
	if (ret)
		free(engine);
	return ret;
}

const struct device_type dma_engine_type = {
	.name = "dma-engine",
	.help = "    table=cap|none   place of the ST table; default cap\n"
		"    entries=1..64    of the table; default 64\n"
		"    modes=ns+iv+ds   ST modes offered beside ns: interrupt vector, device "
		"specific;\n"
		"                     default all that the table allows\n"
		"    ext=yes|no       Extended TPH Requester Supported; default yes\n"
		"    ats=no|yes       ATS capability; default no\n",
	.create = dma_engine_create,
};
