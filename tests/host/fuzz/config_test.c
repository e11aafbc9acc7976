// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the configuration space of the devices. Input: accesses,
 *
 *	control		bits 0-1: function, bits 2-4: bytes - 1, bit 5: read, bits 6-7: both: reset
 *	offset		2 bytes, little-endian
 *	value		as many bytes as a write has
 *
 * Whatever is written: what a driver recognizes a function by stays, capabilities are where they
 * were, and an access beyond the end is refused.
 */
#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/registry.h"
#include "pcie/fabric.h"
#include "pcie/function.h"

#define CONFIG_SIZE 4096u
#define FUNCTIONS   4u
#define MOVES_MAX   64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const specs[FUNCTIONS] = {
	"accelerator,name=acc,bdf=00:10.0,size=1M,ats=yes",
	"dma-engine,name=dma,bdf=00:11.0",
	"dma-engine,name=vectors,bdf=00:12.0,modes=ns+iv,entries=8",
	"dma-engine,name=bare,bdf=00:13.0,table=none,readiness=delayed",
};
static struct pci_function *functions[FUNCTIONS];
static uint8_t fresh[FUNCTIONS][CONFIG_SIZE];

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void read_config(unsigned int number, uint8_t *config)
{
	must(!pci_function_region_read(functions[number], PCI_REGION_CONFIG, 0, config,
				       CONFIG_SIZE),
	     "a configuration space that cannot be read");
}

static int upstream_read(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	memset(buf, 0, len);
	return 0;
}

static int upstream_write(void *opaque, uint64_t epoch, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	(void)buf;
	(void)len;
	return 0;
}

static void upstream_cancel(void *opaque, uint64_t epoch)
{
	(void)opaque;
	(void)epoch;
}

static void upstream_msix(void *opaque, unsigned int vector)
{
	(void)opaque;
	(void)vector;
}

static const struct pci_upstream_ops client = {
	.read = upstream_read,
	.write = upstream_write,
	.cancel = upstream_cancel,
	.msix = upstream_msix,
};

static void setup(void)
{
	static struct fabric *fabric;
	char error[128];

	if (fabric)
		return;
	fabric = fabric_create(NULL);
	must(fabric, "no fabric");
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		must(!device_create(fabric, specs[i], &functions[i], error, sizeof(error)),
		     "no device");
		pci_function_connect(functions[i], &client, NULL);
		read_config(i, fresh[i]);
	}
}

/* Where the capabilities are: two bytes of each, four of an extended one. */
static void check_capabilities(const uint8_t *now, const uint8_t *before)
{
	unsigned int at, moves = 0;

	must(!memcmp(now, before, 4) && !memcmp(now + 8, before + 8, 4), "another device");
	must(now[PCI_CAPABILITY_LIST] == before[PCI_CAPABILITY_LIST], "another first capability");
	for (at = before[PCI_CAPABILITY_LIST]; at; at = before[at + 1]) {
		must(++moves < MOVES_MAX, "capabilities without end");
		must(!memcmp(now + at, before + at, 2), "another capability");
	}
	for (at = 0x100; at; at = (before[at + 2] | before[at + 3] << 8) >> 4) {
		must(++moves < MOVES_MAX, "extended capabilities without end");
		must(!memcmp(now + at, before + at, 4), "another extended capability");
	}
}

static size_t access_config(const uint8_t *data, size_t size)
{
	struct pci_function *fn;
	uint8_t buf[8];
	unsigned int offset;
	size_t len;
	int ret;

	if (size < 3)
		return 0;
	fn = functions[data[0] & 3];
	len = (data[0] >> 2 & 7) + 1u;
	offset = data[1] | (unsigned int)data[2] << 8;
	if ((data[0] & 0xc0) == 0xc0) {
		pci_function_reset(fn);
		return 3;
	}
	if (data[0] & 0x20) {
		ret = pci_function_region_read(fn, PCI_REGION_CONFIG, offset, buf, len);
		must((ret == 0) == (offset + len <= CONFIG_SIZE), "result of a read");
		return 3;
	}
	if (size < 3 + len)
		return 0;
	ret = pci_function_region_write(fn, PCI_REGION_CONFIG, offset, data + 3, len);
	must((ret == 0) == (offset + len <= CONFIG_SIZE), "result of a write");
	return 3 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t now[CONFIG_SIZE];
	size_t at = 0, taken;

	setup();
	while ((taken = access_config(data + at, size - at)))
		at += taken;
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		read_config(i, now);
		check_capabilities(now, fresh[i]);
		/* The next input meets what this one would have met. */
		pci_function_connect(functions[i], NULL, NULL);
		pci_function_connect(functions[i], &client, NULL);
		read_config(i, now);
		must(!memcmp(now, fresh[i], CONFIG_SIZE), "something is left after a reset");
	}
	return 0;
}
