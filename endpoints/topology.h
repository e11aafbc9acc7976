/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of ports as text: "key=value,...", one text a port.
 */
#ifndef TPHBUF_TOPOLOGY_H
#define TPHBUF_TOPOLOGY_H

#include <stddef.h>
#include <stdio.h>

#include "pcie/port.h"

struct fabric;

/**
 * topology_add_port() - add a port to the fabric
 * @fabric: without functions
 * @kind: of the port
 * @spec: its keys; below= names a port that was added before
 * @error: receives one line without newline when the call fails: what, why, what is allowed
 * @error_size: of @error
 *
 * Return: 0, -EINVAL for a @spec that cannot be, or another -errno.
 */
int topology_add_port(struct fabric *fabric, enum pcie_port_kind kind, const char *spec,
		      char *error, size_t error_size);

/* The same for what the root complex does: "hints=...,peer=...". */
int topology_set_root_complex(struct fabric *fabric, const char *spec, char *error,
			      size_t error_size);

/* Prints the keys, a line each, for a program's --help. */
void topology_print_help(FILE *out);

#endif
