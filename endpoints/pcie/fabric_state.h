/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure behind struct fabric, and its list; for the files of this folder alone.
 */
#ifndef TPHBUF_FABRIC_STATE_H
#define TPHBUF_FABRIC_STATE_H

#include <pthread.h>
#include <stdbool.h>

#include "fabric.h"
#include "injection.h"
#include "path.h"

/**
 * struct fabric - the tree and its functions
 * @gate: held while waiting for @lock, so that a worker that lets go for a moment does not get the
 *	lock back before those who wait for it
 * @lock: guards all else, and everything in the functions
 * @trace: not owned, may be NULL
 * @allow_unannounced: addresses that no DMA map has go to the root complex
 * @root: what the root complex does with requests between ports
 * @injection: faults; the rules are not owned
 * @ports: the tree, owned
 * @port_count: of @ports
 * @functions: attached ones, owned
 * @destroy: what frees each of @functions
 * @count: of @functions
 * @ib_ports: list of the InfiniBand subnet
 * @counters: TLPs so far
 */
struct fabric {
	pthread_mutex_t gate;
	pthread_mutex_t lock;
	struct trace *trace;
	bool allow_unannounced;
	struct pcie_root_complex root;
	struct injection injection;
	struct pcie_port *ports[FABRIC_PORTS_MAX];
	unsigned int port_count;
	struct pci_function *functions[FABRIC_FUNCTIONS_MAX];
	void (*destroy[FABRIC_FUNCTIONS_MAX])(struct pci_function *fn);
	unsigned int count;
	struct ib_port *ib_ports;
	struct fabric_counters counters;
};

/*
 * Adds a function, which @destroy frees when the fabric goes, to the list. The lock is held.
 * Return: 0, -ENOSPC.
 */
int fabric_add(struct fabric *fabric, struct pci_function *fn,
	       void (*destroy)(struct pci_function *fn));

/* Takes a function out of the list. The lock is held. */
void fabric_remove(struct fabric *fabric, const struct pci_function *fn);

/* Counts a TLP that was routed. The lock is held. */
void fabric_count(struct fabric *fabric, enum tlp_type type, enum tlp_result result);

#endif
