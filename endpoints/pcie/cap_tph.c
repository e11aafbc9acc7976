// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TPH Requester: its control register, its table, and the hint that they make.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "byteorder.h"
#include "cap_tph.h"
#include "config.h"

#define TPH_CAP_VERSION		1

#define TPH_CAPABILITY_MODES	0x7u
#define TPH_CAPABILITY_EXTENDED	(1u << 8)
#define TPH_CAPABILITY_LOCATION	(3u << 9)
#define TPH_CAPABILITY_IN_CAP	(1u << 9)
#define TPH_CAPABILITY_SIZE_SHIFT 16
#define TPH_CAPABILITY_SIZE	0x7ffu

#define TPH_CONTROL_MODE	0x7u
#define TPH_CONTROL_ENABLE_SHIFT 8
#define TPH_CONTROL_ENABLE	0x3u

/* A register of the capability, 0 without it. */
static uint32_t tph_register(const struct pci_config *config, size_t member)
{
	unsigned int offset = pci_config_ext_cap(config, PCI_EXT_CAP_ID_TPH);

	return offset ? pci_config_get32(config, offset + member) : 0;
}

static uint32_t tph_capability(const struct pci_config *config)
{
	return tph_register(config, offsetof(struct tph_cap, capability));
}

static uint32_t tph_control(const struct pci_config *config)
{
	return tph_register(config, offsetof(struct tph_cap, control));
}

static bool tph_cap_fold(struct pci_config *config, unsigned int offset, const uint8_t *old)
{
	uint32_t capability = tph_capability(config);
	unsigned int mode = tph_control(config) & TPH_CONTROL_MODE;
	unsigned int enable = tph_control(config) >> TPH_CONTROL_ENABLE_SHIFT & TPH_CONTROL_ENABLE;

	(void)old;
	if (!(1u << mode & capability & TPH_CAPABILITY_MODES))
		mode = TPH_MODE_NO_ST;
	if (enable == TPH_REQUESTER_EXTENDED && !(capability & TPH_CAPABILITY_EXTENDED))
		enable = TPH_REQUESTER_8BIT;
	else if (enable != TPH_REQUESTER_8BIT && enable != TPH_REQUESTER_EXTENDED)
		enable = TPH_REQUESTER_OFF;
	pci_config_set16(config, offset + offsetof(struct tph_cap, control),
			 mode | enable << TPH_CONTROL_ENABLE_SHIFT);
	return false;
}

int tph_cap_add(struct pci_config *config, const struct tph_cap_options *options)
{
	uint8_t values[sizeof(struct tph_cap) + TPH_CAP_ENTRIES_MAX * 2] = { 0 };
	uint8_t writable[sizeof(values)] = { 0 };
	struct tph_cap *cap = (struct tph_cap *)values, *mask = (struct tph_cap *)writable;
	uint32_t capability = 1u << TPH_MODE_NO_ST | options->modes;
	struct pci_cap add = {
		.id = PCI_EXT_CAP_ID_TPH,
		.extended = true,
		.version = TPH_CAP_VERSION,
		.values = values,
		.writable = writable,
		.fold = tph_cap_fold,
	};
	size_t size = TPH_CAP_TABLE;
	int offset;

	if (options->modes & ~TPH_CAPABILITY_MODES || options->entries > TPH_CAP_ENTRIES_MAX)
		return -EINVAL;
	if (!options->entries && options->modes & 1u << TPH_MODE_INTERRUPT_VECTOR)
		return -EINVAL;
	if (options->extended)
		capability |= TPH_CAPABILITY_EXTENDED;
	if (options->entries)
		capability |= TPH_CAPABILITY_IN_CAP | (options->entries - 1)
							      << TPH_CAPABILITY_SIZE_SHIFT;
	cap->capability = cpu_to_le32(capability);
	mask->control =
		cpu_to_le32(TPH_CONTROL_MODE | TPH_CONTROL_ENABLE << TPH_CONTROL_ENABLE_SHIFT);
	/* ST Upper is reserved in a function that cannot send it. */
	for (unsigned int i = 0; i < options->entries; i++, size += 2) {
		writable[size] = 0xff;
		writable[size + 1] = options->extended ? 0xff : 0;
	}

	add.size = (size + 3) & ~(size_t)3;
	offset = pci_config_add_cap(config, &add);
	return offset < 0 ? offset : 0;
}

enum tph_mode tph_cap_mode(const struct pci_config *config)
{
	return tph_control(config) & TPH_CONTROL_MODE;
}

enum tph_requester tph_cap_requester(const struct pci_config *config)
{
	return tph_control(config) >> TPH_CONTROL_ENABLE_SHIFT & TPH_CONTROL_ENABLE;
}

unsigned int tph_cap_entries(const struct pci_config *config)
{
	uint32_t capability = tph_capability(config);

	if ((capability & TPH_CAPABILITY_LOCATION) != TPH_CAPABILITY_IN_CAP)
		return 0;
	return (capability >> TPH_CAPABILITY_SIZE_SHIFT & TPH_CAPABILITY_SIZE) + 1;
}

struct tlp_hint tph_cap_hint(const struct pci_config *config, unsigned int ph, unsigned int tag)
{
	enum tph_requester requester = tph_cap_requester(config);
	struct tlp_hint hint = { 0 };

	if (requester == TPH_REQUESTER_OFF)
		return hint;
	hint.present = true;
	hint.ph = ph;
	if (tph_cap_mode(config) == TPH_MODE_NO_ST)
		return hint;
	if (tph_cap_entries(config))
		tag = pci_config_get16(config, pci_config_ext_cap(config, PCI_EXT_CAP_ID_TPH) +
						       TPH_CAP_TABLE + 2 * tag);
	hint.extended = requester == TPH_REQUESTER_EXTENDED;
	hint.st = hint.extended ? tag : tag & 0xff;
	return hint;
}
