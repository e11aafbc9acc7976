/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device model uses of the PCIe side: making its function, and what it calls from its
 * operations. Transactions of its own are in fabric.h.
 */
#ifndef TPHBUF_PCI_DEVICE_MODEL_H
#define TPHBUF_PCI_DEVICE_MODEL_H

#include "cap_msix.h"
#include "cap_pcie.h"
#include "cap_tph.h"
#include "config.h"
#include "function.h"

#define PCI_FUNCTION_NAME_MAX	31

/**
 * struct pci_function_desc - what a function is made of
 * @name: 1..PCI_FUNCTION_NAME_MAX bytes, copied
 * @bdf: bus << 8 | device << 3 | function, not 0
 * @ids: identity
 * @bars: base address registers
 * @pcie: PCI Express capability
 * @msix: MSI-X capability; absent when it has no vectors
 * @tph: TPH Requester capability; NULL: absent
 * @ops: of the device model
 * @device: state of the device model, for pci_function_device()
 */
struct pci_function_desc {
	const char *name;
	uint16_t bdf;
	struct pci_config_ids ids;
	struct pci_bar bars[PCI_BARS];
	struct pcie_cap_options pcie;
	struct msix_options msix;
	const struct tph_cap_options *tph;
	const struct pci_device_ops *ops;
	void *device;
};

/**
 * pci_function_create() - make a function that is not attached yet
 * @desc: what it is made of; not kept
 * @fn: out: the function, to be handed to fabric_attach()
 *
 * Return: 0, -ENOMEM, -EINVAL or -ENOSPC for a description that cannot be; the device state is
 * still the caller's then.
 */
int pci_function_create(const struct pci_function_desc *desc, struct pci_function **fn);

/* The device state of the description. */
void *pci_function_device(const struct pci_function *fn);

/*
 * The fabric that the function is attached to, NULL before; for threads of a device model that
 * need its lock.
 */
struct fabric *pci_function_fabric(const struct pci_function *fn);

/* Config space; the fabric's lock is held. */
const struct pci_config *pci_function_config(const struct pci_function *fn);

/* There is work for the worker; the fabric's lock is held. */
void pci_function_kick(struct pci_function *fn);

/*
 * Ends the transfers that wait for the root complex: they send no further TLP and return
 * -ECANCELED. The fabric's lock is held. A reset of the function does the same.
 */
void pci_function_cancel(struct pci_function *fn);

/*
 * Raises an MSI-X vector, which is sent now or when it is no longer masked; the fabric's lock is
 * held.
 */
void pci_function_msix_raise(struct pci_function *fn, unsigned int vector);

#endif
