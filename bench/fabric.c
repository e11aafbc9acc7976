// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peer writes through the fabric into an accelerator, beside memcpy() of the same bytes into memory
 * of the same kind, and through a tree of switches, beside the one switch.
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
#include "pcie/port.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"

#define MEMORY		0x380000000000ull
#define SIZE		(64u << 20)
#define DEVCTL_512	0x2040	/* Max_Payload_Size 512, Max_Read_Request_Size 512 */
#define ROUNDS		9
#define BYTES		(64u << 20)	/* in each round */
#define LEVELS		3u		/* of switches in the tree */

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

/* @below names a port, or is NULL. */
static struct pci_function *make_accelerator(struct fabric *fabric, unsigned int slot,
					     const char *below)
{
	char spec[96], error[256];
	struct pci_function *fn;

	snprintf(spec, sizeof(spec), "accelerator,name=acc%u,bdf=%02x:%02x.0,size=64M%s%s", slot,
		 slot >> 5, slot & 0x1f, below ? ",below=" : "", below ? below : "");
	if (device_create(fabric, spec, &fn, error, sizeof(error))) {
		fprintf(stderr, "%s: %s\n", spec, error);
		exit(1);
	}
	write_config(fn, PCI_BASE_ADDRESS_3, (MEMORY >> 32) + slot, 4);
	enable(fn);
	return fn;
}

static struct pci_function *make_requester(struct fabric *fabric, struct pcie_port *port)
{
	struct pci_function_desc desc = {
		.name = "requester", .bdf = 0x10, .port = port, .pcie.mps = 512, .ops = &nothing,
	};
	struct pci_function *fn;

	if (pci_function_create(&desc, &fn) || pci_function_attach(fn, fabric)) {
		fputs("cannot make a requester\n", stderr);
		exit(1);
	}
	enable(fn);
	return fn;
}

/* Of processor time of this thread: what else the machine does is not in it. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
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
	struct pci_function *requester = make_requester(fabric, NULL);
	uint64_t memory = MEMORY + ((uint64_t)(others + 3) << 32);
	int fd = memfd_create("memory", MFD_CLOEXEC);
	uint8_t *plain;

	/* The target is the last one: a search goes past all others. */
	for (unsigned int i = 0; i <= others; i++)
		make_accelerator(fabric, i + 3, NULL);
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

static struct pcie_port *add_port(struct fabric *fabric, const char *name,
				  enum pcie_port_kind kind, struct pcie_port *above)
{
	struct pcie_port port = { .kind = kind, .above = above, .end_end_prefix = true,
				  .max_payload = 4096 };

	snprintf(port.name, sizeof(port.name), "%s", name);
	if (fabric_add_port(fabric, &port)) {
		fprintf(stderr, "cannot add the port %s\n", name);
		exit(1);
	}
	return fabric_find_port(fabric, name);
}

/* A chain of @levels switches below @above; returns the last port, to which a function connects. */
static struct pcie_port *add_chain(struct fabric *fabric, const char *side, unsigned int levels,
				   struct pcie_port *above)
{
	char name[32];

	for (unsigned int level = 0; level < levels; level++) {
		snprintf(name, sizeof(name), "%s-switch%u", side, level);
		above = add_port(fabric, name, PCIE_PORT_UPSTREAM, above);
		snprintf(name, sizeof(name), "%s%u", side, level);
		above = add_port(fabric, name, PCIE_PORT_DOWNSTREAM, above);
	}
	return above;
}

/* Requester and completer each at the bottom of LEVELS switches, of which they share the first. */
static struct fabric *grow_tree(struct pci_function **requester)
{
	struct fabric *fabric = fabric_create(NULL);
	struct pcie_port *root = add_port(fabric, "root", PCIE_PORT_ROOT, NULL);
	struct pcie_port *top = add_port(fabric, "top", PCIE_PORT_UPSTREAM, root), *ends[2];

	for (unsigned int i = 0; i < 2; i++)
		ends[i] = add_chain(fabric, i ? "right" : "left", LEVELS - 1,
				    add_port(fabric, i ? "right" : "left", PCIE_PORT_DOWNSTREAM,
					     top));
	*requester = make_requester(fabric, ends[0]);
	make_accelerator(fabric, 3, ends[1]->name);
	return fabric;
}

static void measure_tree(void)
{
	uint64_t memory = MEMORY + (3ull << 32);
	struct pci_function *flat_requester, *tree_requester;
	struct fabric *flat = fabric_create(NULL), *tree = grow_tree(&tree_requester);

	flat_requester = make_requester(flat, NULL);
	make_accelerator(flat, 3, NULL);
	pci_function_dma_map(flat_requester, memory, SIZE, true, true, -1, 0);
	pci_function_dma_map(tree_requester, memory, SIZE, true, true, -1, 0);
	for (size_t len = 4096; len <= sizeof(source); len *= 16) {
		double best_flat = 1e9, best_tree = 1e9;

		for (unsigned int round = 0; round < ROUNDS; round++) {
			double one = time_fabric(flat, flat_requester, memory, len);
			double other = time_fabric(tree, tree_requester, memory, len);

			best_flat = one < best_flat ? one : best_flat;
			best_tree = other < best_tree ? other : best_tree;
		}
		printf("%u levels of switches         %6zu bytes: %6.2f GB/s, flat   %6.2f GB/s, "
		       "ratio %.2f\n", LEVELS, len, BYTES / best_tree / 1e9,
		       BYTES / best_flat / 1e9, best_flat / best_tree);
	}
	fabric_destroy(flat);
	fabric_destroy(tree);
}

int main(int argc, char **argv)
{
	bool tree_only = argc == 2 && !strcmp(argv[1], "--tree");

	if (argc > 1 && !tree_only) {
		fprintf(stderr, "usage: %s [--tree]\n", argv[0]);
		return 2;
	}
	memset(source, 0x5a, sizeof(source));
	measure_tree();
	if (tree_only)
		return 0;
	measure("trace off", false, 0);
	measure("trace off, 61 more functions", false, 61);
	measure("trace on", true, 0);
	return 0;
}
