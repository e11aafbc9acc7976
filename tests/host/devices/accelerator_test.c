// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the accelerator. Registers and what they refuse, what each completer type makes of
 * each hint, operations and counters against a naive model, and its memory file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "devices/registry.h"
#include "pcie/byteorder.h"
#include "pcie/fake_device.h"
#include "pcie/transaction.h"
#include "tap.h"

#define MEMORY		0x380000000000ull
#define MEMORY_SIZE	(64u << 10)
#define REGS		0xfe000000u

static struct fabric *fabric;
static struct pci_function *acc;
static struct fake_device *requester;
static uint8_t *memory;

static void write_config(unsigned int offset, uint32_t value)
{
	pci_function_region_write(acc, PCI_REGION_CONFIG, offset, &value, 4);
}

static void enable(void)
{
	write_config(PCI_BASE_ADDRESS_0, REGS);
	write_config(PCI_BASE_ADDRESS_2, (uint32_t)MEMORY);
	write_config(PCI_BASE_ADDRESS_3, MEMORY >> 32);
	write_config(PCI_COMMAND, FAKE_COMMAND_ON);
	write_config(pci_function_cap(acc, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, 0x2040);
}

static void setup(const char *options)
{
	struct fake_options requester_options = { .name = "requester",
						  .bdf = 0x28,
						  .end_end_prefix = true,
						  .atomic_requester = true };
	char spec[128], error[128];
	struct pci_bar bar;

	snprintf(spec, sizeof(spec), "accelerator,bdf=00:04.0,%s", options);
	fabric = fabric_create(NULL);
	if (device_create(fabric, spec, &acc, error, sizeof(error)))
		bail_out("%s", error);
	enable();
	requester = fake_device_attach(fabric, &requester_options);
	fake_device_enable(requester, 0xfe001000, 0);
	fake_device_sizes(requester, 512, 512);
	pci_function_region_size(acc, ACC_BAR_MEM, &bar);
	pci_function_dma_map(requester->fn, MEMORY, bar.size, true, true, -1, 0);
	memory = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, bar.fd, 0);
	if (memory == MAP_FAILED)
		bail_out("mmap: %s", strerror(errno));
}

static void teardown(void)
{
	struct pci_bar bar;

	pci_function_region_size(acc, ACC_BAR_MEM, &bar);
	munmap(memory, bar.size);
	pci_function_connect(requester->fn, NULL, NULL);
	fabric_destroy(fabric);
}

static uint64_t read_register(uint64_t offset, size_t len)
{
	uint64_t value = 0;

	pci_function_region_read(acc, ACC_BAR_REGS, offset, &value, len);
	return value;
}

static void write_register(uint64_t offset, uint64_t value, size_t len)
{
	pci_function_region_write(acc, ACC_BAR_REGS, offset, &value, len);
}

static int send_tlp(uint64_t offset, const void *buf, size_t len, const struct tlp_hint *hint)
{
	struct tlp_properties properties = { 0 };
	int ret;

	if (hint)
		properties.hint = *hint;
	fabric_lock(fabric);
	ret = fabric_write(requester->fn, MEMORY + offset, buf, len, &properties, NULL);
	fabric_unlock(fabric);
	return ret;
}

static struct tlp_hint hint8(unsigned int st)
{
	return (struct tlp_hint){ .present = true, .ph = 2, .st = st };
}

static struct tlp_hint hint16(unsigned int st)
{
	return (struct tlp_hint){ .present = true, .extended = true, .ph = 1, .st = st };
}

