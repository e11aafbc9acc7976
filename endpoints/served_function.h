/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Joins a PCI function to the vfio-user protocol: regions are BARs and config space, the client is
 * the root complex.
 */
#ifndef TPHBUF_SERVED_FUNCTION_H
#define TPHBUF_SERVED_FUNCTION_H

#include <stdbool.h>

#include "vfio_user/device_ops.h"

struct pci_function;

/**
 * struct served_function - one function and its client
 * @fn: the function
 * @connection: the client, or NULL; constant while the function is connected, written by the
 *	server's thread
 * @error_irq: the client may have uncorrectable errors as interrupts
 */
struct served_function {
	struct pci_function *fn;
	struct vfio_user_connection *connection;
	bool error_irq;
};

/* What the server calls; the device argument is a struct served_function. */
extern const struct vfio_user_device_ops served_function_ops;

/* @fn outlives @served. */
void served_function_init(struct served_function *served, struct pci_function *fn, bool error_irq);

#endif
