/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory requests of a function to the rest of the machine.
 *
 * Where a request goes depends on what the requester's client said in its DMA map of the address:
 *
 * - an entry with a file: memory behind the root complex, reached through the file;
 * - an entry without a file that holds the whole file-backed BAR of another function, at the
 *   address that the BAR has: that function. A client that maps bus addresses one to one announces
 *   the BARs it can see this way. A client with an IOMMU that translates announces pages, and the
 *   number of a page's address may by chance be that of a BAR; it then does not hold the whole of
 *   it;
 * - every other address that it announces: up to the root complex, that is through the client.
 *   Hints go no further;
 * - an address that it has not announced: nowhere, as by an IOMMU, unless
 *   fabric_allow_unannounced() sends it up too.
 *
 * The clients of all functions are one machine: they mean the same place by the same bus address.
 * A request for a BAR whose function does not decode it is unsupported. A function does not reach
 * its own BARs.
 *
 * On its way a request passes the ports of path.h, and may meet a fault of injection.h.
 */
#ifndef TPHBUF_TRANSACTION_H
#define TPHBUF_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

#include "tlp.h"

struct pci_function;

/**
 * fabric_write() - memory writes by a function
 * @fn: the requester; fabric lock held, on its worker. The lock may be dropped while the root
 *	complex works.
 * @address: bus address
 * @buf: bytes to write
 * @len: at least 1; split into TLPs of at most Max_Payload_Size that cross no 4 KiB boundary
 * @properties: of every TLP; NULL: none
 * @sent: NULL, or counts up by the TLPs that were sent, those that failed included
 *
 * Stops at the first TLP that fails; what was sent before stays written.
 *
 * Return: 0, -EINVAL when the range is empty or wraps, -EPERM while Bus Master Enable is clear,
 * -EOPNOTSUPP for translated requests while ATS is disabled (nothing is sent), -EFAULT for an
 * unsupported request or when root complex or IOMMU refuse, -EBADMSG when a TLP is malformed or the
 * completer refuses its content, -ENOTCONN when the client
 * is gone, -ECANCELED when the function was reset or pci_function_cancel() called meanwhile: after
 * a reset the state of the device is that of the reset, which the caller must leave alone. Nobody
 * learns of a write that vanishes or is poisoned on a link: 0.
 */
int fabric_write(struct pci_function *fn, uint64_t address, const void *buf, size_t len,
		 const struct tlp_properties *properties, uint64_t *sent);

/**
 * fabric_read() - memory reads by a function
 * @fn: as for fabric_write()
 * @address: bus address
 * @buf: receives the bytes; undefined after an error
 * @len: at least 1; split into TLPs of at most Max_Read_Request_Size that cross no 4 KiB boundary.
 *	Up to 32 of them are sent before the first completion comes back.
 * @properties: of every TLP, NULL: none. A TLP that does not consist of whole DWs has no hint.
 *
 * Return: as fabric_write(), -EFAULT when no completion comes, -EBADMSG when it is poisoned.
 */
int fabric_read(struct pci_function *fn, uint64_t address, void *buf, size_t len,
		const struct tlp_properties *properties);

/**
 * fabric_atomic() - an AtomicOp on 8 bytes
 * @fn: as for fabric_write()
 * @type: TLP_FETCH_ADD or TLP_CAS
 * @address: bus address, a multiple of 8
 * @operands: what is added, or what is compared and what is swapped in
 * @before: receives the value before; undefined after an error
 * @properties: NULL: none
 *
 * The root complex completes those for memory that a file backs, atomically also for the CPUs. A
 * peer completes them when it announces that.
 *
 * Return: as fabric_write(), -EOPNOTSUPP while AtomicOp Requester Enable is clear (nothing is
 * sent), -EFAULT also when nobody there completes AtomicOps.
 */
int fabric_atomic(struct pci_function *fn, enum tlp_type type, uint64_t address,
		  const uint64_t *operands, uint64_t *before,
		  const struct tlp_properties *properties);

#endif
