// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: AtomicOps. Toward guest memory, also against a CPU, and toward a peer; who may send
 * and who completes them; the trace.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/byteorder.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"
#include "trace_lines.h"

#define PEER_BAR  0x380000000000ull
#define PLAIN_BAR 0x390000000000ull
#define BAR_SIZE  0x10000ull
#define RAM	  0x40000000ull
#define RAM_SIZE  0x10000ull
#define READ_ONLY 0x50000000ull
#define ROUNDS	  1000000u

static struct fabric *fabric;
static struct trace *trace;
static struct fake_device *requester, *peer, *plain;
static uint64_t *ram;
static int trace_fd, ram_fd;

static void map_ram(uint64_t address, bool writable)
{
	pci_function_dma_map(requester->fn, address, RAM_SIZE, true, writable, ram_fd, 0);
}

static void setup(void)
{
	trace_fd = memfd_create("trace", MFD_CLOEXEC);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, RAM_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	trace = trace_create(&(struct trace_options){ .text = dup(trace_fd), .pcapng = -1 });
	fabric = fabric_create(trace);
	fabric_allow_unannounced(fabric);
	requester = fake_device_attach(fabric, &(struct fake_options){ .name = "requester",
								       .bdf = 0x28,
								       .atomic_requester = true });
	peer = fake_device_attach(fabric, &(struct fake_options){ .name = "peer",
								  .bdf = 0x20,
								  .bar2_size = BAR_SIZE,
								  .is_completer = true,
								  .atomic_completer = true });
	plain = fake_device_attach(fabric, &(struct fake_options){ .name = "plain",
								   .bdf = 0x18,
								   .bar2_size = BAR_SIZE,
								   .is_completer = true });
	fake_device_enable(requester, 0xfe000000, 0);
	fake_device_enable(peer, 0xfe001000, PEER_BAR);
	fake_device_enable(plain, 0xfe002000, PLAIN_BAR);
	map_ram(RAM, true);
	map_ram(READ_ONLY, false);
	pci_function_dma_map(requester->fn, PEER_BAR, BAR_SIZE, true, true, -1, 0);
	pci_function_dma_map(requester->fn, PLAIN_BAR, BAR_SIZE, true, true, -1, 0);
}

