/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express capability, version 2, of an Endpoint (section 7.5.3).
 *
 * No function here takes a lock: the fabric's guards config space.
 */
#ifndef TPHBUF_CAP_PCIE_H
#define TPHBUF_CAP_PCIE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_config;

struct pcie_cap {
	__u8 id;
	__u8 next;
	__le16 capabilities;
	__le32 device_capabilities;
	__le16 device_control;
	__le16 device_status;
	__le32 link_capabilities;
	__le16 link_control;
	__le16 link_status;
	__le32 slot[2];
	__le32 root[2];
	__le32 device_capabilities2;
	__le16 device_control2;
	__le16 device_status2;
	__le32 link_capabilities2;
	__le16 link_control2;
	__le16 link_status2;
	__le32 slot2[2];
} __attribute__((packed));

_Static_assert(sizeof(struct pcie_cap) == 0x3c, "PCI Express capability");
_Static_assert(offsetof(struct pcie_cap, device_control) == 0x08, "Device Control");
_Static_assert(offsetof(struct pcie_cap, link_control) == 0x10, "Link Control");
_Static_assert(offsetof(struct pcie_cap, device_capabilities2) == 0x24, "Device Capabilities 2");
_Static_assert(offsetof(struct pcie_cap, link_capabilities2) == 0x2c, "Link Capabilities 2");

/* TPH Completer Supported, Device Capabilities 2 bits 13:12 (section 7.5.3.15) */
enum tph_completer {
	TPH_COMPLETER_NONE = 0,
	TPH_COMPLETER_8BIT = 1,
	TPH_COMPLETER_RESERVED = 2,	/* counts as none */
	TPH_COMPLETER_EXTENDED = 3,
};

/**
 * struct pcie_cap_options - what differs between endpoints
 * @mps: Max_Payload_Size Supported in bytes: 128, 256, 512, 1024, 2048 or 4096
 * @completer: TPH Completer Supported
 * @end_end_prefix: End-End TLP Prefix Supported, one prefix at most
 * @atomic_completer: 64-bit AtomicOp Completer Supported
 * @atomic_requester: AtomicOp Requester Enable can be set, and is after a reset: a hypervisor sets
 *	it for a function whose root port the driver cannot see, and Linux takes it for that
 * @ordering: requests can have the Relaxed Ordering and the ID-Based Ordering attribute
 * @immediate_readiness: bit of the Status register: config accesses succeed at once after a reset
 */
struct pcie_cap_options {
	unsigned int mps;
	enum tph_completer completer;
	bool end_end_prefix;
	bool atomic_completer;
	bool atomic_requester;
	bool ordering;
	bool immediate_readiness;
};

/**
 * pcie_cap_add() - append the capability
 * @config: the space
 * @options: what differs between endpoints
 *
 * After a write, Max_Payload_Size above what is supported and reserved read request sizes keep
 * their old value, and Initiate Function Level Reset reads as 0 (section 7.5.3.4). The settings
 * that belong to the link survive that reset (section 6.6.2).
 *
 * Return: 0, -EINVAL for an impossible payload size, -ENOSPC.
 */
int pcie_cap_add(struct pci_config *config, const struct pcie_cap_options *options);

/*
 * Max_Payload_Size and Max_Read_Request_Size as programmed, in bytes; 128 and 512 without the
 * capability.
 */
unsigned int pcie_cap_max_payload(const struct pci_config *config);
unsigned int pcie_cap_max_read_request(const struct pci_config *config);

/* Sets error bits of Device Status (PCI_EXP_DEVSTA_*). */
void pcie_cap_set_status(struct pci_config *config, uint16_t bits);

/* Whether all of these bits of Device Control (PCI_EXP_DEVCTL_*) are set. */
bool pcie_cap_reports(const struct pci_config *config, uint16_t bits);

/* Whether the function may send AtomicOps now. */
bool pcie_cap_atomic_requester(const struct pci_config *config);

/* Whether it completes those of 64 bits. */
bool pcie_cap_atomic_completer(const struct pci_config *config);

/*
 * Attributes that requests may have, as bits of enum tlp_attribute: Enable Relaxed Ordering and IDO
 * Request Enable.
 */
unsigned int pcie_cap_attributes(const struct pci_config *config);

/* Tags that requests may have: 256 with Extended Tag Field Enable, else 32 (section 7.5.3.4). */
unsigned int pcie_cap_tags(const struct pci_config *config);

bool pcie_cap_end_end_prefix(const struct pci_config *config);
enum tph_completer pcie_cap_tph_completer(const struct pci_config *config);

#endif
