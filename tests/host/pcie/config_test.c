// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: config space. Header and capabilities as a driver walks them, BAR sizing, the
 * fields that are put right after a write, resets, and random writes of every size that must never
 * change a constant bit nor leave an illegal setting.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "pcie/cap_msix.h"
#include "pcie/cap_pcie.h"
#include "pcie/cap_pm.h"
#include "pcie/cap_tph.h"
#include "pcie/config.h"
#include "pcie/header.h"
#include "tap.h"

#define PM_STATE(v)	((v) & 3u)

static struct pci_config config;
static struct msix msix;

static const struct pci_config_ids ids = {
	.vendor = 0x1b36, .device = 0x11a1, .class_code = 0x123456, .revision = 7,
};

static const struct pci_bar bars[PCI_BARS] = {
	[0] = { PCI_BAR_MEM32, 4096, -1 },
	[2] = { PCI_BAR_MEM64_PREF, 8ull << 30, -1 },
	[4] = { PCI_BAR_MEM64, 1 << 20, -1 },
};

static void make_config(bool extended, unsigned int entries)
{
	struct pcie_cap_options pcie = {
		.mps = 512, .completer = TPH_COMPLETER_EXTENDED, .end_end_prefix = extended,
	};
	struct msix_options vectors = {
		.vectors = 8, .bar = 4, .table = 0x1000, .pending = 0x2000
	};
	struct tph_cap_options tph = {
		.modes = 1u << TPH_MODE_DEVICE_SPECIFIC, .extended = extended, .entries = entries,
	};

	if (pci_header_init(&config, &ids, bars) || pm_cap_add(&config) ||
	    pcie_cap_add(&config, &pcie) || msix_add(&msix, &config, &vectors) ||
	    tph_cap_add(&config, &tph))
		bail_out("cannot make a config space");
	pci_config_seal(&config);
}

