// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the DMA engine. Registers, ring and descriptors with every way to get them wrong,
 * the hints of each ST mode, and what happens when it is stopped, reset or cut off while a
 * transfer is under way.
 */
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices/dma_engine_regs.h"
#include "devices/registry.h"
#include "pcie/fake_device.h"
#include "../tap.h"

#define REGS		0xfe000000u
#define MSIX		0xfe001000u
#define RAM		0x40000000ull
#define RAM_SIZE	(40u << 20)
#define RING		(RAM + 0x1000)
#define SOURCE		(RAM + 0x100000)
#define TARGET		(RAM + 0x1200000)
#define PEER		0x380000000000ull
#define PEER_SIZE	0x10000u
#define UPSTREAM	0x1000ull	/* answered by the client's own code */
#define TPH_CONTROL	0x108
#define ST_TABLE	0x10c

static struct fabric *fabric;
static struct pci_function *engine;
static struct fake_device *peer;
static uint8_t *ram;
static int ram_fd;
static unsigned int tail;

/* The client: accesses without a file wait here until the test lets them go. */
static sem_t arrived, released;
static bool gated, gated_reads;
static int upstream_result;
static unsigned int upstream_writes;
static uint64_t interrupts;

static int gate_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)addr;
	memset(buf, 0xab, len);
	if (gated_reads) {
		sem_post(&arrived);
		sem_wait(&released);
	}
	return upstream_result;
}

static int gate_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	(void)addr;
	(void)buf;
	(void)len;
	upstream_writes++;
	if (gated) {
		sem_post(&arrived);
		sem_wait(&released);
	}
	return upstream_result;
}

static void take_msix(void *opaque, unsigned int vector)
{
	(void)opaque;
	__atomic_fetch_or(&interrupts, 1ull << vector, __ATOMIC_RELAXED);
}

static const struct pci_upstream_ops client = { .read = gate_read,
						.write = gate_write,
						.msix = take_msix };

static void write_config(unsigned int offset, uint32_t value, size_t len)
{
	pci_function_region_write(engine, PCI_REGION_CONFIG, offset, &value, len);
}

