/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Power Management capability (section 7.5.2): D0 and D3hot, no PME, No_Soft_Reset.
 *
 * No function here takes a lock: the fabric's guards config space.
 */
#ifndef TPHBUF_CAP_PM_H
#define TPHBUF_CAP_PM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_config;

struct pm_cap {
	__u8 id;
	__u8 next;
	__le16 capabilities;
	__le16 control;
	__u8 reserved;
	__u8 data;
} __attribute__((packed));

_Static_assert(sizeof(struct pm_cap) == 8, "Power Management capability");
_Static_assert(offsetof(struct pm_cap, control) == 4, "PMCSR");

/*
 * A change to a power state that is not supported has no effect (section 7.5.2.2).
 *
 * Return: 0, -ENOSPC.
 */
int pm_cap_add(struct pci_config *config);

/* The power state is D0; also without the capability. */
bool pm_cap_in_d0(const struct pci_config *config);

#endif
