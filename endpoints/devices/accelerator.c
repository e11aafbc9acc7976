// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The accelerator: memory that a tagged write can add to, and counts of what arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "accelerator.h"
#include "device_options.h"
#include "pcie/atomic_op.h"
#include "pcie/byteorder.h"
#include "pcie/device_model.h"
#include "pcie/tlp.h"
#include "registers.h"

#define ACC_CLASS_CODE		0x120000	/* processing accelerator */
#define ACC_REVISION		1
#define ACC_VERSION		1
#define ACC_MEM_SIZE_DEFAULT	(64ull << 20)
#define ACC_MEM_SIZE_MIN	4096ull
#define ACC_MEM_SIZE_MAX	(8ull << 30)
#define ACC_PH_VALUES		4
#define ACC_TAGS		256
#define ACC_TAGS_EXT		65536
#define ACC_PARTITIONS		16
#define ACC_PARTITIONS_EXT	256
#define ACC_SELECT_TAG		0xffffu
#define ACC_CONTROL_VALID	(ACC_CONTROL_CLEAR | ACC_CONTROL_INTERRUPT)
#define ACC_MSIX_SIZE		0x1000
#define ACC_MSIX_PENDING	0x800

enum operation {
	OP_STORE,
	OP_ADD,
	OP_MAX,
	OP_XOR,
};

/* All that ACC_CONTROL_CLEAR sets to 0. */
struct counters {
	uint32_t bad_access;
	uint64_t writes;
	uint64_t bytes;
	uint64_t untagged;
	uint64_t tagged;
	uint64_t tagged_ext;
	uint64_t malformed;
	uint64_t reads;
	uint64_t atomics;
	uint64_t ph[ACC_PH_VALUES];
	uint64_t tag[ACC_TAGS];
	uint64_t tag_ext[ACC_TAGS_EXT];
	uint64_t partition[ACC_PARTITIONS];
	uint64_t partition_ext[ACC_PARTITIONS_EXT];
};

/**
 * struct accelerator - guarded by the fabric's lock
 * @memory: BAR2, mapped; the CPU writes to the same pages without any lock
 * @size: bytes in @memory
 * @fd: of @memory
 * @mark: register
 * @mark_text: what the next write to it divides the trace with
 * @select: register
 * @latch: of a 64-bit register that is read in halves
 * @counters: registers
 */
struct accelerator {
	uint8_t *memory;
	uint64_t size;
	int fd;
	uint32_t mark;
	char mark_text[ACC_MARK_TEXT_MAX + 1];
	uint32_t select;
	struct register_latch latch;
	struct counters counters;
};

/* Value of a 64-bit register; false when there is none at @offset. */
static bool accelerator_register64(struct pci_function *fn, uint64_t offset, uint64_t *value)
{
	const struct accelerator *acc = pci_function_device(fn);
	const struct counters *c = &acc->counters;
	uint32_t tag = acc->select & ACC_SELECT_TAG;
	bool ext = acc->select & ACC_SELECT_EXT;

	if (offset >= ACC_REG_PH(0) && offset < ACC_REG_PH(ACC_PH_VALUES)) {
		if (offset % 8)
			return false;
		*value = c->ph[(offset - ACC_REG_PH(0)) / 8];
		return true;
	}
	switch (offset) {
	case ACC_REG_MEM_SIZE:
		*value = acc->size;
		return true;
	case ACC_REG_WRITES:
		*value = c->writes;
		return true;
	case ACC_REG_BYTES:
		*value = c->bytes;
		return true;
	case ACC_REG_UNTAGGED:
		*value = c->untagged;
		return true;
	case ACC_REG_TAGGED:
		*value = c->tagged;
		return true;
	case ACC_REG_TAGGED_EXT:
		*value = c->tagged_ext;
		return true;
	case ACC_REG_MALFORMED:
		*value = c->malformed;
		return true;
	case ACC_REG_READS:
		*value = c->reads;
		return true;
	case ACC_REG_ATOMICS:
		*value = c->atomics;
		return true;
	case ACC_REG_TAG_COUNT:
		*value = ext ? c->tag_ext[tag] : c->tag[tag];
		return true;
	case ACC_REG_PARTITION_COUNT:
		*value = ext ? c->partition_ext[ACC_ST_EXT_PARTITION(tag)] :
			       c->partition[ACC_ST_PARTITION(tag)];
		return true;
	default:
		return false;
	}
}