static void enable(void)
{
	write_config(PCI_BASE_ADDRESS_0, REGS, 4);
	write_config(PCI_BASE_ADDRESS_4, MSIX, 4);
	write_config(PCI_COMMAND, FAKE_COMMAND_ON, 2);
	write_config(pci_function_config(engine)->pcie + PCI_EXP_DEVCTL, 0x2040, 2);
	write_config(pci_function_config(engine)->msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

static void map_memory(void)
{
	pci_function_dma_map(engine, RAM, RAM_SIZE, true, true, dup(ram_fd), 0);
	pci_function_dma_map(engine, PEER, PEER_SIZE, true, true, -1, 0);
}

static void setup(const char *options)
{
	struct fake_options peer_options = {
		.name = "peer",
		.bdf = 0x20,
		.bar2_size = PEER_SIZE,
		.end_end_prefix = true,
		.is_completer = true,
	};
	char spec[128], error[128];

	snprintf(spec, sizeof(spec), "dma-engine,bdf=00:05.0%s", options);
	fabric = fabric_create(NULL);
	if (device_create(fabric, spec, &engine, error, sizeof(error)))
		bail_out("%s", error);
	peer = fake_device_attach(fabric, &peer_options);
	fake_device_enable(peer, 0xfe002000, PEER);
	fake_device_sizes(peer, 512, 512);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, RAM_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	if (ram == MAP_FAILED)
		bail_out("mmap: %s", strerror(errno));
	sem_init(&arrived, 0, 0);
	sem_init(&released, 0, 0);
	gated = false;
	gated_reads = false;
	upstream_result = 0;
	upstream_writes = 0;
	interrupts = 0;
	pci_function_connect(engine, &client, NULL);
	enable();
	map_memory();
}

static void teardown(void)
{
	pci_function_connect(engine, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	fabric_destroy(fabric);
	munmap(ram, RAM_SIZE);
	close(ram_fd);
	sem_destroy(&arrived);
	sem_destroy(&released);
}

static uint64_t read_register(uint64_t offset, size_t len)
{
	uint64_t value = 0;

	pci_function_region_read(engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
	return value;
}

static void write_register(uint64_t offset, uint64_t value, size_t len)
{
	pci_function_region_write(engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
}

static uint32_t status_register(void)
{
	return read_register(DMA_ENGINE_REG_STATUS, 4);
}

static struct dma_engine_desc *descriptor(unsigned int index)
{
	return (struct dma_engine_desc *)(ram + (RING - RAM)) + index;
}

static void start(unsigned int ring_size)
{
	write_register(DMA_ENGINE_REG_CONTROL, 0, 4);
	write_register(DMA_ENGINE_REG_RING_BASE, RING, 8);
	write_register(DMA_ENGINE_REG_RING_SIZE, ring_size, 4);
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	tail = 0;
}

/* Hands a descriptor over without the doorbell. */
static struct dma_engine_desc *post(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
				    uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc = descriptor(tail);

	*desc = (struct dma_engine_desc){
		.src = htole64(src),
		.dst = htole64(dst),
		.length = htole32(length),
		.flags = htole32(flags),
		.st_index = htole16(st_index),
		.vector = htole16(vector),
	};
	tail = (tail + 1) % read_register(DMA_ENGINE_REG_RING_SIZE, 4);
	return desc;
}

static void ring_doorbell(void)
{
	write_register(DMA_ENGINE_REG_TAIL, tail, 4);
}

static bool wait_until(uint64_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned int i = 0; i < 20000; i++) {
		if ((read_register(offset, 4) & mask) == value)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
	return false;
}

/* Until everything handed over is done. */
static bool drain(void)
{
	return wait_until(DMA_ENGINE_REG_HEAD, UINT32_MAX, tail);
}

/* One descriptor on a fresh ring; its status. */
static uint32_t run_one(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
			uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc;

	start(8);
	desc = post(src, dst, length, flags, st_index, vector);
	ring_doorbell();
	if (!drain())
		bail_out("the engine hangs");
	return le32toh(desc->status);
}

static void fill(uint64_t address, size_t len, unsigned int seed)
{
	srandom(seed);
	for (size_t i = 0; i < len; i++)
		ram[address - RAM + i] = random();
}

static void test_registers(void)
{
	setup("");
	is_hex(read_register(DMA_ENGINE_REG_ID, 4), DMA_ENGINE_ID, "ID");
	is_hex(read_register(DMA_ENGINE_REG_VERSION, 4), 1, "VERSION");
	is_hex(status_register(), 0, "STATUS");
	write_register(DMA_ENGINE_REG_RING_BASE, 0x123456789abcdeffull, 8);
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE, 8), 0x123456789abcdee0,
	       "RING_BASE is aligned");
	write_register(DMA_ENGINE_REG_RING_BASE, 0x11111111, 4);
	write_register(DMA_ENGINE_REG_RING_BASE + 4, 0x22222222, 4);
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE, 4), 0x11111100, "RING_BASE, low half");
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE + 4, 4), 0x22222222, "RING_BASE, high half");
	write_register(DMA_ENGINE_REG_RING_SIZE, 4096, 4);
	for (unsigned int bad = 0; bad < 5; bad++)
		write_register(DMA_ENGINE_REG_RING_SIZE,
			       (const uint32_t[]){ 0, 1, 3, 8192, 1u << 31 }[bad], 4);
	is_int(read_register(DMA_ENGINE_REG_RING_SIZE, 4), 4096,
	       "RING_SIZE takes legal values only");
	write_register(DMA_ENGINE_REG_TAIL, 5, 4);
	is_int(read_register(DMA_ENGINE_REG_TAIL, 4), 0, "TAIL is for a running engine");
	write_register(DMA_ENGINE_REG_ID, 0, 4);
	write_register(DMA_ENGINE_REG_HEAD, 7, 4);
	write_register(DMA_ENGINE_REG_SENT, 7, 8);
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4) + read_register(DMA_ENGINE_REG_SENT, 8), 0,
	       "constant registers");
	is_hex(read_register(DMA_ENGINE_REG_ID, 1), 0xff, "a byte reads as all ones");
	is_hex(read_register(DMA_ENGINE_REG_ID, 8), UINT64_MAX, "two registers at once as well");
	is_hex(read_register(0x24, 4), 0xffffffff, "and no register");
	write_register(DMA_ENGINE_REG_RING_BASE, 0xff, 1);
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE, 4), 0x11111100, "a byte is dropped");
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET | DMA_ENGINE_CONTROL_RUN,
		       4);
	is_hex(read_register(DMA_ENGINE_REG_CONTROL, 4), 0, "RESET reads as 0 and does not start");
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE, 8) |
		       read_register(DMA_ENGINE_REG_RING_SIZE, 4),
	       0, "all is 0");
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	is_hex(status_register(), DMA_ENGINE_STATUS_RING_ERROR, "RUN without a ring");
	start(8);
	is_hex(status_register(), DMA_ENGINE_STATUS_RUNNING, "RUN with a ring clears the error");
	write_register(DMA_ENGINE_REG_RING_BASE, 0, 8);
	write_register(DMA_ENGINE_REG_RING_SIZE, 2, 4);
	is_hex(read_register(DMA_ENGINE_REG_RING_BASE, 8), RING,
	       "the ring stays where it is while it runs");
	is_int(read_register(DMA_ENGINE_REG_RING_SIZE, 4), 8, "as large as it is");
	teardown();
}

