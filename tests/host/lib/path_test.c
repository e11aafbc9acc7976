// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the verdict on a path, on fake trees of real topologies: a switch
 * with and without ACS, two root ports, two host bridges, functions of one
 * device, a virtual function, integrated endpoints.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <tphbuf/tphbuf.h>

#include "fake_sys.h"
#include "fake_tree.h"
#include "tap.h"

#define ARRIVES		TPHBUF_VERDICT_ARRIVES
#define MAYBE		TPHBUF_VERDICT_MAY_BE_LOST
#define CANNOT		TPHBUF_VERDICT_CANNOT

#define EXPRESS		0x40
#define ACS		0x100
#define TPH		0x140

/* A function: where it is, and what its config space says. */
struct function {
	const char *place;	/* below sys/devices */
	unsigned int type;	/* PCI_EXP_TYPE_* */
	unsigned int completer;	/* DEVCAP2 bits 13:12 */
	bool prefix;
	bool blocks;		/* End-End TLP Prefix Blocking */
	unsigned int acs;	/* bits of the control register */
	bool requester;
	uint32_t tph;		/* capability register */
	uint32_t control;	/* control register */
	size_t readable;	/* bytes, 0 for all */
};

/* All modes, extended, a table of 64 entries in the capability; enabled for Extended tags. */
#define REQUESTER	.requester = true, .prefix = true, .tph = 0x003f0307, .control = 0x301
#define COMPLETER	.completer = 3, .prefix = true
#define ROOT_PORT(at)	{ .place = at, .type = PCI_EXP_TYPE_ROOT_PORT, COMPLETER }

#define ROOT		"pci0000:00/0000:00:01.0"
#define UPSTREAM	ROOT "/0000:01:00.0"
#define DOWN_DEVICE	UPSTREAM "/0000:02:00.0"
#define DOWN_PEER	UPSTREAM "/0000:02:01.0"
#define DEVICE		DOWN_DEVICE "/0000:03:00.0"
#define PEER		DOWN_PEER "/0000:04:00.0"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_options options;
static struct tphbuf_path path;

static void put(uint8_t *config, unsigned int at, uint32_t value)
{
	config[at] = value & 0xff;
	config[at + 1] = value >> 8 & 0xff;
	config[at + 2] = value >> 16 & 0xff;
	config[at + 3] = value >> 24;
}

static void fill(uint8_t config[4096], const struct function *function)
{
	memset(config, 0, 4096);
	config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	config[PCI_CAPABILITY_LIST] = EXPRESS;
	config[EXPRESS] = PCI_CAP_ID_EXP;
	config[EXPRESS + PCI_EXP_FLAGS] = (uint8_t)(2 | function->type << 4);
	put(config, EXPRESS + PCI_EXP_DEVCAP2, function->completer << 12 |
	    (function->prefix ? PCI_EXP_DEVCAP2_EE_PREFIX : 0));
	put(config, EXPRESS + PCI_EXP_DEVCTL2, function->blocks ? 0x8000 : 0);
	put(config, ACS, PCI_EXT_CAP_ID_ACS | 1 << 16 | TPH << 20);
	put(config, ACS + PCI_ACS_CAP, 0x7f | function->acs << 16);
	put(config, TPH, (function->requester ? PCI_EXT_CAP_ID_TPH : 0x3f) | 1 << 16);
	put(config, TPH + PCI_TPH_CAP, function->tph);
	put(config, TPH + 8, function->control);
}

static void add(const struct function *function)
{
	const char *bdf = strrchr(function->place, '/') + 1;
	char name[PATH_MAX], target[PATH_MAX];
	uint8_t config[4096];
	FILE *file;

	snprintf(name, sizeof(name), "sys/devices/%s", function->place);
	fake_tree_make_folder(root, name);
	fill(config, function);
	snprintf(name, sizeof(name), "%s/sys/devices/%s/config", root, function->place);
	file = fopen(name, "we");
	if (!file || fwrite(config, function->readable ? function->readable : sizeof(config), 1,
			    file) != 1 || fclose(file))
		bail_out("cannot write a config space");
	snprintf(name, sizeof(name), "%s/sys/bus/pci/devices/%s", root, bdf);
	snprintf(target, sizeof(target), "../../../devices/%s", function->place);
	if (symlink(target, name))
		bail_out("cannot make a link");
}

