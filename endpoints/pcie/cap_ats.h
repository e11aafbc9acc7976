/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address Translation Services extended capability (section 10.5.1). It makes software treat the
 * function as one that has a cache of translations. The function never asks for any, because
 * vfio-user has no message for it; what it sends as translated, its driver has translated.
 */
#ifndef TPHBUF_CAP_ATS_H
#define TPHBUF_CAP_ATS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct pci_config;

struct ats_cap {
	__le32 header;
	__le16 capability;
	__le16 control;
} __attribute__((packed));

_Static_assert(sizeof(struct ats_cap) == 8, "ATS capability");
_Static_assert(offsetof(struct ats_cap, control) == 6, "ATS Control");

/* Return: 0, -ENOSPC. */
int ats_cap_add(struct pci_config *config);

/* Whether the function may send translated requests. */
bool ats_cap_enabled(const struct pci_config *config);

#endif
