// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The TPH completer type in a config space. */
#include <stdbool.h>

#include <linux/pci_regs.h>

#include "config.h"

#define DEVCAP2_TPH_COMPLETER_SHIFT	12

static bool config_u8(const uint8_t *config, size_t size, size_t offset, uint8_t *value)
{
	if (offset >= size)
		return false;
	*value = config[offset];
	return true;
}

static bool config_u16(const uint8_t *config, size_t size, size_t offset, uint16_t *value)
{
	uint8_t low, high;

	if (!config_u8(config, size, offset, &low) ||
	    !config_u8(config, size, offset + 1, &high))
		return false;
	*value = (uint16_t)(low | high << 8);
	return true;
}

/*
 * Follows the capability list to the PCI Express capability. 0 when the
 * function has none, -1 when the list leads out of the bytes at hand.
 */
static int express_capability(const uint8_t *config, size_t size)
{
	unsigned int hops = TPB_CONFIG_SIZE / PCI_CAP_SIZEOF;
	uint8_t at, id;
	uint16_t status;

	if (!config_u16(config, size, PCI_STATUS, &status))
		return -1;
	if (!(status & PCI_STATUS_CAP_LIST))
		return 0;
	if (!config_u8(config, size, PCI_CAPABILITY_LIST, &at))
		return -1;
	for (at &= 0xfc; at && hops; hops--, at &= 0xfc) {
		if (!config_u8(config, size, at + PCI_CAP_LIST_ID, &id))
			return -1;
		if (id == PCI_CAP_ID_EXP)
			return at;
		if (!config_u8(config, size, at + PCI_CAP_LIST_NEXT, &at))
			return -1;
	}
	return 0;
}

enum tphbuf_completer tpb_config_completer(const uint8_t *config, size_t size)
{
	uint16_t flags, devcap2;
	int express;

	express = express_capability(config, size);
	if (express < 0)
		return TPHBUF_COMPLETER_UNKNOWN;
	if (!express)
		return TPHBUF_COMPLETER_NONE;
	if (!config_u16(config, size, express + PCI_EXP_FLAGS, &flags))
		return TPHBUF_COMPLETER_UNKNOWN;
	/* The first version of the capability ends before DEVCAP2. */
	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return TPHBUF_COMPLETER_NONE;
	if (!config_u16(config, size, express + PCI_EXP_DEVCAP2, &devcap2))
		return TPHBUF_COMPLETER_UNKNOWN;
	switch (devcap2 >> DEVCAP2_TPH_COMPLETER_SHIFT & 3) {
	case 1:
		return TPHBUF_COMPLETER_TPH;
	case 3:
		return TPHBUF_COMPLETER_EXT_TPH;
	default:
		return TPHBUF_COMPLETER_NONE;
	}
}
