/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space of an endpoint: type 0 header, capability lists, write masks (sections
 * 7.2.1, 7.5.1, 7.6).
 *
 * Every bit is either writable by software or constant; a register whose legal values depend on
 * more than a mask is put right after each write, so that software never sees, and a device never
 * uses, an illegal setting. The fabric's lock guards it all.
 */
#ifndef TPHBUF_PCI_CONFIG_H
#define TPHBUF_PCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "function.h"

#define PCI_CONFIG_SIZE		4096

/**
 * struct pci_config_ids - what the type 0 header says of a function
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
 * struct pci_config - configuration space
 * @space: present value, little-endian as software sees it
 * @writable: bits that software can change
 * @initial: values after a reset
 * @bars: what the base address registers decode
 * @last_cap: where the next capability is linked in
 * @last_ext_cap: where the next extended capability is linked in, 0 before the first
 * @end: first free byte below 0x100
 * @ext_end: first free byte from 0x100 on
 * @pm: offset of the Power Management capability, 0 when absent; likewise:
 * @pcie: PCI Express capability
 * @msix: MSI-X capability
 * @tph: TPH Requester extended capability
 */
struct pci_config {
	uint8_t space[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	struct pci_bar bars[PCI_BARS];
	uint16_t last_cap;
	uint16_t last_ext_cap;
	uint16_t end;
	uint16_t ext_end;
	uint16_t pm;
	uint16_t pcie;
	uint16_t msix;
	uint16_t tph;
};

/**
 * pci_config_init() - header without capabilities
 * @config: to be filled
 * @ids: identity
 * @bars: PCI_BARS entries
 *
 * Return: 0, -EINVAL for a BAR whose size is no power of two, is too small or too large for its
 * type, or has no room.
 */
int pci_config_init(struct pci_config *config, const struct pci_config_ids *ids,
		    const struct pci_bar *bars);

/**
 * pci_config_add_cap() - append a capability (section 7.5.3)
 * @config: the space
 * @id: capability ID
 * @values: the structure; bytes 0 and 1 (ID, next pointer) are filled in here
 * @writable: bits that software can change, as large as @values
 * @size: bytes
 *
 * Return: its offset, -ENOSPC when it does not fit below 0x100.
 */
int pci_config_add_cap(struct pci_config *config, uint8_t id, const void *values,
		       const void *writable, size_t size);

/**
 * pci_config_add_ext_cap() - append an extended capability (section 7.6.3)
 * @config: the space
 * @id: extended capability ID
 * @version: of the structure
 * @values: the structure; the first DW is filled in here
 * @writable: bits that software can change, as large as @values
 * @size: bytes
 *
 * Return: its offset, -ENOSPC when it does not fit below 0x1000.
 */
int pci_config_add_ext_cap(struct pci_config *config, uint16_t id, unsigned int version,
			   const void *values, const void *writable, size_t size);

/* Ends construction: what is there now is what a reset restores. */
void pci_config_seal(struct pci_config *config);

/**
 * pci_config_read() - read by software
 * @config: the space
 * @offset: first byte
 * @buf: receives @len bytes
 * @len: bytes, at least 1
 *
 * Return: 0, -EINVAL out of bounds.
 */
int pci_config_read(const struct pci_config *config, uint64_t offset, void *buf, size_t len);

/**
 * pci_config_write() - write by software
 * @config: the space
 * @offset: first byte
 * @buf: @len bytes
 * @len: bytes, at least 1
 * @flr: out: software asked for a Function Level Reset
 *
 * Return: 0, -EINVAL out of bounds.
 */
int pci_config_write(struct pci_config *config, uint64_t offset, const void *buf, size_t len,
		     bool *flr);

/* Conventional reset: every register to its initial value. */
void pci_config_reset(struct pci_config *config);

/*
 * Function Level Reset: as above, without the settings that belong to the link (section 6.6.2), and
 * without the BARs. The latter is not what the specification says but what a client of VFIO
 * relies on: it shows its guest BARs of its own, in which a reset changes nothing, so that the
 * guest's driver sees no need to write them again.
 */
void pci_config_flr(struct pci_config *config);

/*
 * Address that a BAR is programmed to; 0 for an absent one. Says nothing of whether it is decoded.
 */
uint64_t pci_config_bar_address(const struct pci_config *config, unsigned int bar);

/* The function decodes its memory BARs: Memory Space Enable is set and the power state is D0. */
bool pci_config_memory_enabled(const struct pci_config *config);

/* The function may send requests: Bus Master Enable is set and the power state is D0. */
bool pci_config_bus_master(const struct pci_config *config);

uint16_t pci_config_get16(const struct pci_config *config, unsigned int offset);
uint32_t pci_config_get32(const struct pci_config *config, unsigned int offset);

/* Sets a value past the write masks; for the registers' own code. */
void pci_config_set16(struct pci_config *config, unsigned int offset, uint16_t value);

#endif
