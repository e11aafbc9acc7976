/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TPH Requester extended capability (section 7.9.13) and the steering tag table in it.
 *
 * No function here takes a lock: the fabric's guards config space.
 */
#ifndef TPHBUF_CAP_TPH_H
#define TPHBUF_CAP_TPH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlp.h"

struct pci_config;

/* Without the table, which follows it */
struct tph_cap {
	__le32 header;
	__le32 capability;
	__le32 control;
} __attribute__((packed));

_Static_assert(sizeof(struct tph_cap) == 12, "TPH Requester capability");
_Static_assert(offsetof(struct tph_cap, control) == 8, "TPH Requester Control");

#define TPH_CAP_TABLE		sizeof(struct tph_cap)
#define TPH_CAP_ENTRIES_MAX	1024

/* ST modes: values of ST Mode Select; 1 << mode is the bit of Mode Supported */
enum tph_mode {
	TPH_MODE_NO_ST = 0,
	TPH_MODE_INTERRUPT_VECTOR = 1,
	TPH_MODE_DEVICE_SPECIFIC = 2,
};

/* TPH Requester Enable */
enum tph_requester {
	TPH_REQUESTER_OFF = 0,
	TPH_REQUESTER_8BIT = 1,
	TPH_REQUESTER_EXTENDED = 3,
};

/**
 * struct tph_cap_options - what a requester offers
 * @modes: bits 1 << enum tph_mode; No ST Mode is always added, as section 7.9.13.2 wants it
 * @extended: Extended TPH Requester Supported
 * @entries: of the table in this capability, 0..TPH_CAP_ENTRIES_MAX; 0: there is no table.
 *	Interrupt Vector Mode needs one.
 */
struct tph_cap_options {
	unsigned int modes;
	bool extended;
	unsigned int entries;
};

/**
 * tph_cap_add() - append the capability
 * @config: the space
 * @options: what the requester offers
 *
 * After a write of TPH Requester Control, a mode that is not supported becomes No ST Mode, the
 * reserved enable value becomes off, and Extended TPH becomes TPH where it is not supported
 * (section 7.9.13.3).
 *
 * Return: 0, -EINVAL for options that contradict each other, -ENOSPC.
 */
int tph_cap_add(struct pci_config *config, const struct tph_cap_options *options);

/* Setting of the control register; TPH_MODE_NO_ST and TPH_REQUESTER_OFF without the capability */
enum tph_mode tph_cap_mode(const struct pci_config *config);
enum tph_requester tph_cap_requester(const struct pci_config *config);

/* Entries of the table, 0 when there is none */
unsigned int tph_cap_entries(const struct pci_config *config);

/**
 * tph_cap_hint() - the hint that the function may send now
 * @config: the space
 * @ph: processing hint, 0..3
 * @tag: what the mode in force selects: an index below tph_cap_entries(), or without a table the
 *	steering tag itself. Ignored in No ST Mode, where every tag is 0 (section 6.17.3).
 *
 * A requester that is enabled for 8-bit tags only sends the low byte of an entry.
 *
 * Return: the hint; not present while the requester is off.
 */
struct tlp_hint tph_cap_hint(const struct pci_config *config, unsigned int ph, unsigned int tag);

#endif
