/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structures behind struct fabric and struct pci_function, for fabric.c and function.c alone.
 */
#ifndef TPHBUF_FABRIC_INTERNAL_H
#define TPHBUF_FABRIC_INTERNAL_H

#include <pthread.h>

#include "device_model.h"
#include "dma_map.h"
#include "fabric.h"

/**
 * struct fabric - the switch
 * @gate: held while waiting for @lock, so that a worker that lets go for a moment does not get the
 *	lock back before those who wait for it
 * @lock: guards all else, and everything in the functions
 * @trace: not owned, may be NULL
 * @functions: attached ones, owned
 * @count: how many
 * @ib_ports: list of the InfiniBand subnet
 * @counters: TLPs so far
 */
struct fabric {
	pthread_mutex_t gate;
	pthread_mutex_t lock;
	struct trace *trace;
	struct pci_function *functions[FABRIC_FUNCTIONS_MAX];
	unsigned int count;
	struct ib_port *ib_ports;
	struct fabric_counters counters;
};

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
 * @bar_address: decoded from @config after each change of it; likewise:
 * @memory_enabled: decodes its BARs
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
 * @tag: of the next read request
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

/* Counts and traces a TLP; @value as for trace_record(). */
void fabric_record(struct fabric *fabric, const struct tlp *tlp, int completer,
		   enum tlp_result result, const uint8_t *value);

/* Starts the worker, if the device model wants one. Return: 0, -EAGAIN. */
int pci_function_start(struct pci_function *fn);

/* Stops the worker and frees the function; the fabric's lock is not held. */
void pci_function_destroy(struct pci_function *fn);

#endif