static void domain(const struct function *function, const char *type)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "sys/devices/%s/iommu_group", function->place);
	fake_tree_make_folder(root, name);
	fake_tree_write(root, type, "sys/devices/%s/iommu_group/type", function->place);
}

/* The last two functions are the device and the peer. */
static void start(const struct function *functions, size_t count, const char *type)
{
	fake_tree_create(root);
	options.sysroot = root;
	fake_sys_reset(root);
	for (size_t i = 0; i < count; i++)
		add(&functions[i]);
	if (type)
		domain(&functions[count - 1], type);
}

static const struct tphbuf_path_fact *fact(enum tphbuf_fact wanted, const char *bdf)
{
	for (uint32_t i = 0; i < path.nr_facts; i++)
		if (path.facts[i].fact == wanted && (!bdf || !strcmp(path.facts[i].bdf, bdf)))
			return &path.facts[i];
	return NULL;
}

static void ask(const char *what, const char *device, const char *peer, enum tphbuf_verdict st,
		enum tphbuf_verdict st_ext)
{
	unsigned int fds = fake_sys_open_fds();
	char line[512];

	is_int(tphbuf_path(device, peer, &options, &path), 0, "%s", what);
	is_str(tphbuf_verdict_name(path.st), tphbuf_verdict_name(st), "%s: 8-bit", what);
	is_str(tphbuf_verdict_name(path.st_ext), tphbuf_verdict_name(st_ext), "%s: Extended", what);
	for (uint32_t i = 0; i < path.nr_facts; i++) {
		tphbuf_path_text(&path.facts[i], line, sizeof(line));
		diag("%s", line);
	}
	is_int(fake_sys_open_fds(), fds, "%s: no file left open", what);
	is_int(fake_sys.sysfs_writes + fake_sys.device_opens, 0, "%s: nothing opened", what);
}

#define ASK(what, functions, type, st, st_ext) do { \
	const size_t count = sizeof(functions) / sizeof((functions)[0]); \
	const struct function *last = &(functions)[count - 1]; \
	start(functions, count, type); \
	ask(what, strrchr(last[-1].place, '/') + 1, strrchr(last->place, '/') + 1, st, st_ext); \
	fake_tree_remove(root); \
} while (0)

