// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration space: bytes, write masks, capability lists.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "byteorder.h"
#include "config.h"

#define EXT_CAP_START		0x100

void pci_config_init(struct pci_config *config, const void *values, const void *writable,
		     const void *clearable, const void *kept, size_t size)
{
	memset(config, 0, sizeof(*config));
	memcpy(config->space, values, size);
	memcpy(config->writable, writable, size);
	memcpy(config->clearable, clearable, size);
	memcpy(config->kept, kept, size);
	config->last_cap = PCI_CAPABILITY_LIST - PCI_CAP_LIST_NEXT;
	config->end = size;
	config->ext_end = EXT_CAP_START;
}

/* ID and next pointer are two bytes, and behind those of the capability added before. */
static void link_cap(struct pci_config *config, unsigned int offset, const struct pci_cap *cap)
{
	config->space[offset + PCI_CAP_LIST_ID] = cap->id;
	config->space[offset + PCI_CAP_LIST_NEXT] = 0;
	config->writable[offset + PCI_CAP_LIST_ID] = 0;
	config->writable[offset + PCI_CAP_LIST_NEXT] = 0;
	config->space[config->last_cap + PCI_CAP_LIST_NEXT] = offset;
	config->space[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	config->last_cap = offset;
	config->end = offset + cap->size;
}

static void link_ext_cap(struct pci_config *config, unsigned int offset, const struct pci_cap *cap)
{
	put_le32(config->space + offset, (uint32_t)cap->version << 16 | cap->id);
	put_le32(config->writable + offset, 0);
	if (config->last_ext_cap) {
		uint32_t header = pci_config_get32(config, config->last_ext_cap);

		put_le32(config->space + config->last_ext_cap, header | (uint32_t)offset << 20);
	}
	config->last_ext_cap = offset;
	config->ext_end = offset + cap->size;
}

int pci_config_add_cap(struct pci_config *config, const struct pci_cap *cap)
{
	unsigned int end = cap->extended ? config->ext_end : config->end;
	unsigned int limit = cap->extended ? PCI_CONFIG_SIZE : EXT_CAP_START;
	unsigned int offset = (end + 3u) & ~3u;

	if (offset + cap->size > limit || config->count == PCI_CONFIG_CAPS_MAX)
		return -ENOSPC;
	memcpy(config->space + offset, cap->values, cap->size);
	memcpy(config->writable + offset, cap->writable, cap->size);
	if (cap->clearable)
		memcpy(config->clearable + offset, cap->clearable, cap->size);
	if (cap->kept)
		memcpy(config->kept + offset, cap->kept, cap->size);
	if (cap->extended)
		link_ext_cap(config, offset, cap);
	else
		link_cap(config, offset, cap);
	config->caps[config->count++] = (struct pci_config_cap){
		.id = cap->id,
		.extended = cap->extended,
		.offset = offset,
		.fold = cap->fold,
	};
	return offset;
}

static unsigned int find_cap(const struct pci_config *config, uint16_t id, bool extended)
{
	for (unsigned int i = 0; i < config->count; i++)
		if (config->caps[i].id == id && config->caps[i].extended == extended)
			return config->caps[i].offset;
	return 0;
}

unsigned int pci_config_cap(const struct pci_config *config, uint16_t id)
{
	return find_cap(config, id, false);
}

unsigned int pci_config_ext_cap(const struct pci_config *config, uint16_t id)
{
	return find_cap(config, id, true);
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

/* Bits of @from where @mask is set, bits of @to elsewhere. */
static uint8_t blend(uint8_t to, uint8_t from, uint8_t mask)
{
	return (to & ~mask) | (from & mask);
}

int pci_config_write(struct pci_config *config, uint64_t offset, const void *buf, size_t len,
		     bool *flr)
{
	uint8_t old[PCI_CONFIG_SIZE];
	const uint8_t *data = buf;

	*flr = false;
	if (!in_bounds(offset, len))
		return -EINVAL;
	memcpy(old, config->space, sizeof(old));
	for (size_t i = 0; i < len; i++)
		config->space[offset + i] = blend(config->space[offset + i], data[i],
						  config->writable[offset + i]) &
					    ~(data[i] & config->clearable[offset + i]);
	for (unsigned int i = 0; i < config->count; i++) {
		const struct pci_config_cap *cap = &config->caps[i];

		if (cap->fold && cap->fold(config, cap->offset, old))
			*flr = true;
	}
	return 0;
}

void pci_config_reset(struct pci_config *config)
{
	memcpy(config->space, config->initial, sizeof(config->space));
}

void pci_config_flr(struct pci_config *config)
{
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i++)
		config->space[i] = blend(config->initial[i], config->space[i], config->kept[i]);
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
