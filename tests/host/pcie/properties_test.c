// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: what a requester asks for its requests. Hints on reads and AtomicOps, ordering
 * attributes, translated addresses; what of them is sent, and what the fabric makes of it.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/path.h"
#include "pcie/port.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"
#include "trace_lines.h"

#define PEER_BAR 0x380000000000ull
#define FAR_BAR	 0x390000000000ull
#define BAR_SIZE 0x10000ull
#define RAM	 0x40000000ull

static struct fabric *fabric;
static struct trace *trace;
static struct fake_device *requester, *peer, *far;
static int trace_fd, ram_fd;

static const struct tlp_properties hint8 = { .hint = { .present = true, .ph = 1, .st = 0x12 } };
static const struct tlp_properties hint16 = {
	.hint = { .present = true, .extended = true, .ph = 2, .st = 0x4305 }
};

static void add_port(const char *name, enum pcie_port_kind kind, const char *above,
		     unsigned int acs)
{
	struct pcie_port port = { .kind = kind, .end_end_prefix = true, .acs = acs,
				  .completer = TPH_COMPLETER_EXTENDED, .max_payload = 4096,
				  .above = above ? fabric_find_port(fabric, above) : NULL };

	strcpy(port.name, name);
	is_int(fabric_add_port(fabric, &port), 0, "port %s", name);
}

static struct fake_device *attach(const char *name, uint16_t bdf, const char *below,
				  uint64_t memory)
{
	struct fake_device *fake = fake_device_attach(fabric, &(struct fake_options){
		.name = name, .bdf = bdf, .port = fabric_find_port(fabric, below),
		.bar2_size = BAR_SIZE, .end_end_prefix = bdf != 0x300, .is_completer = true,
		.atomic_completer = true, .atomic_requester = true, .ordering = true, .ats = true,
	});

	fake_device_enable(fake, 0xfe000000 + bdf * 16u, memory);
	return fake;
}

/* A peer below the same switch, whose port redirects, and one that knows no prefixes. */
static void setup(unsigned int acs)
{
	trace_fd = memfd_create("trace", MFD_CLOEXEC);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, BAR_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
	trace = trace_create(&(struct trace_options){ .text = dup(trace_fd), .pcapng = -1 });
	fabric = fabric_create(trace);
	add_port("rp", PCIE_PORT_ROOT, NULL, PCIE_ACS_UPSTREAM_FORWARDING);
	add_port("sw", PCIE_PORT_UPSTREAM, "rp", 0);
	add_port("from", PCIE_PORT_DOWNSTREAM, "sw", acs);
	add_port("to", PCIE_PORT_DOWNSTREAM, "sw", 0);
	add_port("old", PCIE_PORT_DOWNSTREAM, "sw", 0);
	requester = attach("requester", 0x100, "from", 0x370000000000ull);
	peer = attach("peer", 0x200, "to", PEER_BAR);
	far = attach("far", 0x300, "old", FAR_BAR);
	pci_function_dma_map(requester->fn, RAM, BAR_SIZE, true, true, ram_fd, 0);
	pci_function_dma_map(requester->fn, PEER_BAR, BAR_SIZE, true, true, -1, 0);
	pci_function_dma_map(requester->fn, FAR_BAR, BAR_SIZE, true, true, -1, 0);
}