static void one_switch(void)
{
	struct function f[] = {
		ROOT_PORT(ROOT),
		{ .place = UPSTREAM, .type = PCI_EXP_TYPE_UPSTREAM, .prefix = true },
		{ .place = DOWN_DEVICE, .type = PCI_EXP_TYPE_DOWNSTREAM, .prefix = true },
		{ .place = DOWN_PEER, .type = PCI_EXP_TYPE_DOWNSTREAM, .prefix = true },
		{ .place = DEVICE, COMPLETER },
		{ .place = PEER, REQUESTER },
	};

	ASK("switch", f, "DMA-FQ", CANNOT, ARRIVES);
	ok(fact(TPHBUF_FACT_SWITCH, "0000:01:00.0"), "switch: which");
	ok(!fact(TPHBUF_FACT_ACS, NULL), "switch: no ACS");
	is_int(fact(TPHBUF_FACT_ST_TABLE, NULL)->value, 64, "switch: entries of the ST table");
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->st, ARRIVES,
	       "switch: the domain is no matter: bus addresses are not translated");
	f[5].control = 0x101;
	ASK("switch, 8-bit enabled", f, "DMA-FQ", ARRIVES, CANNOT);
	f[5].control = 0;
	ASK("switch, not enabled yet", f, "DMA-FQ", MAYBE, MAYBE);
	f[5].control = 0x301;
	f[3].acs = PCI_ACS_SV | PCI_ACS_RR;
	ASK("switch, ACS above the peer", f, "identity", CANNOT, MAYBE);
	is_hex(fact(TPHBUF_FACT_ACS, "0000:02:01.0")->value, PCI_ACS_RR, "switch, ACS: which bit");
	f[3].acs = PCI_ACS_SV | PCI_ACS_UF | PCI_ACS_DT;
	ASK("switch, ACS that does not redirect", f, "identity", CANNOT, ARRIVES);
	f[2].acs = PCI_ACS_CR;
	ASK("switch, ACS above the device", f, "identity", CANNOT, MAYBE);
	ok(fact(TPHBUF_FACT_ACS, "0000:02:00.0"), "switch, ACS above the device: which port");
	f[0].prefix = false;
	ASK("switch, ACS, no prefixes at the root port", f, "identity", CANNOT, CANNOT);
	ok(fact(TPHBUF_FACT_PREFIX, "0000:00:01.0"), "switch, ACS: a redirected prefix gets there");
	f[0].prefix = true;
	f[1].blocks = true;
	ASK("switch, ACS, prefixes blocked above it", f, "identity", CANNOT, CANNOT);
	is_int(fact(TPHBUF_FACT_PREFIX, "0000:01:00.0")->value, 1, "switch, ACS: blocked");
	f[1].blocks = false;
	ASK("switch, ACS, translated", f, "DMA", CANNOT, MAYBE);
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->st, MAYBE,
	       "switch, ACS: what is redirected is translated");
	f[2].acs = 0;
	f[0].acs = f[1].acs = PCI_ACS_RR;
	ASK("switch, ACS above it", f, "identity", CANNOT, ARRIVES);
	f[2].prefix = false;
	f[5].control = 0;
	ASK("switch without prefixes at a port", f, NULL, MAYBE, CANNOT);
	ok(fact(TPHBUF_FACT_PREFIX, "0000:02:00.0"), "switch without prefixes: which port");
	is_int(fact(TPHBUF_FACT_PREFIX, NULL)->value, 0, "switch without prefixes: not supported");
	f[2].prefix = true;
	f[2].blocks = true;
	ASK("switch that blocks prefixes at a port", f, NULL, MAYBE, CANNOT);
	is_int(fact(TPHBUF_FACT_PREFIX, "0000:02:00.0")->value, 1, "switch that blocks: which");
	f[2].blocks = false;
	f[4].blocks = true;
	ASK("device with the bit of ports, which it does not have", f, NULL, MAYBE, MAYBE);
	f[4].blocks = false;
	f[1].prefix = false;
	ASK("switch without prefixes above", f, NULL, MAYBE, MAYBE);
	f[0].completer = 0;
	ASK("root port that completes nothing", f, NULL, CANNOT, CANNOT);
	is_int(fact(TPHBUF_FACT_ROOT_PORT, "0000:00:01.0")->value, TPHBUF_COMPLETER_NONE,
	       "root port: what");
	f[0].completer = 1;
	ASK("root port that completes 8-bit tags", f, NULL, MAYBE, CANNOT);
	f[0].completer = 3;
	f[4].completer = 2;
	ASK("device with the reserved value", f, NULL, CANNOT, CANNOT);
	f[4].completer = 1;
	ASK("device for 8-bit tags", f, NULL, MAYBE, CANNOT);
	f[4].completer = 3;
	f[5].tph = 0x00000001;
	ASK("peer that sends tag 0 only", f, NULL, CANNOT, CANNOT);
	f[5].requester = false;
	ASK("peer without TPH", f, NULL, CANNOT, CANNOT);
	ok(!fact(TPHBUF_FACT_MODES, NULL), "peer without TPH: no more about it");
}

