/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device types that the endpoints offer, and their creation from text.
 */
#ifndef TPHBUF_DEVICE_REGISTRY_H
#define TPHBUF_DEVICE_REGISTRY_H

#include <stddef.h>
#include <stdio.h>

struct device_type;
struct fabric;
struct pci_function;

/**
 * device_type_add() - offer another type
 * @type: stays valid; its name is not empty
 *
 * Context: before there is a second thread.
 * Return: 0, -EEXIST when there is a type of this name, or -ENOSPC when there are too many.
 */
int device_type_add(const struct device_type *type);

/**
 * device_create() - make a device and attach it to the fabric
 * @fabric: the fabric, not locked
 * @spec: "TYPE,key=value,..."; "TYPE" is enough except for the keys that a type requires
 * @fn: out: the function; owned by the fabric, valid until fabric_destroy()
 * @error: receives one line without newline when the call fails: what, why, what is allowed
 * @error_size: of @error
 *
 * Return: 0, -EINVAL for a @spec that cannot be, -EEXIST when name or BDF are taken, -EBUSY when
 * the port that it is to be below has another device, or another -errno.
 */
int device_create(struct fabric *fabric, const char *spec, struct pci_function **fn, char *error,
		  size_t error_size);

/* Prints types and keys with their defaults, a line each, for a program's --help. */
void device_print_help(FILE *out);

#endif
