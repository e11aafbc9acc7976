// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Payload and read request sizes, Function Level Reset, and what a completer supports.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "byteorder.h"
#include "cap_pcie.h"
#include "config.h"
#include "tlp.h"

#define PCIE_CAP_VERSION	2
#define LINK_SPEED_16GT		4u
#define LINK_SPEEDS_TO_16GT	(0xfu << 1)	/* Supported Link Speeds Vector */
#define LINK_WIDTH		16u
#define LINK_ASPM_OPTIONALITY	(1u << 22)	/* set by every component since revision 3.0 */
#define MPS_CODE_MAX		5u
#define MRRS_CODE_RESET		2u		/* 512 bytes (section 7.5.3.4) */
#define DEVCAP2_EXT_FMT		(1u << 20)
#define DEVCAP2_PREFIX		(1u << 21)
#define DEVCAP2_PREFIXES_1	(1u << 22)
#define DEVCAP2_COMPLETER_SHIFT	12
#define DEVCTL_MPS_SHIFT	5
#define DEVCTL_MRRS_SHIFT	12

static int mps_code(unsigned int bytes)
{
	for (unsigned int code = 0; code <= MPS_CODE_MAX; code++)
		if (bytes == 128u << code)
			return code;
	return -EINVAL;
}

static unsigned int field(uint16_t value, unsigned int mask, unsigned int shift)
{
	return (value & mask) >> shift;
}

static bool pcie_cap_fold(struct pci_config *config, unsigned int offset, const uint8_t *old_space)
{
	unsigned int at = offset + offsetof(struct pcie_cap, device_control);
	unsigned int devcap = offset + offsetof(struct pcie_cap, device_capabilities);
	uint16_t control = pci_config_get16(config, at), old = get_le16(old_space + at);

	if (field(control, PCI_EXP_DEVCTL_PAYLOAD, DEVCTL_MPS_SHIFT) >
	    (pci_config_get32(config, devcap) & PCI_EXP_DEVCAP_PAYLOAD))
		control = (control & ~PCI_EXP_DEVCTL_PAYLOAD) | (old & PCI_EXP_DEVCTL_PAYLOAD);
	if (field(control, PCI_EXP_DEVCTL_READRQ, DEVCTL_MRRS_SHIFT) > MPS_CODE_MAX)
		control = (control & ~PCI_EXP_DEVCTL_READRQ) | (old & PCI_EXP_DEVCTL_READRQ);
	pci_config_set16(config, at, control & ~PCI_EXP_DEVCTL_BCR_FLR);
	return control & PCI_EXP_DEVCTL_BCR_FLR;
}

static void fill_capabilities(struct pcie_cap *values, const struct pcie_cap_options *options,
			      unsigned int payload)
{
	uint32_t devcap2 = PCI_EXP_DEVCAP2_COMP_TMOUT_DIS |
			   (uint32_t)options->completer << DEVCAP2_COMPLETER_SHIFT;

	if (options->end_end_prefix)
		devcap2 |= DEVCAP2_EXT_FMT | DEVCAP2_PREFIX | DEVCAP2_PREFIXES_1;
	if (options->atomic_completer)
		devcap2 |= PCI_EXP_DEVCAP2_ATOMIC_COMP64;
	values->device_capabilities = cpu_to_le32(payload | PCI_EXP_DEVCAP_EXT_TAG |
						  PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	values->device_capabilities2 = cpu_to_le32(devcap2);
}

/* What a requester is enabled to send. No Snoop stays 0: no request sent here uses it. */
static void fill_controls(struct pcie_cap *values, struct pcie_cap *writable,
			  const struct pcie_cap_options *options)
{
	if (options->atomic_requester) {
		values->device_control2 |= cpu_to_le16(PCI_EXP_DEVCTL2_ATOMIC_REQ);
		writable->device_control2 |= cpu_to_le16(PCI_EXP_DEVCTL2_ATOMIC_REQ);
	}
	if (options->ordering) {
		/* Set after a reset (section 7.5.3.4). */
		values->device_control |= cpu_to_le16(PCI_EXP_DEVCTL_RELAX_EN);
		writable->device_control |= cpu_to_le16(PCI_EXP_DEVCTL_RELAX_EN);
		writable->device_control2 |= cpu_to_le16(PCI_EXP_DEVCTL2_IDO_REQ_EN);
	}
}

/* Each register as it is in all endpoints. The target link speed is that of the only link. */
static struct pcie_cap common_values(void)
{
	return (struct pcie_cap){
		.capabilities = cpu_to_le16(PCIE_CAP_VERSION | PCI_EXP_TYPE_ENDPOINT << 4),
		.device_control = cpu_to_le16(MRRS_CODE_RESET << DEVCTL_MRRS_SHIFT),
		.link_capabilities =
			cpu_to_le32(LINK_SPEED_16GT | LINK_WIDTH << 4 | LINK_ASPM_OPTIONALITY),
		.link_status = cpu_to_le16(LINK_SPEED_16GT | LINK_WIDTH << 4 | PCI_EXP_LNKSTA_SLC),
		.link_capabilities2 = cpu_to_le32(LINK_SPEEDS_TO_16GT),
		.link_control2 = cpu_to_le16(LINK_SPEED_16GT),
	};
}

static struct pcie_cap common_writable(void)
{
	return (struct pcie_cap){
		.device_control = cpu_to_le16(PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
					      PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
					      PCI_EXP_DEVCTL_EXT_TAG | PCI_EXP_DEVCTL_PAYLOAD |
					      PCI_EXP_DEVCTL_READRQ | PCI_EXP_DEVCTL_BCR_FLR),
		.link_control =
			cpu_to_le16(PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES),
		.device_control2 = cpu_to_le16(PCI_EXP_DEVCTL2_COMP_TMOUT_DIS),
	};
}

int pcie_cap_add(struct pci_config *config, const struct pcie_cap_options *options)
{
	struct pcie_cap values = common_values(), writable = common_writable();
	const struct pcie_cap clearable = {
		.device_status = cpu_to_le16(PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
					     PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD),
	};
	const struct pcie_cap kept = {
		.device_control = cpu_to_le16(PCI_EXP_DEVCTL_PAYLOAD),
		.link_control = cpu_to_le16(0xffff),
	};
	const struct pci_cap cap = {
		.id = PCI_CAP_ID_EXP,
		.values = &values,
		.writable = &writable,
		.clearable = &clearable,
		.kept = &kept,
		.size = sizeof(values),
		.fold = pcie_cap_fold,
	};
	int payload = mps_code(options->mps);
	int offset;

	if (payload < 0)
		return payload;
	fill_capabilities(&values, options, payload);
	fill_controls(&values, &writable, options);
	offset = pci_config_add_cap(config, &cap);
	if (offset < 0)
		return offset;
	/* The bit is not in this capability, but of it: PCI has none (section 7.5.1.1.4). */
	if (options->immediate_readiness)
		config->space[PCI_STATUS] |= PCI_STATUS_IMM_READY;
	return 0;
}

/* Device Control, 0 without the capability. */
static uint16_t device_control(const struct pci_config *config)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_EXP);

	if (!offset)
		return 0;
	return pci_config_get16(config, offset + offsetof(struct pcie_cap, device_control));
}

