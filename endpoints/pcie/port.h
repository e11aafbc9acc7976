/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port of the tree that a fabric is: a Root Port, or the Upstream or a Downstream Port of a
 * switch. What is decided at a port depends on its properties alone; the way from port to port is
 * in path.h.
 *
 * No function here takes a lock: ports are made before the fabric has functions, and constant from
 * then on, except for the bus numbers behind them, which the fabric's lock guards.
 */
#ifndef TPHBUF_PCIE_PORT_H
#define TPHBUF_PCIE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cap_pcie.h"

#define PCIE_PORT_NAME_MAX	31
#define PCIE_PORT_DEPTH_MAX	15	/* ports in a chain below the root complex */

enum pcie_port_kind {
	PCIE_PORT_ROOT,
	PCIE_PORT_UPSTREAM,
	PCIE_PORT_DOWNSTREAM,
};

/* What is enabled in the ACS Control register of a port (section 7.7.11.3). */
enum pcie_acs {
	PCIE_ACS_SOURCE_VALIDATION = 1 << 0,
	PCIE_ACS_REQUEST_REDIRECT = 1 << 1,
	PCIE_ACS_COMPLETION_REDIRECT = 1 << 2,
	PCIE_ACS_UPSTREAM_FORWARDING = 1 << 3,
	PCIE_ACS_DIRECT_TRANSLATED = 1 << 4,
	PCIE_ACS_TRANSLATION_BLOCKING = 1 << 5,
};

/**
 * struct pcie_port - a port
 * @name: for messages and the trace, unique in the fabric
 * @kind: what it is
 * @above: port at the other end of the link of an Upstream Port; Upstream Port of the switch that
 *	a Downstream Port belongs to; NULL for a Root Port
 * @bdf: place in the machine, 0 when it is not known
 * @end_end_prefix: End-End TLP Prefix Supported; the same in all ports of a switch
 * @acs: bits of enum pcie_acs; 0 for an Upstream Port
 * @completer: TPH Completer Supported of a Root Port
 * @max_payload: Max_Payload_Size in bytes
 * @depth: ports above it
 * @below: what is at the other end of the link of a Root Port or a Downstream Port: bus << 5 |
 *	device of a function, PCIE_PORT_SWITCH, or PCIE_PORT_EMPTY
 * @bus_first: lowest bus number that is known to be below
 * @bus_last: highest of them
 */
struct pcie_port {
	char name[PCIE_PORT_NAME_MAX + 1];
	enum pcie_port_kind kind;
	struct pcie_port *above;
	uint16_t bdf;
	bool end_end_prefix;
	unsigned int acs;
	enum tph_completer completer;
	unsigned int max_payload;
	unsigned int depth;
	int below;
	uint8_t bus_first;
	uint8_t bus_last;
};

#define PCIE_PORT_EMPTY		(-1)
#define PCIE_PORT_SWITCH	(-2)

/**
 * pcie_port_link() - put a port into its place
 * @port: its name, kind, @above and properties are set; the rest is filled in
 *
 * Return: 0, -EINVAL for a port above it of a kind that it cannot be below, -EBUSY when the link
 * of that port has something at its other end, -E2BIG for a chain that is too long, -EXDEV when
 * prefix support differs from that of its switch (section 7.5.3.15).
 */
int pcie_port_link(struct pcie_port *port);

/**
 * pcie_port_attach() - a function is at the other end of the link of a port
 * @port: the port
 * @bdf: of the function
 *
 * Return: 0, -EINVAL for an Upstream Port, which has no link for it, -EBUSY when another device or
 * a switch is there: a link has one device at its other end.
 */
int pcie_port_attach(struct pcie_port *port, uint16_t bdf);

/* Whether @port is @other or above it; @other may be NULL, which is below none. */
bool pcie_port_holds(const struct pcie_port *port, const struct pcie_port *other);

/* ACS Source Validation would block a request with this requester ID (section 6.12.1.1). */
bool pcie_port_blocks(const struct pcie_port *port, uint16_t requester);

#endif
