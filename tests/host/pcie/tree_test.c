// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the fabric as a tree. Where a request turns, what each port and the root complex do
 * with it, what arrives and what the trace says of it.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/path.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"
#include "trace_lines.h"

#define BAR(n)		(0x380000000000ull + (n) * 0x100000000ull)
#define BAR_SIZE	0x10000ull
#define RAM		0x40000000ull
#define ALL_REDIRECT	(PCIE_ACS_REQUEST_REDIRECT | PCIE_ACS_UPSTREAM_FORWARDING)

static struct fabric *fabric;
static struct trace *trace;
static int trace_fd, ram_fd;
static char text[65536];
static off_t seen;

static const struct tlp_hint hint8 = { .present = true, .ph = 2, .st = 0x12 };
static const struct tlp_hint hint16 = { .present = true, .extended = true, .ph = 1, .st = 0x3412 };

/*
 *	rp0					rp1
 *	sw0					function f
 *	dp0a		dp0b
 *	function a	sw1
 *			dp1a		dp1b
 *			function b	function c
 */
static const struct {
	const char *name;
	enum pcie_port_kind kind;
	const char *above;
} tree[] = {
	{ "rp0", PCIE_PORT_ROOT, NULL },
	{ "rp1", PCIE_PORT_ROOT, NULL },
	{ "sw0", PCIE_PORT_UPSTREAM, "rp0" },
	{ "dp0a", PCIE_PORT_DOWNSTREAM, "sw0" },
	{ "dp0b", PCIE_PORT_DOWNSTREAM, "sw0" },
	{ "sw1", PCIE_PORT_UPSTREAM, "dp0b" },
	{ "dp1a", PCIE_PORT_DOWNSTREAM, "sw1" },
	{ "dp1b", PCIE_PORT_DOWNSTREAM, "sw1" },
};

static struct pcie_port *port(const char *name)
{
	struct pcie_port *found = fabric_find_port(fabric, name);

	if (!found)
		bail_out("there is no port %s", name);
	return found;
}

static int add_port(const char *name, enum pcie_port_kind kind, struct pcie_port *above)
{
	struct pcie_port new = { .kind = kind, .above = above, .end_end_prefix = true,
				 .completer = TPH_COMPLETER_EXTENDED, .max_payload = 4096 };

	strcpy(new.name, name);
	return fabric_add_port(fabric, &new);
}

