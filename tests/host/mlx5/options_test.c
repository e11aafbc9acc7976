// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device made from text: what each option gives, and what a mistake gives.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include "tap.h"
#include "devices/registry.h"
#include "nic.h"

static char error[256];

static int make(struct fabric *fabric, const char *spec, struct pci_function **fn)
{
	return device_create(fabric, spec, fn, error, sizeof(error));
}

static uint32_t config32(struct pci_function *fn, unsigned int offset)
{
	uint32_t value = 0;

	pci_function_region_read(fn, PCI_REGION_CONFIG, offset, &value, 4);
	return value;
}

static void defaults(void)
{
	struct fabric *fabric = fabric_create(NULL);
	const struct pci_config *config;
	struct pci_function *fn;
	struct pci_bar bar;
	unsigned int tph;

	is_int(make(fabric, "mlx5,bdf=00:04.0", &fn), 0, "without options");
	config = pci_function_config(fn);
	is_hex(config32(fn, 0), 0x101e15b3, "identity");
	is_hex(config32(fn, 8) >> 8, 0x020700, "class");
	is_int(pci_function_region_size(fn, 0, &bar), 2 << 20, "registers");
	is_int(bar.fd, -1, "which are trapped");
	is_int(pci_function_msix_vectors(fn), 8, "vectors");
	is_int(tph_cap_entries(config), 64, "entries of the ST table");
	tph = pci_config_ext_cap(config, PCI_EXT_CAP_ID_TPH);
	is_hex(config32(fn, tph + 4) >> 8 & 1, 1, "tags of 16 bits");
	fabric_destroy(fabric);
}

static void options(void)
{
	struct fabric *fabric = fabric_create(NULL);
	struct pci_function *fn;
	unsigned int tph;

	is_int(make(fabric, "mlx5,bdf=00:04.0,ext=no,entries=2,vectors=64,lid=49151", &fn), 0,
	       "with options");
	is_int(pci_function_msix_vectors(fn), 64, "vectors");
	is_int(tph_cap_entries(pci_function_config(fn)), 2, "entries of the ST table");
	tph = pci_function_ext_cap(fn, PCI_EXT_CAP_ID_TPH);
	is_hex(config32(fn, tph + 4) >> 8 & 1, 0, "tags of 8 bits");
	is_int(make(fabric, "mlx5,bdf=00:05.0,name=b,table=none", &fn), 0, "another one");
	is_int(tph_cap_entries(pci_function_config(fn)), 0, "without ST table");
	is_int(make(fabric, "mlx5,bdf=00:06.0,name=b", &fn), -EEXIST, "the same name");
	is_int(make(fabric, "mlx5,bdf=00:06.0,name=c,lid=49151", &fn), -EEXIST, "the same LID");
	is_str(error, "mlx5: lid=49151: another port has it", "says why");
	is_int(make(fabric, "mlx5,bdf=00:06.0,name=c,lid=1", &fn), -EEXIST, "a LID given out");
	is_int(make(fabric, "mlx5,bdf=00:06.0,name=c,lid=2", &fn), 0, "a free one");
	fabric_destroy(fabric);
}

static void mistakes(void)
{
	static const char *const bad[] = { "table=msix", "entries=1",  "entries=1025",
					   "vectors=1",	 "vectors=65", "lid=0",
					   "lid=49152",	 "ext=maybe",  "colour=red" };
	struct fabric *fabric = fabric_create(NULL);
	struct pci_function *fn;
	char spec[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(spec, sizeof(spec), "mlx5,bdf=00:04.0,%s", bad[i]);
		is_int(make(fabric, spec, &fn), -EINVAL, "%s", spec);
		ok(strstr(error, "mlx5: ") == error, "  %s", error);
	}
	fabric_destroy(fabric);
}

int main(void)
{
	defaults();
	options();
	mistakes();
	return done_testing();
}