/* Device Capabilities 2, 0 without the capability. */
static uint32_t device_capabilities2(const struct pci_config *config)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_EXP);

	if (!offset)
		return 0;
	return pci_config_get32(config, offset + offsetof(struct pcie_cap, device_capabilities2));
}

void pcie_cap_set_status(struct pci_config *config, uint16_t bits)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_EXP);

	if (!offset)
		return;
	offset += offsetof(struct pcie_cap, device_status);
	pci_config_set16(config, offset, pci_config_get16(config, offset) | bits);
}

bool pcie_cap_reports(const struct pci_config *config, uint16_t bits)
{
	return (device_control(config) & bits) == bits;
}

unsigned int pcie_cap_max_payload(const struct pci_config *config)
{
	return 128u << field(device_control(config), PCI_EXP_DEVCTL_PAYLOAD, DEVCTL_MPS_SHIFT);
}

unsigned int pcie_cap_max_read_request(const struct pci_config *config)
{
	if (!pci_config_cap(config, PCI_CAP_ID_EXP))
		return 128u << MRRS_CODE_RESET;
	return 128u << field(device_control(config), PCI_EXP_DEVCTL_READRQ, DEVCTL_MRRS_SHIFT);
}

/* Device Control 2, 0 without the capability. */
static uint16_t device_control2(const struct pci_config *config)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_EXP);

	if (!offset)
		return 0;
	return pci_config_get16(config, offset + offsetof(struct pcie_cap, device_control2));
}

bool pcie_cap_atomic_requester(const struct pci_config *config)
{
	return device_control2(config) & PCI_EXP_DEVCTL2_ATOMIC_REQ;
}

unsigned int pcie_cap_attributes(const struct pci_config *config)
{
	unsigned int attributes = 0;

	if (device_control(config) & PCI_EXP_DEVCTL_RELAX_EN)
		attributes |= TLP_RELAXED_ORDERING;
	if (device_control2(config) & PCI_EXP_DEVCTL2_IDO_REQ_EN)
		attributes |= TLP_ID_ORDERING;
	return attributes;
}

unsigned int pcie_cap_tags(const struct pci_config *config)
{
	return device_control(config) & PCI_EXP_DEVCTL_EXT_TAG ? 256 : 32;
}

bool pcie_cap_atomic_completer(const struct pci_config *config)
{
	return device_capabilities2(config) & PCI_EXP_DEVCAP2_ATOMIC_COMP64;
}

bool pcie_cap_end_end_prefix(const struct pci_config *config)
{
	return device_capabilities2(config) & DEVCAP2_PREFIX;
}

enum tph_completer pcie_cap_tph_completer(const struct pci_config *config)
{
	return device_capabilities2(config) >> DEVCAP2_COMPLETER_SHIFT & 3;
}