static void test_registers(void)
{
	setup("size=8G");
	is_hex(read_register(ACC_REG_ID, 4), ACC_ID, "ID");
	is_hex(read_register(ACC_REG_VERSION, 4), 1, "VERSION");
	is_hex(read_register(ACC_REG_CONTROL, 4), 0, "CONTROL reads as 0");
	is_hex(read_register(ACC_REG_MEM_SIZE, 8), 8ull << 30, "MEM_SIZE");
	is_hex(read_register(ACC_REG_MEM_SIZE, 4), 0, "MEM_SIZE, low half");
	is_hex(read_register(ACC_REG_MEM_SIZE + 4, 4), 2, "MEM_SIZE, high half");
	is_hex(read_register(ACC_REG_COMPLETER, 4), 3, "COMPLETER");
	write_register(ACC_REG_MARK, 0x12345678, 4);
	is_hex(read_register(ACC_REG_MARK, 4), 0x12345678, "MARK keeps its value");
	write_register(ACC_REG_SELECT, 0x1ffff, 4);
	is_hex(read_register(ACC_REG_SELECT, 4), 0x1ffff, "SELECT keeps a 16-bit tag");
	write_register(ACC_REG_SELECT, 0xff, 4);
	is_hex(read_register(ACC_REG_SELECT, 4), 0xff, "SELECT keeps an 8-bit tag");
	is_int(read_register(ACC_REG_BAD_ACCESS, 4), 0, "no access was bad so far");
	teardown();
}

static void test_bad_accesses(void)
{
	static const struct {
		const char *what;
		uint64_t offset;
		size_t len;
		unsigned int count;
	} reads[] = {
		{ "a byte", ACC_REG_ID, 1, 1 },
		{ "half a register", ACC_REG_ID, 2, 1 },
		{ "a register that is not aligned", 2, 4, 2 },
		{ "two 32-bit registers at once", ACC_REG_ID, 8, 1 },
		{ "a 64-bit register that is not aligned: its high half and the next low half are",
		  ACC_REG_WRITES + 4, 8, 0 },
		{ "no register, 32 bits", 0xffc, 4, 1 },
		{ "no register, 64 bits", 0xf8, 8, 1 },
		{ "behind the last PH counter", ACC_REG_PH(4), 8, 1 },
		{ "three registers", ACC_REG_ID, 12, 1 },
	};
	static const struct {
		const char *what;
		uint64_t offset, value;
		size_t len;
	} writes[] = {
		{ "a constant register", ACC_REG_ID, 0, 4 },
		{ "a counter", ACC_REG_WRITES, 0, 8 },
		{ "half a counter", ACC_REG_WRITES, 0, 4 },
		{ "no register", 0x100, 0, 4 },
		{ "a byte of a register", ACC_REG_MARK, 1, 1 },
		{ "two registers at once", ACC_REG_CONTROL, 1ull << 32, 8 },
		{ "unknown bit of CONTROL", ACC_REG_CONTROL, 4, 4 },
		{ "unknown bit of SELECT", ACC_REG_SELECT, 1 << 17, 4 },
		{ "8-bit tag above 0xff", ACC_REG_SELECT, 0x100, 4 },
	};
	uint64_t before;
	uint8_t buf[16];

	setup("size=64K");
	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		before = read_register(ACC_REG_BAD_ACCESS, 4);
		memset(buf, 0, sizeof(buf));
		pci_function_region_read(acc, ACC_BAR_REGS, reads[i].offset, buf, reads[i].len);
		is_int(read_register(ACC_REG_BAD_ACCESS, 4) - before, reads[i].count,
		       "read of %s counts", reads[i].what);
		if (reads[i].count == 1 && reads[i].len <= 8)
			is_mem(buf, "\xff\xff\xff\xff\xff\xff\xff\xff", reads[i].len,
			       "  and gives all ones");
	}
	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
		before = read_register(ACC_REG_BAD_ACCESS, 4);
		write_register(writes[i].offset, writes[i].value, writes[i].len);
		is_int(read_register(ACC_REG_BAD_ACCESS, 4) - before, 1, "write of %s counts",
		       writes[i].what);
	}
	is_hex(read_register(ACC_REG_SELECT, 4) | read_register(ACC_REG_MARK, 4), 0,
	       "and changes nothing");
	write_register(ACC_REG_CONTROL, ACC_CONTROL_CLEAR, 4);
	is_int(read_register(ACC_REG_BAD_ACCESS, 4), 0, "CLEAR clears it");
	teardown();
}

