/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space: bytes, write masks, capability lists (sections 7.2.1 and 7.6).
 *
 * Every bit is writable by software, cleared by software that writes a 1, or constant for it. A
 * capability whose registers have more
 * rules than that brings them along: fold() puts its registers right after each write, so that
 * software never sees, and a device never uses, an illegal setting.
 *
 * No function here takes a lock: the fabric's guards it all.
 */
#ifndef TPHBUF_PCI_CONFIG_H
#define TPHBUF_PCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "function.h"

#define PCI_CONFIG_SIZE		4096
#define PCI_CONFIG_CAPS_MAX	16

struct pci_config;

/**
 * struct pci_cap - what a capability brings along
 * @id: capability ID
 * @extended: it is an extended capability
 * @version: of an extended capability
 * @values: the structure; ID, version and next pointer are filled in when it is added
 * @writable: bits that software can change, as large as @values
 * @clearable: bits that software clears by writing a 1, as large as @values; NULL: none
 * @kept: bits that a Function Level Reset leaves alone, as large as @values; NULL: none
 * @size: bytes of the structure
 * @fold: puts registers right after a write to config space; NULL when the mask says it all.
 *	@offset is the structure's, @old the whole space before the write. Returns whether software
 *	asked for a Function Level Reset.
 */
struct pci_cap {
	uint16_t id;
	bool extended;
	unsigned int version;
	const void *values;
	const void *writable;
	const void *clearable;
	const void *kept;
	size_t size;
	bool (*fold)(struct pci_config *config, unsigned int offset, const uint8_t *old);
};

/**
 * struct pci_config_cap - a capability that was added
 * @id: capability ID
 * @extended: it is an extended capability
 * @offset: of its structure
 * @fold: its rules, or NULL
 */
struct pci_config_cap {
	uint16_t id;
	bool extended;
	uint16_t offset;
	bool (*fold)(struct pci_config *config, unsigned int offset, const uint8_t *old);
};

/**
 * struct pci_config - configuration space
 * @space: present value, little-endian as software sees it
 * @writable: bits that software can change
 * @clearable: bits that software clears by writing a 1
 * @kept: bits that a Function Level Reset leaves alone
 * @initial: values after a reset
 * @bars: what the base address registers decode
 * @caps: capabilities, in the order in which they were added
 * @count: of @caps
 * @last_cap: where the next capability is linked in
 * @last_ext_cap: where the next extended capability is linked in, 0 before the first
 * @end: first free byte below 0x100
 * @ext_end: first free byte from 0x100 on
 */
struct pci_config {
	uint8_t space[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t clearable[PCI_CONFIG_SIZE];
	uint8_t kept[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	struct pci_bar bars[PCI_BARS];
	struct pci_config_cap caps[PCI_CONFIG_CAPS_MAX];
	unsigned int count;
	uint16_t last_cap;
	uint16_t last_ext_cap;
	uint16_t end;
	uint16_t ext_end;
};

/* Bytes and masks of the header alone; pci_header_init() calls it. All have @size bytes. */
void pci_config_init(struct pci_config *config, const void *values, const void *writable,
		     const void *clearable, const void *kept, size_t size);

/**
 * pci_config_add_cap() - append a capability to its list
 * @config: the space, not sealed
 * @cap: what it brings along; not kept
 *
 * Return: its offset, -ENOSPC when it does not fit below 0x100, an extended one below 0x1000.
 */
int pci_config_add_cap(struct pci_config *config, const struct pci_cap *cap);

/* Offset of a capability, 0 when it is absent. */
unsigned int pci_config_cap(const struct pci_config *config, uint16_t id);
unsigned int pci_config_ext_cap(const struct pci_config *config, uint16_t id);

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

/* Function Level Reset (section 6.6.2): every bit that is not kept to its initial value. */
void pci_config_flr(struct pci_config *config);

uint16_t pci_config_get16(const struct pci_config *config, unsigned int offset);
uint32_t pci_config_get32(const struct pci_config *config, unsigned int offset);

/* Sets a value past the write masks; for the registers' own code. */
void pci_config_set16(struct pci_config *config, unsigned int offset, uint16_t value);

#endif