static void grow(void)
{
	trace_fd = memfd_create("trace", MFD_CLOEXEC);
	trace = trace_create(&(struct trace_options){ .text = dup(trace_fd), .pcapng = -1 });
	seen = 0;
	fabric = fabric_create(trace);
	for (unsigned int i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
		if (add_port(tree[i].name, tree[i].kind,
			     tree[i].above ? port(tree[i].above) : NULL))
			bail_out("cannot add %s", tree[i].name);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ftruncate(ram_fd, BAR_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
}

/* A function with a BAR at BAR(@bus), which reaches guest memory and the BARs of the others. */
static struct fake_device *attach(const char *name, uint8_t bus, const char *below)
{
	struct fake_options options = {
		.name = name,
		.bdf = bus << 8,
		.bar2_size = BAR_SIZE,
		.end_end_prefix = true,
		.is_completer = true,
	};
	struct fake_device *fake;

	if (below)
		options.port = port(below);
	fake = fake_device_attach(fabric, &options);
	fake_device_enable(fake, 0xfe000000 + bus * 0x1000, BAR(bus));
	fake_device_sizes(fake, 512, 512);
	for (unsigned int other = 1; other < 16; other++)
		if (pci_function_dma_map(fake->fn, BAR(other), BAR_SIZE, true, true, -1, 0))
			bail_out("cannot map");
	if (pci_function_dma_map(fake->fn, RAM, BAR_SIZE, true, true, ram_fd, 0))
		bail_out("cannot map");
	return fake;
}

static void fell(struct fake_device *const *devices, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		pci_function_connect(devices[i]->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	close(trace_fd);
	close(ram_fd);
}

static int do_write(struct fake_device *from, uint64_t address, size_t len,
		    const struct tlp_hint *hint)
{
	static const uint8_t bytes[512] = { 0x5a };
	struct tlp_properties properties = { 0 };
	int ret;

	if (hint)
		properties.hint = *hint;
	fabric_lock(fabric);
	ret = fabric_write(from->fn, address, bytes, len, &properties, NULL);
	fabric_unlock(fabric);
	return ret;
}

/* What the last line of the trace says behind "be=", "" without a new line. */
static const char *outcome(void)
{
	char *last, *found;
	ssize_t n;

	trace_flush(trace);
	n = pread(trace_fd, text, sizeof(text) - 1, seen);
	text[n < 0 ? 0 : n] = '\0';
	seen += n < 0 ? 0 : n;
	trace_lines_plain(text);
	text[strcspn(text, "\n")] = '\0';
	last = strstr(text, "result=");
	found = last ? last : text + strlen(text);
	return found;
}

/* A write of @len bytes: how it ends, and the hint that the completer sees. */
static void check(const char *what, struct fake_device *from, struct fake_device *to, size_t len,
		  const struct tlp_hint *hint, const char *want)
{
	bool arrives = !strncmp(want, "result=ok", 9) ||
		       !strncmp(want, "result=hint-dropped", 19);
	unsigned int writes = to->writes;
	uint64_t memory = BAR(pci_function_bdf(to->fn) >> 8);
	int ret = do_write(from, memory, len, hint);

	is_str(outcome(), want, "%s", what);
	is_int(ret == 0, arrives, "  the requester learns it");
	is_int(to->writes - writes, arrives, "  the completer %s",
	       arrives ? "has it" : "has nothing");
	if (arrives && hint)
		is_int(to->last.hint.present, !strcmp(want, "result=ok"), "  and its hint");
}

static void test_direct(void)
{
	struct fake_device *d[4];

	grow();
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("c", 7, "dp1b");
	d[3] = attach("flat", 9, NULL);
	check("below one switch, 8 bits", d[1], d[2], 64, &hint8, "result=ok");
	check("below one switch, 16 bits", d[1], d[2], 64, &hint16, "result=ok");
	check("from the lower switch to the upper", d[1], d[0], 64, &hint16, "result=ok");
	check("from the upper switch to the lower", d[0], d[2], 64, &hint16, "result=ok");
	check("a longer payload", d[0], d[2], 512, NULL, "result=ok");
	check("to the switch that passes everything", d[0], d[3], 64, &hint16,
	      "result=hint-dropped at=rc");
	check("and from it", d[3], d[0], 64, &hint8, "result=hint-dropped at=rc");
	check("without a hint", d[3], d[0], 64, NULL, "result=ok");
	fell(d, 4);
}

/* The requester's domain is translated: its map has no bus addresses. */
static void test_without_map(void)
{
	struct fake_device *d[4];

	grow();
	port("dp0b")->acs = ALL_REDIRECT;
	port("rp0")->acs = PCIE_ACS_UPSTREAM_FORWARDING;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("f", 8, "rp1");
	d[3] = attach("flat", 9, NULL);
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int other = 1; other < 16; other++)
			if (pci_function_dma_unmap(d[i]->fn, BAR(other), BAR_SIZE))
				bail_out("cannot unmap");
	check("bus address below one switch", d[0], d[1], 64, &hint16, "result=ok");
	check("the same again", d[0], d[1], 64, &hint8, "result=ok");
	check("bus address of another root port", d[0], d[2], 64, &hint16, "result=fault");
	check("below one switch after that", d[0], d[1], 64, &hint8, "result=ok");
	check("from the switch that passes everything", d[3], d[0], 64, &hint8, "result=fault");
	check("redirected", d[1], d[0], 64, &hint8, "result=fault");
	fell(d, 4);
}

static void test_two_root_ports(const char *what, enum tph_completer completer, bool keep,
				const char *want8, const char *want16)
{
	struct pcie_root_complex root = { .keeps_hints = keep };
	struct fake_device *d[2];

	grow();
	fabric_set_root_complex(fabric, &root);
	port("rp0")->completer = completer;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("f", 8, "rp1");
	diag("%s", what);
	check("8 bits", d[0], d[1], 64, &hint8, want8);
	check("16 bits", d[0], d[1], 64, &hint16, want16);
	fell(d, 2);
}

static void test_root_complex(void)
{
	struct pcie_root_complex refuses = { .refuses_peers = true, .keeps_hints = true };
	struct fake_device *d[2];

	test_two_root_ports("hints=drop", TPH_COMPLETER_EXTENDED, false,
			    "result=hint-dropped at=rc", "result=hint-dropped at=rc");
	test_two_root_ports("hints=keep", TPH_COMPLETER_EXTENDED, true, "result=ok", "result=ok");
	test_two_root_ports("hints=keep, 8 bits", TPH_COMPLETER_8BIT, true, "result=ok",
			    "result=hint-dropped at=rp0");
	test_two_root_ports("hints=keep, no completer", TPH_COMPLETER_NONE, true,
			    "result=hint-dropped at=rp0", "result=hint-dropped at=rp0");
	test_two_root_ports("hints=keep, reserved", TPH_COMPLETER_RESERVED, true,
			    "result=hint-dropped at=rp0", "result=hint-dropped at=rp0");
	grow();
	fabric_set_root_complex(fabric, &refuses);
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("f", 8, "rp1");
	check("peer=no", d[0], d[1], 64, &hint8, "result=ur at=rc");
	check("peer=no, the other way", d[1], d[0], 64, NULL, "result=ur at=rc");
	is_int(do_write(d[0], RAM, 64, &hint8), 0, "memory is no peer");
	is_str(outcome(), "result=ok", "  and reached");
	fell(d, 2);
}

static void test_redirect(void)
{
	struct fake_device *d[3];

	grow();
	port("dp1a")->acs = PCIE_ACS_REQUEST_REDIRECT | PCIE_ACS_DIRECT_TRANSLATED;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("c", 7, "dp1b");
	check("redirected, and turned back above", d[1], d[2], 64, &hint8, "result=ur at=dp0b");
	check("the other way is not redirected", d[2], d[1], 64, &hint8, "result=ok");
	check("nor what goes up anyway", d[1], d[0], 64, &hint8, "result=ok");
	fell(d, 3);

	grow();
	port("dp1a")->acs = ALL_REDIRECT;
	port("dp0b")->acs = PCIE_ACS_UPSTREAM_FORWARDING;
	d[0] = attach("b", 6, "dp1a");
	d[1] = attach("c", 7, "dp1b");
	check("and turned back at the root port", d[0], d[1], 64, &hint8, "result=ur at=rp0");
	fell(d, 2);

	grow();
	for (unsigned int i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
		if (tree[i].kind != PCIE_PORT_UPSTREAM)
			port(tree[i].name)->acs = ALL_REDIRECT;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("c", 7, "dp1b");
	check("redirected to the root complex", d[1], d[2], 64, &hint8,
	      "result=hint-dropped at=rc");
	check("with 16 bits", d[1], d[2], 64, &hint16, "result=hint-dropped at=rc");
	check("in the upper switch", d[1], d[0], 64, &hint16, "result=hint-dropped at=rc");
	is_int(do_write(d[0], RAM, 64, &hint8), 0, "memory is not redirected");
	is_str(outcome(), "result=ok", "  and reached");
	fell(d, 3);
}

static void test_prefix(void)
{
	struct fake_device *d[3];

	grow();
	port("sw1")->end_end_prefix = false;
	port("dp1a")->end_end_prefix = false;
	port("dp1b")->end_end_prefix = false;
	port("rp1")->end_end_prefix = false;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("f", 8, "rp1");
	check("8 bits need no prefix", d[0], d[1], 64, &hint8, "result=ok");
	check("down", d[0], d[1], 64, &hint16, "result=malformed at=sw1");
	check("up", d[1], d[0], 64, &hint16, "result=malformed at=dp1a");
	check("dropped before it is an error", d[0], d[2], 64, &hint16,
	      "result=hint-dropped at=rc");
	is_int(do_write(d[2], RAM, 64, &hint16), -EBADMSG, "to memory");
	is_str(outcome(), "result=malformed at=rp1", "  through a root port");
	is_int(do_write(d[2], RAM, 64, &hint8), 0, "with 8 bits");
	is_str(outcome(), "result=ok", "  it arrives");
	is_int(d[1]->malformed, 0, "the completer knows nothing of it");
	fell(d, 3);
}

static void test_max_payload(void)
{
	struct fake_device *d[3];
	uint8_t buf[512];

	grow();
	port("sw1")->max_payload = 256;
	port("rp1")->max_payload = 128;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("f", 8, "rp1");
	check("of the smallest hop", d[0], d[1], 256, NULL, "result=ok");
	check("above it", d[0], d[1], 512, NULL, "result=malformed at=sw1");
	check("behind the root complex", d[0], d[2], 256, &hint8, "result=malformed at=rp1");
	check("up", d[2], d[0], 256, NULL, "result=malformed at=rp1");
	is_int(do_write(d[2], RAM, 256, NULL), -EBADMSG, "to memory");
	is_str(outcome(), "result=malformed at=rp1", "  through a root port");
	fabric_lock(fabric);
	is_int(fabric_read(d[0]->fn, BAR(8), buf, 512, NULL), 0, "reads have no payload");
	fabric_unlock(fabric);
	fell(d, 3);
}

/* The way to the last target is kept; another target has another. */
static void test_kept_way(void)
{
	struct fake_device *d[3];
	unsigned int wrong = 0;

	grow();
	port("dp1a")->acs = ALL_REDIRECT;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("f", 8, "rp1");
	for (unsigned int i = 0; i < 60; i++) {
		struct fake_device *to = d[1 + i % 7 % 2];
		bool direct = to == d[1];

		wrong += do_write(d[0], BAR(pci_function_bdf(to->fn) >> 8), 64, &hint16) != 0;
		wrong += to->last.hint.present != direct;
	}
	is_int(wrong, 0, "two targets by turns");
	fell(d, 3);
}

static void test_one_device(void)
{
	struct fake_options options = { .name = "second", .bdf = 0x801, .bar2_size = BAR_SIZE,
					.end_end_prefix = true, .is_completer = true };
	struct fake_device *d[2];

	grow();
	port("rp1")->end_end_prefix = false;
	d[0] = attach("f", 8, "rp1");
	options.port = port("rp1");
	d[1] = fake_device_attach(fabric, &options);
	fake_device_enable(d[1], 0xfe100000, BAR(15));
	is_int(do_write(d[0], BAR(15), 64, &hint16), 0, "functions of one device");
	is_str(outcome(), "result=ok", "  meet before the port");
	is_int(d[1]->writes, 1, "  which does not see it");
	options = (struct fake_options){ .name = "third", .bdf = 0x808, .port = port("rp1") };
	is_int(pci_function_attach(fake_device_new(&options)->fn, fabric), -EBUSY,
	       "another device at the same link");
	options = (struct fake_options){ .name = "third", .bdf = 0x908, .port = port("sw0") };
	is_int(pci_function_attach(fake_device_new(&options)->fn, fabric), -EINVAL,
	       "a device below an upstream port");
	options = (struct fake_options){ .name = "third", .bdf = 0x908, .port = port("dp0b") };
	is_int(pci_function_attach(fake_device_new(&options)->fn, fabric), -EBUSY,
	       "a device where a switch is");
	fell(d, 2);
}

static void judge(const char *what, const struct pcie_path *path, struct tlp tlp,
		  enum tlp_result result, const char *at)
{
	struct pcie_verdict verdict = pcie_path_judge(path, &tlp);

	is_int(verdict.result, result, "%s", what);
	is_str(verdict.at ? verdict.at : "", at, "  at its place");
}

static void test_source_validation(void)
{
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x600, .length = 1, .hint = hint8 };
	struct pcie_root_complex root = { 0 };
	struct fake_device *d[3];
	struct pcie_path path;

	grow();
	port("dp1a")->acs = PCIE_ACS_SOURCE_VALIDATION;
	port("rp0")->acs = PCIE_ACS_SOURCE_VALIDATION;
	d[0] = attach("a", 3, "dp0a");
	d[1] = attach("b", 6, "dp1a");
	d[2] = attach("c", 7, "dp1b");
	pcie_path_find(&path, port("dp1a"), port("dp1b"), false, &root);
	judge("the bus of the function", &path, tlp, TLP_OK, "");
	tlp.requester = 0x6ff;
	judge("any function of it", &path, tlp, TLP_OK, "");
	tlp.requester = 0x700;
	judge("the bus of another port", &path, tlp, TLP_BLOCKED, "dp1a");
	tlp.requester = 0x500;
	judge("a bus below", &path, tlp, TLP_BLOCKED, "dp1a");
	pcie_path_find(&path, port("dp1b"), NULL, false, &root);
	judge("a port without it lets it pass", &path, tlp, TLP_HINT_DROPPED, "rc");
	tlp.requester = 0x200;
	judge("which a port above does not", &path, tlp, TLP_BLOCKED, "rp0");
	pcie_path_find(&path, NULL, port("dp1a"), false, &root);
	judge("a port does not validate what goes down", &path, tlp, TLP_HINT_DROPPED, "rc");
	fell(d, 3);
}

static void test_translated(void)
{
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x600, .length = 1, .hint = hint8 };
	struct pcie_root_complex root = { 0 };
	struct pcie_path path;

	grow();
	port("dp0b")->acs = PCIE_ACS_UPSTREAM_FORWARDING;
	port("rp0")->acs = PCIE_ACS_UPSTREAM_FORWARDING;
	port("dp1a")->acs = PCIE_ACS_REQUEST_REDIRECT;
	pcie_path_find(&path, port("dp1a"), port("dp1b"), true, &root);
	judge("translated, without Direct Translated", &path, tlp, TLP_HINT_DROPPED, "rc");
	port("dp1a")->acs |= PCIE_ACS_DIRECT_TRANSLATED;
	pcie_path_find(&path, port("dp1a"), port("dp1b"), true, &root);
	judge("translated, with it", &path, tlp, TLP_OK, "");
	pcie_path_find(&path, port("dp1a"), port("dp1b"), false, &root);
	judge("not translated, with it", &path, tlp, TLP_HINT_DROPPED, "rc");
	fell(NULL, 0);
}

static void test_places(void)
{
	char name[16] = "";
	int ret = 0;

	grow();
	is_int(add_port("rp0", PCIE_PORT_ROOT, NULL), -EEXIST, "a name that is taken");
	is_int(add_port("x", PCIE_PORT_ROOT, port("rp0")), -EINVAL, "a root port below a port");
	is_int(add_port("x", PCIE_PORT_UPSTREAM, NULL), -EINVAL, "a switch below nothing");
	is_int(add_port("x", PCIE_PORT_UPSTREAM, port("sw0")), -EINVAL, "a switch below a switch");
	is_int(add_port("x", PCIE_PORT_DOWNSTREAM, port("rp0")), -EINVAL,
	       "a downstream port below a root port");
	is_int(add_port("x", PCIE_PORT_UPSTREAM, port("dp0b")), -EBUSY, "two switches on a link");
	port("sw0")->end_end_prefix = false;
	is_int(add_port("x", PCIE_PORT_DOWNSTREAM, port("sw0")), -EXDEV,
	       "prefix support other than that of the switch");
	for (unsigned int i = 0; i < 20 && !ret; i++) {
		struct pcie_port *above = i ? port(name) : port("rp1");

		snprintf(name, sizeof(name), "chain%u", i);
		ret = add_port(name, i % 2 ? PCIE_PORT_DOWNSTREAM : PCIE_PORT_UPSTREAM, above);
	}
	is_int(ret, -E2BIG, "a chain that is too long");
	is_str(name, "chain14", "  of 15 ports and the one too many");
	fell(NULL, 0);
}

static void test_longest_way(void)
{
	static const char *const roots[] = { "left", "right" };
	struct tlp tlp = { .type = TLP_MWR, .requester = 0x100, .length = 1, .hint = hint16 };
	struct pcie_root_complex root = { .keeps_hints = true };
	struct pcie_port *ends[2];
	struct pcie_path path;
	char name[32];

	grow();
	for (unsigned int r = 0; r < 2; r++) {
		if (add_port(roots[r], PCIE_PORT_ROOT, NULL))
			bail_out("cannot add a port");
		ends[r] = port(roots[r]);
		for (unsigned int i = 1; i < PCIE_PORT_DEPTH_MAX; i++) {
			snprintf(name, sizeof(name), "%s%u", roots[r], i);
			if (add_port(name, i % 2 ? PCIE_PORT_UPSTREAM : PCIE_PORT_DOWNSTREAM,
				     ends[r]))
				bail_out("cannot add a port");
			ends[r] = port(name);
		}
	}
	pcie_path_find(&path, ends[0], ends[1], false, &root);
	is_int(path.count, PCIE_PATH_HOPS_MAX, "the longest way");
	judge("is one", &path, tlp, TLP_OK, "");
	fell(NULL, 0);
}

int main(void)
{
	test_direct();
	test_without_map();
	test_root_complex();
	test_redirect();
	test_prefix();
	test_max_payload();
	test_kept_way();
	test_one_device();
	test_source_validation();
	test_translated();
	test_places();
	test_longest_way();
	return done_testing();
}
