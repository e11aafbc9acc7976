/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced Error Reporting extended capability of an Endpoint (section 7.8.4): what was wrong with
 * a TLP, and the TLP.
 *
 * No function here takes a lock: the fabric's guards config space.
 */
#ifndef TPHBUF_CAP_AER_H
#define TPHBUF_CAP_AER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_config;
struct tlp;

struct aer_cap {
	__le32 header;
	__le32 uncorrectable_status;
	__le32 uncorrectable_mask;
	__le32 uncorrectable_severity;
	__le32 correctable_status;
	__le32 correctable_mask;
	__le32 control;
	__le32 header_log[4];
	__le32 root[3];		/* of a Root Port */
	__le32 prefix_log[4];
} __attribute__((packed));

_Static_assert(sizeof(struct aer_cap) == 0x48, "AER capability");
_Static_assert(offsetof(struct aer_cap, header_log) == 0x1c, "Header Log");
_Static_assert(offsetof(struct aer_cap, prefix_log) == 0x38, "TLP Prefix Log");

/* How an error is reported (section 6.2.2), ERR_NONE when a mask keeps it back. */
enum aer_message {
	AER_MESSAGE_NONE,
	AER_MESSAGE_CORRECTABLE,
	AER_MESSAGE_NONFATAL,
	AER_MESSAGE_FATAL,
};

/* Return: 0, -ENOSPC. */
int aer_cap_add(struct pci_config *config);

/**
 * aer_cap_log() - note an uncorrectable error
 * @config: the space
 * @error: PCI_ERR_UNC_* bit
 * @advisory: where its severity is non-fatal, another agent handles it: an Advisory Non-Fatal
 *	Error (section 6.2.3.2.4)
 * @tlp: its header is logged, NULL: none
 *
 * The log keeps the first error until software has cleared its status bit; errors after it leave
 * their bits. A masked error sets its bit, and is not logged.
 *
 * Return: the message that the masks of the capability let it be reported with. Without the
 * capability that of a non-fatal error.
 */
enum aer_message aer_cap_log(struct pci_config *config, uint32_t error, bool advisory,
			     const struct tlp *tlp);

#endif
