// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways through the tree, and what the ports on them do with a request.
 */
#include <limits.h>
#include <stddef.h>

#include "path.h"

static const char root_complex[] = "rc";

static void add_hop(struct pcie_path *path, const struct pcie_port *port)
{
	path->hops[path->count++] = port;
	if (port->max_payload < path->max_payload)
		path->max_payload = port->max_payload;
	path->end_end_prefix = path->end_end_prefix && port->end_end_prefix;
}

/* Ports from below @turn, NULL for the root complex, down to @to. */
static void descend(struct pcie_path *path, const struct pcie_port *turn,
		    const struct pcie_port *to)
{
	const struct pcie_port *way[PCIE_PORT_DEPTH_MAX];
	unsigned int count = 0;

	for (; to != turn; to = to->above)
		way[count++] = to;
	while (count)
		add_hop(path, way[--count]);
}

static bool redirects(const struct pcie_port *port, bool translated)
{
	return port->acs & PCIE_ACS_REQUEST_REDIRECT &&
	       !(translated && port->acs & PCIE_ACS_DIRECT_TRANSLATED);
}

/*
 * Up from @from, to the root complex or to the switch that has @to below another of its ports.
 * Return: the Upstream Port of that switch; NULL when the way leads to the root complex, or ends
 * before it.
 */
static const struct pcie_port *climb(struct pcie_path *path, const struct pcie_port *from,
				     const struct pcie_port *to, bool translated)
{
	for (const struct pcie_port *port = from; port; port = port->above->above) {
		bool own = pcie_port_holds(port, to);

		add_hop(path, port);
		path->up = path->count;
		/* Section 6.12.1.1: only with Upstream Forwarding does it leave upward. */
		if (own && !(port->acs & PCIE_ACS_UPSTREAM_FORWARDING)) {
			path->end = port->name;
			return NULL;
		}
		if (port->kind == PCIE_PORT_ROOT) {
			path->hints = port->completer;
			path->hints_end = port->name;
			return NULL;
		}
		if (!own && pcie_port_holds(port->above, to) && !redirects(port, translated))
			return port->above;
		add_hop(path, port->above);
		path->up = path->count;
	}
	return NULL;
}

static void init(struct pcie_path *path)
{
	*path = (struct pcie_path){
		.max_payload = UINT_MAX,
		.end_end_prefix = true,
		.hints = TPH_COMPLETER_EXTENDED,
		.hints_end = root_complex,
	};
}

void pcie_path_find(struct pcie_path *path, const struct pcie_port *from,
		    const struct pcie_port *to, bool translated,
		    const struct pcie_root_complex *root)
{
	const struct pcie_port *turn;

	init(path);
	/* Functions of one device, or on the switch that passes everything. */
	if (from == to)
		return;
	turn = climb(path, from, to, translated);
	if (path->end)
		return;
	path->through_root = !turn;
	if (path->through_root && root->refuses_peers) {
		path->end = root_complex;
		return;
	}
	if (!root->keeps_hints) {
		path->hints = TPH_COMPLETER_NONE;
		path->hints_end = root_complex;
	}
	descend(path, turn, to);
}

void pcie_path_find_memory(struct pcie_path *path, const struct pcie_port *from)
{
	init(path);
	climb(path, from, NULL, false);
}

/* A tag is never turned into one of the other size. */
static bool hint_survives(const struct pcie_path *path, const struct tlp_hint *hint)
{
	if (hint->extended)
		return path->hints == TPH_COMPLETER_EXTENDED;
	return path->hints == TPH_COMPLETER_8BIT || path->hints == TPH_COMPLETER_EXTENDED;
}

/* What a receiver checks (sections 2.2.2 and 2.2.10.4), then ACS where it comes from below. */
static enum tlp_result check_hop(const struct pcie_port *port, const struct tlp *tlp, bool prefix,
				 bool from_below)
{
	if (tlp_payload(tlp) > port->max_payload || (prefix && !port->end_end_prefix))
		return TLP_MALFORMED;
	if (from_below && port->kind != PCIE_PORT_UPSTREAM &&
	    (pcie_port_blocks(port, tlp->requester) ||
	     (tlp->translated && port->acs & PCIE_ACS_TRANSLATION_BLOCKING)))
		return TLP_BLOCKED;
	return TLP_OK;
}

/* What happens where the way turns from up to down. */
static struct pcie_verdict turn(const struct pcie_path *path, const struct tlp *tlp)
{
	if (path->end)
		return (struct pcie_verdict){ TLP_UNSUPPORTED, path->end };
	if (path->through_root && tlp->hint.present && !hint_survives(path, &tlp->hint))
		return (struct pcie_verdict){ TLP_HINT_DROPPED, path->hints_end };
	return (struct pcie_verdict){ TLP_OK, NULL };
}

struct pcie_verdict pcie_path_judge(const struct pcie_path *path, const struct tlp *tlp)
{
	bool prefix = tlp->hint.present && tlp->hint.extended;
	struct pcie_verdict verdict = { TLP_OK, NULL };

	for (unsigned int i = 0; i <= path->count; i++) {
		enum tlp_result result;

		if (i == path->up) {
			verdict = turn(path, tlp);
			if (verdict.result == TLP_UNSUPPORTED)
				return verdict;
			prefix = prefix && verdict.result == TLP_OK;
		}
		if (i == path->count)
			break;
		result = check_hop(path->hops[i], tlp, prefix, i < path->up);
		if (result != TLP_OK)
			return (struct pcie_verdict){ result, path->hops[i]->name };
	}
	return verdict;
}