static bool accelerator_register32(struct pci_function *fn, uint64_t offset, uint32_t *value)
{
	const struct accelerator *acc = pci_function_device(fn);

	switch (offset) {
	case ACC_REG_ID:
		*value = ACC_ID;
		return true;
	case ACC_REG_VERSION:
		*value = ACC_VERSION;
		return true;
	case ACC_REG_CONTROL:
		*value = 0;
		return true;
	case ACC_REG_MARK:
		*value = acc->mark;
		return true;
	case ACC_REG_COMPLETER:
		*value = pcie_cap_tph_completer(pci_function_config(fn));
		return true;
	case ACC_REG_BAD_ACCESS:
		*value = acc->counters.bad_access;
		return true;
	case ACC_REG_SELECT:
		*value = acc->select;
		return true;
	default:
		return false;
	}
}

static const struct register_map accelerator_registers = {
	.read32 = accelerator_register32,
	.read64 = accelerator_register64,
};

static bool select_ok(uint32_t value)
{
	return value & ACC_SELECT_EXT ? !(value & ~(ACC_SELECT_EXT | ACC_SELECT_TAG)) :
					value < ACC_TAGS;
}

static void append_mark_text(struct accelerator *acc, uint32_t value)
{
	size_t used = strlen(acc->mark_text);

	for (; value; value >>= 8) {
		if (value & 0xff && used < ACC_MARK_TEXT_MAX)
			acc->mark_text[used++] = value & 0xff;
	}
	acc->mark_text[used] = '\0';
}

static void write_mark(struct pci_function *fn, uint32_t value)
{
	struct accelerator *acc = pci_function_device(fn);

	acc->mark = value;
	if (acc->mark_text[0])
		pci_function_mark_trace(fn, acc->mark_text);
	acc->mark_text[0] = '\0';
}

static void accelerator_write_register(struct pci_function *fn, uint64_t offset, const void *buf,
				       size_t len)
{
	struct accelerator *acc = pci_function_device(fn);
	uint32_t value = len == 4 ? get_le32(buf) : 0;

	if (len == 4 && offset == ACC_REG_CONTROL && !(value & ~ACC_CONTROL_VALID)) {
		if (value & ACC_CONTROL_INTERRUPT)
			pci_function_msix_raise(fn, 0);
		if (value & ACC_CONTROL_CLEAR)
			memset(&acc->counters, 0, sizeof(acc->counters));
	} else if (len == 4 && offset == ACC_REG_MARK) {
		write_mark(fn, value);
	} else if (len == 4 && offset == ACC_REG_MARK_TEXT) {
		append_mark_text(acc, value);
	} else if (len == 4 && offset == ACC_REG_SELECT && select_ok(value)) {
		acc->select = value;
	} else {
		acc->counters.bad_access++;
	}
}

static int accelerator_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
				void *buf, size_t len)
{
	struct accelerator *acc = pci_function_device(fn);

	if (bar == ACC_BAR_MEM)
		memcpy(buf, acc->memory + offset, len);
	else if (bar == ACC_BAR_MSIX)
		memset(buf, 0, len);
	else if (!register_read(&accelerator_registers, &acc->latch, fn, offset, buf, len))
		acc->counters.bad_access++;
	return 0;
}

static int accelerator_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
				 const void *buf, size_t len)
{
	struct accelerator *acc = pci_function_device(fn);

	if (bar == ACC_BAR_MEM)
		memcpy(acc->memory + offset, buf, len);
	else if (bar == ACC_BAR_REGS)
		accelerator_write_register(fn, offset, buf, len);
	return 0;
}

static bool decode_8bit(uint16_t st, enum operation *op)
{
	switch (ACC_ST_OP(st)) {
	case ACC_ST_OP_STORE:
		*op = OP_STORE;
		return true;
	case ACC_ST_OP_ADD:
		*op = OP_ADD;
		return true;
	case ACC_ST_OP_MAX:
		*op = OP_MAX;
		return true;
	case ACC_ST_OP_XOR:
		*op = OP_XOR;
		return true;
	default:
		return false;
	}
}

static bool decode_extended(uint16_t st, enum operation *op)
{
	switch (ACC_ST_EXT_OP(st)) {
	case ACC_ST_EXT_OP_STORE:
		*op = OP_STORE;
		return true;
	case ACC_ST_EXT_OP_ADD:
		*op = OP_ADD;
		return true;
	case ACC_ST_EXT_OP_MAX:
		*op = OP_MAX;
		return true;
	case ACC_ST_EXT_OP_XOR:
		*op = OP_XOR;
		return true;
	default:
		return false;
	}
}

