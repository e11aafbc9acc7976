// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The type 0 header: identity, Command, base address registers.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <string.h>

#include "byteorder.h"
#include "cap_pm.h"
#include "config.h"
#include "header.h"

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

static int add_bar(struct type0_header *values, struct type0_header *writable,
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

int pci_header_init(struct pci_config *config, const struct pci_config_ids *ids,
		    const struct pci_bar *bars)
{
	struct type0_header values = { 0 }, writable = { 0 }, clearable = { 0 }, kept = { 0 };
	int ret;

	values.vendor = values.subsystem_vendor = cpu_to_le16(ids->vendor);
	values.device = values.subsystem = cpu_to_le16(ids->device);
	values.revision = ids->revision;
	for (unsigned int i = 0; i < 3; i++)
		values.class_code[i] = ids->class_code >> 8 * i;
	writable.command =
		cpu_to_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
			    PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	writable.cache_line_size = 0xff;
	writable.interrupt_line = 0xff;
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		if (bars[i].type == PCI_BAR_NONE)
			continue;
		ret = add_bar(&values, &writable, bars, i);
		if (ret)
			return ret;
	}

	clearable.status = cpu_to_le16(PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |
				       PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR |
				       PCI_STATUS_DETECTED_PARITY);
	memset(kept.bar, 0xff, sizeof(kept.bar));
	pci_config_init(config, &values, &writable, &clearable, &kept, sizeof(values));
	memcpy(config->bars, bars, sizeof(config->bars));
	return 0;
}

uint64_t pci_header_bar_address(const struct pci_config *config, unsigned int bar)
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

bool pci_header_memory_enabled(const struct pci_config *config)
{
	return pci_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MEMORY && pm_cap_in_d0(config);
}

bool pci_header_bus_master(const struct pci_config *config)
{
	return pci_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MASTER && pm_cap_in_d0(config);
}