static void teardown(void)
{
	pci_function_connect(requester->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	pci_function_connect(far->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	close(ram_fd);
	close(trace_fd);
}

static char text[8192];

/* What the trace says of the last TLP behind its type. */
static const char *last(void)
{
	char *line;
	ssize_t n;

	trace_flush(trace);
	n = pread(trace_fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	trace_lines_plain(text);
	if (n <= 0)
		return "nothing";
	text[strlen(text) - 1] = '\0';
	line = strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text;
	return strstr(line, " M") ? strstr(line, " M") + 1 : strrchr(line, '>') + 10;
}

static int do_read(uint64_t address, size_t len, const struct tlp_properties *properties)
{
	uint8_t buf[512];
	int ret;

	fabric_lock(fabric);
	ret = fabric_read(requester->fn, address, buf, len, properties);
	fabric_unlock(fabric);
	return ret;
}

static int do_atomic(uint64_t address, const struct tlp_properties *properties)
{
	const uint64_t operand = 1;
	uint64_t before;
	int ret;

	fabric_lock(fabric);
	ret = fabric_atomic(requester->fn, TLP_FETCH_ADD, address, &operand, &before, properties);
	fabric_unlock(fabric);
	return ret;
}

static int do_write(uint64_t address, const struct tlp_properties *properties)
{
	int ret;

	fabric_lock(fabric);
	ret = fabric_write(requester->fn, address, "data", 4, properties, NULL);
	fabric_unlock(fabric);
	return ret;
}

/* The steering tag takes the place of the byte enables, which are then all set (2.2.7.1.1). */
static void test_hints(void)
{
	setup(0);
	is_int(do_read(PEER_BAR, 64, &hint16), 0, "a read of whole DWs");
	is_str(last(), "MRd64 0x0000380000000000 len=64 th=1 ph=2 st-ext=0x4305 be=f/f result=ok",
	       "  has a hint");
	is_int(do_read(PEER_BAR + 4, 4, &hint8), 0, "of one DW");
	is_str(last(), "MRd64 0x0000380000000004 len=4 th=1 ph=1 st=0x12 be=f/0 result=ok",
	       "  has one too");
	is_int(do_read(PEER_BAR + 1, 64, &hint8), 0, "a read of parts of DWs");
	is_str(last(), "MRd64 0x0000380000000000 len=64 th=0 be=e/1 result=ok",
	       "  cannot say which with a hint, and has none");
	is_int(do_atomic(PEER_BAR + 8, &hint16), 0, "an AtomicOp");
	is_str(last(), "FAdd64 0x0000380000000008 len=8 th=1 ph=2 st-ext=0x4305 be=f/f result=ok",
	       "  has a hint");
	is_int(do_read(FAR_BAR, 64, &hint16), -EBADMSG, "a prefix to who supports none");
	is_str(last(), "MRd64 0x0000390000000000 len=64 th=1 ph=2 st-ext=0x4305 be=f/f "
		       "result=malformed", "  is malformed on a read as well");
	is_int(do_atomic(FAR_BAR, &hint16), -EBADMSG, "  on an AtomicOp");
	is_int(do_read(FAR_BAR, 64, &hint8), 0, "  an 8-bit tag has none");
	is_int(do_read(RAM, 64, &hint16), 0, "from memory");
	is_str(last(), "MRd32 0x0000000040000000 len=64 th=1 ph=2 st-ext=0x4305 be=f/f result=ok",
	       "  the hint ends at the root complex");
	teardown();

	setup(PCIE_ACS_REQUEST_REDIRECT);
	is_int(do_read(PEER_BAR, 64, &hint16), 0, "redirected");
	is_str(last(), "MRd64 0x0000380000000000 len=64 th=1 ph=2 st-ext=0x4305 be=f/f "
		       "result=hint-dropped at=rc", "  a read loses its hint as a write does");
	is_int(do_atomic(PEER_BAR, &hint16), 0, "an AtomicOp");
	ok(strstr(last(), "result=hint-dropped at=rc"), "  too");
	ok(!peer->last.hint.present, "  also for the completer");
	teardown();
}

/* Device Control and Device Control 2 say what may be sent (sections 7.5.3.4 and 7.5.3.16). */
static void test_attributes(void)
{
	static const struct tlp_properties both = {
		.attributes = TLP_RELAXED_ORDERING | TLP_ID_ORDERING | TLP_NO_SNOOP
	};
	unsigned int express;

	setup(0);
	fabric_lock(fabric);
	express = pci_function_cap(requester->fn, PCI_CAP_ID_EXP);
	fabric_unlock(fabric);
	is_int(do_write(PEER_BAR, &both), 0, "after a reset");
	is_str(last(), "MWr64 0x0000380000000000 len=4 th=0 be=f/0 attr=ro result=ok",
	       "  relaxed ordering is enabled");
	fake_config_write(requester, express + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_IDO_REQ_EN |
			  PCI_EXP_DEVCTL2_ATOMIC_REQ, 2);
	is_int(do_read(PEER_BAR, 4, &both), 0, "IDO enabled");
	is_str(last(), "MRd64 0x0000380000000000 len=4 th=0 be=f/0 attr=ro+ido result=ok",
	       "  both; No Snoop is never enabled");
	fake_config_write(requester, express + PCI_EXP_DEVCTL, 0, 2);
	is_int(do_atomic(PEER_BAR, &both), 0, "relaxed ordering disabled");
	is_str(last(), "FAdd64 0x0000380000000000 len=8 th=0 be=f/f attr=ido result=ok", "  IDO");
	is_int(do_write(PEER_BAR, NULL), 0, "without properties");
	is_str(last(), "MWr64 0x0000380000000000 len=4 th=0 be=f/0 result=ok", "  none");
	teardown();
}

static void enable_ats(unsigned int value)
{
	unsigned int ats;

	fabric_lock(fabric);
	ats = pci_function_ext_cap(requester->fn, PCI_EXT_CAP_ID_ATS);
	fabric_unlock(fabric);
	fake_config_write(requester, ats + PCI_ATS_CTRL, value, 2);
}

/* Section 6.12.1.1: Direct Translated exempts translated requests from redirection. */
static void test_translated(void)
{
	static const struct {
		unsigned int acs;
		int ret;
		const char *want;
	} cases[] = {
		{ 0, 0, "result=ok" },
		{ PCIE_ACS_REQUEST_REDIRECT, 0, "result=hint-dropped at=rc" },
		{ PCIE_ACS_REQUEST_REDIRECT | PCIE_ACS_DIRECT_TRANSLATED, 0, "result=ok" },
		{ PCIE_ACS_TRANSLATION_BLOCKING, -EFAULT, "result=blocked at=from" },
		{ PCIE_ACS_REQUEST_REDIRECT | PCIE_ACS_DIRECT_TRANSLATED |
		  PCIE_ACS_TRANSLATION_BLOCKING, -EFAULT, "result=blocked at=from" },
	};
	struct tlp_properties properties = hint8;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int writes;

		setup(cases[i].acs);
		properties.translated = true;
		is_int(do_write(PEER_BAR, &properties), -EOPNOTSUPP, "while ATS is disabled");
		is_str(last(), "nothing", "  nothing is sent");
		enable_ats(PCI_ATS_CTRL_ENABLE);
		/* Both kinds in turn: the way of one is not taken for that of the other. */
		for (unsigned int round = 0; round < 2; round++) {
			writes = peer->writes;
			properties.translated = true;
			is_int(do_write(PEER_BAR, &properties), cases[i].ret, "translated");
			ok(strstr(last(), "address-type=translated") &&
			   strstr(text, cases[i].want), "  %s: %s", cases[i].want, last());
			is_int(peer->writes - writes, !cases[i].ret, "  what arrives");
			properties.translated = false;
			is_int(do_write(PEER_BAR, &properties), 0, "not translated");
			is_int(!!strstr(last(), "hint-dropped"),
			       !!(cases[i].acs & PCIE_ACS_REQUEST_REDIRECT), "  is redirected");
		}
		teardown();
	}

	/* No IOMMU looks at it: the map has no say. */
	setup(0);
	enable_ats(PCI_ATS_CTRL_ENABLE);
	pci_function_dma_unmap_all(requester->fn);
	properties.translated = true;
	is_int(do_write(PEER_BAR, &properties), 0, "without a map");
	is_int(do_write(RAM, &properties), -EFAULT, "memory is found by the map alone");
	teardown();
}

int main(void)
{
	test_hints();
	test_attributes();
	test_translated();
	return done_testing();
}
