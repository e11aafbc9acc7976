/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port joins a PCI function to the vfio-user protocol: regions are BARs and config space, the
 * client is the root complex.
 */
#ifndef TPHBUF_PORT_H
#define TPHBUF_PORT_H

#include "vfio_user/device.h"

struct pci_function;

/**
 * struct port - one function and its client
 * @fn: the function
 * @connection: the client, or NULL; constant while the function is connected, written by the
 *	server's thread
 */
struct port {
	struct pci_function *fn;
	struct vfio_user_connection *connection;
};

/* What the server calls; the device argument is a struct port. */
extern const struct vfio_user_device_ops port_device_ops;

/* @fn outlives the port. */
void port_init(struct port *port, struct pci_function *fn);

#endif
