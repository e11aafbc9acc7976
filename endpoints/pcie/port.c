// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ports: their places in the tree, and the bus numbers below each.
 */
#include <errno.h>

#include "port.h"

/* A Root Port or a Downstream Port has what is below it at the other end of a link. */
static bool has_link_below(const struct pcie_port *port)
{
	return port->kind != PCIE_PORT_UPSTREAM;
}

static void add_bus(struct pcie_port *port, uint16_t bdf)
{
	uint8_t bus = bdf >> 8;

	for (; port; port = port->above) {
		if (port->bus_first > bus)
			port->bus_first = bus;
		if (port->bus_last < bus)
			port->bus_last = bus;
	}
}

int pcie_port_link(struct pcie_port *port)
{
	struct pcie_port *above = port->above;

	port->below = PCIE_PORT_EMPTY;
	port->bus_first = UINT8_MAX;
	port->bus_last = 0;
	port->depth = above ? above->depth + 1 : 0;
	if (!above)
		return port->kind == PCIE_PORT_ROOT ? 0 : -EINVAL;
	if (port->kind == PCIE_PORT_ROOT ||
	    has_link_below(above) != (port->kind == PCIE_PORT_UPSTREAM))
		return -EINVAL;
	if (port->depth >= PCIE_PORT_DEPTH_MAX)
		return -E2BIG;
	if (port->kind == PCIE_PORT_UPSTREAM) {
		if (above->below != PCIE_PORT_EMPTY)
			return -EBUSY;
		above->below = PCIE_PORT_SWITCH;
	} else if (port->end_end_prefix != above->end_end_prefix) {
		return -EXDEV;
	}
	if (port->bdf)
		add_bus(above, port->bdf);
	return 0;
}

int pcie_port_attach(struct pcie_port *port, uint16_t bdf)
{
	int device = bdf >> 3;

	if (!has_link_below(port))
		return -EINVAL;
	if (port->below != PCIE_PORT_EMPTY && port->below != device)
		return -EBUSY;
	port->below = device;
	add_bus(port, bdf);
	return 0;
}

bool pcie_port_holds(const struct pcie_port *port, const struct pcie_port *other)
{
	while (other && other != port)
		other = other->above;
	return other;
}

bool pcie_port_blocks(const struct pcie_port *port, uint16_t requester)
{
	uint8_t bus = requester >> 8;

	return port->acs & PCIE_ACS_SOURCE_VALIDATION &&
	       (bus < port->bus_first || bus > port->bus_last);
}
