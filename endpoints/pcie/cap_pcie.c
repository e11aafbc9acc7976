// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/pci_regs.h>

#include "byteorder.h"
#include "cap_pcie.h"
#include "config.h"

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

int pcie_cap_add(struct pci_config *config, const struct pcie_cap_options *options)
{
	struct pcie_cap values = {
		.capabilities = cpu_to_le16(PCIE_CAP_VERSION | PCI_EXP_TYPE_ENDPOINT << 4),
		.device_control = cpu_to_le16(MRRS_CODE_RESET << DEVCTL_MRRS_SHIFT),
		.link_capabilities =
			cpu_to_le32(LINK_SPEED_16GT | LINK_WIDTH << 4 | LINK_ASPM_OPTIONALITY),
		.link_status = cpu_to_le16(LINK_SPEED_16GT | LINK_WIDTH << 4 | PCI_EXP_LNKSTA_SLC),
		.link_capabilities2 = cpu_to_le32(LINK_SPEEDS_TO_16GT),
		.link_control2 = cpu_to_le16(LINK_SPEED_16GT),
	};
	/*
	 * Relaxed Ordering, No Snoop and Extended Tag stay 0: no request sent here uses them. No
	 * error is ever logged, so the status bits have nothing to clear. The target link speed is
	 * that of the only link there is.
	 */
	struct pcie_cap writable = {
		.device_control =
			cpu_to_le16(PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
				PCI_EXP_DEVCTL_URRE | PCI_EXP_DEVCTL_PAYLOAD |
				PCI_EXP_DEVCTL_READRQ | PCI_EXP_DEVCTL_BCR_FLR),
		.link_control =
			cpu_to_le16(PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES),
		.device_control2 = cpu_to_le16(PCI_EXP_DEVCTL2_COMP_TMOUT_DIS),
	};
	uint32_t devcap2 = PCI_EXP_DEVCAP2_COMP_TMOUT_DIS |
			   (uint32_t)options->completer << DEVCAP2_COMPLETER_SHIFT;
	int code = mps_code(options->mps);
	int offset;

	if (code < 0)
		return code;
	if (options->end_end_prefix)
		devcap2 |= DEVCAP2_EXT_FMT | DEVCAP2_PREFIX | DEVCAP2_PREFIXES_1;
	values.device_capabilities = cpu_to_le32(code | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	values.device_capabilities2 = cpu_to_le32(devcap2);

	offset = pci_config_add_cap(config, PCI_CAP_ID_EXP, &values, &writable, sizeof(values));
	if (offset < 0)
		return offset;
	config->pcie = offset;
	return 0;
}

static uint16_t get16(const struct pci_config *config, size_t field)
{
	return config->pcie ? pci_config_get16(config, config->pcie + field) : 0;
}

static uint32_t get32(const struct pci_config *config, size_t field)
{
	return config->pcie ? pci_config_get32(config, config->pcie + field) : 0;
}

uint16_t pcie_cap_device_control(const struct pci_config *config)
{
	return get16(config, offsetof(struct pcie_cap, device_control));
}

bool pcie_cap_fold(struct pci_config *config, uint16_t old)
{
	uint16_t control = pcie_cap_device_control(config);
	unsigned int supported = get32(config, offsetof(struct pcie_cap, device_capabilities)) &
				 PCI_EXP_DEVCAP_PAYLOAD;
	bool flr = control & PCI_EXP_DEVCTL_BCR_FLR;

	if (!config->pcie)
		return false;
	if ((unsigned int)(control & PCI_EXP_DEVCTL_PAYLOAD) >> DEVCTL_MPS_SHIFT > supported)
		control = (control & ~PCI_EXP_DEVCTL_PAYLOAD) | (old & PCI_EXP_DEVCTL_PAYLOAD);
	if ((control & PCI_EXP_DEVCTL_READRQ) >> DEVCTL_MRRS_SHIFT > (int)MPS_CODE_MAX)
		control = (control & ~PCI_EXP_DEVCTL_READRQ) | (old & PCI_EXP_DEVCTL_READRQ);
	control &= ~PCI_EXP_DEVCTL_BCR_FLR;
	pci_config_set16(config, config->pcie + offsetof(struct pcie_cap, device_control), control);
	return flr;
}

void pcie_cap_keep(const struct pci_config *config, struct pcie_cap_kept *kept)
{
	kept->device_control = pcie_cap_device_control(config) & PCI_EXP_DEVCTL_PAYLOAD;
	kept->link_control = get16(config, offsetof(struct pcie_cap, link_control));
}

void pcie_cap_restore(struct pci_config *config, const struct pcie_cap_kept *kept)
{
	uint16_t control = pcie_cap_device_control(config) & ~PCI_EXP_DEVCTL_PAYLOAD;

	if (!config->pcie)
		return;
	pci_config_set16(config, config->pcie + offsetof(struct pcie_cap, device_control),
			 control | kept->device_control);
	pci_config_set16(config, config->pcie + offsetof(struct pcie_cap, link_control),
			 kept->link_control);
}

unsigned int pcie_cap_max_payload(const struct pci_config *config)
{
	return 128u << ((pcie_cap_device_control(config) & PCI_EXP_DEVCTL_PAYLOAD) >>
			DEVCTL_MPS_SHIFT);
}

unsigned int pcie_cap_max_read_request(const struct pci_config *config)
{
	if (!config->pcie)
		return 128u << MRRS_CODE_RESET;
	return 128u << ((pcie_cap_device_control(config) & PCI_EXP_DEVCTL_READRQ) >>
			DEVCTL_MRRS_SHIFT);
}

bool pcie_cap_end_end_prefix(const struct pci_config *config)
{
	return get32(config, offsetof(struct pcie_cap, device_capabilities2)) & DEVCAP2_PREFIX;
}

enum tph_completer pcie_cap_tph_completer(const struct pci_config *config)
{
	uint32_t devcap2 = get32(config, offsetof(struct pcie_cap, device_capabilities2));

	return devcap2 >> DEVCAP2_COMPLETER_SHIFT & 3;
}
