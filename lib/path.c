// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Whether writes of a peer reach a device with their Steering Tag. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <tphbuf/path.h>

#include "command_line.h"
#include "config.h"
#include "function.h"
#include "options.h"
#include "sys.h"
#include "sysfs.h"
#include "topology.h"

#define ARRIVES	TPHBUF_VERDICT_ARRIVES
#define MAYBE	TPHBUF_VERDICT_MAY_BE_LOST
#define CANNOT	TPHBUF_VERDICT_CANNOT

enum { DOMAIN_IDENTITY, DOMAIN_TRANSLATED, DOMAIN_UNKNOWN };

/* What the examination of one path works on. */
struct examination {
	const char *sysroot;
	struct tphbuf_path *path;
	struct tpb_chain device;
	struct tpb_chain peer;
	bool redirected;	/* below the switch where the way would turn */
	uint8_t config[TPB_CONFIG_SIZE_ALL];
};

static void path_add(struct examination *ex, enum tphbuf_fact fact, const char *bdf, uint32_t value,
		     enum tphbuf_verdict st, enum tphbuf_verdict st_ext)
{
	struct tphbuf_path *path = ex->path;
	struct tphbuf_path_fact *entry;
	size_t length = strnlen(bdf, sizeof(entry->bdf) - 1);

	if (st > path->st)
		path->st = st;
	if (st_ext > path->st_ext)
		path->st_ext = st_ext;
	if (path->nr_facts == TPHBUF_PATH_FACTS)
		return;
	entry = &path->facts[path->nr_facts++];
	entry->fact = fact;
	entry->st = st;
	entry->st_ext = st_ext;
	entry->value = value;
	memcpy(entry->bdf, bdf, length);
	entry->bdf[length] = '\0';
}

/* Once for each function. */
static void add_not_readable(struct examination *ex, const char *bdf)
{
	for (uint32_t i = 0; i < ex->path->nr_facts; i++)
		if (ex->path->facts[i].fact == TPHBUF_FACT_NOT_READABLE &&
		    !strcmp(ex->path->facts[i].bdf, bdf))
			return;
	path_add(ex, TPHBUF_FACT_NOT_READABLE, bdf, 0, MAYBE, MAYBE);
}

static void examine_completer(struct examination *ex, size_t size)
{
	enum tphbuf_completer completer = tpb_config_completer(ex->config, size);
	const char *bdf = ex->path->device;

	if (completer == TPHBUF_COMPLETER_UNKNOWN)
		add_not_readable(ex, bdf);
	else
		path_add(ex, TPHBUF_FACT_COMPLETER, bdf, completer,
			 completer == TPHBUF_COMPLETER_NONE ? CANNOT : ARRIVES,
			 completer == TPHBUF_COMPLETER_EXT_TPH ? ARRIVES : CANNOT);
}

/* TPH that the driver has not turned on may yet be: many do so with the first use of a tag. */
static enum tphbuf_verdict enabled_verdict(enum tphbuf_requester enabled, bool ext)
{
	if (enabled == TPHBUF_REQUESTER_NONE)
		return MAYBE;
	/* One or the other: the namespace is that of the whole function. */
	return (enabled == TPHBUF_REQUESTER_EXT_TPH) == ext ? ARRIVES : CANNOT;
}

static void examine_requester(struct examination *ex, size_t size)
{
	const char *bdf = ex->path->peer;
	struct tpb_tph_requester tph;
	enum tphbuf_verdict with_tag;

	tpb_config_requester(ex->config, size, &tph);
	if (tph.type == TPHBUF_REQUESTER_UNKNOWN) {
		add_not_readable(ex, bdf);
		return;
	}
	path_add(ex, TPHBUF_FACT_REQUESTER, bdf, tph.type,
		 tph.type == TPHBUF_REQUESTER_NONE ? CANNOT : ARRIVES,
		 tph.type == TPHBUF_REQUESTER_EXT_TPH ? ARRIVES : CANNOT);
	if (tph.type == TPHBUF_REQUESTER_NONE)
		return;
	/* In the mode without ST all tags are zero. */
	with_tag = tph.modes & 6 ? ARRIVES : CANNOT;
	path_add(ex, TPHBUF_FACT_MODES, bdf, tph.modes, with_tag, with_tag);
	path_add(ex, TPHBUF_FACT_ST_TABLE, bdf, tph.entries, ARRIVES, ARRIVES);
	path_add(ex, TPHBUF_FACT_ENABLED, bdf, tph.enabled, enabled_verdict(tph.enabled, false),
		 enabled_verdict(tph.enabled, true));
}

