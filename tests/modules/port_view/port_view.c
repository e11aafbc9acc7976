// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For the lab only: shows ports of QEMU's root complex and switches with the
 * properties that the same ports have in the emulated fabric, where QEMU has no
 * option for them: the TPH completer of a Root Port, ACS of a Downstream Port,
 * End-End TLP Prefix support.
 *
 * Configuration reads of the listed ports are overridden, as aer_inject does
 * it. Then the hierarchies below the listed Root Ports are removed and scanned
 * again, so the kernel and its drivers have seen nothing else. The module
 * cannot be unloaded.
 *
 * ports=BDF/KEY=VALUE[/KEY=VALUE]...[,BDF/...]
 *   completer=0..3	TPH Completer Supported field of Device Capabilities 2
 *   prefix=0|1		End-End TLP Prefix Supported, in the same register
 *   acs=0|1		whether the port has an ACS Extended Capability
 */
#include <linux/bitfield.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define PORTS_MAX	128
#define VIEWS_MAX	3
/* The last two DWs of the configuration space, which none of QEMU's ports uses. */
#define ACS_OFFSET	(PCI_CFG_SPACE_EXP_SIZE - 8)
/* What PCIe requires of a Downstream Port, and Direct Translated P2P. */
#define ACS_BITS	(PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF | \
			 PCI_ACS_DT)

/**
 * struct view - a DW of a configuration space that reads differently
 * @offset: of the DW
 * @mask: bits that are overridden
 * @value: what they read as; the writable ones change
 * @writable: bits that writes reach
 */
struct view {
	u16 offset;
	u32 mask;
	u32 value;
	u32 writable;
};

struct port {
	u8 bus;
	u8 devfn;
	unsigned int views_count;
	struct view views[2 * VIEWS_MAX];
};

static char *ports;
module_param(ports, charp, 0444);
MODULE_PARM_DESC(ports, "ports and what they show");

static struct port table[PORTS_MAX];
static unsigned int table_count;
/* Guards the values of writable views. */
static DEFINE_RAW_SPINLOCK(value_lock);
static struct pci_ops *original;

static struct port *find_port(struct pci_bus *bus, unsigned int devfn)
{
	for (unsigned int i = 0; i < table_count; i++)
		if (table[i].bus == bus->number && table[i].devfn == devfn)
			return &table[i];
	return NULL;
}

static int view_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct port *port = find_port(bus, devfn);
	unsigned int shift = 8 * (where & 3);
	int ret = original->read(bus, devfn, where, size, value);

	if (ret || !port)
		return ret;

	for (unsigned int i = 0; i < port->views_count; i++) {
		const struct view *view = &port->views[i];
		u32 mask = view->mask >> shift;

		if (view->offset != (where & ~3))
			continue;
		if (size < 4)
			mask &= BIT(8 * size) - 1;
		*value = (*value & ~mask) | (READ_ONCE(view->value) >> shift & mask);
	}

	return 0;
}

static int view_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct port *port = find_port(bus, devfn);
	unsigned int shift = 8 * (where & 3);
	u32 written = size < 4 ? BIT(8 * size) - 1 : U32_MAX;

	for (unsigned int i = 0; port && i < port->views_count; i++) {
		struct view *view = &port->views[i];
		u32 mask = view->writable & written << shift;

		if (view->offset != (where & ~3))
			continue;
		guard(raw_spinlock_irqsave)(&value_lock);
		WRITE_ONCE(view->value, (view->value & ~mask) | (value << shift & mask));
	}

	return original->write(bus, devfn, where, size, value);
}

static struct pci_ops view_ops = {
	.read = view_read,
	.write = view_write,
};

static void add_view(struct port *port, u16 offset, u32 mask, u32 value, u32 writable)
{
	port->views[port->views_count++] = (struct view) {
		.offset = offset & ~3,
		.mask = mask,
		.value = value,
		.writable = writable,
	};
}