static void roots(void)
{
	struct function f[] = {
		ROOT_PORT("pci0000:00/0000:00:01.0"),
		ROOT_PORT("pci0000:00/0000:00:02.0"),
		{ .place = "pci0000:00/0000:00:01.0/0000:01:00.0", COMPLETER },
		{ .place = "pci0000:00/0000:00:02.0/0000:02:00.0", REQUESTER },
	};
	struct function far[] = {
		ROOT_PORT("pci0000:00/0000:00:01.0"),
		ROOT_PORT("pci0000:80/0000:80:01.0"),
		{ .place = "pci0000:00/0000:00:01.0/0000:01:00.0", COMPLETER },
		{ .place = "pci0000:80/0000:80:01.0/0000:81:00.0", REQUESTER },
	};
	const struct function integrated[] = {
		{ .place = "pci0000:00/0000:00:04.0", .type = PCI_EXP_TYPE_RC_END, COMPLETER },
		{ .place = "pci0000:00/0000:00:05.0", .type = PCI_EXP_TYPE_RC_END, REQUESTER },
	};

	f[0].acs = f[1].acs = PCI_ACS_RR;
	ASK("two root ports with ACS", f, "identity", CANNOT, MAYBE);
	ok(!fact(TPHBUF_FACT_ACS, NULL), "two root ports with ACS: it is no matter");
	ASK("two root ports, identity", f, "identity", CANNOT, MAYBE);
	ok(fact(TPHBUF_FACT_ROOT_COMPLEX, NULL), "two root ports: through the root complex");
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->st, ARRIVES,
	       "two root ports: identity is no matter");
	ASK("two root ports, translated", f, "DMA", CANNOT, MAYBE);
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->st, MAYBE, "two root ports: translation is");
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->value, 1, "two root ports: translated");
	ASK("two root ports, no group", f, NULL, CANNOT, MAYBE);
	is_int(fact(TPHBUF_FACT_DOMAIN, NULL)->value, 2, "two root ports: domain not known");
	f[0].prefix = false;
	ASK("two root ports, no prefixes above the device", f, "identity", CANNOT, CANNOT);
	ASK("two host bridges", far, "identity", CANNOT, MAYBE);
	ok(fact(TPHBUF_FACT_HOST_BRIDGES, NULL), "two host bridges: that they are");
	ASK("integrated endpoints", integrated, "identity", CANNOT, MAYBE);
	ok(!fact(TPHBUF_FACT_ROOT_PORT, NULL), "integrated endpoints: no root port");
	ok(fact(TPHBUF_FACT_ROOT_COMPLEX, NULL), "integrated endpoints: the root complex");
}

static void one_device(void)
{
	struct function f[] = {
		ROOT_PORT(ROOT),
		{ .place = ROOT "/0000:01:00.0", COMPLETER },
		{ .place = ROOT "/0000:01:00.1", REQUESTER },
	};
	struct function virtual[] = {
		ROOT_PORT(ROOT),
		{ .place = ROOT "/0000:01:00.0", COMPLETER },
		{ .place = ROOT "/0000:01:02.3", REQUESTER },
	};

	ASK("two functions", f, "DMA", CANNOT, ARRIVES);
	ok(fact(TPHBUF_FACT_SAME_DEVICE, NULL), "two functions: of one device");
	f[2].acs = PCI_ACS_RR;
	ASK("two functions, ACS", f, "DMA", CANNOT, MAYBE);
	ok(fact(TPHBUF_FACT_ACS, "0000:01:00.1"), "two functions, ACS: of the peer");
	ASK("virtual function", virtual, "DMA", CANNOT, ARRIVES);
	ok(fact(TPHBUF_FACT_SAME_DEVICE, NULL), "virtual function: of the same device");
}