static void test_copies(void)
{
	static const struct {
		uint32_t src, dst, length;
	} cases[] = {
		{ 0, 0, 1 }, { 1, 2, 3 }, { 0, 0, 4 }, { 3, 0, 512 }, { 0, 5, 512 }, { 7, 9, 4097 },
		{ 0, 0, 65536 }, { 1, 65535, 200000 }, { 4, 4, DMA_ENGINE_LENGTH_MAX },
	};

	setup("");
	fill(SOURCE, 300000, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t src = SOURCE + cases[i].src, dst = TARGET + cases[i].dst;

		memset(ram + (TARGET - RAM), 0, 300000);
		is_int(run_one(src, dst, cases[i].length, 0, 0xffff, 0xffff), DMA_ENGINE_DONE_OK,
		       "%u bytes from +%u to +%u", cases[i].length, cases[i].src, cases[i].dst);
		is_mem(ram + (dst - RAM), ram + (src - RAM), cases[i].length, "  are copied");
		is_int(ram[dst - RAM - 1] | ram[dst - RAM + cases[i].length], 0,
		       "  and nothing around them");
	}
	is_int(read_register(DMA_ENGINE_REG_FAILED, 8), 0, "none failed");
	is_hex(interrupts, 0, "no interrupt was asked for");
	teardown();
}

static void test_sent(void)
{
	setup("");
	run_one(SOURCE, TARGET + 1, 65536 + 511, 0, 0, 0);
	is_int(read_register(DMA_ENGINE_REG_SENT, 8), 129,
	       "TLPs, whatever the pieces: 129 begin in the range");
	run_one(SOURCE, PEER + 0x100, 1024, 0, 0, 0);
	is_int(read_register(DMA_ENGINE_REG_SENT, 8), 132, "and three more");
	is_int(peer->writes, 3, "which the peer got");
	teardown();
}

static void test_ring(void)
{
	struct dma_engine_desc *desc[10];
	unsigned int done = 0;

	setup("");
	start(4);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 2; i++) {
			ram[SOURCE - RAM + round * 2 + i] = 'a' + round * 2 + i;
			desc[round * 2 + i] = post(SOURCE + round * 2 + i, TARGET + round * 2 + i,
						   1, DMA_ENGINE_DESC_IRQ, 0, round);
		}
		ring_doorbell();
		ok(drain(), "round %u", round);
		done += desc[round * 2]->status == htole32(1) &&
			desc[round * 2 + 1]->status == htole32(1);
	}
	is_int(done, 5, "a ring of four takes ten");
	is_mem(ram + (TARGET - RAM), "abcdefghij", 10, "in order");
	is_hex(__atomic_load_n(&interrupts, __ATOMIC_RELAXED), 0x1f, "each with its interrupt");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 2, "HEAD went around");
	start(4);
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 0, "RUN starts over");
	teardown();
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
		{ "unknown flag", SOURCE, TARGET, 4, 0x10, 0, 0, DMA_ENGINE_DONE_BAD_DESC },
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

	setup("");
	write_config(TPH_CONTROL, TPH_MODE_DEVICE_SPECIFIC | TPH_REQUESTER_8BIT << 8, 4);
	upstream_result = -EFAULT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(run_one(cases[i].src, cases[i].dst, cases[i].length, cases[i].flags,
			       cases[i].st_index, cases[i].vector),
		       cases[i].status, "%s", cases[i].what);
		failed += cases[i].status != DMA_ENGINE_DONE_OK;
		is_int(read_register(DMA_ENGINE_REG_FAILED, 8), failed, "  is counted");
	}
	interrupts = 0;
	is_int(run_one(SOURCE, TARGET, 0, DMA_ENGINE_DESC_IRQ, 0, 3), DMA_ENGINE_DONE_BAD_DESC,
	       "bad one with an interrupt");
	is_hex(__atomic_load_n(&interrupts, __ATOMIC_RELAXED), 8, "  sends it");
	upstream_writes = 0;
	is_int(run_one(SOURCE, UINT64_MAX - 100000, 200000, 0, 0, 0), DMA_ENGINE_DONE_WRITE_ERROR,
	       "target that wraps late");
	is_int(upstream_writes, 0, "  nothing is sent");
	is_int(run_one(SOURCE, PEER + PEER_SIZE - 512, 1024, 0, 0, 0), DMA_ENGINE_DONE_WRITE_ERROR,
	       "target runs out");
	is_int(peer->writes, 1, "  after what was in reach");
	peer->refuse = true;
	is_int(run_one(SOURCE, PEER, 4, 0, 0, 0), DMA_ENGINE_DONE_WRITE_ERROR, "target refuses");
	is_int(run_one(PEER, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_READ_ERROR, "source refuses");
	start(8);
	post(SOURCE, TARGET, 0, 0, 0, 0);
	post(SOURCE, TARGET, 4, 0, 0, 0);
	ring_doorbell();
	ok(drain() && descriptor(1)->status == htole32(DMA_ENGINE_DONE_OK),
	   "a bad one does not stop the next");
	teardown();
}

