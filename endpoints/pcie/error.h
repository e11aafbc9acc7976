/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a function detects: Status, Device Status, AER, and the message that reports them
 * (section 6.2). The fabric's lock is held.
 */
#ifndef TPHBUF_PCI_ERROR_H
#define TPHBUF_PCI_ERROR_H

#include <stdbool.h>

struct pci_function;
struct tlp;

enum pci_error {
	PCI_ERROR_UNSUPPORTED,
	PCI_ERROR_MALFORMED,
	PCI_ERROR_POISONED,
	PCI_ERROR_COMPLETER_ABORT,
	PCI_ERROR_COMPLETION_TIMEOUT,
};

/* What a requester learns of a request that is not posted, from the completion. */
enum pci_abort {
	PCI_ABORT_UNSUPPORTED,
	PCI_ABORT_COMPLETER,
};

/**
 * pci_error_detected() - a function has detected an error
 * @fn: the function
 * @error: what it is
 * @tlp: the TLP that it received, NULL when it has none
 * @advisory: the requester learns of it from a completion
 *
 * The client is interrupted when the error is an uncorrectable one that is reported.
 */
void pci_error_detected(struct pci_function *fn, enum pci_error error, const struct tlp *tlp,
			bool advisory);

/* A completion with an error status has come back to a requester. */
void pci_error_completed(struct pci_function *fn, enum pci_abort abort);

#endif
