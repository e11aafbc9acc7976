/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: config space, BARs, and the device model behind them, as the protocol side sees
 * it. What a device model calls is in device_model.h.
 *
 * Locking: the fabric's lock (fabric_lock()) guards every function, its config space and its
 * device state, the routing and the DMA maps. The functions of this file take it themselves; the
 * operations are called with it held unless they say otherwise. It is a leaf for the protocol
 * side: nothing called under it waits for a socket. fabric_write() and fabric_read() drop it while
 * they wait for the root complex.
 */
#ifndef TPHBUF_PCI_FUNCTION_H
#define TPHBUF_PCI_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_BARS	6

struct pci_function;

enum pci_bar_type {
	PCI_BAR_NONE,
	PCI_BAR_MEM32,
	PCI_BAR_MEM64,		/* occupies this BAR and the next */
	PCI_BAR_MEM64_PREF,
};

/**
 * struct pci_bar - one base address register
 * @type: kind, PCI_BAR_NONE for an absent one
 * @size: bytes, a power of two
 * @fd: memory file that backs the whole BAR and that a client may map, or -1 for a BAR whose
 *	accesses are trapped. Owned by the device model, valid until its destroy().
 */
struct pci_bar {
	enum pci_bar_type type;
	uint64_t size;
	int fd;
};

/**
 * struct pci_upstream_ops - the way from a function up to the root complex; implemented by the
 * protocol side
 * @read: read bytes at a bus address that no DMA map entry with a file covers. Called WITHOUT the
 *	fabric lock, on a worker; blocks until the client answers. 0, -EFAULT when the client
 *	refuses, -ENOTCONN when it is gone, -ECANCELED after @cancel.
 * @write: write bytes at such an address, under the same rules
 * @cancel: end the calls of @read and @write with a lower epoch, those to come included; called
 *	with the fabric lock held; never blocks
 * @msix: fire MSI-X vector; called with the fabric lock held; never blocks. Masked and pending
 *	state is kept by the caller.
 * @error: the function reports an uncorrectable error; called with the fabric lock held; never
 *	blocks; may be NULL
 */
struct pci_upstream_ops {
	int (*read)(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len);
	int (*write)(void *opaque, uint64_t epoch, uint64_t addr, const void *buf, size_t len);
	void (*cancel)(void *opaque, uint64_t epoch);
	void (*msix)(void *opaque, unsigned int vector);
	void (*error)(void *opaque);
};

/* Region indexes follow VFIO: BAR0..BAR5 are 0..5, 7 is config space. */
#define PCI_REGION_CONFIG	7

/* Name for messages: name=, or the device type. */
const char *pci_function_name(const struct pci_function *fn);

/*
 * Requester and completer ID, bus << 8 | device << 3 | function. vfio-user does not tell it, so
 * that it is an option of creation.
 */
uint16_t pci_function_bdf(const struct pci_function *fn);

/* Size of a region, 0 when absent; *bar (may be NULL) is filled for BARs. */
uint64_t pci_function_region_size(struct pci_function *fn, unsigned int region,
				  struct pci_bar *bar);

/* Number of MSI-X vectors, 0 without the capability. */
unsigned int pci_function_msix_vectors(const struct pci_function *fn);

/*
 * An access of the client (CPU). -EINVAL when empty, out of bounds or across the end, or to a
 * region that is absent. A BAR that is not decoded, because memory space is disabled or the
 * function is not in D0, reads as all ones and drops writes, as on a bus. Accesses to trapped BARs
 * are split into naturally aligned ones of at most 8 bytes, as a CPU would make them.
 */
int pci_function_region_read(struct pci_function *fn, unsigned int region, uint64_t offset,
			     void *buf, size_t len);
int pci_function_region_write(struct pci_function *fn, unsigned int region, uint64_t offset,
			      const void *buf, size_t len);

/*
 * The client's DMA map: bus addresses the function may use. @fd stays the caller's and may be -1
 * (then accesses go through pci_upstream_ops, or to the BAR of another function that the
 * entry covers: see fabric.h). Errors of map and unmap are those of dma_map_add() and
 * dma_map_remove(). After an unmap returned, no access to the files of the range is under way; one
 * that went up to the root complex before may still be, and is in the hands of the client.
 */
int pci_function_dma_map(struct pci_function *fn, uint64_t iova, uint64_t size, bool readable,
			 bool writable, int fd, uint64_t fd_offset);
int pci_function_dma_unmap(struct pci_function *fn, uint64_t iova, uint64_t size);
void pci_function_dma_unmap_all(struct pci_function *fn);

/*
 * Client came (ops set) or went (ops NULL: waits until the worker has left the old ops, which must
 * fail by then; the function goes through a conventional reset and its DMA map is emptied).
 */
void pci_function_connect(struct pci_function *fn, const struct pci_upstream_ops *ops,
			  void *opaque);

/* VFIO_USER_DEVICE_RESET: a Function Level Reset, see pci_config_flr(). */
void pci_function_reset(struct pci_function *fn);

#endif