static uint64_t pending(void)
{
	uint64_t bits = 0;

	pci_function_region_read(acc, ACC_BAR_MSIX, 0x800, &bits, sizeof(bits));
	return bits;
}

/* Masked as a whole, so that it stays pending where the test can see it. */
static void test_interrupt(void)
{
	unsigned int cap;
	uint32_t value = 0, tag = 77;

	setup("size=64K");
	cap = pci_function_cap(acc, PCI_CAP_ID_MSIX);
	write_config(cap, (uint32_t)(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) << 16);
	is_hex(pending(), 0, "nothing is pending");
	write_register(ACC_REG_CONTROL, ACC_CONTROL_CLEAR, 4);
	is_hex(pending(), 0, "CLEAR raises nothing");
	write_register(ACC_REG_CONTROL, ACC_CONTROL_INTERRUPT, 4);
	is_hex(pending(), 1, "an interrupt on request");
	is_int(read_register(ACC_REG_BAD_ACCESS, 4), 0, "is a good access");
	pci_function_region_write(acc, ACC_BAR_MSIX, ACC_REG_SELECT, &tag, 4);
	is_hex(read_register(ACC_REG_SELECT, 4), 0, "a write behind the table hits no register");
	pci_function_region_read(acc, ACC_BAR_MSIX, ACC_REG_MEM_SIZE, &value, 4);
	is_hex(value, 0, "nor does a read");
	teardown();
}

