/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric: the functions of this process, and a tree of ports between them and the root complex.
 * Functions that are below no port are on one switch. What goes through it is in transaction.h.
 *
 * One lock guards every function, its config space, device state and DMA map, the routing and the
 * trace.
 */
#ifndef TPHBUF_FABRIC_H
#define TPHBUF_FABRIC_H

#include <stdint.h>

#include "tlp.h"

#define FABRIC_FUNCTIONS_MAX	64
#define FABRIC_PORTS_MAX	128

struct fabric;
struct ib_port;
struct injection;
struct pci_function;
struct pcie_port;
struct pcie_root_complex;
struct trace;

/**
 * struct fabric_counters - TLPs that functions have sent since the fabric was created
 * @writes: memory writes
 * @reads: memory reads
 * @atomics: AtomicOps
 * @results: of all, by result, indexed by enum tlp_result
 */
struct fabric_counters {
	uint64_t writes;
	uint64_t reads;
	uint64_t atomics;
	uint64_t results[TLP_RESULTS];
};

/**
 * fabric_create() - make an empty fabric
 * @trace: records each TLP; stays the caller's and outlives the fabric; NULL: nothing is recorded
 *
 * Return: the fabric, or NULL without memory.
 */
struct fabric *fabric_create(struct trace *trace);

/**
 * fabric_destroy() - destroy the functions, with their workers, and the fabric
 * @fabric: NULL does nothing. Every function must be disconnected: see pci_function_connect().
 */
void fabric_destroy(struct fabric *fabric);

/*
 * Lets functions send requests for addresses that their client has not announced up to the root
 * complex, that is to the client. Without it they are refused here. Before functions are attached.
 */
void fabric_allow_unannounced(struct fabric *fabric);

/**
 * fabric_add_port() - add a port to the tree
 * @fabric: a fabric without functions
 * @port: name, kind, place and properties; copied
 *
 * Return: 0, -EEXIST when the name is taken, -ENOSPC, -ENOMEM, or an error of pcie_port_link().
 */
int fabric_add_port(struct fabric *fabric, const struct pcie_port *port);

/* The port of this name, NULL without one; valid until fabric_destroy(). */
struct pcie_port *fabric_find_port(struct fabric *fabric, const char *name);

/* What the root complex does with requests between ports. Before functions are attached. */
void fabric_set_root_complex(struct fabric *fabric, const struct pcie_root_complex *root);

/*
 * Requests meet these faults. The rules stay the caller's and outlive the fabric, whose lock guards
 * them from here on. Before functions are attached.
 */
void fabric_inject(struct fabric *fabric, const struct injection *injection);

void fabric_lock(struct fabric *fabric);
void fabric_unlock(struct fabric *fabric);

/* The first of the InfiniBand ports that devices on this fabric have, see infiniband/subnet.h; the
 * fabric itself does not look at them. */
struct ib_port **fabric_ib_ports(struct fabric *fabric);

/* Takes the lock itself. */
void fabric_get_counters(struct fabric *fabric, struct fabric_counters *counters);

#endif
