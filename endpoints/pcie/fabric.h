/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric: the PCIe switch between the functions of this process, with the root complex as its
 * upstream port.
 *
 * Where a request goes depends on what the requester's client said in its DMA map of the address:
 *
 * - an entry with a file: memory behind the root complex, reached through the file;
 * - an entry without a file that holds the whole file-backed BAR of another function, at the
 *   address that the BAR has: that function. A client that maps bus addresses one to one announces
 *   the BARs it can see this way. A client with an IOMMU that translates announces pages, and the
 *   number of a page's address may by chance be that of a BAR; it then does not hold the whole of
 *   it;
 * - everything else, trapped BARs included: up to the root complex, that is through the client.
 *   Hints go no further.
 *
 * The clients of all functions are one machine: they mean the same place by the same bus address.
 * A request for a BAR whose function does not decode it is unsupported. A function does not reach
 * its own BARs.
 *
 * One lock guards every function, its config space, device state and DMA map, the routing and the
 * trace.
 */
#ifndef TPHBUF_FABRIC_H
#define TPHBUF_FABRIC_H

#include <stddef.h>
#include <stdint.h>

#include "tlp.h"

#define FABRIC_FUNCTIONS_MAX	64

struct fabric;
struct ib_port;
struct pci_function;
struct trace;

/**
 * struct fabric_counters - TLPs since the fabric was created
 * @writes: memory writes
 * @reads: memory reads
 * @results: of both, by result, indexed by enum tlp_result
 */
struct fabric_counters {
	uint64_t writes;
	uint64_t reads;
	uint64_t results[TLP_ABORT + 1];
};

/**
 * fabric_create() - make an empty fabric
 * @trace: records each TLP; stays the caller's and outlives the fabric; NULL: nothing is recorded
 *
 * Return: the fabric, or NULL without memory.
 */
struct fabric *fabric_create(struct trace *trace);

/**
 * fabric_destroy() - stop the workers, destroy the functions, free the fabric
 * @fabric: NULL does nothing. Every function must be disconnected: see pci_function_connect().
 */
void fabric_destroy(struct fabric *fabric);

/**
 * fabric_attach() - plug a function in and start its worker
 * @fabric: the fabric, not locked
 * @fn: belongs to the fabric from here on, also after an error: then it has been destroyed
 *
 * Return: 0, -EEXIST when name or BDF are taken, -ENOSPC when the fabric is full, -EAGAIN when no
 * thread can be had.
 */
int fabric_attach(struct fabric *fabric, struct pci_function *fn);

void fabric_lock(struct fabric *fabric);
void fabric_unlock(struct fabric *fabric);

/* The first of the InfiniBand ports that devices on this fabric have, see infiniband/subnet.h; the
 * fabric itself does not look at them. */
struct ib_port **fabric_ib_ports(struct fabric *fabric);

/* Takes the lock itself. */
void fabric_get_counters(struct fabric *fabric, struct fabric_counters *counters);

/**
 * fabric_write() - memory writes by a function
 * @fn: the requester; fabric lock held, on its worker. The lock may be dropped while the root
 *	complex works.
 * @address: bus address
 * @buf: bytes to write
 * @len: at least 1; split into TLPs of at most Max_Payload_Size that cross no 4 KiB boundary
 * @hint: for every TLP; NULL or one that is not present: none
 * @sent: NULL, or counts up by the TLPs that were sent, those that failed included
 *
 * Stops at the first TLP that fails; what was sent before stays written.
 *
 * Return: 0, -EINVAL when the range is empty or wraps, -EPERM while Bus Master Enable is clear
 * (nothing is sent), -EFAULT for an unsupported request or when root complex or IOMMU refuse,
 * -EBADMSG when a TLP is malformed or the completer refuses its content, -ENOTCONN when the client
 * is gone, -ECANCELED when the function was reset or pci_function_cancel() called meanwhile: after
 * a reset the state of the device is that of the reset, which the caller must leave alone.
 */
int fabric_write(struct pci_function *fn, uint64_t address, const void *buf, size_t len,
		 const struct tlp_hint *hint, uint64_t *sent);

/**
 * fabric_read() - memory reads by a function
 * @fn: as for fabric_write()
 * @address: bus address
 * @buf: receives the bytes; undefined after an error
 * @len: at least 1; split into TLPs of at most Max_Read_Request_Size that cross no 4 KiB boundary
 *
 * Return: as fabric_write().
 */
int fabric_read(struct pci_function *fn, uint64_t address, void *buf, size_t len);

#endif