/* The counter of bytes crosses 2^32 between the reads of its halves. */
static void test_latch(void)
{
	static uint8_t buf[MEMORY_SIZE];

	setup("size=64K,mps=4096");
	write_config(pci_function_cap(acc, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, 0x20a0);
	for (unsigned int i = 0; i < 65535; i++)
		send_tlp(0, buf, MEMORY_SIZE, NULL);
	send_tlp(0, buf, MEMORY_SIZE - 4, NULL);
	is_hex(read_register(ACC_REG_BYTES, 4), 0xfffffffc, "low half before");
	send_tlp(0, buf, 4, NULL);
	is_hex(read_register(ACC_REG_BYTES + 4, 4), 0, "high half as it was with the low half");
	is_hex(read_register(ACC_REG_BYTES, 4), 0, "low half after");
	is_hex(read_register(ACC_REG_BYTES + 4, 4), 1, "high half after");
	is_hex(read_register(ACC_REG_BYTES, 8), 1ull << 32, "both at once");
	is_hex(read_register(ACC_REG_WRITES + 4, 4), 0, "the latch is for one register");
	teardown();
}

static void check_counters(const char *what, unsigned int untagged, unsigned int tagged,
			   unsigned int tagged_ext, unsigned int malformed)
{
	is_int(read_register(ACC_REG_WRITES, 8), untagged + tagged + tagged_ext, "%s: WRITES",
	       what);
	is_int(read_register(ACC_REG_UNTAGGED, 8), untagged, "%s: UNTAGGED", what);
	is_int(read_register(ACC_REG_TAGGED, 8), tagged, "%s: TAGGED", what);
	is_int(read_register(ACC_REG_TAGGED_EXT, 8), tagged_ext, "%s: TAGGED_EXT", what);
	is_int(read_register(ACC_REG_MALFORMED, 8), malformed, "%s: MALFORMED", what);
}

/* What one write does: memory holds 7, 5 is sent. */
static uint32_t one_write(const struct tlp_hint *hint, int *result)
{
	uint32_t value = 7, sent = 5;

	memcpy(memory, &value, 4);
	*result = send_tlp(0, &sent, 4, hint);
	memcpy(&value, memory, 4);
	return value;
}

static void check_completer(const char *type, unsigned int want8, unsigned int want16, bool counts8,
			    bool counts16)
{
	struct tlp_hint add8 = hint8(ACC_ST_OP_ADD << 4 | 3),
			add16 = hint16(ACC_ST_EXT_OP_ADD << 8 | 9);
	char options[64];
	int ret;

	snprintf(options, sizeof(options), "size=64K,completer=%s", type);
	setup(options);
	is_int(one_write(NULL, &ret), 5, "%s: no hint: store", type);
	is_int(ret, 0, "%s: no hint: accepted", type);
	is_int(one_write(&add8, &ret), want8, "%s: 8-bit add", type);
	is_int(ret, 0, "%s: 8-bit add: accepted", type);
	is_int(one_write(&add16, &ret), want16, "%s: 16-bit add", type);
	is_int(ret, counts16 ? 0 : -EBADMSG, "%s: 16-bit add: %s", type,
	       counts16 ? "accepted" : "malformed");
	check_counters(type, counts8 ? 1 : 2, counts8, counts16, !counts16);
	teardown();
}

static void test_completer_types(void)
{
	check_completer("none", 5, 7, false, false);
	check_completer("8bit", 12, 7, true, false);
	check_completer("reserved", 5, 7, false, false);
	check_completer("ext", 12, 12, true, true);
}

/* A tag taken for one of the other namespace never does the same thing. */
static void test_namespaces(void)
{
	unsigned int accepted8 = 0, accepted16 = 0, same = 0;
	int ret;

	setup("size=64K");
	for (unsigned int st = 0; st <= 0xff; st++) {
		struct tlp_hint eight = hint8(st), sixteen = hint16(st << 8);
		uint32_t value8, value16;
		int ret8, ret16;

		value8 = one_write(&eight, &ret8);
		value16 = one_write(&sixteen, &ret16);
		accepted8 += !ret8;
		accepted16 += !ret16;
		same += st >> 4 && !ret8 && !ret16 && value8 == value16;
	}
	is_int(accepted8, 4 * 16, "8-bit tags with a known operation");
	is_int(accepted16, 4, "16-bit tags with a known operation");
	is_int(same, 0, "no operation but the store has the same code in both");
	is_int(one_write(&(struct tlp_hint){ .present = true, .st = 0x40 }, &ret), 7,
	       "unknown operation: nothing is written");
	is_int(ret, -EBADMSG, "and the requester is told");
	teardown();
}

static void test_lanes(void)
{
	struct tlp_hint add = hint8(ACC_ST_OP_ADD << 4), store = hint8(0);
	uint8_t ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, zeros[16] = { 0 };

	setup("size=64K");
	is_int(send_tlp(1, ones, 4, &add), -EBADMSG, "add that begins within a lane");
	is_int(send_tlp(0, ones, 7, &add), -EBADMSG, "add that ends within a lane");
	is_int(send_tlp(0, ones, 3, &add), -EBADMSG, "add of part of a lane");
	is_mem(memory, zeros, 16, "nothing is written");
	check_counters("parts of lanes", 0, 0, 0, 3);
	is_int(send_tlp(1, ones, 5, &store), 0, "a store may");
	is_mem(memory, "\0\1\1\1\1\1\0\0", 8, "and writes the bytes that are enabled");
	is_int(send_tlp(4, ones, 12, &add), 0, "add of whole lanes");
	is_mem(memory + 4, "\2\2\1\1\1\1\1\1\1\1\1\1\0", 13, "is done on little-endian lanes");
	teardown();
}

static void test_counters(void)
{
	struct tlp_hint a = hint8(0x03), b = hint8(0x13), c = hint16(0x0003), d = hint16(0x4303);
	uint8_t buf[1024] = { 0 };

	setup("size=64K");
	send_tlp(0, buf, 1024, &a);
	send_tlp(0, buf, 4, &a);
	send_tlp(0, buf, 4, &b);
	send_tlp(0, buf, 8, &c);
	send_tlp(0, buf, 8, &d);
	send_tlp(3, buf, 1, NULL);
	d.ph = 3;
	send_tlp(0, buf, 8, &d);
	fabric_lock(fabric);
	fabric_read(requester->fn, MEMORY, buf, 1024, NULL);
	fabric_unlock(fabric);
	check_counters("several", 1, 4, 3, 0);
	is_int(read_register(ACC_REG_BYTES, 8), 1024 + 4 + 4 + 8 + 8 + 1 + 8, "BYTES");
	is_int(read_register(ACC_REG_READS, 8), 2, "READS");
	is_int(read_register(ACC_REG_PH(0), 8), 0, "PH 0");
	is_int(read_register(ACC_REG_PH(1), 8), 2, "PH 1");
	is_int(read_register(ACC_REG_PH(2), 8), 4, "PH 2");
	is_int(read_register(ACC_REG_PH(3), 8), 1, "PH 3");
	write_register(ACC_REG_SELECT, 0x03, 4);
	is_int(read_register(ACC_REG_TAG_COUNT, 8), 3, "8-bit tag 0x03");
	is_int(read_register(ACC_REG_PARTITION_COUNT, 8), 4, "its partition");
	write_register(ACC_REG_SELECT, 0x13, 4);
	is_int(read_register(ACC_REG_TAG_COUNT, 8), 1, "8-bit tag 0x13");
	is_int(read_register(ACC_REG_PARTITION_COUNT, 8), 4, "in the same partition");
	write_register(ACC_REG_SELECT, ACC_SELECT_EXT | 0x4303, 4);
	is_int(read_register(ACC_REG_TAG_COUNT, 4), 2, "16-bit tag 0x4303");
	is_int(read_register(ACC_REG_PARTITION_COUNT, 4), 3, "its partition");
	write_register(ACC_REG_SELECT, ACC_SELECT_EXT | 0x0013, 4);
	is_int(read_register(ACC_REG_TAG_COUNT, 8) + read_register(ACC_REG_PARTITION_COUNT, 8), 0,
	       "a tag that never came");

	pci_function_region_write(acc, ACC_BAR_MEM, 0, "cpu", 3);
	check_counters("writes of the CPU do not count", 1, 4, 3, 0);
	write_register(ACC_REG_MARK, 1, 4);
	write_register(ACC_REG_CONTROL, ACC_CONTROL_CLEAR, 4);
	check_counters("cleared", 0, 0, 0, 0);
	is_int(read_register(ACC_REG_BYTES, 8) + read_register(ACC_REG_PH(2), 8) +
		       read_register(ACC_REG_READS, 8),
	       0, "all of them");
	is_int(read_register(ACC_REG_MARK, 4), 1, "MARK is none");
	teardown();
}

static void test_reset(void)
{
	struct tlp_hint a = hint8(0x03);

	setup("size=64K");
	send_tlp(0, "data", 4, &a);
	write_register(ACC_REG_MARK, 1, 4);
	write_register(ACC_REG_SELECT, 3, 4);
	pci_function_reset(acc);
	is_int(send_tlp(0, "x", 1, NULL), -EFAULT, "after a reset nothing arrives");
	enable();
	check_counters("reset", 0, 0, 0, 0);
	is_int(read_register(ACC_REG_MARK, 4) + read_register(ACC_REG_SELECT, 4), 0,
	       "registers are 0");
	is_mem(memory, "data", 4, "the memory stays");
	teardown();
}

static void test_memory(void)
{
	struct pci_bar bar;
	char buf[8];

	setup("size=64K");
	pci_function_region_size(acc, ACC_BAR_MEM, &bar);
	is_int(ftruncate(bar.fd, 0), -1, "a client cannot truncate the memory");
	is_int(ftruncate(bar.fd, 2 * MEMORY_SIZE), -1, "nor extend it");
	is_int(fcntl(bar.fd, F_ADD_SEALS, F_SEAL_WRITE), -1, "nor seal it further");
	memcpy(memory + 0x100, "mapped", 6);
	is_int(pci_function_region_read(acc, ACC_BAR_MEM, 0x100, buf, 6), 0, "read by message");
	is_mem(buf, "mapped", 6, "sees the mapping");
	fabric_lock(fabric);
	is_int(fabric_read(requester->fn, MEMORY + 0x102, buf, 3, NULL), 0, "read by a peer");
	fabric_unlock(fabric);
	is_mem(buf, "ppe", 3, "as well");
	teardown();
}

static void test_atomics(void)
{
	const uint64_t swap[] = { 6, 7 };
	uint64_t before;

	setup("size=64K,completer=none");
	put_le64(memory + 0x100, 5);
	fabric_lock(fabric);
	is_int(fabric_atomic(requester->fn, TLP_FETCH_ADD, MEMORY + 0x100, (uint64_t[]){ 1 },
			     &before, NULL), 0, "FetchAdd");
	is_int(before, 5, "value before");
	is_int(fabric_atomic(requester->fn, TLP_CAS, MEMORY + 0x100, swap, &before, NULL), 0,
	       "CAS");
	fabric_unlock(fabric);
	is_int(before, 6, "value before");
	is_int(memory[0x100], 7, "value after");
	is_int(read_register(ACC_REG_ATOMICS, 8), 2, "ATOMICS");
	is_int(read_register(ACC_REG_WRITES, 8) + read_register(ACC_REG_READS, 8), 0,
	       "no writes or reads");
	teardown();
}

static uint32_t model_lane(unsigned int op, uint32_t old, uint32_t operand)
{
	switch (op) {
	case 1:
		return old + operand;
	case 2:
		return old > operand ? old : operand;
	case 3:
		return old ^ operand;
	default:
		return operand;
	}
}

/* Random writes in both namespaces against a model that works byte by byte and lane by lane. */
static void test_random(void)
{
	static const unsigned int ext_codes[] = { ACC_ST_EXT_OP_STORE, ACC_ST_EXT_OP_ADD,
						  ACC_ST_EXT_OP_MAX, ACC_ST_EXT_OP_XOR };
	static uint8_t model[MEMORY_SIZE], buf[2048];
	unsigned int wrong = 0;
	uint64_t bytes = 0;

	setup("size=64K");
	srandom(6);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int op = random() % 4, partition = random() % 16;
		size_t len = 1 + random() % (random() % 4 ? 40 : sizeof(buf));
		uint64_t offset = random() % (MEMORY_SIZE - len);
		struct tlp_hint hint = random() % 2 ? hint8(op << 4 | partition)
						    : hint16(ext_codes[op] << 8 | partition);

		hint.present = random() % 4;
		if (!hint.present)
			op = 0;
		if (op) {
			offset &= ~3ull;
			len = (len + 3) & ~3ul;
		}
		for (size_t j = 0; j < len; j++)
			buf[j] = random();
		wrong += send_tlp(offset, buf, len, &hint) != 0;
		bytes += len;
		for (size_t j = 0; !op && j < len; j++)
			model[offset + j] = buf[j];
		for (size_t j = 0; op && j < len; j += 4) {
			uint32_t lane = 0, operand = 0;

			for (unsigned int k = 0; k < 4; k++) {
				lane |= (uint32_t)model[offset + j + k] << 8 * k;
				operand |= (uint32_t)buf[j + k] << 8 * k;
			}
			lane = model_lane(op, lane, operand);
			for (unsigned int k = 0; k < 4; k++)
				model[offset + j + k] = lane >> 8 * k;
		}
	}
	is_int(wrong, 0, "random writes: all accepted");
	is_mem(memory, model, MEMORY_SIZE, "random writes: memory as the model has it");
	is_int(read_register(ACC_REG_BYTES, 8), bytes, "random writes: bytes");
	teardown();
}

int main(void)
{
	test_registers();
	test_bad_accesses();
	test_interrupt();
	test_latch();
	test_completer_types();
	test_namespaces();
	test_lanes();
	test_counters();
	test_reset();
	test_memory();
	test_atomics();
	test_random();
	return done_testing();
}
