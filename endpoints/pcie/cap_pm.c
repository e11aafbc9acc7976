// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Power states.
 */
#include <linux/pci_regs.h>

#include "byteorder.h"
#include "cap_pm.h"
#include "config.h"

#define PM_VERSION	3
#define PM_D0		0
#define PM_D3HOT	3

static bool pm_cap_fold(struct pci_config *config, unsigned int offset, const uint8_t *old)
{
	unsigned int at = offset + offsetof(struct pm_cap, control);
	uint16_t control = pci_config_get16(config, at);
	unsigned int state = control & PCI_PM_CTRL_STATE_MASK;

	if (state != PM_D0 && state != PM_D3HOT) {
		control &= ~PCI_PM_CTRL_STATE_MASK;
		control |= get_le16(old + at) & PCI_PM_CTRL_STATE_MASK;
		pci_config_set16(config, at, control);
	}
	return false;
}

int pm_cap_add(struct pci_config *config)
{
	struct pm_cap values = {
		.capabilities = cpu_to_le16(PM_VERSION),
		.control = cpu_to_le16(PCI_PM_CTRL_NO_SOFT_RESET),
	};
	struct pm_cap writable = {
		.control = cpu_to_le16(PCI_PM_CTRL_STATE_MASK),
	};
	struct pci_cap cap = {
		.id = PCI_CAP_ID_PM,
		.values = &values,
		.writable = &writable,
		.size = sizeof(values),
		.fold = pm_cap_fold,
	};
	int offset = pci_config_add_cap(config, &cap);

	return offset < 0 ? offset : 0;
}

bool pm_cap_in_d0(const struct pci_config *config)
{
	unsigned int offset = pci_config_cap(config, PCI_CAP_ID_PM);

	if (!offset)
		return true;
	return (pci_config_get16(config, offset + offsetof(struct pm_cap, control)) &
		PCI_PM_CTRL_STATE_MASK) == PM_D0;
}
