// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: what a transfer costs in a tree with three levels of switches, beside the flat
 * fabric. In instructions, which do not depend on what else the machine does: a child takes one
 * step after the other, and its parent counts.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <accelerator_regs.h>

#include "devices/registry.h"
#include "pcie/fake_device.h"
#include "pcie/port.h"
#include "pcie/transaction.h"
#include "tap.h"

#define MEMORY	 0x380000000000ull
#define LEVELS	 3u
#define LENGTH	 1024u	/* two TLPs */
#define REPEAT	 1u	/* transfers that are counted */
#define RATIO	 0.9	/* of the instructions of the flat fabric to those of the tree */

/* A requester, and an accelerator at MEMORY. */
struct rig {
	struct fabric *fabric;
	struct fake_device *requester;
};

static void add_port(struct fabric *fabric, const char *name, enum pcie_port_kind kind,
		     const char *above)
{
	struct pcie_port port = { .kind = kind, .end_end_prefix = true, .max_payload = 4096,
				  .above = above ? fabric_find_port(fabric, above) : NULL };

	snprintf(port.name, sizeof(port.name), "%s", name);
	if (fabric_add_port(fabric, &port))
		bail_out("cannot add the port %s", name);
}

/* Switches below @above, one below the other; @end: name of the last port. */
static void add_chain(struct fabric *fabric, const char *side, const char *above, char *end)
{
	char name[PCIE_PORT_NAME_MAX + 1];

	snprintf(end, sizeof(name), "%s", side);
	add_port(fabric, side, PCIE_PORT_DOWNSTREAM, above);
	for (unsigned int level = 1; level < LEVELS; level++) {
		snprintf(name, sizeof(name), "%s-switch%u", side, level);
		add_port(fabric, name, PCIE_PORT_UPSTREAM, end);
		snprintf(end, sizeof(name), "%s%u", side, level);
		add_port(fabric, end, PCIE_PORT_DOWNSTREAM, name);
	}
}

static struct rig make_rig(bool tree)
{
	struct rig rig = { .fabric = fabric_create(NULL) };
	char left[PCIE_PORT_NAME_MAX + 1] = "", right[PCIE_PORT_NAME_MAX + 1] = "";
	char spec[128], error[128];
	struct pci_function *acc;
	uint32_t value;

	if (tree) {
		add_port(rig.fabric, "root", PCIE_PORT_ROOT, NULL);
		add_port(rig.fabric, "top", PCIE_PORT_UPSTREAM, "root");
		add_chain(rig.fabric, "left", "top", left);
		add_chain(rig.fabric, "right", "top", right);
	}
	snprintf(spec, sizeof(spec), "accelerator,bdf=00:04.0%s%s", tree ? ",below=" : "", right);
	if (device_create(rig.fabric, spec, &acc, error, sizeof(error)))
		bail_out("%s", error);
	value = MEMORY >> 32;
	pci_function_region_write(acc, PCI_REGION_CONFIG, PCI_BASE_ADDRESS_3, &value, 4);
	value = FAKE_COMMAND_ON;
	pci_function_region_write(acc, PCI_REGION_CONFIG, PCI_COMMAND, &value, 2);
	value = 0x2040;
	pci_function_region_write(acc, PCI_REGION_CONFIG,
				  pci_function_cap(acc, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, &value,
				  2);
	rig.requester = fake_device_attach(rig.fabric, &(struct fake_options){
		.name = "requester", .bdf = 0x128, .end_end_prefix = true,
		.port = tree ? fabric_find_port(rig.fabric, left) : NULL });
	fake_device_enable(rig.requester, 0xfe001000, 0);
	fake_device_sizes(rig.requester, 512, 512);
	pci_function_dma_map(rig.requester->fn, MEMORY, 1ull << 30, true, true, -1, 0);
	return rig;
}

static void free_rig(struct rig *rig)
{
	pci_function_connect(rig->requester->fn, NULL, NULL);
	fabric_destroy(rig->fabric);
}

static int transfer(const struct rig *rig, bool write, const struct tlp_properties *properties)
{
	static uint8_t bytes[LENGTH];
	struct pci_function *fn = rig->requester->fn;
	int ret;

	fabric_lock(rig->fabric);
	ret = write ? fabric_write(fn, MEMORY, bytes, LENGTH, properties, NULL) :
		      fabric_read(fn, MEMORY, bytes, LENGTH, properties);
	fabric_unlock(rig->fabric);
	return ret;
}

/* The child; two signals to itself tell its parent where to count. */
static void run_counted(const struct rig *rig, bool write, const struct tlp_properties *properties)
{
	int ret = transfer(rig, write, properties);

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(2);
	raise(SIGUSR1);
	for (unsigned int i = 0; i < REPEAT; i++)
		ret |= transfer(rig, write, properties);
	raise(SIGUSR1);
	_exit(ret ? 1 : 0);
}

/* Instructions of the transfers, and of what leads to them. */
static unsigned long count(const struct rig *rig, bool write,
			   const struct tlp_properties *properties)
{
	unsigned long steps = 0;
	pid_t child = fork();
	int status;

	if (!child)
		run_counted(rig, write, properties);
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		bail_out("the child did not stop: status 0x%x", status);
	do {
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) ||
		    waitpid(child, &status, 0) != child)
			bail_out("cannot step: %s", strerror(errno));
		steps++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	if (!WIFSTOPPED(status) || ptrace(PTRACE_CONT, child, NULL, NULL) ||
	    waitpid(child, &status, 0) != child || status)
		bail_out("the transfers failed: status 0x%x", status);
	return steps;
}

static void compare(const struct rig *flat, const struct rig *tree, bool write,
		    const struct tlp_properties *properties, const char *what)
{
	unsigned long one = count(flat, write, properties), other = count(tree, write, properties);

	diag("%s: %lu instructions per transfer, %lu in the tree", what, one / REPEAT,
	     other / REPEAT);
	ok(one > REPEAT * 100 && other * RATIO <= one, "%s: %.3f of the flat fabric", what,
	   (double)one / other);
}

int main(void)
{
	static const struct tlp_properties tagged = {
		.hint = { .present = true, .extended = true, .ph = 2, .st = 0x0003 }
	};
	struct rig flat = make_rig(false), tree = make_rig(true);

	compare(&flat, &tree, true, NULL, "writes");
	compare(&flat, &tree, true, &tagged, "writes with a prefix");
	compare(&flat, &tree, false, NULL, "reads");
	compare(&flat, &tree, false, &tagged, "reads with a prefix");
	free_rig(&flat);
	free_rig(&tree);
	return done_testing();
}
