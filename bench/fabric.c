// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peer writes through the fabric into an accelerator, beside memcpy() of the same bytes into memory
 * of the same kind.
 */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices/registry.h"
#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"

#define MEMORY		0x380000000000ull
#define SIZE		(64u << 20)
#define DEVCTL_512	0x2040	/* Max_Payload_Size 512, Max_Read_Request_Size 512 */
#define ROUNDS		9
#define BYTES		(64u << 20)	/* in each round */

static const struct pci_device_ops nothing;
static uint8_t source[64u << 10];

static void write_config(struct pci_function *fn, unsigned int offset, uint32_t value, size_t len)
{
	pci_function_region_write(fn, PCI_REGION_CONFIG, offset, &value, len);
}

static void enable(struct pci_function *fn)
{
	write_config(fn, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	write_config(fn, pci_function_cap(fn, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, DEVCTL_512, 2);
}

static struct pci_function *make_accelerator(struct fabric *fabric, unsigned int slot)
{
	char spec[64], error[256];
	struct pci_function *fn;

	snprintf(spec, sizeof(spec), "accelerator,name=acc%u,bdf=%02x:%02x.0,size=64M", slot,
		 slot >> 5, slot & 0x1f);
	if (device_create(fabric, spec, &fn, error, sizeof(error))) {
		fprintf(stderr, "%s: %s\n", spec, error);
		exit(1);
	}
	write_config(fn, PCI_BASE_ADDRESS_3, (MEMORY >> 32) + slot, 4);
	enable(fn);
	return fn;
}

static struct pci_function *make_requester(struct fabric *fabric)
{
	struct pci_function_desc desc = {
		.name = "requester", .bdf = 0x10, .pcie.mps = 512, .ops = &nothing,
	};
	struct pci_function *fn;

	if (pci_function_create(&desc, &fn) || pci_function_attach(fn, fabric)) {
		fputs("cannot make a requester\n", stderr);
		exit(1);
	}
	enable(fn);
	return fn;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double time_memcpy(uint8_t *memory, size_t len)
{
	double start = seconds();

	for (size_t done = 0; done < BYTES; done += len) {
		memcpy(memory + done % SIZE, source, len);
		__asm__ volatile("" ::: "memory");
	}
	return seconds() - start;
}

static double time_fabric(struct fabric *fabric, struct pci_function *fn, uint64_t memory,
			  size_t len)
{
	double start = seconds();
	int ret = 0;

	fabric_lock(fabric);
	for (size_t done = 0; done < BYTES && !ret; done += len)
		ret = fabric_write(fn, memory + done % SIZE, source, len, NULL, NULL);
	fabric_unlock(fabric);
	if (ret) {
		fprintf(stderr, "a write failed: %s\n", strerror(-ret));
		exit(1);
	}
	return seconds() - start;
}

static void measure(const char *what, bool traced, unsigned int others)
{
	struct trace_options files = { .text = traced ? open("/dev/null", O_WRONLY) : -1,
				       .pcapng = -1 };
	struct trace *trace = traced ? trace_create(&files) : NULL;
	struct fabric *fabric = fabric_create(trace);
	struct pci_function *requester = make_requester(fabric);
	uint64_t memory = MEMORY + ((uint64_t)(others + 3) << 32);
	int fd = memfd_create("memory", MFD_CLOEXEC);
	uint8_t *plain;

	/* The target is the last one: a search goes past all others. */
	for (unsigned int i = 0; i <= others; i++)
		make_accelerator(fabric, i + 3);
	pci_function_dma_map(requester, memory, SIZE, true, true, -1, 0);
	if (ftruncate(fd, SIZE))
		exit(1);
	plain = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (size_t len = 4096; len <= sizeof(source); len *= 16) {
		double best_memcpy = 1e9, best_fabric = 1e9;

		for (unsigned int round = 0; round < ROUNDS; round++) {
			double copy = time_memcpy(plain, len);
			double write = time_fabric(fabric, requester, memory, len);

			best_memcpy = copy < best_memcpy ? copy : best_memcpy;
			best_fabric = write < best_fabric ? write : best_fabric;
		}
		printf("%-28s %6zu bytes: %6.2f GB/s, memcpy %6.2f GB/s, ratio %.2f\n", what, len,
		       BYTES / best_fabric / 1e9, BYTES / best_memcpy / 1e9,
		       best_memcpy / best_fabric);
	}
	fabric_destroy(fabric);
	if (traced)
		printf("%28s %llu TLPs lost\n", "", (unsigned long long)trace_destroy(trace).lost);
	munmap(plain, SIZE);
	close(fd);
}

int main(void)
{
	memset(source, 0x5a, sizeof(source));
	measure("trace off", false, 0);
	measure("trace off, 61 more functions", false, 61);
	measure("trace on", true, 0);
	return 0;
}
