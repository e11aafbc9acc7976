/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure behind struct pci_function; for the files of this folder alone.
 */
#ifndef TPHBUF_FUNCTION_STATE_H
#define TPHBUF_FUNCTION_STATE_H

#include <pthread.h>

#include "device_model.h"
#include "dma_map.h"
#include "path.h"
#include "tlp.h"

/**
 * struct pci_function - guarded by the fabric's lock
 * @fabric: where it is attached, NULL before
 * @name: for messages; constant
 * @bdf: requester and completer ID; constant
 * @ops: device model; constant
 * @device: its state; constant
 * @config: config space
 * @msix: MSI-X table and pending bits
 * @dma: bus addresses it may use
 * @bar_address: where each BAR lies; decoded from @config after each change of it
 * @memory_enabled: it decodes its BARs; decoded from @config after each change of it
 * @bus_master: it may send requests; decoded from @config after each change of it
 * @max_payload: Max_Payload_Size in bytes; decoded from @config after each change of it
 * @max_read_request: Max_Read_Request_Size in bytes; decoded from @config after each change of it
 * @attributes: bits of enum tlp_attribute that it may send; decoded from @config after each change
 *	of it
 * @tags: how many it may use, a power of two; decoded from @config after each change of it
 * @last_target: function that its last request to a peer went to, or NULL
 * @last_bar: BAR of @last_target
 * @last_path: way to @last_target
 * @last_translated: @last_path is that of translated requests
 * @port: what it is below, NULL for the switch that passes everything; constant
 * @memory_path: way to memory behind the root complex; constant once it is attached
 * @upstream: way to the root complex, NULL while no client is connected
 * @upstream_opaque: its argument
 * @upstream_users: calls of @upstream under way without the lock
 * @upstream_idle: signalled when @upstream_users becomes 0
 * @cancels: counts resets and pci_function_cancel(), so that a transfer notices one that came
 *	while the lock was dropped
 * @has_worker: @worker runs
 * @kicked: there is work
 * @stop: the worker shall end
 * @wake: signalled when one of the two is set
 * @worker: thread that calls the work operation
 * @tag: of the next request that is not posted
 * @staging: payload of the TLP under way where it does not begin and end with a DW; used by the
 *	worker
 */
struct pci_function {
	struct fabric *fabric;
	char name[PCI_FUNCTION_NAME_MAX + 1];
	uint16_t bdf;
	const struct pci_device_ops *ops;
	void *device;
	struct pci_config config;
	struct msix msix;
	struct dma_map dma;
	uint64_t bar_address[PCI_BARS];
	bool memory_enabled;
	bool bus_master;
	unsigned int max_payload;
	unsigned int max_read_request;
	unsigned int attributes;
	unsigned int tags;
	struct pci_function *last_target;
	unsigned int last_bar;
	struct pcie_path last_path;
	bool last_translated;
	struct pcie_port *port;
	struct pcie_path memory_path;
	const struct pci_upstream_ops *upstream;
	void *upstream_opaque;
	unsigned int upstream_users;
	pthread_cond_t upstream_idle;
	uint64_t cancels;
	bool has_worker;
	bool kicked;
	bool stop;
	pthread_cond_t wake;
	pthread_t worker;
	uint8_t tag;
	uint8_t staging[TLP_PAYLOAD_MAX];
};

/* Sends what is pending and may be sent. The fabric's lock is held. */
void pci_function_send_interrupts(struct pci_function *fn);

/* Config space has changed: decodes it anew. The fabric's lock is held. */
void pci_function_update_decoding(struct pci_function *fn);

/* A Function Level Reset. The fabric's lock is held. */
void pci_function_reset_locked(struct pci_function *fn);

#endif