static void teardown(void)
{
	pci_function_connect(requester->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	pci_function_connect(plain->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	munmap(ram, RAM_SIZE);
	close(ram_fd);
	close(trace_fd);
}

static int atomic_op(enum tlp_type type, uint64_t address, uint64_t one, uint64_t two,
		     uint64_t *before)
{
	const uint64_t operands[] = { one, two };
	int ret;

	*before = ~0ull;
	fabric_lock(fabric);
	ret = fabric_atomic(requester->fn, type, address, operands, before, NULL);
	fabric_unlock(fabric);
	return ret;
}

static void test_memory(void)
{
	uint64_t before;

	put_le64(&ram[3], 40);
	is_int(atomic_op(TLP_FETCH_ADD, RAM + 24, 2, 0, &before), 0, "FetchAdd");
	is_int(before, 40, "value before");
	is_int(get_le64(&ram[3]), 42, "value after");
	is_int(atomic_op(TLP_FETCH_ADD, RAM + 24, -43ull, 0, &before), 0, "of a negative number");
	is_hex(get_le64(&ram[3]), UINT64_MAX, "goes around");
	is_int(atomic_op(TLP_CAS, RAM + 24, 5, 6, &before), 0, "CAS with another value");
	is_hex(before, UINT64_MAX, "value before");
	is_hex(get_le64(&ram[3]), UINT64_MAX, "nothing changed");
	is_int(atomic_op(TLP_CAS, RAM + 24, UINT64_MAX, 6, &before), 0, "CAS with the value");
	is_hex(before, UINT64_MAX, "value before");
	is_int(get_le64(&ram[3]), 6, "swapped");
	is_int(ram[2] | ram[4], 0, "nothing beside it");
	is_int(atomic_op(TLP_CAS, RAM + RAM_SIZE - 8, 0, 1, &before), 0, "the last 8 bytes");
	is_int(atomic_op(TLP_FETCH_ADD, RAM + 28, 1, 0, &before), -EINVAL, "not aligned");
	is_int(atomic_op(TLP_FETCH_ADD, READ_ONLY + 24, 1, 0, &before), -EFAULT,
	       "memory that may only be read");
	is_int(get_le64(&ram[3]), 6, "stays");
	is_int(atomic_op(TLP_FETCH_ADD, 0x100, 1, 0, &before), -EFAULT,
	       "behind the client, which has no message for it");
	is_int(requester->upstream_calls, 0, "and is not asked");
}

static void test_peer(void)
{
	uint64_t before;

	put_le64(peer->memory + 8, 7);
	is_int(atomic_op(TLP_FETCH_ADD, PEER_BAR + 8, 1, 0, &before), 0, "FetchAdd");
	is_int(before, 7, "value before");
	is_int(atomic_op(TLP_CAS, PEER_BAR + 8, 8, 0x123456789abcdef0, &before), 0, "CAS");
	is_int(before, 8, "value before");
	is_hex(get_le64(peer->memory + 8), 0x123456789abcdef0, "swapped");
	is_int(peer->atomics, 2, "as AtomicOps");
	is_int(peer->writes + peer->reads, 0, "and nothing else");
	is_int(peer->bad_tlps, 0, "that a link could carry");
	is_int(atomic_op(TLP_CAS, PEER_BAR + BAR_SIZE - 8, 0, 1, &before), 0,
	       "the last 8 bytes of a BAR");
	is_int(atomic_op(TLP_FETCH_ADD, PLAIN_BAR, 1, 0, &before), -EFAULT,
	       "a peer that does not complete them");
	is_int(plain->writes + plain->reads, 0, "gets none");
	peer->refuse = true;
	is_int(atomic_op(TLP_FETCH_ADD, PEER_BAR, 1, 0, &before), -EBADMSG, "one that refuses");
	peer->refuse = false;
}

static void test_enable(void)
{
	const struct pci_config *config = pci_function_config(requester->fn);
	unsigned int control = pci_config_cap(config, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL2;
	unsigned int peer_cap = pci_config_cap(pci_function_config(peer->fn), PCI_CAP_ID_EXP);
	uint64_t before;

	is_hex(pci_config_get16(config, control) & PCI_EXP_DEVCTL2_ATOMIC_REQ,
	       PCI_EXP_DEVCTL2_ATOMIC_REQ, "enabled, as a hypervisor leaves it");
	fake_config_write(requester, control, 0, 2);
	is_int(atomic_op(TLP_FETCH_ADD, PEER_BAR, 1, 0, &before), -EOPNOTSUPP, "not enabled");
	fake_config_write(requester, control, PCI_EXP_DEVCTL2_ATOMIC_REQ, 2);
	is_int(atomic_op(TLP_FETCH_ADD, PEER_BAR, 1, 0, &before), 0, "enabled again");
	fake_config_write(peer, peer_cap + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_ATOMIC_REQ, 2);
	is_hex(pci_config_get16(pci_function_config(peer->fn), peer_cap + PCI_EXP_DEVCTL2) &
		       PCI_EXP_DEVCTL2_ATOMIC_REQ,
	       0, "who never sends them has no such bit");
	is_hex(pci_config_get32(pci_function_config(peer->fn), peer_cap + PCI_EXP_DEVCAP2) &
		       (PCI_EXP_DEVCAP2_ATOMIC_COMP32 | PCI_EXP_DEVCAP2_ATOMIC_COMP64),
	       PCI_EXP_DEVCAP2_ATOMIC_COMP64, "a completer says so");
	fake_config_write(requester, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	is_int(atomic_op(TLP_FETCH_ADD, PEER_BAR, 1, 0, &before), -EPERM, "no bus master");
	fake_config_write(requester, PCI_COMMAND, FAKE_COMMAND_ON, 2);
}

static void test_trace(void)
{
	char text[4096] = "";
	struct fabric_counters counters;

	trace_flush(trace);
	is_int(pread(trace_fd, text, sizeof(text) - 1, 0) > 0, 1, "there is a trace");
	trace_lines_plain(text);
	ok(strstr(text, "1 00:05.0 -> rc FAdd32 0x0000000040000018 len=8 th=0 be=f/f result=ok\n"),
	   "FetchAdd to guest memory");
	ok(strstr(text,
		  " 00:05.0 -> 00:04.0 FAdd64 0x0000380000000008 len=8 th=0 be=f/f result=ok\n"),
	   "to the peer");
	ok(strstr(text,
		  " 00:05.0 -> 00:04.0 CAS64 0x0000380000000008 len=16 th=0 be=f/f result=ok\n"),
	   "CAS");
	ok(strstr(text,
		  " 00:05.0 -> 00:03.0 FAdd64 0x0000390000000000 len=8 th=0 be=f/f result=ur\n"),
	   "an unsupported request");
	fabric_get_counters(fabric, &counters);
	is_int(counters.writes + counters.reads, 0, "counted as no write and no read");
	ok(counters.atomics > 10, "but as AtomicOps");
}

/**
 * struct cpu - a CPU that adds to the same word
 * @word: the word
 * @count: additions
 * @stop: ends it
 */
struct cpu {
	uint64_t *word;
	uint64_t count;
	bool stop;
};

static void *add_by_cpu(void *arg)
{
	struct cpu *cpu = arg;

	while (!__atomic_load_n(&cpu->stop, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(cpu->word, 1, __ATOMIC_RELAXED);
		cpu->count++;
	}
	return NULL;
}

/* No addition is lost, neither the device's nor the CPU's. */
static void test_against_cpu(void)
{
	struct cpu cpu = { .word = &ram[8] };
	pthread_t thread;
	uint64_t before;

	ram[8] = 0;
	pthread_create(&thread, NULL, add_by_cpu, &cpu);
	for (unsigned int i = 0; i < ROUNDS; i++)
		atomic_op(TLP_FETCH_ADD, RAM + 64, 1, 0, &before);
	__atomic_store_n(&cpu.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	is_int(ram[8], cpu.count + ROUNDS, "the sum of both");
}

int main(void)
{
	setup();
	test_memory();
	test_peer();
	test_enable();
	test_trace();
	test_against_cpu();
	teardown();
	return done_testing();
}