static u16 last_ext_capability(struct pci_dev *pdev)
{
	u16 at = PCI_CFG_SPACE_SIZE, next = at;
	u32 header;

	while (next >= PCI_CFG_SPACE_SIZE) {
		at = next;
		pci_read_config_dword(pdev, at, &header);
		next = PCI_EXT_CAP_NEXT(header);
	}

	return at;
}

static void show_acs(struct port *port, struct pci_dev *pdev, bool wanted)
{
	u16 at = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ACS);

	if (wanted == !!at)
		return;

	if (!wanted) {
		/* A capability with ID 0 has no content. */
		add_view(port, at, 0xffff, 0, 0);
		return;
	}

	add_view(port, last_ext_capability(pdev), 0xfff00000, ACS_OFFSET << 20, 0);
	add_view(port, ACS_OFFSET, U32_MAX, PCI_EXT_CAP_ID_ACS | 1 << 16, 0);
	add_view(port, ACS_OFFSET + PCI_ACS_CAP, U32_MAX, ACS_BITS, ACS_BITS << 16);
}

static int parse_property(struct port *port, struct pci_dev *pdev, const char *word)
{
	u16 devcap2 = pci_pcie_cap(pdev) + PCI_EXP_DEVCAP2;
	unsigned int value;

	if (port->views_count > VIEWS_MAX)
		return -E2BIG;

	if (sscanf(word, "completer=%u", &value) == 1)
		add_view(port, devcap2, PCI_EXP_DEVCAP2_TPH_COMP_MASK,
			 FIELD_PREP(PCI_EXP_DEVCAP2_TPH_COMP_MASK, value & 3), 0);
	else if (sscanf(word, "prefix=%u", &value) == 1)
		add_view(port, devcap2, PCI_EXP_DEVCAP2_EE_PREFIX,
			 value ? PCI_EXP_DEVCAP2_EE_PREFIX : 0, 0);
	else if (sscanf(word, "acs=%u", &value) == 1)
		show_acs(port, pdev, value);
	else
		return -EINVAL;

	return 0;
}

static int parse_port(char *text)
{
	unsigned int domain, bus, slot, function;
	char *word = strsep(&text, "/");
	struct port *port = &table[table_count];
	struct pci_dev *pdev;
	int ret = 0;

	if (table_count == PORTS_MAX)
		return -E2BIG;
	if (sscanf(word, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;

	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;

	*port = (struct port) { .bus = bus, .devfn = pdev->devfn };
	while (!ret && (word = strsep(&text, "/")))
		ret = parse_property(port, pdev, word);
	pci_dev_put(pdev);
	if (!ret)
		table_count++;

	return ret;
}

static int parse(void)
{
	char *text __free(kfree) = kstrdup(ports, GFP_KERNEL), *rest = text, *word;
	int ret = 0;

	if (!text)
		return -ENOMEM;

	while (!ret && (word = strsep(&rest, ","))) {
		ret = parse_port(word);
		if (ret)
			pr_err("port_view: entry %u of ports=: error %d\n", table_count, ret);
	}

	return ret;
}

/* New buses get the operations of the bus above them. */
static void scan_again(struct pci_bus *root)
{
	struct pci_dev *pdev;

	original = pci_bus_set_ops(root, &view_ops);
	for (unsigned int i = 0; i < table_count; i++) {
		if (table[i].bus != root->number)
			continue;
		pdev = pci_get_slot(root, table[i].devfn);
		if (!pdev)
			continue;
		pci_stop_and_remove_bus_device_locked(pdev);
		pci_dev_put(pdev);
	}

	pci_lock_rescan_remove();
	pci_rescan_bus(root);
	pci_unlock_rescan_remove();
}

static int __init port_view_init(void)
{
	struct pci_bus *root = pci_find_bus(0, 0);
	int ret;

	if (!root)
		return -ENODEV;
	if (!ports)
		return -EINVAL;

	ret = parse();
	if (ret)
		return ret;

	/* The operations stay: so does the module. */
	__module_get(THIS_MODULE);
	original = root->ops;
	scan_again(root);

	return 0;
}
module_init(port_view_init);

MODULE_DESCRIPTION("Lab: properties of ports that QEMU does not offer");
MODULE_LICENSE("GPL");
