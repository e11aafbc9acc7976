// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What configuration spaces say. */
#include <stdbool.h>

#include <linux/pci_regs.h>

#include "config.h"

#define DEVCAP2_TPH_COMPLETER_SHIFT	12

/* End-End TLP Prefix Blocking, which <linux/pci_regs.h> has no name for */
#define DEVCTL2_PREFIX_BLOCKING		0x8000

/* TPH Requester capability, as far as <linux/pci_regs.h> of older kernels lacks it */
#define TPH_CAP_MODES			0x7
#define TPH_CAP_EXT			0x100
#define TPH_CONTROL			8
#define TPH_CONTROL_ENABLE_SHIFT	8

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

/* A half of DEVCAP2: 1 and its value, 0 when the function has none, -1 when it cannot be read. */
static int devcap2(const uint8_t *config, size_t size, unsigned int half, uint16_t *value)
{
	int express = express_capability(config, size);
	uint16_t flags;

	if (express <= 0)
		return express;
	if (!config_u16(config, size, express + PCI_EXP_FLAGS, &flags))
		return -1;
	/* The first version of the capability ends before DEVCAP2. */
	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return 0;
	return config_u16(config, size, express + PCI_EXP_DEVCAP2 + 2 * half, value) ? 1 : -1;
}

enum tphbuf_completer tpb_config_completer(const uint8_t *config, size_t size)
{
	uint16_t value;
	int ret = devcap2(config, size, 0, &value);

	if (ret <= 0)
		return ret ? TPHBUF_COMPLETER_UNKNOWN : TPHBUF_COMPLETER_NONE;
	switch (value >> DEVCAP2_TPH_COMPLETER_SHIFT & 3) {
	case 1:
		return TPHBUF_COMPLETER_TPH;
	case 3:
		return TPHBUF_COMPLETER_EXT_TPH;
	default:
		return TPHBUF_COMPLETER_NONE;
	}
}

int tpb_config_port_type(const uint8_t *config, size_t size)
{
	int express = express_capability(config, size);
	uint16_t flags;

	if (express <= 0)
		return express ? -1 : -2;
	if (!config_u16(config, size, express + PCI_EXP_FLAGS, &flags))
		return -1;
	return (flags & PCI_EXP_FLAGS_TYPE) >> 4;
}

enum tpb_prefix tpb_config_prefix(const uint8_t *config, size_t size)
{
	int express = express_capability(config, size), type = tpb_config_port_type(config, size);
	uint16_t value, control;
	int ret = devcap2(config, size, 1, &value);

	if (ret < 0)
		return TPB_PREFIX_UNKNOWN;
	if (!ret || !(value & PCI_EXP_DEVCAP2_EE_PREFIX >> 16))
		return TPB_PREFIX_UNSUPPORTED;
	/* Only ports have the bit; that of endpoints is reserved. */
	if (type != PCI_EXP_TYPE_ROOT_PORT && type != PCI_EXP_TYPE_UPSTREAM &&
	    type != PCI_EXP_TYPE_DOWNSTREAM)
		return TPB_PREFIX_PASSES;
	if (!config_u16(config, size, express + PCI_EXP_DEVCTL2, &control))
		return TPB_PREFIX_UNKNOWN;
	return control & DEVCTL2_PREFIX_BLOCKING ? TPB_PREFIX_BLOCKED : TPB_PREFIX_PASSES;
}

/* Follows the list of extended capabilities; as express_capability(). */
static int extended_capability(const uint8_t *config, size_t size, uint16_t wanted)
{
	unsigned int at = TPB_CONFIG_SIZE, hops = (TPB_CONFIG_SIZE_ALL - TPB_CONFIG_SIZE) / 8;
	uint16_t id, next;

	/* Conventional PCI has no more; an ordinary user sees less. */
	if (size == TPB_CONFIG_SIZE)
		return 0;
	for (; at >= TPB_CONFIG_SIZE && hops; hops--, at = next >> 4 & 0xffc) {
		if (!config_u16(config, size, at, &id) || !config_u16(config, size, at + 2, &next))
			return -1;
		/* A function without any has zeros there, or nothing that answers. */
		if ((!id && !next) || id == UINT16_MAX)
			return 0;
		if (id == wanted)
			return (int)at;
	}
	return 0;
}

int tpb_config_acs_redirect(const uint8_t *config, size_t size)
{
	int acs = extended_capability(config, size, PCI_EXT_CAP_ID_ACS);
	uint16_t control;

	if (acs <= 0)
		return acs;
	if (!config_u16(config, size, acs + PCI_ACS_CTRL, &control))
		return -1;
	return control & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

static enum tphbuf_requester requester_type(unsigned int enable)
{
	switch (enable & 3) {
	case 1:
		return TPHBUF_REQUESTER_TPH;
	case 3:
		return TPHBUF_REQUESTER_EXT_TPH;
	default:
		return TPHBUF_REQUESTER_NONE;
	}
}

void tpb_config_requester(const uint8_t *config, size_t size, struct tpb_tph_requester *tph)
{
	int at = extended_capability(config, size, PCI_EXT_CAP_ID_TPH);
	uint16_t low, high, control_low, control_high;

	*tph = (struct tpb_tph_requester) { .type = TPHBUF_REQUESTER_UNKNOWN };
	if (!at)
		tph->type = TPHBUF_REQUESTER_NONE;
	if (at <= 0 || !config_u16(config, size, at + PCI_TPH_CAP, &low) ||
	    !config_u16(config, size, at + PCI_TPH_CAP + 2, &high) ||
	    !config_u16(config, size, at + TPH_CONTROL, &control_low) ||
	    !config_u16(config, size, at + TPH_CONTROL + 2, &control_high))
		return;
	tph->type = low & TPH_CAP_EXT ? TPHBUF_REQUESTER_EXT_TPH : TPHBUF_REQUESTER_TPH;
	tph->enabled = requester_type(control_low >> TPH_CONTROL_ENABLE_SHIFT);
	tph->modes = low & TPH_CAP_MODES;
	if (low & PCI_TPH_CAP_LOC_MASK)
		tph->entries = (high & (PCI_TPH_CAP_ST_MASK >> 16)) + 1u;
}
