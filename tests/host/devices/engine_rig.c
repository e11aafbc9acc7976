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
#include "engine_rig.h"

#define REGS 0xfe000000u
#define MSIX 0xfe001000u

struct rig rig;

static int gate_read(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	memset(buf, 0xab, len);
	if (rig.gated_reads) {
		sem_post(&rig.arrived);
		sem_wait(&rig.released);
	}
	return rig.upstream_result;
}

static int gate_write(void *opaque, uint64_t epoch, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	(void)buf;
	(void)len;
	rig.upstream_writes++;
	if (rig.gated_writes) {
		sem_post(&rig.arrived);
		sem_wait(&rig.released);
	}
	return rig.upstream_result;
}

static void gate_cancel(void *opaque, uint64_t epoch)
{
	(void)opaque;
	(void)epoch;
}

static void take_msix(void *opaque, unsigned int vector)
{
	(void)opaque;
	__atomic_fetch_or(&rig.interrupts, 1ull << vector, __ATOMIC_RELAXED);
}

static const struct pci_upstream_ops client = { .read = gate_read,
						.write = gate_write,
						.cancel = gate_cancel,
						.msix = take_msix };

void rig_write_config(unsigned int offset, uint32_t value, size_t len)
{
	pci_function_region_write(rig.engine, PCI_REGION_CONFIG, offset, &value, len);
}

void rig_enable(void)
{
	rig_write_config(PCI_BASE_ADDRESS_0, REGS, 4);
	rig_write_config(PCI_BASE_ADDRESS_4, MSIX, 4);
	rig_write_config(PCI_COMMAND, FAKE_COMMAND_ON, 2);
	rig_write_config(pci_function_cap(rig.engine, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, 0x2040, 2);
	rig_write_config(pci_function_cap(rig.engine, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS,
			 PCI_MSIX_FLAGS_ENABLE, 2);
}

void rig_map_memory(void)
{
	pci_function_dma_map(rig.engine, RAM, RAM_SIZE, true, true, rig.ram_fd, 0);
	pci_function_dma_map(rig.engine, PEER, PEER_SIZE, true, true, -1, 0);
}

void rig_connect(void)
{
	pci_function_connect(rig.engine, &client, NULL);
	rig_enable();
	rig_map_memory();
}

/* tap.h is for the test itself. */
static void give_up(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

void rig_setup(const char *options)
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
	rig.fabric = fabric_create(NULL);
	fabric_allow_unannounced(rig.fabric);
	if (device_create(rig.fabric, spec, &rig.engine, error, sizeof(error)))
		give_up(error);
	rig.peer = fake_device_attach(rig.fabric, &peer_options);
	fake_device_enable(rig.peer, 0xfe002000, PEER);
	fake_device_sizes(rig.peer, 512, 512);
	rig.ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (rig.ram_fd < 0 || ftruncate(rig.ram_fd, RAM_SIZE))
		give_up("memfd_create");
	rig.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, rig.ram_fd, 0);
	if (rig.ram == MAP_FAILED)
		give_up("mmap");
	sem_init(&rig.arrived, 0, 0);
	sem_init(&rig.released, 0, 0);
	rig.gated_writes = false;
	rig.gated_reads = false;
	rig.upstream_result = 0;
	rig.upstream_writes = 0;
	rig.interrupts = 0;
	rig_connect();
}

void rig_teardown(void)
{
	pci_function_connect(rig.engine, NULL, NULL);
	pci_function_connect(rig.peer->fn, NULL, NULL);
	fabric_destroy(rig.fabric);
	munmap(rig.ram, RAM_SIZE);
	close(rig.ram_fd);
	sem_destroy(&rig.arrived);
	sem_destroy(&rig.released);
}

uint64_t rig_read(uint64_t offset, size_t len)
{
	uint64_t value = 0;

	pci_function_region_read(rig.engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
	return value;
}

void rig_write(uint64_t offset, uint64_t value, size_t len)
{
	pci_function_region_write(rig.engine, DMA_ENGINE_BAR_REGS, offset, &value, len);
}

uint64_t rig_interrupts(void)
{
	return __atomic_load_n(&rig.interrupts, __ATOMIC_RELAXED);
}

uint32_t rig_status(void)
{
	return rig_read(DMA_ENGINE_REG_STATUS, 4);
}

struct dma_engine_desc *rig_descriptor(unsigned int index)
{
	return (struct dma_engine_desc *)(rig.ram + (RING - RAM)) + index;
}

void rig_start(unsigned int ring_size)
{
	rig_write(DMA_ENGINE_REG_CONTROL, 0, 4);
	rig_write(DMA_ENGINE_REG_RING_BASE, RING, 8);
	rig_write(DMA_ENGINE_REG_RING_SIZE, ring_size, 4);
	rig_write(DMA_ENGINE_REG_CONTROL, DMA_ENGINE_CONTROL_RUN, 4);
	rig.tail = 0;
}

struct dma_engine_desc *rig_post(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
				   uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc = rig_descriptor(rig.tail);

	*desc = (struct dma_engine_desc){
		.src = htole64(src),
		.dst = htole64(dst),
		.length = htole32(length),
		.flags = htole32(flags),
		.st_index = htole16(st_index),
		.vector = htole16(vector),
	};
	rig.tail = (rig.tail + 1) % rig_read(DMA_ENGINE_REG_RING_SIZE, 4);
	return desc;
}

void rig_doorbell(void)
{
	rig_write(DMA_ENGINE_REG_TAIL, rig.tail, 4);
}

bool rig_wait(uint64_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned int i = 0; i < 20000; i++) {
		if ((rig_read(offset, 4) & mask) == value)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
	return false;
}

bool rig_drain(void)
{
	return rig_wait(DMA_ENGINE_REG_HEAD, UINT32_MAX, rig.tail);
}

uint32_t rig_run_one(uint64_t src, uint64_t dst, uint32_t length, uint32_t flags,
		       uint16_t st_index, uint16_t vector)
{
	struct dma_engine_desc *desc;

	rig_start(8);
	desc = rig_post(src, dst, length, flags, st_index, vector);
	rig_doorbell();
	if (!rig_drain())
		give_up("the engine hangs");
	return le32toh(desc->status);
}

void rig_fill(uint64_t address, size_t len, unsigned int seed)
{
	srandom(seed);
	for (size_t i = 0; i < len; i++)
		rig.ram[address - RAM + i] = random();
}
