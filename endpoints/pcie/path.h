/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a request from port to port: up from the requester as far as it must, then down to
 * the completer.
 *
 * A request is routed by its address (section 2.2.4.1), so that it turns at the lowest switch that
 * has the completer below it. ACS changes this (section 6.12.1.1):
 *
 * - P2P Request Redirect in the port where it comes in sends it up instead, unless the port has
 *   Direct Translated enabled and the address is a translated one;
 * - in the ports above, a request that was redirected is for something below the very port where it
 *   comes in. Upstream Forwarding sends it on; without it the request is unsupported there;
 * - the root complex sends it down again.
 *
 * Functions that are below no port are on one more switch, which passes everything and has a Root
 * Port of its own.
 */
#ifndef TPHBUF_PCIE_PATH_H
#define TPHBUF_PCIE_PATH_H

#include <stdbool.h>

#include "port.h"
#include "tlp.h"

#define PCIE_PATH_HOPS_MAX	(2 * PCIE_PORT_DEPTH_MAX)

/**
 * struct pcie_root_complex - what it does with requests from port to port
 * @refuses_peers: does not send them to another port: they are unsupported
 * @keeps_hints: passes hints on where the Root Port that they come from supports them
 */
struct pcie_root_complex {
	bool refuses_peers;
	bool keeps_hints;
};

/**
 * struct pcie_path - a way
 * @hops: ports that a request passes, in order
 * @up: how many of them it passes on its way up
 * @count: of @hops
 * @end: name of the place where each request ends as an unsupported one, behind the first @up of
 *	@hops; NULL: they arrive
 * @max_payload: the smallest Max_Payload_Size of @hops, in bytes
 * @end_end_prefix: all @hops support End-End TLP Prefixes
 * @through_root: it goes through the root complex, between the first @up of @hops and the others
 * @hints: which hints pass the root complex; of no meaning unless @through_root
 * @hints_end: name of the place where the others are dropped
 */
struct pcie_path {
	const struct pcie_port *hops[PCIE_PATH_HOPS_MAX];
	unsigned int up;
	unsigned int count;
	const char *end;
	unsigned int max_payload;
	bool end_end_prefix;
	bool through_root;
	enum tph_completer hints;
	const char *hints_end;
};

/**
 * struct pcie_verdict - what becomes of a request on its way
 * @result: TLP_OK when it arrives, TLP_HINT_DROPPED when it arrives without its hint
 * @at: name of the port, or "rc", where it ended or lost its hint; NULL: neither
 */
struct pcie_verdict {
	enum tlp_result result;
	const char *at;
};

/**
 * pcie_path_find() - the way to a peer
 * @path: out
 * @from: port that the requester is below, NULL for none
 * @to: port that the completer is below, NULL for none
 * @translated: the address is a translated one
 * @root: the root complex
 */
void pcie_path_find(struct pcie_path *path, const struct pcie_port *from,
		    const struct pcie_port *to, bool translated,
		    const struct pcie_root_complex *root);

/* The way from the port @from, or from none, to memory behind the root complex. */
void pcie_path_find_memory(struct pcie_path *path, const struct pcie_port *from);

/* The checks of each hop, of the root complex between them, in order. */
struct pcie_verdict pcie_path_judge(const struct pcie_path *path, const struct tlp *tlp);

/**
 * pcie_path_is_clear() - whether the verdict needs no look at each hop
 * @path: the way
 * @tlp: the request; its requester ID is that of the function
 *
 * Return: true when pcie_path_judge() would let it arrive as it is.
 */
static inline bool pcie_path_is_clear(const struct pcie_path *path, const struct tlp *tlp)
{
	return (tlp->type == TLP_MRD || tlp->length * 4u <= path->max_payload) && !path->end &&
	       !tlp->translated && (!tlp->hint.present ||
		(!path->through_root && (!tlp->hint.extended || path->end_end_prefix)));
}

#endif
