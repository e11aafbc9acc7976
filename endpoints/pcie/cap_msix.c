// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MSI-X: the table, what is pending, and what may be sent now.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "byteorder.h"
#include "cap_msix.h"
#include "config.h"
#include "header.h"

#define MSIX_PENDING_SIZE	sizeof(uint64_t)

static size_t table_size(const struct msix *msix)
{
	return msix->options.vectors * sizeof(struct msix_entry);
}

int msix_add(struct msix *msix, struct pci_config *config, const struct msix_options *options)
{
	struct msix_cap values = {
		.control = cpu_to_le16(options->vectors - 1),
		.table = cpu_to_le32(options->table | options->bar),
		.pending = cpu_to_le32(options->pending | options->bar),
	};
	struct msix_cap writable = {
		.control = cpu_to_le16(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL),
	};
	struct pci_cap cap = {
		.id = PCI_CAP_ID_MSIX,
		.values = &values,
		.writable = &writable,
		.size = sizeof(values),
	};
	int offset;

	if (!options->vectors || options->vectors > MSIX_VECTORS_MAX || options->bar >= PCI_BARS)
		return -EINVAL;
	msix->options = *options;
	if (options->table % 8 || options->pending % 8 ||
	    options->pending < options->table + table_size(msix) ||
	    options->pending + MSIX_PENDING_SIZE > config->bars[options->bar].size)
		return -EINVAL;

	offset = pci_config_add_cap(config, &cap);
	if (offset < 0)
		return offset;
	msix_reset(msix);
	return 0;
}

void msix_reset(struct msix *msix)
{
	memset(msix->entries, 0, sizeof(msix->entries));
	for (unsigned int i = 0; i < msix->options.vectors; i++)
		msix->entries[i].control = cpu_to_le32(PCI_MSIX_ENTRY_CTRL_MASKBIT);
	msix->pending = 0;
	msix->table_written = false;
}

static bool within(uint64_t offset, size_t len, uint64_t start, size_t size)
{
	return offset >= start && offset - start < size && len <= size - (offset - start);
}

bool msix_claims(const struct msix *msix, unsigned int bar, uint64_t offset, size_t len)
{
	if (!msix->options.vectors || bar != msix->options.bar)
		return false;
	return within(offset, len, msix->options.table, table_size(msix)) ||
	       within(offset, len, msix->options.pending, MSIX_PENDING_SIZE);
}

void msix_read(const struct msix *msix, uint64_t offset, void *buf, size_t len)
{
	__le64 pending = cpu_to_le64(msix->pending);

	if (within(offset, len, msix->options.table, table_size(msix)))
		memcpy(buf, (const uint8_t *)msix->entries + (offset - msix->options.table), len);
	else
		memcpy(buf, (const uint8_t *)&pending + (offset - msix->options.pending), len);
}

void msix_write(struct msix *msix, uint64_t offset, const void *buf, size_t len)
{
	if (!within(offset, len, msix->options.table, table_size(msix)))
		return;
	memcpy((uint8_t *)msix->entries + (offset - msix->options.table), buf, len);
	msix->table_written = true;
	for (unsigned int i = 0; i < msix->options.vectors; i++) {
		msix->entries[i].address &= cpu_to_le64(~3ull);
		msix->entries[i].control &= cpu_to_le32(PCI_MSIX_ENTRY_CTRL_MASKBIT);
	}
}

static uint16_t msix_control(const struct pci_config *config)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_MSIX);

	return offset ? pci_config_get16(config, offset + offsetof(struct msix_cap, control)) : 0;
}

void msix_raise(struct msix *msix, const struct pci_config *config, unsigned int vector)
{
	if (msix_control(config) & PCI_MSIX_FLAGS_ENABLE && vector < msix->options.vectors)
		msix->pending |= 1ull << vector;
}

static bool vector_masked(const struct msix *msix, unsigned int vector)
{
	return msix->table_written &&
	       msix->entries[vector].control & cpu_to_le32(PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

int msix_next(struct msix *msix, const struct pci_config *config)
{
	uint16_t control = msix_control(config);

	/* What was pending when MSI-X was disabled does not come out when it is enabled again. */
	if (!(control & PCI_MSIX_FLAGS_ENABLE)) {
		msix->pending = 0;
		return -1;
	}
	if (control & PCI_MSIX_FLAGS_MASKALL || !pci_header_bus_master(config))
		return -1;
	for (unsigned int i = 0; i < msix->options.vectors; i++) {
		if (msix->pending & 1ull << i && !vector_masked(msix, i)) {
			msix->pending &= ~(1ull << i);
			return i;
		}
	}
	return -1;
}

void msix_message(const struct msix *msix, unsigned int vector, uint64_t *address, uint32_t *data)
{
	*address = le64_to_cpu(msix->entries[vector].address);
	*data = le32_to_cpu(msix->entries[vector].data);
}
