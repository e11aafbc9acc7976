// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tree of ports from the command line.
 */
#include <errno.h>
#include <string.h>

#include "devices/device_options.h"
#include "pcie/fabric.h"
#include "pcie/path.h"
#include "topology.h"

#define MAX_PAYLOAD_MIN	128
#define MAX_PAYLOAD_MAX	4096

static const char *const yes_no_words[] = { "no", "yes" };

static const char *const kind_names[] = {
	[PCIE_PORT_ROOT] = "Root Port",
	[PCIE_PORT_UPSTREAM] = "switch",
	[PCIE_PORT_DOWNSTREAM] = "Downstream Port",
};

static const char *wanted_above(const struct pcie_port *port)
{
	return port->kind == PCIE_PORT_UPSTREAM ? "Root Port or Downstream Port" : "switch";
}

static int name_option(struct options *options, struct pcie_port *port)
{
	const char *name = NULL;

	options_text(options, "name", &name);
	if (!name)
		return options_error(options, "name= is missing");
	if (options_check_name(options, name, PCIE_PORT_NAME_MAX))
		return -EINVAL;
	/* The trace has this name for the root complex. */
	if (!strcmp(name, "rc"))
		return options_error(options, "name=rc is the root complex: expected another name");
	strcpy(port->name, name);
	return 0;
}

static int below_option(struct options *options, struct fabric *fabric, struct pcie_port *port)
{
	const char *below = NULL;

	if (port->kind == PCIE_PORT_ROOT)
		return 0;
	options_text(options, "below", &below);
	if (!below)
		return options_error(options, "below= is missing: the name of a %s",
				     wanted_above(port));
	port->above = fabric_find_port(fabric, below);
	if (!port->above)
		return options_error(options,
				     "below=%s: there is no port of this name before this one",
				     below);
	return 0;
}

static int prefix_option(struct options *options, struct pcie_port *port)
{
	bool inherits = port->kind == PCIE_PORT_DOWNSTREAM;
	unsigned int prefix = inherits ? port->above->end_end_prefix : 1;
	int ret = options_choice(options, "prefix", yes_no_words, 2, &prefix);

	port->end_end_prefix = prefix;
	return ret;
}

/* What only a port with a link below it has. */
static int acs_option(struct options *options, struct pcie_port *port)
{
	static const char *const acs_words[] = { "sv", "rr", "cr", "uf", "dt", "tb" };
	const char *text = NULL;

	if (port->kind == PCIE_PORT_UPSTREAM)
		return 0;
	options_text(options, "acs", &text);
	if (text && !strcmp(text, "none"))
		return 0;
	return options_set(options, "acs", acs_words, 6, &port->acs);
}

static int completer_option(struct options *options, struct pcie_port *port)
{
	static const char *const completer_words[] = { "none", "8bit", "ext" };
	static const enum tph_completer completers[] = { TPH_COMPLETER_NONE, TPH_COMPLETER_8BIT,
							 TPH_COMPLETER_EXTENDED };
	unsigned int completer = 2;
	int ret = 0;

	if (port->kind == PCIE_PORT_ROOT)
		ret = options_choice(options, "completer", completer_words, 3, &completer);
	port->completer = completers[completer];
	return ret;
}

static int port_options(struct options *options, struct fabric *fabric, struct pcie_port *port)
{
	uint64_t max_payload = MAX_PAYLOAD_MAX;
	int ret = name_option(options, port);

	if (!ret)
		ret = below_option(options, fabric, port);
	if (!ret)
		ret = options_bdf(options, "bdf", &port->bdf);
	if (!ret)
		ret = prefix_option(options, port);
	if (!ret)
		ret = acs_option(options, port);
	if (!ret)
		ret = completer_option(options, port);
	if (!ret)
		ret = options_size(options, "max-payload", MAX_PAYLOAD_MIN, MAX_PAYLOAD_MAX,
				   &max_payload);
	port->max_payload = max_payload;
	return ret ? ret : options_finish(options);
}

static int port_explain(const struct options *options, const struct pcie_port *port, int ret)
{
	const char *above = port->above ? port->above->name : "";

	switch (ret) {
	case -EEXIST:
		return options_error(options, "name=%s: another port has this name", port->name);
	case -ENOSPC:
		return options_error(options, "more than %d ports", FABRIC_PORTS_MAX);
	case -EBUSY:
		return options_error(options,
				     "below=%s: the link of this port has something at its end",
				     above);
	case -E2BIG:
		return options_error(options, "below=%s: more than %d ports in a chain", above,
				     PCIE_PORT_DEPTH_MAX);
	case -EXDEV:
		return options_error(
			options,
			"prefix=%s: the switch %s has prefix=%s, and all ports of a switch agree",
			yes_no_words[port->end_end_prefix], above,
			yes_no_words[port->above->end_end_prefix]);
	case -EINVAL:
		return options_error(options, "below=%s is a %s: expected a %s", above,
				     kind_names[port->above->kind],
				     wanted_above(port));
	}
	options_error(options, "%s", strerror(-ret));
	return ret;
}

int topology_add_port(struct fabric *fabric, enum pcie_port_kind kind, const char *spec,
		      char *error, size_t error_size)
{
	struct pcie_port port = { .kind = kind };
	struct options options;
	int ret;

	ret = options_parse_keys(&options, kind_names[kind], spec, error, error_size);
	if (!ret)
		ret = port_options(&options, fabric, &port);
	if (ret)
		return ret;
	ret = fabric_add_port(fabric, &port);
	return ret ? port_explain(&options, &port, ret) : 0;
}

int topology_set_root_complex(struct fabric *fabric, const char *spec, char *error,
			      size_t error_size)
{
	static const char *const hints_words[] = { "drop", "keep" };
	unsigned int hints = 0, peer = 1;
	struct pcie_root_complex root;
	struct options options;
	int ret;

	ret = options_parse_keys(&options, "root complex", spec, error, error_size);
	if (!ret)
		ret = options_choice(&options, "hints", hints_words, 2, &hints);
	if (!ret)
		ret = options_choice(&options, "peer", yes_no_words, 2, &peer);
	if (!ret)
		ret = options_finish(&options);
	if (ret)
		return ret;
	root = (struct pcie_root_complex){ .refuses_peers = !peer, .keeps_hints = hints };
	fabric_set_root_complex(fabric, &root);
	return 0;
}

void topology_print_help(FILE *out)
{
	fputs("Ports form a tree; a port is named before what is below it. Their keys:\n"
	      "    name=NAME                in messages and the trace; required\n"
	      "    below=NAME               switch: a Root Port or Downstream Port;\n"
	      "                             Downstream Port: a switch; required\n"
	      "    bdf=BUS:DEVICE.FUNCTION  place in the machine\n"
	      "    prefix=yes|no            End-End TLP Prefix Supported; default yes; a\n"
	      "                             Downstream Port must have its switch's value\n"
	      "    max-payload=128..4096    Max_Payload_Size in bytes; default 4096\n"
	      "    acs=none|sv+rr+cr+uf+dt+tb\n"
	      "                             enabled ACS functions, not for a switch: Source\n"
	      "                             Validation, P2P Request Redirect, P2P Completion\n"
	      "                             Redirect, Upstream Forwarding, Direct Translated,\n"
	      "                             Translation Blocking; default none\n"
	      "    completer=none|8bit|ext  Root Port only: TPH Completer Supported; default ext\n"
	      "and, for the root complex between ports,\n"
	      "    hints=drop|keep          hints of requests from port to port; default drop\n"
	      "    peer=yes|no              no: such requests are unsupported; default yes\n",
	      out);
}