static void store_dword(uint8_t *dst, const uint8_t *src, unsigned int enables)
{
	for (unsigned int i = 0; i < 4; i++)
		if (enables & 1u << i)
			dst[i] = src[i];
}

static void accelerator_store(uint8_t *dst, const struct tlp *tlp)
{
	size_t last = (size_t)(tlp->length - 1) * 4;

	store_dword(dst, tlp->data, tlp->first_be);
	if (!last)
		return;
	memcpy(dst + 4, tlp->data + 4, last - 4);
	store_dword(dst + last, tlp->data + last, tlp->last_be);
}

static void accelerator_operate(uint8_t *dst, const struct tlp *tlp, enum operation op)
{
	for (size_t i = 0; i < (size_t)tlp->length * 4; i += 4) {
		uint32_t lane = get_le32(dst + i), operand = get_le32(tlp->data + i);

		if (op == OP_ADD)
			lane += operand;
		else if (op == OP_XOR)
			lane ^= operand;
		else if (operand > lane)
			lane = operand;
		put_le32(dst + i, lane);
	}
}

static bool whole_lanes(const struct tlp *tlp)
{
	return tlp->first_be == 0xf && (tlp->length == 1 || tlp->last_be == 0xf);
}

/*
 * A completer without the capability ignores hints (section 2.2.7.1.1). One for 8-bit tags never
 * sees a 16-bit one: it supports no prefixes.
 */
static bool looks_at_hint(const struct pci_config *config, const struct tlp_hint *hint)
{
	enum tph_completer completer = pcie_cap_tph_completer(config);

	return hint->present &&
	       (completer == TPH_COMPLETER_EXTENDED || completer == TPH_COMPLETER_8BIT);
}

static void count_hint(struct counters *c, const struct tlp_hint *hint)
{
	c->ph[hint->ph]++;
	if (hint->extended) {
		c->tagged_ext++;
		c->tag_ext[hint->st]++;
		c->partition_ext[ACC_ST_EXT_PARTITION(hint->st)]++;
	} else {
		c->tagged++;
		c->tag[hint->st]++;
		c->partition[ACC_ST_PARTITION(hint->st)]++;
	}
}

static int accelerator_mem_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
				 const struct tlp *tlp)
{
	struct accelerator *acc = pci_function_device(fn);
	struct counters *c = &acc->counters;
	const struct tlp_hint *hint = &tlp->hint;
	bool tagged = looks_at_hint(pci_function_config(fn), hint);
	enum operation op = OP_STORE;

	(void)bar;
	if (tagged &&
	    !(hint->extended ? decode_extended(hint->st, &op) : decode_8bit(hint->st, &op))) {
		c->malformed++;
		return -EBADMSG;
	}
	if (op == OP_STORE) {
		accelerator_store(acc->memory + offset, tlp);
	} else if (whole_lanes(tlp)) {
		accelerator_operate(acc->memory + offset, tlp, op);
	} else {
		c->malformed++;
		return -EBADMSG;
	}
	c->writes++;
	c->bytes += tlp_enabled_bytes(tlp);
	if (tagged)
		count_hint(c, hint);
	else
		c->untagged++;
	return 0;
}

static int accelerator_mem_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
				void *buf, size_t len)
{
	struct accelerator *acc = pci_function_device(fn);

	(void)bar;
	memcpy(buf, acc->memory + offset, len);
	acc->counters.reads++;
	return 0;
}

static int accelerator_mem_atomic(struct pci_function *fn, unsigned int bar, uint64_t offset,
				  const struct tlp *tlp, uint64_t *before)
{
	struct accelerator *acc = pci_function_device(fn);

	(void)bar;
	*before = atomic_op_execute(acc->memory + offset, tlp);
	acc->counters.atomics++;
	return 0;
}

static void accelerator_malformed(struct pci_function *fn)
{
	struct accelerator *acc = pci_function_device(fn);

	acc->counters.malformed++;
}

static void accelerator_reset(struct pci_function *fn)
{
	struct accelerator *acc = pci_function_device(fn);

	acc->mark = 0;
	acc->mark_text[0] = '\0';
	acc->select = 0;
	acc->latch = (struct register_latch){ 0 };
	memset(&acc->counters, 0, sizeof(acc->counters));
}

