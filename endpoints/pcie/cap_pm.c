// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/pci_regs.h>

#include "byteorder.h"
#include "cap_pm.h"
#include "config.h"

#define PM_VERSION	3
#define PM_D0		0
#define PM_D3HOT	3

int pm_cap_add(struct pci_config *config)
{
	struct pm_cap values = {
		.capabilities = cpu_to_le16(PM_VERSION),
		.control = cpu_to_le16(PCI_PM_CTRL_NO_SOFT_RESET),
	};
	struct pm_cap writable = {
		.control = cpu_to_le16(PCI_PM_CTRL_STATE_MASK),
	};
	int offset = pci_config_add_cap(config, PCI_CAP_ID_PM, &values, &writable, sizeof(values));

	if (offset < 0)
		return offset;
	config->pm = offset;
	return 0;
}

uint16_t pm_cap_control(const struct pci_config *config)
{
	return config->pm ? pci_config_get16(config, config->pm + offsetof(struct pm_cap, control))
			  : 0;
}

void pm_cap_fold(struct pci_config *config, uint16_t old)
{
	uint16_t control = pm_cap_control(config);
	unsigned int state = control & PCI_PM_CTRL_STATE_MASK;

	if (!config->pm || state == PM_D0 || state == PM_D3HOT)
		return;
	control = (control & ~PCI_PM_CTRL_STATE_MASK) | (old & PCI_PM_CTRL_STATE_MASK);
	pci_config_set16(config, config->pm + offsetof(struct pm_cap, control), control);
}

bool pm_cap_in_d0(const struct pci_config *config)
{
	return (pm_cap_control(config) & PCI_PM_CTRL_STATE_MASK) == PM_D0;
}
