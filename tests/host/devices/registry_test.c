// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: devices made from text. Every option and its limits, and the one line that each
 * mistake gives.
 */
#include <errno.h>
#include <linux/pci_regs.h>

#include <accelerator_regs.h>

#include "devices/registry.h"
#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "tap.h"

#ifdef TPHBUF_WITH_MLX5
#define TYPES "accelerator, dma-engine, mlx5"
#else
#define TYPES "accelerator, dma-engine"
#endif

static char error[256];

static uint32_t config32(struct pci_function *fn, unsigned int offset)
{
	uint32_t value = 0;

	pci_function_region_read(fn, PCI_REGION_CONFIG, offset, &value, 4);
	return value;
}

static void check_good(const char *spec, struct fabric **fabric, struct pci_function **fn)
{
	*fabric = fabric_create(NULL);
	*fn = NULL;
	if (!is_int(device_create(*fabric, spec, fn, error, sizeof(error)), 0, "%s", spec))
		bail_out("%s", error);
	is_str(error, "", "  says nothing");
}

static void check_bad(const char *spec, int result, const char *message)
{
	struct fabric *fabric = fabric_create(NULL);
	struct pci_function *fn;

	is_int(device_create(fabric, spec, &fn, error, sizeof(error)), result, "%.60s", spec);
	is_str(error, message, "  says why");
	fabric_destroy(fabric);
}

static void test_accelerator(void)
{
	struct fabric *fabric;
	struct pci_function *fn;
	struct pci_bar bar;

	check_good("accelerator,bdf=00:04.0", &fabric, &fn);
	is_str(pci_function_name(fn), "accelerator", "default name");
	is_hex(pci_function_bdf(fn), 0x20, "BDF");
	is_hex(config32(fn, 0), 0x11a01b36, "identity");
	is_int(pci_function_region_size(fn, ACC_BAR_REGS, NULL), ACC_BAR_REGS_SIZE, "registers");
	is_int(pci_function_region_size(fn, ACC_BAR_MEM, &bar), 64 << 20, "default size");
	ok(bar.fd >= 0 && bar.type == PCI_BAR_MEM64_PREF, "of a BAR that can be mapped");
	is_int(pcie_cap_tph_completer(pci_function_config(fn)), TPH_COMPLETER_EXTENDED,
	       "default completer");
	ok(pcie_cap_end_end_prefix(pci_function_config(fn)), "with prefixes");
	is_int(pci_function_msix_vectors(fn), 1, "an interrupt");
	ok(!pci_function_ext_cap(fn, PCI_EXT_CAP_ID_TPH), "no requester");
	ok(config32(fn, PCI_COMMAND) >> 16 & PCI_STATUS_IMM_READY, "ready at once after a reset");
	fabric_destroy(fabric);

	check_good("accelerator,bdf=00:04.0,readiness=delayed", &fabric, &fn);
	ok(!(config32(fn, PCI_COMMAND) >> 16 & PCI_STATUS_IMM_READY), "a driver waits");
	fabric_destroy(fabric);

	check_good("accelerator,size=8G,completer=8bit,mps=4096,name=acc.1_b-c,bdf=ff:1f.7",
		   &fabric, &fn);
	is_str(pci_function_name(fn), "acc.1_b-c", "name");
	is_hex(pci_function_bdf(fn), 0xffff, "BDF");
	is_int(pci_function_region_size(fn, ACC_BAR_MEM, NULL), 8ll << 30, "size");
	is_int(pcie_cap_tph_completer(pci_function_config(fn)), TPH_COMPLETER_8BIT, "completer");
	ok(!pcie_cap_end_end_prefix(pci_function_config(fn)), "without prefixes");
	is_hex(config32(fn, pci_function_cap(fn, PCI_CAP_ID_EXP) + PCI_EXP_DEVCAP) & 7, 5,
	       "payload size");
	fabric_destroy(fabric);

	check_good("accelerator,bdf=00:04.0,completer=none,size=4096", &fabric, &fn);
	is_int(pcie_cap_tph_completer(pci_function_config(fn)), TPH_COMPLETER_NONE, "completer");
	is_int(pci_function_region_size(fn, ACC_BAR_MEM, NULL), 4096, "smallest size");
	fabric_destroy(fabric);
	check_good("accelerator,bdf=00:04.0,completer=reserved,size=1M", &fabric, &fn);
	is_int(pcie_cap_tph_completer(pci_function_config(fn)), TPH_COMPLETER_RESERVED,
	       "completer");
	fabric_destroy(fabric);
}