static void ordinary_user(void)
{
	const struct function f[] = {
		{ .place = ROOT, .type = PCI_EXP_TYPE_ROOT_PORT, COMPLETER, .readable = 64 },
		{ .place = UPSTREAM, .type = PCI_EXP_TYPE_UPSTREAM, .readable = 64 },
		{ .place = DOWN_DEVICE, .type = PCI_EXP_TYPE_DOWNSTREAM, .readable = 64 },
		{ .place = DOWN_PEER, .type = PCI_EXP_TYPE_DOWNSTREAM, .readable = 64 },
		{ .place = DEVICE, COMPLETER, .readable = 64 },
		{ .place = PEER, REQUESTER, .readable = 64 },
	};
	unsigned int unread = 0;

	ASK("ordinary user", f, "DMA", MAYBE, MAYBE);
	for (uint32_t i = 0; i < path.nr_facts; i++)
		unread += path.facts[i].fact == TPHBUF_FACT_NOT_READABLE;
	ok(!fact(TPHBUF_FACT_ACS, NULL) && !fact(TPHBUF_FACT_PREFIX, NULL),
	   "ordinary user: nothing is said of what was not read");
	is_int(unread, 6, "ordinary user: each function that was not readable, once");
}

static void names(void)
{
	const struct function f[] = {
		ROOT_PORT(ROOT), { .place = ROOT "/0000:01:00.0", COMPLETER },
		{ .place = ROOT "/0000:01:00.1", REQUESTER },
	};
	struct tphbuf_options wrong = { .flags = 1 };

	start(f, 3, "identity");
	is_int(tphbuf_path("01:00.0", "0000:01:00.9", &options, &path), 0, "a bad name");
	is_int(path.reason, TPHBUF_REASON_BAD_NAME, "a bad name: reason");
	is_str(path.missing, "0000:01:00.9", "a bad name: which");
	is_int(tphbuf_path("02:00.0", "01:00.1", &options, &path), 0, "no device");
	is_int(path.reason, TPHBUF_REASON_NOT_FOUND, "no device: reason");
	is_str(path.missing, "02:00.0", "no device: which");
	is_int(tphbuf_path("01:00.0", "01:00.1", &wrong, &path), -EINVAL, "a flag");
	fake_tree_write(root, "quiet pci=notph", "proc/cmdline");
	ask("notph", "01:00.0", "01:00.1", CANNOT, CANNOT);
	ok(fact(TPHBUF_FACT_COMMAND_LINE, NULL), "notph: says so");
	is_str(tphbuf_fact_name(999), "unknown", "a fact of a later version");
	is_str(tphbuf_verdict_name(9), "unknown", "a verdict of a later version");
	fake_tree_remove(root);
}

/* Each call to the system fails in turn. */
static void failures(void)
{
	const struct function f[] = {
		ROOT_PORT("pci0000:00/0000:00:01.0"), ROOT_PORT("pci0000:00/0000:00:02.0"),
		{ .place = "pci0000:00/0000:00:01.0/0000:01:00.0", COMPLETER },
		{ .place = "pci0000:00/0000:00:02.0/0000:02:00.0", REQUESTER },
	};
	unsigned int fds = fake_sys_open_fds(), n = 0;
	bool good = true;

	start(f, 4, "identity");
	do {
		fake_sys.fail_at = ++n;
		fake_sys.fail_errno = EIO;
		fake_sys.calls = 0;
		fake_sys.failed_call = NULL;
		if (!tphbuf_path("01:00.0", "02:00.0", &options, &path) && fake_sys.failed_call &&
		    strcmp(fake_sys.failed_call, "close")) {
			/* The command line is the one that it does without. */
			good &= path.st_ext == MAYBE;
		}
		good &= fake_sys_open_fds() == fds;
	} while (fake_sys.failed_call && n < 200);
	ok(good && n > 20, "%u failures", n - 1);
	fake_tree_remove(root);
}

int main(void)
{
	one_switch();
	roots();
	one_device();
	ordinary_user();
	names();
	failures();
	return done_testing();
}