static void check_hint(const char *what, uint32_t flags, uint16_t st_index, uint16_t vector,
		       bool present, bool extended, unsigned int ph, unsigned int st)
{
	unsigned int writes = peer->writes;

	is_int(run_one(SOURCE, PEER, 4, flags, st_index, vector), DMA_ENGINE_DONE_OK, "%s", what);
	is_int(peer->writes, writes + 1, "  one TLP");
	is_int(peer->last.hint.present, present, "  TH");
	if (!present)
		return;
	is_int(peer->last.hint.extended, extended, "  width");
	is_int(peer->last.hint.ph, ph, "  PH");
	is_hex(peer->last.hint.st, st, "  ST");
}

#define TH(ph) (DMA_ENGINE_DESC_TH | (ph) << DMA_ENGINE_DESC_PH_SHIFT)

static void control(enum tph_mode mode, enum tph_requester requester)
{
	write_config(TPH_CONTROL, mode | requester << 8, 4);
}

static void test_hints(void)
{
	setup("");
	write_config(ST_TABLE + 2 * 5, 0x4312, 2);
	write_config(ST_TABLE + 2 * 6, 0x0099, 2);
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
	is_int(run_one(SOURCE, PEER, 4, TH(1), 0, 64), DMA_ENGINE_DONE_BAD_DESC,
	       "interrupt vector mode, vector behind the table");
	control(TPH_MODE_NO_ST, TPH_REQUESTER_EXTENDED);
	check_hint("No ST Mode", TH(2), 0xffff, 0xffff, true, false, 2, 0);
	is_int(run_one(SOURCE, TARGET, 4, TH(2), 0, 0), DMA_ENGINE_DONE_OK, "to guest memory");
	teardown();

	setup(",table=none");
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_EXTENDED);
	check_hint("no table: st_index is the tag", TH(2), 0x4312, 0, true, true, 2, 0x4312);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_8BIT);
	check_hint("no table, 8 bits: its low byte", TH(2), 0x4312, 0, true, false, 2, 0x12);
	teardown();

	setup(",ext=no,entries=1");
	write_config(ST_TABLE, 0x4312, 2);
	control(TPH_MODE_DEVICE_SPECIFIC, TPH_REQUESTER_EXTENDED);
	check_hint("no 16-bit tags", TH(2), 0, 0, true, false, 2, 0x12);
	is_int(run_one(SOURCE, PEER, 4, TH(1), 1, 0), DMA_ENGINE_DONE_BAD_DESC, "one entry");
	teardown();
}

