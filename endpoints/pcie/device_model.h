/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device model uses of the PCIe side: making its function, and what it calls from its
 * operations. Transactions of its own are in transaction.h.
 */
#ifndef TPHBUF_PCI_DEVICE_MODEL_H
#define TPHBUF_PCI_DEVICE_MODEL_H

#include "cap_msix.h"
#include "cap_pcie.h"
#include "cap_tph.h"
#include "config.h"
#include "function.h"
#include "header.h"

#define PCI_FUNCTION_NAME_MAX	31

struct fabric;
struct pcie_port;

/**
 * struct pci_device_ops - what a device model implements
 * @reset: reset of the function; memory contents of BARs may stay
 * @bar_read: CPU access to a BAR; bounds were checked. To a trapped BAR: naturally aligned, 1, 2,
 *	4 or 8 bytes. Never waits for DMA. 0, or -errno when the device refuses: the CPU reads all
 *	ones.
 * @bar_write: CPU write to a BAR, under the same rules; one that is refused is dropped. A doorbell
 *	only calls pci_function_kick().
 * @mem_write: memory write TLP that was routed to this function; fabric checks were done. 0, or
 *	-EBADMSG when the device refuses its content. NULL: an unsupported request.
 * @mem_read: memory read TLP that was routed to this function; fabric checks were done. 0, or
 *	-EBADMSG when the device refuses. NULL: an unsupported request.
 * @mem_atomic: AtomicOp that was routed to this function, which announces that it completes them;
 *	fabric checks were done. Puts the value before into @before. 0, or -EBADMSG when the device
 *	refuses. NULL: an unsupported request.
 * @malformed: a TLP to this function was dropped because it is malformed; may be NULL
 * @config_written: after bytes of config space changed; may be NULL
 * @work: does pending work, called on the function's worker thread with the fabric lock held;
 *	fabric accesses inside may drop it. Keep it short, others wait for the lock: returns true
 *	when more work is left. NULL: the function has no worker.
 * @destroy: frees the device model
 */
struct pci_device_ops {
	void (*reset)(struct pci_function *fn);
	int (*bar_read)(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf,
			size_t len);
	int (*bar_write)(struct pci_function *fn, unsigned int bar, uint64_t offset,
			 const void *buf, size_t len);
	int (*mem_write)(struct pci_function *fn, unsigned int bar, uint64_t offset,
			 const struct tlp *tlp);
	int (*mem_read)(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf,
			size_t len);
	int (*mem_atomic)(struct pci_function *fn, unsigned int bar, uint64_t offset,
			  const struct tlp *tlp, uint64_t *before);
	void (*malformed)(struct pci_function *fn);
	void (*config_written)(struct pci_function *fn, unsigned int offset, unsigned int len);
	bool (*work)(struct pci_function *fn);
	void (*destroy)(struct pci_function *fn);
};

/**
 * struct pci_function_desc - what a function is made of
 * @name: 1..PCI_FUNCTION_NAME_MAX bytes, copied
 * @bdf: bus << 8 | device << 3 | function, not 0
 * @port: port of the fabric that it is below; NULL: the switch that passes everything
 * @ids: identity
 * @bars: base address registers
 * @pcie: PCI Express capability
 * @msix: MSI-X capability; absent when it has no vectors
 * @tph: TPH Requester capability; NULL: absent
 * @ats: it has the ATS capability
 * @ops: of the device model
 * @device: state of the device model, for pci_function_device()
 */
struct pci_function_desc {
	const char *name;
	uint16_t bdf;
	struct pcie_port *port;
	struct pci_config_ids ids;
	struct pci_bar bars[PCI_BARS];
	struct pcie_cap_options pcie;
	struct msix_options msix;
	const struct tph_cap_options *tph;
	bool ats;
	const struct pci_device_ops *ops;
	void *device;
};

/**
 * pci_function_create() - make a function that is not attached yet
 * @desc: what it is made of; not kept
 * @fn: out: the function, to be handed to pci_function_attach()
 *
 * Return: 0, -ENOMEM, -EINVAL or -ENOSPC for a description that cannot be; the device state is
 * still the caller's then.
 */
int pci_function_create(const struct pci_function_desc *desc, struct pci_function **fn);

/**
 * pci_function_attach() - plug a function into a fabric and start its worker
 * @fn: belongs to the fabric from here on, also after an error: then it has been destroyed
 * @fabric: the fabric, not locked
 *
 * Return: 0, -EEXIST when name or BDF are taken, -ENOSPC when the fabric is full, -EAGAIN when no
 * thread can be had, -EINVAL or -EBUSY of pcie_port_attach().
 */
int pci_function_attach(struct pci_function *fn, struct fabric *fabric);

/* The device state of the description. */
void *pci_function_device(const struct pci_function *fn);

/*
 * The fabric that the function is attached to, NULL before; for threads of a device model that
 * need its lock.
 */
struct fabric *pci_function_fabric(const struct pci_function *fn);

/* Config space; the fabric's lock is held. */
const struct pci_config *pci_function_config(const struct pci_function *fn);

/* Offset of a capability in config space, 0 when the function does not have it. */
unsigned int pci_function_cap(const struct pci_function *fn, uint16_t id);
unsigned int pci_function_ext_cap(const struct pci_function *fn, uint16_t id);

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

/*
 * During a write to a BAR: the record of this write in the trace gets a mark, by which people and
 * tools divide it. @text is copied.
 */
void pci_function_mark_trace(struct pci_function *fn, const char *text);

#endif
