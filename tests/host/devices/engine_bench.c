// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices/registry.h"
#include "engine_bench.h"

#define REGS 0xfe000000u
#define MSIX 0xfe001000u

struct bench bench;

static int gate_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)addr;
	memset(buf, 0xab, len);
	if (bench.gated_reads) {
		sem_post(&bench.arrived);
		sem_wait(&bench.released);
	}
	return bench.upstream_result;
}

static int gate_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	(void)addr;
	(void)buf;
	(void)len;
	bench.upstream_writes++;
	if (bench.gated_writes) {
		sem_post(&bench.arrived);
		sem_wait(&bench.released);
	}
	return bench.upstream_result;
}

static void take_msix(void *opaque, unsigned int vector)
{
	(void)opaque;
	__atomic_fetch_or(&bench.interrupts, 1ull << vector, __ATOMIC_RELAXED);
}

static const struct pci_upstream_ops client = { .read = gate_read,
						.write = gate_write,
						.msix = take_msix };

void bench_write_config(unsigned int offset, uint32_t value, size_t len)
{
	pci_function_region_write(bench.engine, PCI_REGION_CONFIG, offset, &value, len);
}

void bench_enable(void)
{
	bench_write_config(PCI_BASE_ADDRESS_0, REGS, 4);
	bench_write_config(PCI_BASE_ADDRESS_4, MSIX, 4);
	bench_write_config(PCI_COMMAND, FAKE_COMMAND_ON, 2);
	bench_write_config(pci_function_config(bench.engine)->pcie + PCI_EXP_DEVCTL, 0x2040, 2);
	bench_write_config(pci_function_config(bench.engine)->msix + PCI_MSIX_FLAGS,
			   PCI_MSIX_FLAGS_ENABLE, 2);
}

void bench_map_memory(void)
{
	pci_function_dma_map(bench.engine, RAM, RAM_SIZE, true, true, dup(bench.ram_fd), 0);
	pci_function_dma_map(bench.engine, PEER, PEER_SIZE, true, true, -1, 0);
}

void bench_connect(void)
{
	pci_function_connect(bench.engine, &client, NULL);
	bench_enable();
	bench_map_memory();
}

/* tap.h is for the test itself. */
static void give_up(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

void bench_setup(const char *options)
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
	bench.fabric = fabric_create(NULL);
	if (device_create(bench.fabric, spec, &bench.engine, error, sizeof(error)))
		give_up(error);
	bench.peer = fake_device_attach(bench.fabric, &peer_options);
	fake_device_enable(bench.peer, 0xfe002000, PEER);
	fake_device_sizes(bench.peer, 512, 512);
	bench.ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (bench.ram_fd < 0 || ftruncate(bench.ram_fd, RAM_SIZE))
		give_up("memfd_create");
	bench.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, bench.ram_fd, 0);
	if (bench.ram == MAP_FAILED)
		give_up("mmap");
	sem_init(&bench.arrived, 0, 0);
	sem_init(&bench.released, 0, 0);
	bench.gated_writes = false;
	bench.gated_reads = false;
	bench.upstream_result = 0;
	bench.upstream_writes = 0;
	bench.interrupts = 0;
	bench_connect();
}

void bench_teardown(void)
{
	pci_function_connect(bench.engine, NULL, NULL);
	pci_function_connect(bench.peer->fn, NULL, NULL);
	fabric_destroy(bench.fabric);
	munmap(bench.ram, RAM_SIZE);
	close(bench.ram_fd);
	sem_destroy(&bench.arrived);
	sem_destroy(&bench.released);
}

uint64_t bench_read(uint64_t offset, size_t len)
{
	uint64_t value = 0;

	pci_function_region_read(bench.engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
	return value;
}

void bench_write(uint64_t offset, uint64_t value, size_t len)
{
	pci_function_region_write(bench.engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
}

uint64_t bench_interrupts(void)
{
	return __atomic_load_n(&bench.interrupts, __ATOMIC_RELAXED);
}

uint32_t bench_status(void)
{
	return bench_read(DMA_ENGINE_REG_STATUS, 4);
}

struct dma_engine_desc *bench_descriptor(unsigned int index)
{
	return (struct dma_engine_desc *)(bench.ram + (RING - RAM)) + index;
}

void bench_start(unsigned int ring_size)
{
	bench_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	bench_write(DMA_ENGINE_REG_RING_BASE, RING, 8);
	bench_write(DMA_ENGINE_REG_RING_SIZE, ring_size, 4);
	bench_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	bench.tail = 0;
}

struct dma_engine_desc *bench_post(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
				   uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc = bench_descriptor(bench.tail);

	*desc = (struct dma_engine_desc){
		.src = htole64(src),
		.dst = htole64(dst),
		.length = htole32(length),
		.flags = htole32(flags),
		.st_index = htole16(st_index),
		.vector = htole16(vector),
	};
	bench.tail = (bench.tail + 1) % bench_read(DMA_ENGINE_REG_RING_SIZE, 4);
	return desc;
}

void bench_doorbell(void)
{
	bench_write(DMA_ENGINE_REG_TAIL, bench.tail, 4);
}

bool bench_wait(uint64_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned int i = 0; i < 20000; i++) {
		if ((bench_read(offset, 4) & mask) == value)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
	return false;
}

bool bench_drain(void)
{
	return bench_wait(DMA_ENGINE_REG_HEAD, UINT32_MAX, bench.tail);
}

uint32_t bench_run_one(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
		       uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc;

	bench_start(8);
	desc = bench_post(src, dst, length, flags, st_index, vector);
	bench_doorbell();
	if (!bench_drain())
		give_up("the engine hangs");
	return le32toh(desc->status);
}

void bench_fill(uint64_t address, size_t len, unsigned int seed)
{
	srandom(seed);
	for (size_t i = 0; i < len; i++)
		bench.ram[address - RAM + i] = random();
}