static uint32_t read_config(unsigned int offset, size_t len)
{
	uint8_t bytes[4] = { 0 };

	pci_config_read(&config, offset, bytes, len);
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool write_config(unsigned int offset, uint32_t value, size_t len)
{
	uint8_t bytes[4] = { value, value >> 8, value >> 16, value >> 24 };
	bool flr;

	if (pci_config_write(&config, offset, bytes, len, &flr))
		bail_out("write of %zu bytes at 0x%x refused", len, offset);
	return flr;
}

static unsigned int find_cap(unsigned int id)
{
	unsigned int offset = read_config(PCI_CAPABILITY_LIST, 1), hops = 0;

	while (offset && hops++ < 48) {
		if (read_config(offset, 1) == id)
			return offset;
		offset = read_config(offset + 1, 1);
	}
	return 0;
}

static void test_header(void)
{
	static const uint8_t identity[] = { 0x36, 0x1b, 0xa1, 0x11, 0, 0, 0x10, 0,
					    7,	  0x56, 0x34, 0x12, 0, 0, 0,	0 };

	make_config(true, 64);
	is_mem(config.space, identity, sizeof(identity),
	       "identity, status, class code, header type");
	is_hex(read_config(PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11a11b36, "subsystem");
	is_hex(read_config(PCI_INTERRUPT_PIN, 1), 0, "no INTx");
	is_hex(read_config(PCI_ROM_ADDRESS, 4), 0, "no ROM");
	write_config(PCI_ROM_ADDRESS, 0xffffffff, 4);
	is_hex(read_config(PCI_ROM_ADDRESS, 4), 0, "and none can be enabled");
	write_config(PCI_COMMAND, 0xffff, 2);
	is_hex(read_config(PCI_COMMAND, 2), 0x0546, "writable bits of Command");
	write_config(PCI_STATUS, 0xffff, 2);
	is_hex(read_config(PCI_STATUS, 2), 0x0010, "Status is constant");
}

static void test_bars(void)
{
	make_config(true, 64);
	is_hex(read_config(PCI_BASE_ADDRESS_0, 4), 0x0, "BAR0: 32 bits");
	is_hex(read_config(PCI_BASE_ADDRESS_2, 4), 0xc, "BAR2: 64 bits, prefetchable");
	is_hex(read_config(PCI_BASE_ADDRESS_4, 4), 0x4, "BAR4: 64 bits");
	for (unsigned int i = 0; i < PCI_BARS; i++)
		write_config(PCI_BASE_ADDRESS_0 + 4 * i, 0xffffffff, 4);
	is_hex(read_config(PCI_BASE_ADDRESS_0, 4), 0xfffff000, "BAR0: size 4 KiB");
	is_hex(read_config(PCI_BASE_ADDRESS_1, 4), 0, "BAR1: absent");
	is_hex(read_config(PCI_BASE_ADDRESS_2, 4), 0x0000000c, "BAR2: size 8 GiB, low half");
	is_hex(read_config(PCI_BASE_ADDRESS_3, 4), 0xfffffffe, "BAR2: size 8 GiB, high half");
	is_hex(read_config(PCI_BASE_ADDRESS_4, 4), 0xfff00004, "BAR4: size 1 MiB, low half");
	is_hex(read_config(PCI_BASE_ADDRESS_5, 4), 0xffffffff, "BAR4: size 1 MiB, high half");

	write_config(PCI_BASE_ADDRESS_0, 0xfea00fff, 4);
	is_hex(pci_header_bar_address(&config, 0), 0xfea00000, "BAR0: address");
	write_config(PCI_BASE_ADDRESS_2, 0xffffffff, 4);
	write_config(PCI_BASE_ADDRESS_3, 0x38, 4);
	is_hex(pci_header_bar_address(&config, 2), 0x3800000000, "BAR2: address");
	is_hex(pci_header_bar_address(&config, 1), 0, "BAR1: no address");
	is_hex(pci_header_bar_address(&config, 3), 0, "upper half of BAR2: no address of its own");
	is_hex(pci_header_bar_address(&config, 6), 0, "no such BAR");
	for (unsigned int i = 0; i < 4; i++)
		write_config(PCI_BASE_ADDRESS_0 + i, 0x12 + i, 1);
	is_hex(pci_header_bar_address(&config, 0), 0x15141000, "byte writes work as well");
}

static void check_bars(const char *what, struct pci_bar bad, unsigned int index, int result)
{
	struct pci_bar list[PCI_BARS] = { 0 };

	list[index] = bad;
	is_int(pci_header_init(&config, &ids, list), result, "%s", what);
}

static void test_bad_bars(void)
{
	struct pci_bar list[PCI_BARS] = {
		[2] = { PCI_BAR_MEM64, 4096, -1 }, [3] = { PCI_BAR_MEM32, 4096, -1 }
	};

	check_bars("no size", (struct pci_bar){ PCI_BAR_MEM32, 0, -1 }, 0, -EINVAL);
	check_bars("smaller than a BAR can say", (struct pci_bar){ PCI_BAR_MEM32, 8, -1 }, 0,
		   -EINVAL);
	check_bars("smallest", (struct pci_bar){ PCI_BAR_MEM32, 16, -1 }, 0, 0);
	check_bars("not a power of two", (struct pci_bar){ PCI_BAR_MEM32, 4096 + 16, -1 }, 0,
		   -EINVAL);
	check_bars("largest of 32 bits", (struct pci_bar){ PCI_BAR_MEM32, 2ull << 30, -1 }, 5, 0);
	check_bars("too large for 32 bits", (struct pci_bar){ PCI_BAR_MEM32, 4ull << 30, -1 }, 0,
		   -EINVAL);
	check_bars("64 bits in the last place", (struct pci_bar){ PCI_BAR_MEM64, 4096, -1 }, 5,
		   -EINVAL);
	is_int(pci_header_init(&config, &ids, list), -EINVAL, "upper half taken by another");
}

static void test_capability_lists(void)
{
	unsigned int pm, pcie, vectors, header;

	make_config(true, 64);
	pm = find_cap(PCI_CAP_ID_PM);
	pcie = find_cap(PCI_CAP_ID_EXP);
	vectors = find_cap(PCI_CAP_ID_MSIX);
	ok(pm && pcie && vectors, "all capabilities are in the list");
	is_int(read_config(vectors + 1, 1), 0, "which ends");
	is_hex(read_config(pm + PCI_PM_PMC, 2), 0x0003,
	       "power management 1.2, no PME, no D1, no D2");
	is_hex(read_config(pcie + PCI_EXP_FLAGS, 2), 0x0002, "PCIe: version 2, Endpoint");
	is_hex(read_config(pcie + PCI_EXP_DEVCAP, 4), 0x10008022,
	       "512 bytes, extended tags, role-based errors, FLR");
	is_hex(read_config(pcie + PCI_EXP_DEVCTL, 2), 0x2000, "128 byte payload, 512 byte reads");
	is_hex(read_config(pcie + PCI_EXP_LNKCAP, 4), 0x00400104, "x16 at 16 GT/s");
	is_hex(read_config(pcie + PCI_EXP_LNKSTA, 2), 0x1104, "link is up");
	is_hex(read_config(pcie + PCI_EXP_DEVCAP2, 4), 0x00703010, "TPH completer, one prefix");
	is_hex(read_config(vectors + PCI_MSIX_FLAGS, 2), 7, "8 vectors");
	is_hex(read_config(vectors + PCI_MSIX_TABLE, 4), 0x1004, "table in BAR4");
	is_hex(read_config(vectors + PCI_MSIX_PBA, 4), 0x2004, "pending bits in BAR4");

	header = read_config(0x100, 4);
	is_hex(header, 0x00010017, "TPH Requester at 0x100, the last in its list");
	is_hex(read_config(0x104, 4), 0x003f0305,
	       "modes, 16-bit tags, 64 entries in the capability");
	is_hex(read_config(0x18c, 4), 0, "nothing behind the table");

	make_config(false, 1);
	is_hex(read_config(find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVCAP2, 4), 0x00003010, "no prefix");
	is_hex(read_config(0x104, 4), 0x00000205, "8-bit tags, one entry");
	make_config(false, 0);
	is_hex(read_config(0x104, 4), 0x00000005, "no table");
}

static void test_second_ext_cap(void)
{
	static const uint8_t none[PCI_CONFIG_SIZE], values[PCI_CONFIG_SIZE] = { [4] = 0x55 };
	struct pci_cap next = {
		.id = 0x1234, .extended = true, .version = 5,
		.values = values, .writable = none, .size = 8,
	};
	struct pci_cap large = {
		.id = 1, .extended = true, .version = 1,
		.values = values, .writable = none, .size = 4096,
	};
	struct pci_cap low = { .id = 1, .values = values, .writable = none, .size = 255 };

	make_config(true, 3);
	is_hex(pci_config_add_cap(&config, &next), 0x114, "the next begins DW aligned");
	is_hex(read_config(0x100, 4), 0x11410017, "and is linked");
	is_hex(read_config(0x114, 4), 0x00051234, "with its header");
	is_hex(pci_config_ext_cap(&config, 0x1234), 0x114, "and is found");
	is_hex(pci_config_cap(&config, 0x1234), 0, "among the extended ones only");
	is_int(pci_config_add_cap(&config, &large), -ENOSPC, "no room");
	is_int(pci_config_add_cap(&config, &low), -ENOSPC, "no room below 0x100");
}

/* Once it is set, a bit of its own stays set, and clearing the other asks for a reset. */
static bool strange_fold(struct pci_config *space, unsigned int offset, const uint8_t *old)
{
	if (old[offset + 4] & 1)
		space->space[offset + 4] |= 1;
	return !(space->space[offset + 4] & 2) && old[offset + 4] & 2;
}

static void test_own_rules(void)
{
	static const uint8_t values[8], writable[8] = { [4] = 7 }, kept[8] = { [4] = 4 };
	struct pci_cap strange = {
		.id = PCI_CAP_ID_VNDR, .values = values, .writable = writable, .kept = kept,
		.size = 8, .fold = strange_fold,
	};
	unsigned int offset;

	make_config(true, 3);
	offset = pci_config_add_cap(&config, &strange);
	pci_config_seal(&config);
	is_int(offset, find_cap(PCI_CAP_ID_VNDR), "a capability with rules of its own");
	ok(!write_config(offset + 4, 7, 1), "its bits are set");
	ok(!write_config(offset + 4, 6, 1), "one is written 0");
	is_hex(read_config(offset + 4, 1), 7, "and stays, by the rule");
	ok(write_config(offset + 4, 5, 1), "another asks for a reset");
	pci_config_flr(&config);
	is_hex(read_config(offset + 4, 1), 4, "which a bit that is kept survives");
	pci_config_reset(&config);
	is_hex(read_config(offset + 4, 1), 0, "but not a conventional one");
}

static void test_bad_capabilities(void)
{
	struct pcie_cap_options pcie = { .mps = 192 };
	struct tph_cap_options tph = { .modes = 1u << TPH_MODE_INTERRUPT_VECTOR };
	struct msix_options vectors = {
		.vectors = 8, .bar = 4, .table = 0x1000, .pending = 0x1040
	};

	pci_header_init(&config, &ids, bars);
	is_int(pcie_cap_add(&config, &pcie), -EINVAL, "payload size that does not exist");
	is_int(tph_cap_add(&config, &tph), -EINVAL, "interrupt vector mode without a table");
	tph = (struct tph_cap_options){ .modes = 8 };
	is_int(tph_cap_add(&config, &tph), -EINVAL, "a mode that does not exist");
	tph = (struct tph_cap_options){ .entries = TPH_CAP_ENTRIES_MAX + 1 };
	is_int(tph_cap_add(&config, &tph), -EINVAL, "too many entries");
	is_int(msix_add(&msix, &config, &vectors), -EINVAL, "pending bits in the table");
	vectors.pending = (1 << 20) - 4;
	is_int(msix_add(&msix, &config, &vectors), -EINVAL, "pending bits beyond the BAR");
	vectors.pending = 0x2004;
	is_int(msix_add(&msix, &config, &vectors), -EINVAL, "pending bits not aligned");
	vectors.pending = 0x2000;
	vectors.vectors = MSIX_VECTORS_MAX + 1;
	is_int(msix_add(&msix, &config, &vectors), -EINVAL, "too many vectors");
	vectors.vectors = 1;
	vectors.bar = 6;
	is_int(msix_add(&msix, &config, &vectors), -EINVAL, "no such BAR");
}

/* Raised while all are masked, and never sent: a reset forgets it. */
static void test_msix_reset(void)
{
	unsigned int control;

	make_config(true, 3);
	control = find_cap(PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS;
	write_config(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	write_config(control, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	msix_raise(&msix, &config, 3);
	is_int(msix_next(&msix, &config), -1, "masked");
	pci_config_reset(&config);
	msix_reset(&msix);
	write_config(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	write_config(control, PCI_MSIX_FLAGS_ENABLE, 2);
	is_int(msix_next(&msix, &config), -1, "a pending interrupt does not survive a reset");
	msix_raise(&msix, &config, 3);
	is_int(msix_next(&msix, &config), 3, "one that is raised after it is sent");
}

static void test_bounds(void)
{
	uint8_t all[PCI_CONFIG_SIZE];
	bool flr;

	make_config(true, 64);
	is_int(pci_config_read(&config, 0, all, sizeof(all)), 0, "all in one access");
	is_mem(all, config.space, sizeof(all), "all in one access");
	is_int(pci_config_read(&config, 0, all, 0), -EINVAL, "read of nothing");
	is_int(pci_config_read(&config, 4095, all, 2), -EINVAL, "read across the end");
	is_int(pci_config_read(&config, 4096, all, 1), -EINVAL, "read behind the end");
	is_int(pci_config_read(&config, UINT64_MAX, all, 1), -EINVAL, "read far behind the end");
	is_int(pci_config_write(&config, 4095, all, 2, &flr), -EINVAL, "write across the end");
	is_int(pci_config_write(&config, UINT64_MAX, all, 2, &flr), -EINVAL, "write that wraps");
	is_int(pci_config_write(&config, 4, all, SIZE_MAX, &flr), -EINVAL,
	       "write of everything there is");
}

static void test_device_control(void)
{
	unsigned int control;

	make_config(true, 64);
	control = find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	for (unsigned int code = 0; code < 8; code++) {
		write_config(control, 1 << 5, 2);
		write_config(control, code << 5, 2);
		is_int(pcie_cap_max_payload(&config), code <= 2 ? 128 << code : 256,
		       "Max_Payload_Size code %u", code);
		write_config(control, 3 << 12, 2);
		write_config(control, code << 12, 2);
		is_int(pcie_cap_max_read_request(&config), code <= 5 ? 128 << code : 1024,
		       "Max_Read_Request_Size code %u", code);
	}
	is_int(write_config(control, 0x8000, 2), true, "Initiate FLR is told");
	is_hex(read_config(control, 2), 0, "and reads as 0");
	is_int(write_config(control + 1, 0x80, 1), true, "by a byte write, too");
	is_int(write_config(control, 0xff, 1), false, "and not by another byte");
	is_int(write_config(control + 2, 0xffff, 2), false, "nor by Device Status");
	is_hex(read_config(control + 2, 2), 0, "which is constant");
}

static void test_power(void)
{
	unsigned int control;

	make_config(true, 64);
	control = find_cap(PCI_CAP_ID_PM) + PCI_PM_CTRL;
	write_config(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	ok(pci_header_memory_enabled(&config) && pci_header_bus_master(&config),
	   "D0: decodes, sends");
	write_config(control, 3, 2);
	is_hex(read_config(control, 2), 0x000b, "D3hot, no soft reset");
	ok(!pci_header_memory_enabled(&config) && !pci_header_bus_master(&config),
	   "D3hot: neither");
	write_config(control, 1, 2);
	is_hex(PM_STATE(read_config(control, 2)), 3, "D1 is not supported: the state stays");
	write_config(control, 0, 2);
	ok(pci_header_memory_enabled(&config) && pci_header_bus_master(&config), "D0 again");
	write_config(control, 2, 2);
	is_hex(PM_STATE(read_config(control, 2)), 0, "D2 is not supported: the state stays");
	write_config(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	ok(!pci_header_memory_enabled(&config) && pci_header_bus_master(&config),
	   "Memory Space Enable counts");
	write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	ok(pci_header_memory_enabled(&config) && !pci_header_bus_master(&config),
	   "Bus Master Enable counts");
}

static void check_tph_control(uint16_t value, uint16_t want)
{
	write_config(0x108, value, 4);
	is_hex(read_config(0x108, 4), want, "TPH control 0x%x", value);
}

static void test_tph_control(void)
{
	make_config(true, 64);
	check_tph_control(0x102, 0x102);
	check_tph_control(0x302, 0x302);
	check_tph_control(0x202, 0x002);
	check_tph_control(0x301, 0x300);
	check_tph_control(0x107, 0x100);
	write_config(0x108, 0xffffffff, 4);
	is_hex(read_config(0x108, 4), 0x300, "reserved bits stay 0");
	write_config(0x109, 2, 1);
	is_hex(read_config(0x108, 4), 0, "the reserved value by a byte write");
	make_config(false, 64);
	check_tph_control(0x302, 0x102);
	is_int(tph_cap_mode(&config), TPH_MODE_DEVICE_SPECIFIC, "mode");
	is_int(tph_cap_requester(&config), TPH_REQUESTER_8BIT, "requester");
}

static void check_hint(const char *what, struct tlp_hint hint, bool extended, unsigned int ph,
		       unsigned int st)
{
	ok(hint.present, "%s: is there", what);
	is_int(hint.extended, extended, "%s: width", what);
	is_int(hint.ph, ph, "%s: PH", what);
	is_hex(hint.st, st, "%s: ST", what);
}

static void test_steering_tags(void)
{
	make_config(true, 64);
	write_config(0x10c, 0x1234, 2);
	write_config(0x10c + 2 * 63, 0xabcd, 2);
	is_hex(read_config(0x10c, 4), 0x1234, "first entry");
	is_hex(read_config(0x10c + 2 * 62, 4), 0xabcd0000, "last entry");
	write_config(0x10c + 2 * 64, 0xffff, 2);
	is_hex(read_config(0x10c + 2 * 64, 2), 0, "no entry behind it");
	ok(!tph_cap_hint(&config, 2, 0).present, "off: no hint");
	write_config(0x108, 0x302, 4);
	check_hint("16 bits", tph_cap_hint(&config, 2, 63), true, 2, 0xabcd);
	write_config(0x108, 0x102, 4);
	check_hint("8 bits: the low byte", tph_cap_hint(&config, 3, 63), false, 3, 0xcd);
	write_config(0x108, 0x300, 4);
	check_hint("No ST Mode", tph_cap_hint(&config, 1, 63), false, 1, 0);

	make_config(false, 64);
	write_config(0x10c, 0x1234, 2);
	is_hex(read_config(0x10c, 2), 0x34, "ST Upper is reserved without 16-bit tags");
	make_config(true, 0);
	is_int(tph_cap_entries(&config), 0, "no table");
	write_config(0x108, 0x302, 4);
	check_hint("no table: the tag itself", tph_cap_hint(&config, 0, 0x4321), true, 0, 0x4321);
	write_config(0x10c, 0xffff, 2);
	is_hex(read_config(0x10c, 2), 0, "nothing to write where a table would be");
}

static void test_resets(void)
{
	uint8_t fresh[PCI_CONFIG_SIZE];
	unsigned int pcie;

	make_config(true, 64);
	memcpy(fresh, config.space, sizeof(fresh));
	pcie = find_cap(PCI_CAP_ID_EXP);
	write_config(PCI_COMMAND, 6, 2);
	write_config(PCI_BASE_ADDRESS_0, 0xfea00000, 4);
	write_config(pcie + PCI_EXP_DEVCTL, 0x5040, 2);
	write_config(pcie + PCI_EXP_LNKCTL, 0x48, 2);
	write_config(0x108, 0x302, 4);
	write_config(0x10c, 0x1234, 2);
	pci_config_flr(&config);
	is_int(pcie_cap_max_payload(&config), 512, "FLR keeps Max_Payload_Size");
	is_int(pcie_cap_max_read_request(&config), 512, "but not Max_Read_Request_Size");
	is_hex(read_config(pcie + PCI_EXP_LNKCTL, 2), 0x48, "FLR keeps Link Control");
	is_hex(read_config(PCI_BASE_ADDRESS_0, 4), 0xfea00000,
	       "FLR keeps the BARs for a VFIO client");
	write_config(PCI_BASE_ADDRESS_0, 0, 4);
	write_config(pcie + PCI_EXP_DEVCTL, 0x2000, 2);
	write_config(pcie + PCI_EXP_LNKCTL, 0, 2);
	is_mem(config.space, fresh, sizeof(fresh), "and nothing else");
	write_config(PCI_COMMAND, 6, 2);
	write_config(pcie + PCI_EXP_DEVCTL, 0x5040, 2);
	pci_config_reset(&config);
	is_mem(config.space, fresh, sizeof(fresh), "a reset restores all");
}

/* Bits that software clears by writing a 1: what it does not write, and zeros, leave them. */
static void test_clearable(void)
{
	static const uint8_t values[8], clearable[8] = { 0, 0, 0, 0, 0xff, 0x0f };
	static const uint8_t kept[8] = { 0, 0, 0, 0, 0, 0xff };
	const struct pci_cap cap = { .id = 0x1234, .extended = true, .version = 1, .values = values,
				     .writable = values, .clearable = clearable, .kept = kept,
				     .size = sizeof(values) };
	int at;

	make_config(true, 64);
	at = pci_config_add_cap(&config, &cap);
	pci_config_seal(&config);
	pci_config_set16(&config, at + 4, 0xffff);
	write_config(at + 4, 0x81, 1);
	is_hex(read_config(at + 4, 2), 0xff7e, "the bits that are written as 1");
	write_config(at + 6, 0xffff, 2);
	write_config(at, 0xffffffff, 4);
	is_hex(read_config(at + 4, 2), 0xff7e, "not by a write beside them");
	write_config(at + 4, 0, 2);
	is_hex(read_config(at + 4, 2), 0xff7e, "nor of zeros");
	write_config(at + 4, 0xffff, 2);
	is_hex(read_config(at + 4, 2), 0xf000, "constant bits stay");
	pci_config_set16(&config, at + 4, 0xffff);
	pci_config_flr(&config);
	is_hex(read_config(at + 4, 2), 0xff00, "a Function Level Reset leaves sticky ones");
	pci_config_reset(&config);
	is_hex(read_config(at + 4, 2), 0, "a reset leaves none");
}

/*
 * Whatever software writes: constant bits stay, settings are legal, and only the bytes written
 * change.
 */
static void test_random_writes(void)
{
	unsigned int constant = 0, beyond = 0, illegal = 0;
	uint8_t before[PCI_CONFIG_SIZE], bytes[64];
	unsigned int pm;

	make_config(true, 64);
	pm = find_cap(PCI_CAP_ID_PM);
	srandom(3);
	for (unsigned int i = 0; i < 50000; i++) {
		size_t len = random() % 8 ? 1u << random() % 3 : 1 + random() % sizeof(bytes);
		unsigned int offset = random() % (random() % 2 ? 0x200 : PCI_CONFIG_SIZE);
		bool flr;

		if (i % 1000 == 0)
			pci_config_reset(&config);
		for (size_t j = 0; j < len; j++)
			bytes[j] = random();
		memcpy(before, config.space, sizeof(before));
		if (offset + len > PCI_CONFIG_SIZE)
			continue;
		pci_config_write(&config, offset, bytes, len, &flr);
		for (unsigned int j = 0; j < PCI_CONFIG_SIZE; j++) {
			uint8_t changed = before[j] ^ config.space[j];

			constant += (changed & ~config.writable[j]) != 0;
			/* A byte that puts a register right may lie in the same register. */
			if (changed && (j + 1 < (offset & ~1u) || j > ((offset + len) | 1)))
				beyond++;
		}
		illegal += pcie_cap_max_payload(&config) > 512 ||
			   pcie_cap_max_read_request(&config) > 4096 ||
			   PM_STATE(read_config(pm + PCI_PM_CTRL, 1)) % 3 ||
			   tph_cap_mode(&config) % 2 || tph_cap_mode(&config) > 2 ||
			   tph_cap_requester(&config) == 2;
	}
	is_int(constant, 0, "no constant bit changed");
	is_int(beyond, 0, "no other register changed");
	is_int(illegal, 0, "no setting was illegal");
}

/*
 * Each byte by itself: the bits that answer to a write are those that the masks name, and all that
 * the masks name do.
 */
static void test_every_bit(void)
{
	unsigned int wrong = 0, pcie, pm;

	make_config(true, 64);
	pcie = find_cap(PCI_CAP_ID_EXP);
	pm = find_cap(PCI_CAP_ID_PM);
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i++) {
		uint8_t zeros = 0, ones = 0xff, low, high;
		bool flr;

		pci_config_reset(&config);
		pci_config_write(&config, i, &zeros, 1, &flr);
		pci_config_read(&config, i, &low, 1);
		pci_config_write(&config, i, &ones, 1, &flr);
		pci_config_read(&config, i, &high, 1);
		if ((low ^ high) & ~config.writable[i])
			wrong++;
		/* Fields with illegal values: Device Control, power state, TPH control. */
		if (i - pcie - PCI_EXP_DEVCTL < 2 || i - pm - PCI_PM_CTRL < 1 ||
		    i - 0x108 < 2)
			continue;
		if ((low ^ high) != config.writable[i])
			wrong++;
	}
	is_int(wrong, 0, "every bit of config space does what its mask says");
}

int main(void)
{
	test_header();
	test_bars();
	test_bad_bars();
	test_capability_lists();
	test_second_ext_cap();
	test_own_rules();
	test_bad_capabilities();
	test_msix_reset();
	test_bounds();
	test_device_control();
	test_power();
	test_tph_control();
	test_steering_tags();
	test_resets();
	test_clearable();
	test_random_writes();
	test_every_bit();
	return done_testing();
}
