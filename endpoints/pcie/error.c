// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each error sets, and when it is reported.
 */
#include <linux/pci_regs.h>

#include "cap_aer.h"
#include "error.h"
#include "function_state.h"

/* A row an error: bit of AER, and of the Status register of the header, 0 for none. */
static const struct {
	uint32_t aer;
	uint16_t status;
} errors[] = {
	[PCI_ERROR_UNSUPPORTED] = { PCI_ERR_UNC_UNSUP, 0 },
	[PCI_ERROR_MALFORMED] = { PCI_ERR_UNC_MALF_TLP, 0 },
	[PCI_ERROR_POISONED] = { PCI_ERR_UNC_POISON_TLP, PCI_STATUS_DETECTED_PARITY },
	[PCI_ERROR_COMPLETER_ABORT] = { PCI_ERR_UNC_COMP_ABORT, PCI_STATUS_SIG_TARGET_ABORT },
	[PCI_ERROR_COMPLETION_TIMEOUT] = { PCI_ERR_UNC_COMP_TIME, 0 },
};

static void set_status(struct pci_function *fn, uint16_t bits)
{
	pci_config_set16(&fn->config, PCI_STATUS,
			 pci_config_get16(&fn->config, PCI_STATUS) | bits);
}

/* Device Control or SERR# Enable lets the message out (section 6.2.5). */
static bool is_sent(const struct pci_function *fn, enum pci_error error, enum aer_message message)
{
	uint16_t enable = message == AER_MESSAGE_FATAL ? PCI_EXP_DEVCTL_FERE : PCI_EXP_DEVCTL_NFERE;

	if (message != AER_MESSAGE_FATAL && message != AER_MESSAGE_NONFATAL)
		return false;
	if (pci_config_get16(&fn->config, PCI_COMMAND) & PCI_COMMAND_SERR)
		return true;
	if (error == PCI_ERROR_UNSUPPORTED)
		enable |= PCI_EXP_DEVCTL_URRE;
	return pcie_cap_reports(&fn->config, enable);
}

/* Device Status names the severity, whether the error is masked or not (section 7.5.3.5). */
static uint16_t device_status(const struct pci_function *fn, enum pci_error error, bool advisory)
{
	unsigned int cap = pci_config_ext_cap(&fn->config, PCI_EXT_CAP_ID_ERR);
	uint16_t bits = error == PCI_ERROR_UNSUPPORTED ? PCI_EXP_DEVSTA_URD : 0;

	if (pci_config_get32(&fn->config, cap + PCI_ERR_UNCOR_SEVER) & errors[error].aer)
		return bits | PCI_EXP_DEVSTA_FED;
	return bits | (advisory ? PCI_EXP_DEVSTA_CED : PCI_EXP_DEVSTA_NFED);
}

void pci_error_detected(struct pci_function *fn, enum pci_error error, const struct tlp *tlp,
			bool advisory)
{
	enum aer_message message = aer_cap_log(&fn->config, errors[error].aer, advisory, tlp);

	pcie_cap_set_status(&fn->config, device_status(fn, error, advisory));
	set_status(fn, errors[error].status);
	if (!is_sent(fn, error, message))
		return;
	if (pci_config_get16(&fn->config, PCI_COMMAND) & PCI_COMMAND_SERR)
		set_status(fn, PCI_STATUS_SIG_SYSTEM_ERROR);
	if (fn->upstream && fn->upstream->error)
		fn->upstream->error(fn->upstream_opaque);
}

void pci_error_completed(struct pci_function *fn, enum pci_abort abort)
{
	set_status(fn, abort == PCI_ABORT_COMPLETER ? PCI_STATUS_REC_TARGET_ABORT :
						      PCI_STATUS_REC_MASTER_ABORT);
}
