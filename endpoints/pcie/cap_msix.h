/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X capability, table and pending bits (section 7.7.2).
 *
 * No function here takes a lock: the fabric's guards the state.
 */
#ifndef TPHBUF_CAP_MSIX_H
#define TPHBUF_CAP_MSIX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_config;

struct msix_cap {
	__u8 id;
	__u8 next;
	__le16 control;
	__le32 table;
	__le32 pending;
} __attribute__((packed));

struct msix_entry {
	__le64 address;
	__le32 data;
	__le32 control;
} __attribute__((packed));

_Static_assert(sizeof(struct msix_cap) == 12, "MSI-X capability");
_Static_assert(sizeof(struct msix_entry) == 16, "MSI-X table entry");

#define MSIX_VECTORS_MAX	64

/**
 * struct msix_options - where table and pending bits lie
 * @vectors: 1..MSIX_VECTORS_MAX, 0: the function has no MSI-X
 * @bar: index of the BAR with both
 * @table: offset in it, a multiple of 8
 * @pending: offset of the pending bits in it, a multiple of 8, behind the table
 */
struct msix_options {
	unsigned int vectors;
	unsigned int bar;
	uint32_t table;
	uint32_t pending;
};

/**
 * struct msix - state beside the capability
 * @options: as given
 * @entries: the table
 * @pending: a bit a vector
 * @table_written: a client has written the table since the reset. One that keeps the table to
 *	itself, as QEMU does, masks vectors on its own side and never clears the mask bits here,
 *	which are set after a reset; they count only when it writes.
 */
struct msix {
	struct msix_options options;
	struct msix_entry entries[MSIX_VECTORS_MAX];
	uint64_t pending;
	bool table_written;
};

/* Return: 0, -EINVAL for options that cannot be, -ENOSPC. */
int msix_add(struct msix *msix, struct pci_config *config, const struct msix_options *options);

void msix_reset(struct msix *msix);

/**
 * msix_claims() - whether an access to a BAR is for the table or the pending bits
 * @msix: the state
 * @bar: index of the BAR
 * @offset: in it
 * @len: bytes
 *
 * Return: true when [offset, offset + len) lies in one of the two.
 */
bool msix_claims(const struct msix *msix, unsigned int bar, uint64_t offset, size_t len);

/* Access to what msix_claims(); pending bits are read-only. */
void msix_read(const struct msix *msix, uint64_t offset, void *buf, size_t len);
void msix_write(struct msix *msix, uint64_t offset, const void *buf, size_t len);

/*
 * The function wants interrupt @vector, below its number of vectors; nothing happens while MSI-X
 * is disabled.
 */
void msix_raise(struct msix *msix, const struct pci_config *config, unsigned int vector);

/**
 * msix_next() - take a pending vector that may be sent now
 * @msix: the state
 * @config: tells whether MSI-X is enabled and not masked, and whether the function may send at all
 *
 * Return: the vector, its pending bit cleared, or -1.
 */
int msix_next(struct msix *msix, const struct pci_config *config);

/*
 * The memory write that signals a vector; both 0 for a client that keeps the table to itself.
 */
void msix_message(const struct msix *msix, unsigned int vector, uint64_t *address, uint32_t *data);

#endif
