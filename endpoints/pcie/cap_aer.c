// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Status, masks, severity, and the log of the first error.
 */
#include <linux/pci_regs.h>
#include <string.h>

#include "byteorder.h"
#include "cap_aer.h"
#include "config.h"
#include "tlp.h"

#define AER_CAP_VERSION		2
#define CONTROL_FIRST_ERROR	0x1fu
#define CONTROL_PREFIX_LOG	(1u << 11)	/* TLP Prefix Log Present */

#define UNCORRECTABLE	(PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_COMP_ABORT | \
			 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_UNSUP)

int aer_cap_add(struct pci_config *config)
{
	/* The severity of Malformed TLP is fatal, Advisory Non-Fatal Errors are masked. */
	const struct aer_cap values = {
		.uncorrectable_severity = cpu_to_le32(PCI_ERR_UNC_MALF_TLP),
		.correctable_mask = cpu_to_le32(PCI_ERR_COR_ADV_NFAT),
	};
	const struct aer_cap writable = {
		.uncorrectable_mask = cpu_to_le32(UNCORRECTABLE),
		.uncorrectable_severity = cpu_to_le32(UNCORRECTABLE),
		.correctable_mask = cpu_to_le32(PCI_ERR_COR_ADV_NFAT),
	};
	const struct aer_cap clearable = {
		.uncorrectable_status = cpu_to_le32(UNCORRECTABLE),
		.correctable_status = cpu_to_le32(PCI_ERR_COR_ADV_NFAT),
	};
	struct aer_cap kept;
	const struct pci_cap add = {
		.id = PCI_EXT_CAP_ID_ERR,
		.extended = true,
		.version = AER_CAP_VERSION,
		.values = &values,
		.writable = &writable,
		.clearable = &clearable,
		.kept = &kept,
		.size = sizeof(values),
	};
	int offset;

	/* All of it is sticky (section 7.4). */
	memset(&kept, 0xff, sizeof(kept));
	offset = pci_config_add_cap(config, &add);
	return offset < 0 ? offset : 0;
}

static uint32_t aer_get(const struct pci_config *config, unsigned int offset)
{
	return pci_config_get32(config, offset);
}

static void aer_set(struct pci_config *config, unsigned int offset, uint32_t value)
{
	put_le32(config->space + offset, value);
}

/* The bytes of the header as DWs, whose first byte is the most significant one. */
static void log_header(struct pci_config *config, unsigned int cap, const struct tlp *tlp)
{
	unsigned int log = cap + offsetof(struct aer_cap, header_log);
	unsigned int prefix_log = cap + offsetof(struct aer_cap, prefix_log);
	unsigned int control = cap + offsetof(struct aer_cap, control);
	uint8_t bytes[TLP_BYTES_MAX - TLP_PAYLOAD_MAX] = { 0 };
	const uint8_t *header = bytes;
	bool prefix = tlp && tlp->hint.present && tlp->hint.extended;

	if (tlp)
		tlp_encode_header(tlp, bytes);
	if (prefix)
		header += 4;
	aer_set(config, prefix_log, prefix ? get_be32(bytes) : 0);
	aer_set(config, control, (aer_get(config, control) & ~CONTROL_PREFIX_LOG) |
					 (prefix ? CONTROL_PREFIX_LOG : 0));
	for (unsigned int i = 0; i < 4; i++)
		aer_set(config, log + 4 * i, get_be32(header + 4 * i));
}

/* The First Error Pointer points to a bit that is set: the log belongs to that error. */
static bool log_is_taken(uint32_t status, uint32_t control)
{
	return status & 1u << (control & CONTROL_FIRST_ERROR);
}

enum aer_message aer_cap_log(struct pci_config *config, uint32_t error, bool advisory,
			     const struct tlp *tlp)
{
	unsigned int cap = pci_config_ext_cap(config, PCI_EXT_CAP_ID_ERR);
	unsigned int control = cap + offsetof(struct aer_cap, control);
	uint32_t status;
	bool fatal, taken;

	if (!cap)
		return AER_MESSAGE_NONFATAL;
	status = aer_get(config, cap + PCI_ERR_UNCOR_STATUS);
	fatal = aer_get(config, cap + PCI_ERR_UNCOR_SEVER) & error;
	taken = log_is_taken(status, aer_get(config, control));
	aer_set(config, cap + PCI_ERR_UNCOR_STATUS, status | error);
	advisory = advisory && !fatal;
	if (advisory)
		aer_set(config, cap + PCI_ERR_COR_STATUS,
			aer_get(config, cap + PCI_ERR_COR_STATUS) | PCI_ERR_COR_ADV_NFAT);
	if (aer_get(config, cap + PCI_ERR_UNCOR_MASK) & error ||
	    (advisory && aer_get(config, cap + PCI_ERR_COR_MASK) & PCI_ERR_COR_ADV_NFAT))
		return AER_MESSAGE_NONE;
	if (!taken) {
		aer_set(config, control, (aer_get(config, control) & ~CONTROL_FIRST_ERROR) |
						 __builtin_ctz(error));
		log_header(config, cap, tlp);
	}
	if (advisory)
		return AER_MESSAGE_CORRECTABLE;
	return fatal ? AER_MESSAGE_FATAL : AER_MESSAGE_NONFATAL;
}
