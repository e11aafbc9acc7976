/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Where a PCI function is: the ports between it and its host bridge. */
#ifndef TPB_TOPOLOGY_H
#define TPB_TOPOLOGY_H

#include <stdint.h>
#include <sys/types.h>

#include <tphbuf/probe.h>

#include "config.h"

/* Eight buses deep is more than any machine is; a way has two functions to a switch. */
#define TPB_CHAIN_MAX	24

/**
 * struct tpb_chain - a function and the ports above it
 * @host_bridge: name in sysfs, "pci0000:00"
 * @length: number of functions
 * @bdf: the functions, from the one on the bus of the host bridge down to the
 *	function itself
 */
struct tpb_chain {
	char host_bridge[TPHBUF_BDF_SIZE];
	unsigned int length;
	char bdf[TPB_CHAIN_MAX][TPHBUF_BDF_SIZE];
};

/* -ELOOP when there are more than TPB_CHAIN_MAX. */
int tpb_chain_read(const char *sysroot, const char *bdf, struct tpb_chain *chain);

/* How many of their first functions are the same. */
unsigned int tpb_chain_common(const struct tpb_chain *a, const struct tpb_chain *b);

/* Bytes of a config space that this user may read; 0 when it is none. */
ssize_t tpb_config_read(const char *sysroot, const char *bdf,
			uint8_t config[TPB_CONFIG_SIZE_ALL]);

#endif