static void accelerator_free(struct accelerator *acc)
{
	if (acc->memory)
		munmap(acc->memory, acc->size);
	if (acc->fd >= 0)
		close(acc->fd);
	free(acc);
}

static void accelerator_destroy(struct pci_function *fn)
{
	accelerator_free(pci_function_device(fn));
}

static const struct pci_device_ops accelerator_ops = {
	.reset = accelerator_reset,
	.bar_read = accelerator_bar_read,
	.bar_write = accelerator_bar_write,
	.mem_write = accelerator_mem_write,
	.mem_read = accelerator_mem_read,
	.mem_atomic = accelerator_mem_atomic,
	.malformed = accelerator_malformed,
	.destroy = accelerator_destroy,
};

/* The client gets the file too, hence the seals: nobody takes pages away under us. */
static int make_memory(struct accelerator *acc, const char *name)
{
	void *memory;

	acc->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (acc->fd < 0 || ftruncate(acc->fd, acc->size) ||
	    fcntl(acc->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	memory = mmap(NULL, acc->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, acc->fd,
		      0);
	if (memory == MAP_FAILED)
		return -errno;
	acc->memory = memory;
	return 0;
}

static const char *const completer_words[] = {
	[TPH_COMPLETER_NONE] = "none",
	[TPH_COMPLETER_8BIT] = "8bit",
	[TPH_COMPLETER_RESERVED] = "reserved",
	[TPH_COMPLETER_EXTENDED] = "ext",
};

static const char *const yes_no_words[] = { "no", "yes" };

static void accelerator_describe(struct accelerator *acc, unsigned int completer, bool ats,
				 struct pci_function_desc *desc)
{
	desc->ids = (struct pci_config_ids){
		.vendor = ACC_VENDOR_ID, .device = ACC_DEVICE_ID,
		.class_code = ACC_CLASS_CODE, .revision = ACC_REVISION,
	};
	desc->bars[ACC_BAR_REGS] = (struct pci_bar){ PCI_BAR_MEM32, ACC_BAR_REGS_SIZE, -1 };
	desc->bars[ACC_BAR_MEM] = (struct pci_bar){ PCI_BAR_MEM64_PREF, acc->size, acc->fd };
	desc->bars[ACC_BAR_MSIX] = (struct pci_bar){ PCI_BAR_MEM64_PREF, ACC_MSIX_SIZE, -1 };
	desc->msix = (struct msix_options){
		.vectors = ACC_MSIX_VECTORS, .bar = ACC_BAR_MSIX, .pending = ACC_MSIX_PENDING,
	};
	desc->pcie.completer = completer;
	desc->pcie.atomic_completer = true;
	desc->pcie.end_end_prefix = completer == TPH_COMPLETER_EXTENDED;
	desc->ats = ats;
	desc->ops = &accelerator_ops;
	desc->device = acc;
}

static int accelerator_create(struct fabric *fabric, struct options *options,
			      struct pci_function_desc *desc, struct pci_function **fn)
{
	unsigned int completer = TPH_COMPLETER_EXTENDED, ats = 0;
	uint64_t size = ACC_MEM_SIZE_DEFAULT;
	struct accelerator *acc;
	int ret;

	(void)fabric;
	ret = options_size(options, "size", ACC_MEM_SIZE_MIN, ACC_MEM_SIZE_MAX, &size);
	if (!ret)
		ret = options_choice(options, "completer", completer_words, 4, &completer);
	if (!ret)
		ret = options_choice(options, "ats", yes_no_words, 2, &ats);
	if (!ret)
		ret = options_finish(options);
	if (ret)
		return ret;
	acc = calloc(1, sizeof(*acc));
	if (!acc)
		return -ENOMEM;
	acc->size = size;
	ret = make_memory(acc, desc->name);
	if (ret) {
		accelerator_free(acc);
		return ret;
	}

	accelerator_describe(acc, completer, ats, desc);
	ret = pci_function_create(desc, fn);
	if (ret)
		accelerator_free(acc);
	return ret;
}

const struct device_type accelerator_type = {
	.name = "accelerator",
	.help = "    size=4K..8G                       bytes in BAR2, a power of two; default 64M\n"
		"    completer=none|8bit|ext|reserved  TPH Completer Supported; default ext\n"
		"    ats=no|yes                        ATS capability; default no\n",
	.create = accelerator_create,
};