static void test_dma_engine(void)
{
	struct fabric *fabric;
	struct pci_function *fn;

	check_good("dma-engine,bdf=01:02.3", &fabric, &fn);
	is_hex(pci_function_bdf(fn), 0x113, "BDF");
	is_hex(config32(fn, 0), 0x11a11b36, "identity");
	is_int(pci_function_msix_vectors(fn), 8, "vectors");
	is_hex(config32(fn, 0x104), 0x003f0307, "all modes, 16 bits, 64 entries in the capability");
	ok(pcie_cap_end_end_prefix(pci_function_config(fn)), "with prefixes");
	fabric_destroy(fabric);
	check_good("dma-engine,bdf=01:02.3,ext=no,entries=2,modes=iv", &fabric, &fn);
	is_hex(config32(fn, 0x104), 0x00010203, "No ST Mode is always there");
	ok(!pcie_cap_end_end_prefix(pci_function_config(fn)), "without prefixes");
	fabric_destroy(fabric);
	check_good("dma-engine,bdf=01:02.3,table=none", &fabric, &fn);
	is_hex(config32(fn, 0x104), 0x00000105, "no table: no interrupt vector mode");
	fabric_destroy(fabric);
	check_good("dma-engine,bdf=01:02.3,modes=ds+ns,table=cap,ext=yes", &fabric, &fn);
	is_hex(config32(fn, 0x104), 0x003f0305, "modes by name");
	fabric_destroy(fabric);
	check_good("dma-engine,bdf=01:02.3,modes=ns", &fabric, &fn);
	is_hex(config32(fn, 0x104), 0x003f0301, "No ST Mode alone");
	fabric_destroy(fabric);
}

static void test_mistakes(void)
{
	static char long_text[600];

	check_bad("", -EINVAL, "there is no device type '': expected one of " TYPES);
	check_bad("gpu,bdf=00:04.0", -EINVAL,
		  "there is no device type 'gpu': expected one of " TYPES);
	check_bad("accelerator", -EINVAL,
		  "accelerator: bdf= is missing: the device's place in the machine, like "
		  "bdf=00:04.0");
	check_bad("accelerator,bdf", -EINVAL,
		  "accelerator: 'bdf' is not an option: expected key=value");
	check_bad("accelerator,bdf=", -EINVAL,
		  "accelerator: 'bdf=' is not an option: expected key=value");
	check_bad("accelerator,=1", -EINVAL,
		  "accelerator: '=1' is not an option: expected key=value");
	check_bad("accelerator,", -EINVAL, "accelerator: '' is not an option: expected key=value");
	check_bad("accelerator,bdf=00:04.0,", -EINVAL,
		  "accelerator: '' is not an option: expected key=value");
	check_bad("accelerator,bdf=00:04.0,bdf=00:05.0", -EINVAL,
		  "accelerator: bdf= is given twice");
	check_bad("accelerator,bdf=00:04.0,entries=3", -EINVAL,
		  "accelerator: there is no option entries=");
	check_bad("accelerator,bdf=00:04.0,size=48M", -EINVAL,
		  "accelerator: size=48M: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=16G", -EINVAL,
		  "accelerator: size=16G: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=2K", -EINVAL,
		  "accelerator: size=2K: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=64MB", -EINVAL,
		  "accelerator: size=64MB: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=-1", -EINVAL,
		  "accelerator: size=-1: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=99999999999999999999", -EINVAL,
		  "accelerator: size=99999999999999999999: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,size=17179869185G", -EINVAL,
		  "accelerator: size=17179869185G: expected a power of two from 4K to 8G");
	check_bad("accelerator,bdf=00:04.0,completer=16bit", -EINVAL,
		  "accelerator: completer=16bit: expected one of none, 8bit, reserved, ext");
	check_bad("accelerator,bdf=00:04.0,readiness=now", -EINVAL,
		  "accelerator: readiness=now: expected one of delayed, immediate");
	check_bad("accelerator,bdf=00:04.0,mps=1000", -EINVAL,
		  "accelerator: mps=1000: expected a power of two from 128 to 4K");
	check_bad("accelerator,bdf=00:04.0,name=a/b", -EINVAL,
		  "accelerator: name=a/b: expected at most 31 letters, digits, '.', '_', '-', "
		  "beginning with a letter or digit");
	check_bad("accelerator,bdf=00:04.0,name=..", -EINVAL,
		  "accelerator: name=..: expected at most 31 letters, digits, '.', '_', '-', beginning "
		  "with a letter or digit");
	check_bad("accelerator,bdf=00:04.0,name=a234567890123456789012345678901b", -EINVAL,
		  "accelerator: name=a234567890123456789012345678901b: expected at most 31 letters, "
		  "digits, '.', '_', '-', "
		  "beginning with a letter or digit");
	check_bad("accelerator,bdf=00:04.0,name=a\x7f", -EINVAL,
		  "device: byte 30 of the text is not printable");
	check_bad("accelerator,bdf=00:00.0", -EINVAL,
		  "accelerator: bdf=00:00.0 is the place of the host bridge");
	check_bad("dma-engine,bdf=00:04.0,entries=65", -EINVAL,
		  "dma-engine: entries=65: expected a number from 1 to 64");
	check_bad("dma-engine,bdf=00:04.0,entries=0", -EINVAL,
		  "dma-engine: entries=0: expected a number from 1 to 64");
	check_bad("dma-engine,bdf=00:04.0,entries=x", -EINVAL,
		  "dma-engine: entries=x: expected a number from 1 to 64");
	check_bad("dma-engine,bdf=00:04.0,modes=ns+", -EINVAL,
		  "dma-engine: modes=ns+: expected some of ns, iv, ds, joined by '+'");
	check_bad("dma-engine,bdf=00:04.0,modes=ns+xx", -EINVAL,
		  "dma-engine: modes=ns+xx: expected some of ns, iv, ds, joined by '+'");
	check_bad("dma-engine,bdf=00:04.0,modes=iv,table=none", -EINVAL,
		  "dma-engine: modes= has iv, which needs an ST table: expected table=cap");
	check_bad("dma-engine,bdf=00:04.0,table=msix", -EINVAL,
		  "dma-engine: table=msix: expected one of none, cap");
	check_bad("dma-engine,bdf=00:04.0,ext=1", -EINVAL,
		  "dma-engine: ext=1: expected one of no, yes");
	check_bad("dma-engine,bdf=00:04.0,a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,"
		  "o=1,p=1",
		  -EINVAL, "dma-engine: more than 16 options");
	memset(long_text, 'a', sizeof(long_text) - 1);
	check_bad(long_text, -EINVAL, "device: the text is longer than 511 bytes");
}

