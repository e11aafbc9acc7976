// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration space: header, capability lists, access by software.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <string.h>

#include "byteorder.h"
#include "cap_msix.h"
#include "cap_pcie.h"
#include "cap_pm.h"
#include "cap_tph.h"
#include "config.h"

#define EXT_CAP_START		0x100
#define BAR_MEM32_MIN		16ull
#define BAR_MEM32_MAX		(2ull << 30)
#define BAR_MEM64_MAX		(1ull << 62)

/*
 * Type 0 header (section 7.5.1.2). Functions here have no INTx, no I/O space and no expansion ROM.
 */
struct type0_header {
	__le16 vendor;
	__le16 device;
	__le16 command;
	__le16 status;
	__u8 revision;
	__u8 class_code[3];
	__u8 cache_line_size;
	__u8 latency_timer;
	__u8 header_type;
	__u8 bist;
	__le32 bar[PCI_BARS];
	__le32 cardbus_cis;
	__le16 subsystem_vendor;
	__le16 subsystem;
	__le32 rom;
	__u8 capabilities;
	__u8 reserved[7];
	__u8 interrupt_line;
	__u8 interrupt_pin;
	__u8 min_gnt;
	__u8 max_lat;
} __attribute__((packed));

_Static_assert(sizeof(struct type0_header) == 64, "type 0 header");
_Static_assert(offsetof(struct type0_header, command) == PCI_COMMAND, "Command");
_Static_assert(offsetof(struct type0_header, bar) == PCI_BASE_ADDRESS_0, "BAR0");
_Static_assert(offsetof(struct type0_header, capabilities) == PCI_CAPABILITY_LIST,
	       "Capabilities Pointer");
_Static_assert(offsetof(struct type0_header, interrupt_line) == PCI_INTERRUPT_LINE,
	       "Interrupt Line");

static bool bar_is_64bit(const struct pci_bar *bar)
{
	return bar->type == PCI_BAR_MEM64 || bar->type == PCI_BAR_MEM64_PREF;
}

static int bar_init(struct type0_header *values, struct type0_header *writable,
		    const struct pci_bar *bars, unsigned int i)
{
	const struct pci_bar *bar = &bars[i];
	uint64_t mask = ~(bar->size - 1);
	uint32_t type = 0;

	if (bar->size & (bar->size - 1) || bar->size < BAR_MEM32_MIN)
		return -EINVAL;
	if (bar->size > (bar_is_64bit(bar) ? BAR_MEM64_MAX : BAR_MEM32_MAX))
		return -EINVAL;
	if (bar_is_64bit(bar)) {
		if (i + 1 >= PCI_BARS || bars[i + 1].type != PCI_BAR_NONE)
			return -EINVAL;
		type = PCI_BASE_ADDRESS_MEM_TYPE_64;
		if (bar->type == PCI_BAR_MEM64_PREF)
			type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		writable->bar[i + 1] = cpu_to_le32(mask >> 32);
	}
	values->bar[i] = cpu_to_le32(type);
	writable->bar[i] = cpu_to_le32((uint32_t)mask);
	return 0;
}

int pci_config_init(struct pci_config *config, const struct pci_config_ids *ids,
		    const struct pci_bar *bars)
{
	struct type0_header values = { 0 }, writable = { 0 };
	int ret;

	values.vendor = values.subsystem_vendor = cpu_to_le16(ids->vendor);
	values.device = values.subsystem = cpu_to_le16(ids->device);
	values.revision = ids->revision;
	for (unsigned int i = 0; i < 3; i++)
		values.class_code[i] = ids->class_code >> 8 * i;
	writable.command = cpu_to_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
				   PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	writable.cache_line_size = 0xff;
	writable.interrupt_line = 0xff;
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		if (bars[i].type == PCI_BAR_NONE)
			continue;
		ret = bar_init(&values, &writable, bars, i);
		if (ret)
			return ret;
	}

	memset(config, 0, sizeof(*config));
	memcpy(config->space, &values, sizeof(values));
	memcpy(config->writable, &writable, sizeof(writable));
	memcpy(config->bars, bars, sizeof(config->bars));
	config->last_cap = PCI_CAPABILITY_LIST - PCI_CAP_LIST_NEXT;
	config->end = sizeof(values);
	config->ext_end = EXT_CAP_START;
	return 0;
}