static void test_ring_errors(void)
{
	setup("");
	start(8);
	post(SOURCE, TARGET, 4, 0, 0, 0);
	write_register(DMA_ENGINE_REG_TAIL, 8, 4);
	is_hex(status_register(), DMA_ENGINE_STATUS_RING_ERROR, "TAIL out of range");
	write_register(DMA_ENGINE_REG_TAIL, 1, 4);
	is_hex(status_register(), DMA_ENGINE_STATUS_RING_ERROR, "the engine has stopped");
	is_int(descriptor(0)->status, 0, "and does nothing");
	is_int(run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "RUN 0 to 1 clears it");

	upstream_result = -EFAULT;
	write_register(DMA_ENGINE_REG_CONTROL, 0, 4);
	write_register(DMA_ENGINE_REG_RING_BASE, 0x900000000, 8);
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	write_register(DMA_ENGINE_REG_TAIL, 1, 4);
	ok(wait_until(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "ring that cannot be read");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");

	pci_function_dma_unmap_all(engine);
	pci_function_dma_map(engine, RAM, 0x2000, true, false, dup(ram_fd), 0);
	pci_function_dma_map(engine, RAM + 0x2000, RAM_SIZE - 0x2000, true, true, dup(ram_fd),
			     0x2000);
	start(8);
	post(SOURCE, TARGET, 4, DMA_ENGINE_DESC_IRQ, 0, 1);
	ring_doorbell();
	ok(wait_until(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "ring that cannot be written");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");
	is_hex(__atomic_load_n(&interrupts, __ATOMIC_RELAXED), 0,
	       "and no interrupt says it is done");
	teardown();
}

/* Starts a copy of two descriptors whose first write waits in the client. */
static void start_gated(void)
{
	setup("");
	gated = true;
	start(8);
	post(SOURCE, UPSTREAM, 1024, DMA_ENGINE_DESC_IRQ, 0, 0);
	post(SOURCE, TARGET, 4, DMA_ENGINE_DESC_IRQ, 0, 1);
	ring_doorbell();
	sem_wait(&arrived);
}

/* Lets the access go, and all that follow. */
static void release_gate(void)
{
	gated = false;
	gated_reads = false;
	sem_post(&released);
}

static void test_stop(void)
{
	start_gated();
	is_hex(status_register(), DMA_ENGINE_STATUS_RUNNING,
	       "registers answer while a write waits");
	write_register(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(status_register(), DMA_ENGINE_STATUS_RUNNING, "a stop waits for the descriptor");
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	is_hex(read_register(DMA_ENGINE_REG_CONTROL, 4), 0, "and cannot be taken back meanwhile");
	release_gate();
	ok(wait_until(DMA_ENGINE_REG_STATUS, UINT32_MAX, 0), "then it stops");
	is_int(le32toh(descriptor(0)->status), DMA_ENGINE_DONE_OK, "the descriptor is done");
	is_int(upstream_writes, 2, "all of it");
	is_int(descriptor(1)->status, 0, "the next one is not");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 1, "HEAD says so");
	is_hex(__atomic_load_n(&interrupts, __ATOMIC_RELAXED), 1, "one interrupt");
	is_int(run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "it starts again");
	write_register(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(status_register(), 0, "an idle engine stops at once");
	teardown();
}

/* Time for a worker to do what it should not. */
static void give_time(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static void check_abandoned(const char *what)
{
	release_gate();
	give_time();
	is_int(descriptor(0)->status, 0, "%s: the descriptor is dropped", what);
	is_int(upstream_writes, 1, "%s: nothing more is sent", what);
	is_hex(__atomic_load_n(&interrupts, __ATOMIC_RELAXED), 0, "%s: no interrupt", what);
	is_int(run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "%s: it starts again",
	       what);
	teardown();
}

static void test_reset_under_way(void)
{
	start_gated();
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	is_hex(status_register(), 0, "RESET: idle");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4) + read_register(DMA_ENGINE_REG_SENT, 8), 0,
	       "RESET: registers are 0");
	check_abandoned("RESET");

	start_gated();
	write_config(pci_function_config(engine)->pcie + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
	enable();
	is_hex(status_register(), 0, "FLR: idle");
	check_abandoned("FLR");

	start_gated();
	write_register(DMA_ENGINE_REG_TAIL, 99, 4);
	is_hex(status_register(), DMA_ENGINE_STATUS_RING_ERROR, "TAIL out of range: stopped");
	check_abandoned("TAIL out of range");

	start_gated();
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	start(8);
	post(SOURCE, TARGET, 4, 0, 0, 0);
	ring_doorbell();
	release_gate();
	ok(drain(), "RESET and a new ring while a write waits: the new ring is done");
	is_int(le32toh(descriptor(0)->status), DMA_ENGINE_DONE_OK, "with its own descriptor");
	is_int(upstream_writes, 1, "and the old one is forgotten");
	teardown();
}

/* The same while the engine waits for bytes: of the source, then of the ring. */
static void test_reads_under_way(void)
{
	setup("");
	gated_reads = true;
	start(8);
	post(UPSTREAM, TARGET, 1024, 0, 0, 0);
	ring_doorbell();
	sem_wait(&arrived);
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RESET, 4);
	release_gate();
	give_time();
	is_int(upstream_writes, 0,
	       "RESET while the source is read: no status goes to where no ring is");
	is_int(read_register(DMA_ENGINE_REG_FAILED, 8), 0, "and nothing is counted");
	teardown();

	setup("");
	gated_reads = true;
	write_register(DMA_ENGINE_REG_RING_BASE, UPSTREAM, 8);
	write_register(DMA_ENGINE_REG_RING_SIZE, 8, 4);
	write_register(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	write_register(DMA_ENGINE_REG_TAIL, 1, 4);
	sem_wait(&arrived);
	write_register(DMA_ENGINE_REG_CONTROL, 0, 4);
	is_hex(status_register(), 0, "stop while a descriptor is read: no descriptor is at hand");
	release_gate();
	give_time();
	is_int(upstream_writes, 0, "and the one that was read is not worked on");
	is_int(read_register(DMA_ENGINE_REG_HEAD, 4), 0, "HEAD stays");
	teardown();
}

static void test_bus_master_off_under_way(void)
{
	start_gated();
	write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	release_gate();
	ok(wait_until(DMA_ENGINE_REG_STATUS, UINT32_MAX, DMA_ENGINE_STATUS_RING_ERROR),
	   "Bus Master Enable cleared: it cannot even say that it failed");
	is_int(upstream_writes, 1, "nothing more is sent");
	is_int(descriptor(0)->status, 0, "not even a status");
	write_config(PCI_COMMAND, FAKE_COMMAND_ON, 2);
	is_int(run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK, "it starts again");
	teardown();
}

static int left;

static void *leave_main(void *arg)
{
	(void)arg;
	pci_function_connect(engine, NULL, NULL);
	__atomic_store_n(&left, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void test_client_goes_under_way(void)
{
	pthread_t leaver;

	start_gated();
	left = 0;
	pthread_create(&leaver, NULL, leave_main, NULL);
	give_time();
	is_int(__atomic_load_n(&left, __ATOMIC_RELAXED), 0,
	       "a client that goes waits for its own code to return");
	upstream_result = -ENOTCONN;
	release_gate();
	pthread_join(leaver, NULL);
	is_int(left, 1, "then it has gone");
	is_hex(status_register(), 0xffffffff, "the function is reset");
	pci_function_connect(engine, &client, NULL);
	upstream_result = 0;
	enable();
	map_memory();
	is_int(run_one(SOURCE, TARGET, 4, 0, 0, 0), DMA_ENGINE_DONE_OK,
	       "and serves the next client");
	teardown();
}

static void test_msix_bar(void)
{
	uint32_t value = 0xffffffff;

	setup("");
	pci_function_region_read(engine, DMA_ENGINE_BAR_MSIX, 12, &value, 4);
	is_hex(value, 1, "the table is there");
	pci_function_region_write(engine, DMA_ENGINE_BAR_MSIX, 0x400, &value, 4);
	pci_function_region_read(engine, DMA_ENGINE_BAR_MSIX, 0x400, &value, 4);
	is_hex(value, 0, "nothing is behind it");
	teardown();
}

static void test_random(void)
{
	unsigned int wrong = 0, differences = 0;
	static uint8_t model[PEER_SIZE];

	setup("");
	fill(SOURCE, 0x20000, 8);
	srandom(9);
	for (unsigned int i = 0; i < 50; i++) {
		unsigned int count = 1 + random() % 7;

		start(8);
		for (unsigned int j = 0; j < count; j++) {
			uint32_t length = 1 + random() % (random() % 2 ? 64 : 20000);
			uint32_t from = random() % 0x10000, to = random() % (PEER_SIZE - length);

			post(SOURCE + from, PEER + to, length, 0, 0, 0);
			memcpy(model + to, ram + (SOURCE - RAM) + from, length);
		}
		ring_doorbell();
		wrong += !drain();
		for (unsigned int j = 0; j < count; j++)
			wrong += descriptor(j)->status != htole32(DMA_ENGINE_DONE_OK);
		differences += memcmp(peer->memory, model, PEER_SIZE) != 0;
	}
	is_int(wrong, 0, "random copies to the peer: all done");
	is_int(differences, 0, "random copies to the peer: its memory as the model has it");
	is_int(peer->bad_tlps, 0, "random copies to the peer: no bad TLP");
	teardown();
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
	test_stop();
	test_reset_under_way();
	test_reads_under_way();
	test_bus_master_off_under_way();
	test_client_goes_under_way();
	test_msix_bar();
	test_random();
	return done_testing();
}