static void test_bdf_forms(void)
{
	static const char *const bad[] = { "0:4.0",    "00:04.8", "00:20.0", "00:04",
					   "00:04.0.", "00-04.0", "0x:04.0", "g0:04.0",
					   " 0:04.0",  "00: 4.0", "00:04.-", "0000:00:04.0" };
	char spec[64], message[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(spec, sizeof(spec), "accelerator,bdf=%s", bad[i]);
		snprintf(message, sizeof(message),
			 "accelerator: bdf=%s: expected bus:device.function in hex, from 00:00.1 to "
			 "ff:1f.7",
			 bad[i]);
		check_bad(spec, -EINVAL, message);
	}
}

static void test_two(void)
{
	struct pci_function *fn, *other;
	struct fabric *fabric;

	check_good("accelerator,bdf=00:04.0", &fabric, &fn);
	is_int(device_create(fabric, "accelerator,bdf=00:05.0", &other, error, sizeof(error)),
	       -EEXIST, "the name again");
	is_str(error,
	       "accelerator: another device has name=accelerator or bdf=00:05.0: both must be "
	       "unique, and name= is the type by default", "  says why");
	is_int(device_create(fabric, "dma-engine,bdf=00:04.0", &other, error, sizeof(error)),
	       -EEXIST, "the BDF again");
	is_int(device_create(fabric, "dma-engine,bdf=00:05.0", &other, error, sizeof(error)), 0,
	       "another device");
	is_str(error, "", "  says nothing");
	fabric_destroy(fabric);
}

static void test_short_buffer(void)
{
	struct fabric *fabric = fabric_create(NULL);
	struct pci_function *fn;
	char small[8];

	is_int(device_create(fabric, "accelerator", &fn, small, sizeof(small)), -EINVAL,
	       "little room for the message");
	is_str(small, "acceler", "is cut");
	fabric_destroy(fabric);
}

static void test_help(void)
{
	static char text[4096];
	FILE *file = fmemopen(text, sizeof(text), "w");
	static const char *const words[] = {
		"accelerator", "dma-engine", "bdf=", "name=", "mps=", "size=", "completer=",
		"table=", "entries=", "modes=", "ext=", "readiness=",
	};

	device_print_help(file);
	fclose(file);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		ok(strstr(text, words[i]), "help names %s", words[i]);
}

int main(void)
{
	test_accelerator();
	test_dma_engine();
	test_mistakes();
	test_bdf_forms();
	test_two();
	test_short_buffer();
	test_help();
	return done_testing();
}
