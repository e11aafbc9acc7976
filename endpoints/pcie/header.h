/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The type 0 header of an endpoint (section 7.5.1): identity, Command, base address registers.
 *
 * No function here takes a lock: the fabric's guards config space.
 */
#ifndef TPHBUF_PCI_HEADER_H
#define TPHBUF_PCI_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "function.h"

struct pci_config;

/**
 * struct pci_config_ids - what the header says of a function
 * @vendor: vendor ID, the subsystem's as well
 * @device: device ID, the subsystem's as well
 * @class_code: base class, sub-class and programming interface, 24 bits
 * @revision: revision ID
 */
struct pci_config_ids {
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code;
	uint8_t revision;
};

/**
 * pci_header_init() - config space without capabilities
 * @config: to be filled
 * @ids: identity
 * @bars: PCI_BARS entries
 *
 * A Function Level Reset leaves the BARs alone. That is not what the specification says but what
 * a client of VFIO relies on: it shows its guest BARs of its own, in which a reset changes
 * nothing, so that the guest's driver sees no need to write them again.
 *
 * Return: 0, -EINVAL for a BAR whose size is no power of two, is too small or too large for its
 * type, or has no room.
 */
int pci_header_init(struct pci_config *config, const struct pci_config_ids *ids,
		    const struct pci_bar *bars);

/*
 * Address that a BAR is programmed to; 0 for an absent one. Says nothing of whether it is decoded.
 */
uint64_t pci_header_bar_address(const struct pci_config *config, unsigned int bar);

/* The function decodes its memory BARs: Memory Space Enable is set and the power state is D0. */
bool pci_header_memory_enabled(const struct pci_config *config);

/* The function may send requests: Bus Master Enable is set and the power state is D0. */
bool pci_header_bus_master(const struct pci_config *config);

#endif
