// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/pci_regs.h>

#include "byteorder.h"
#include "cap_ats.h"
#include "config.h"

#define ATS_CAP_VERSION	1
#define ATS_CONTROL_STU	0x1fu

int ats_cap_add(struct pci_config *config)
{
	/* Untranslated addresses are page aligned; a queue of 32 invalidations is coded as 0. */
	const struct ats_cap values = { .capability = cpu_to_le16(PCI_ATS_CAP_PAGE_ALIGNED) };
	const struct ats_cap writable = { .control = cpu_to_le16(PCI_ATS_CTRL_ENABLE |
								 ATS_CONTROL_STU) };
	const struct pci_cap add = {
		.id = PCI_EXT_CAP_ID_ATS,
		.extended = true,
		.version = ATS_CAP_VERSION,
		.values = &values,
		.writable = &writable,
		.size = sizeof(values),
	};
	int offset = pci_config_add_cap(config, &add);

	return offset < 0 ? offset : 0;
}

bool ats_cap_enabled(const struct pci_config *config)
{
	unsigned int offset = pci_config_ext_cap(config, PCI_EXT_CAP_ID_ATS);

	return offset && pci_config_get16(config, offset + offsetof(struct ats_cap, control)) &
				 PCI_ATS_CTRL_ENABLE;
}