int pci_config_add_cap(struct pci_config *config, uint8_t id, const void *values,
		       const void *writable, size_t size)
{
	unsigned int offset = (config->end + 3u) & ~3u;

	if (offset + size > EXT_CAP_START)
		return -ENOSPC;
	memcpy(config->space + offset, values, size);
	memcpy(config->writable + offset, writable, size);
	config->space[offset + PCI_CAP_LIST_ID] = id;
	config->space[offset + PCI_CAP_LIST_NEXT] = 0;
	config->writable[offset + PCI_CAP_LIST_ID] = 0;
	config->writable[offset + PCI_CAP_LIST_NEXT] = 0;

	config->space[config->last_cap + PCI_CAP_LIST_NEXT] = offset;
	config->space[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	config->last_cap = offset;
	config->end = offset + size;
	return offset;
}

int pci_config_add_ext_cap(struct pci_config *config, uint16_t id, unsigned int version,
			   const void *values, const void *writable, size_t size)
{
	unsigned int offset = (config->ext_end + 3u) & ~3u;

	if (offset + size > PCI_CONFIG_SIZE)
		return -ENOSPC;
	memcpy(config->space + offset, values, size);
	memcpy(config->writable + offset, writable, size);
	put_le32(config->space + offset, (uint32_t)version << 16 | id);
	put_le32(config->writable + offset, 0);

	if (config->last_ext_cap) {
		uint32_t header = pci_config_get32(config, config->last_ext_cap);

		put_le32(config->space + config->last_ext_cap, header | (uint32_t)offset << 20);
	}
	config->last_ext_cap = offset;
	config->ext_end = offset + size;
	return offset;
}

void pci_config_seal(struct pci_config *config)
{
	memcpy(config->initial, config->space, sizeof(config->initial));
}

static bool in_bounds(uint64_t offset, size_t len)
{
	return len && offset < PCI_CONFIG_SIZE && len <= PCI_CONFIG_SIZE - offset;
}

int pci_config_read(const struct pci_config *config, uint64_t offset, void *buf, size_t len)
{
	if (!in_bounds(offset, len))
		return -EINVAL;
	memcpy(buf, config->space + offset, len);
	return 0;
}

int pci_config_write(struct pci_config *config, uint64_t offset, const void *buf, size_t len,
		     bool *flr)
{
	uint16_t devctl, pmcsr;
	const uint8_t *data = buf;

	*flr = false;
	if (!in_bounds(offset, len))
		return -EINVAL;
	devctl = pcie_cap_device_control(config);
	pmcsr = pm_cap_control(config);
	for (size_t i = 0; i < len; i++) {
		uint8_t mask = config->writable[offset + i];

		config->space[offset + i] = (config->space[offset + i] & ~mask) | (data[i] & mask);
	}
	*flr = pcie_cap_fold(config, devctl);
	pm_cap_fold(config, pmcsr);
	tph_cap_fold(config);
	return 0;
}

void pci_config_reset(struct pci_config *config)
{
	memcpy(config->space, config->initial, sizeof(config->space));
}

void pci_config_flr(struct pci_config *config)
{
	uint8_t bars[PCI_BARS * sizeof(__le32)];
	struct pcie_cap_kept kept;

	pcie_cap_keep(config, &kept);
	memcpy(bars, config->space + PCI_BASE_ADDRESS_0, sizeof(bars));
	pci_config_reset(config);
	memcpy(config->space + PCI_BASE_ADDRESS_0, bars, sizeof(bars));
	pcie_cap_restore(config, &kept);
}

uint64_t pci_config_bar_address(const struct pci_config *config, unsigned int bar)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t address;

	if (bar >= PCI_BARS || config->bars[bar].type == PCI_BAR_NONE)
		return 0;
	address = pci_config_get32(config, offset) & ~0xfu;
	if (bar_is_64bit(&config->bars[bar]))
		address |= (uint64_t)pci_config_get32(config, offset + 4) << 32;
	return address;
}

bool pci_config_memory_enabled(const struct pci_config *config)
{
	return pci_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MEMORY && pm_cap_in_d0(config);
}

bool pci_config_bus_master(const struct pci_config *config)
{
	return pci_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MASTER && pm_cap_in_d0(config);
}

uint16_t pci_config_get16(const struct pci_config *config, unsigned int offset)
{
	return get_le16(config->space + offset);
}

uint32_t pci_config_get32(const struct pci_config *config, unsigned int offset)
{
	return get_le32(config->space + offset);
}

void pci_config_set16(struct pci_config *config, unsigned int offset, uint16_t value)
{
	put_le16(config->space + offset, value);
}