/* pcie_enable_tph() of Linux leaves TPH off below a root port that does not complete it. */
static int examine_root_port(struct examination *ex)
{
	const char *bdf = ex->peer.bdf[0];
	enum tphbuf_completer completer;
	ssize_t size;

	/* The peer is on the bus of the host bridge: there is no root port. */
	if (ex->peer.length == 1)
		return 0;
	size = tpb_config_read(ex->sysroot, bdf, ex->config);
	if (size < 0)
		return (int)size;
	completer = tpb_config_completer(ex->config, (size_t)size);
	if (completer == TPHBUF_COMPLETER_UNKNOWN)
		add_not_readable(ex, bdf);
	else
		path_add(ex, TPHBUF_FACT_ROOT_PORT, bdf, completer,
			 completer == TPHBUF_COMPLETER_NONE ? CANNOT : ARRIVES,
			 completer == TPHBUF_COMPLETER_EXT_TPH ? ARRIVES : CANNOT);
	return 0;
}

/* Extended Steering Tags travel in a prefix, which each port on the way must know and let pass. */
static int examine_prefix(struct examination *ex, const char *bdf)
{
	ssize_t size = tpb_config_read(ex->sysroot, bdf, ex->config);
	enum tpb_prefix prefix;

	if (size < 0)
		return (int)size;
	prefix = tpb_config_prefix(ex->config, (size_t)size);
	if (prefix == TPB_PREFIX_UNKNOWN)
		add_not_readable(ex, bdf);
	else if (prefix != TPB_PREFIX_PASSES)
		path_add(ex, TPHBUF_FACT_PREFIX, bdf, prefix == TPB_PREFIX_BLOCKED, ARRIVES,
			 CANNOT);
	return 0;
}

static int examine_acs(struct examination *ex, const char *bdf)
{
	ssize_t size = tpb_config_read(ex->sysroot, bdf, ex->config);
	int redirect;

	if (size < 0)
		return (int)size;
	redirect = tpb_config_acs_redirect(ex->config, (size_t)size);
	if (redirect < 0)
		add_not_readable(ex, bdf);
	else if (redirect)
		path_add(ex, TPHBUF_FACT_ACS, bdf, (uint32_t)redirect, MAYBE, MAYBE);
	ex->redirected = ex->redirected || redirect > 0;
	return 0;
}

/* The ports of @chain below the first @common functions, and the function itself. */
static int examine_branch(struct examination *ex, const struct tpb_chain *chain,
			  unsigned int common)
{
	int ret = 0;

	for (unsigned int i = common; i < chain->length && !ret; i++) {
		ret = examine_prefix(ex, chain->bdf[i]);
		/* Where the way turns at a switch, the kernel looks at all ports below it too. */
		if (!ret && common && i + 1 < chain->length)
			ret = examine_acs(ex, chain->bdf[i]);
	}
	return ret;
}

/* "0000:00:03" of "0000:00:03.1" */
static bool is_same_slot(const char *a, const char *b)
{
	size_t length = strcspn(a, ".");

	return !strncmp(a, b, length + 1);
}

static int read_domain(struct examination *ex, uint32_t *domain)
{
	struct tpb_path path;
	char type[32];
	int ret;

	*domain = DOMAIN_UNKNOWN;
	ret = tpb_path(&path, ex->sysroot, TPB_PCI_DEVICES "/%s/iommu_group/type",
		       ex->path->peer);
	if (!ret)
		ret = tpb_sysfs_read(&path, type, sizeof(type));
	if (ret)
		return ret == -ENOENT || ret == -EACCES ? 0 : ret;
	*domain = strcmp(type, "identity") ? DOMAIN_TRANSLATED : DOMAIN_IDENTITY;
	return 0;
}

/* Below one switch the kernel uses bus addresses, which nothing translates. */
static int examine_domain(struct examination *ex, bool through_root_complex)
{
	uint32_t domain;
	enum tphbuf_verdict verdict;
	int ret;

	ret = read_domain(ex, &domain);
	if (ret)
		return ret;
	verdict = through_root_complex && domain != DOMAIN_IDENTITY ? MAYBE : ARRIVES;
	path_add(ex, TPHBUF_FACT_DOMAIN, ex->path->peer, domain, verdict, verdict);
	return 0;
}

/* What joins the two ways, and whether that is the root complex. */
static int examine_junction(struct examination *ex, unsigned int common, bool *root_complex)
{
	const char *device = ex->path->device, *peer = ex->path->peer, *port;
	bool siblings = ex->device.length <= common + 1 && ex->peer.length <= common + 1;
	ssize_t size;
	int type;

	*root_complex = false;
	if (strcmp(ex->device.host_bridge, ex->peer.host_bridge)) {
		path_add(ex, TPHBUF_FACT_HOST_BRIDGES, peer, 0, MAYBE, MAYBE);
		*root_complex = true;
		return 0;
	}
	if (!common && siblings && is_same_slot(device, peer)) {
		path_add(ex, TPHBUF_FACT_SAME_DEVICE, device, 0, ARRIVES, ARRIVES);
		return 0;
	}
	if (!common) {
		path_add(ex, TPHBUF_FACT_ROOT_COMPLEX, peer, 0, MAYBE, MAYBE);
		*root_complex = true;
		return 0;
	}
	port = ex->peer.bdf[common - 1];
	size = tpb_config_read(ex->sysroot, port, ex->config);
	if (size < 0)
		return (int)size;
	type = tpb_config_port_type(ex->config, (size_t)size);
	if (type == -1)
		add_not_readable(ex, port);
	if (siblings && (type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_DOWNSTREAM)) {
		/* A link has one device at its end, virtual functions included. */
		path_add(ex, TPHBUF_FACT_SAME_DEVICE, device, 0, ARRIVES, ARRIVES);
	} else if (type == PCI_EXP_TYPE_UPSTREAM || type == -1) {
		path_add(ex, TPHBUF_FACT_SWITCH, port, 0, ARRIVES, ARRIVES);
	} else {
		path_add(ex, TPHBUF_FACT_ROOT_COMPLEX, peer, 0, MAYBE, MAYBE);
		*root_complex = true;
	}
	return 0;
}

static int examine_route(struct examination *ex)
{
	unsigned int common = tpb_chain_common(&ex->device, &ex->peer);
	bool root_complex, same;
	int ret;

	ret = examine_junction(ex, common, &root_complex);
	same = ex->path->facts[ex->path->nr_facts - 1].fact == TPHBUF_FACT_SAME_DEVICE;
	/* A function of several has an ACS of its own, for requests to the others. */
	if (!ret && same && strcmp(ex->path->device, ex->path->peer))
		ret = examine_acs(ex, ex->path->peer);
	if (!ret)
		ret = examine_branch(ex, &ex->peer, root_complex ? 0 : common);
	if (!ret)
		ret = examine_branch(ex, &ex->device, root_complex ? 0 : common);
	/* What is redirected passes the switch and all ports above it, before anything drops it. */
	for (unsigned int i = common; i && ex->redirected && !same && !ret; i--)
		ret = examine_prefix(ex, ex->peer.bdf[i - 1]);
	return ret ? ret : examine_domain(ex, root_complex || ex->redirected);
}

static int examine(struct examination *ex)
{
	ssize_t size;
	int ret;

	size = tpb_config_read(ex->sysroot, ex->path->device, ex->config);
	if (size < 0)
		return (int)size;
	examine_completer(ex, (size_t)size);
	size = tpb_config_read(ex->sysroot, ex->path->peer, ex->config);
	if (size < 0)
		return (int)size;
	examine_requester(ex, (size_t)size);
	if (tpb_command_line_has_notph(ex->sysroot))
		path_add(ex, TPHBUF_FACT_COMMAND_LINE, ex->path->peer, 0, CANNOT, CANNOT);
	ret = examine_root_port(ex);
	if (!ret)
		ret = tpb_chain_read(ex->sysroot, ex->path->device, &ex->device);
	return ret ? ret : examine_route(ex);
}

/* 1 when the name was found; else @path has the reason. */
static int find(const char *sysroot, const char *name, struct tphbuf_path *path,
		char bdf[TPHBUF_BDF_SIZE])
{
	struct tphbuf_probe probe;
	int ret = tpb_function_find(sysroot, name, &probe);

	if (ret)
		return ret;
	if (probe.open) {
		path->reason = probe.open;
		snprintf(path->missing, sizeof(path->missing), "%s", name);
		return 0;
	}
	snprintf(bdf, TPHBUF_BDF_SIZE, "%s", probe.bdf);
	return 1;
}

int tphbuf_path(const char *device, const char *peer, const struct tphbuf_options *options,
		struct tphbuf_path *path)
{
	struct examination *ex;
	int ret;

	*path = (struct tphbuf_path) { .reason = TPHBUF_REASON_NONE };
	ret = tpb_options_check(options, 0);
	if (!ret)
		ret = find(tpb_options_sysroot(options), device, path, path->device);
	if (ret > 0)
		ret = find(tpb_options_sysroot(options), peer, path, path->peer);
	if (ret <= 0)
		return ret;
	ex = tpb_sys.calloc(1, sizeof(*ex));
	if (!ex)
		return -ENOMEM;
	ex->sysroot = tpb_options_sysroot(options);
	ex->path = path;
	ret = tpb_chain_read(ex->sysroot, path->peer, &ex->peer);
	if (!ret)
		ret = examine(ex);
	free(ex);
	return ret;
}
