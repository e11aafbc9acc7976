// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: a function as its client sees it. Regions and their bounds, CPU accesses and how
 * they are cut and traced, MSI-X with its masks and pending bits, resets, and what happens when a
 * client goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/trace.h"
#include "tap.h"
#include "trace_lines.h"

#define BAR0		0xfe000000u
#define BAR4		0xfe001000u
#define BAR2_SIZE	0x10000ull
#define PENDING		0x800

static struct fabric *fabric;
static struct trace *trace;
static struct fake_device *fake;
static int trace_fd;
static char text[65536];
static off_t seen;

static void setup(void)
{
	struct fake_options options = {
		.name = "fake",
		.bdf = 0x28,
		.bar2_size = BAR2_SIZE,
		.vectors = 8,
		.is_completer = true,
	};

	trace_fd = memfd_create("trace", MFD_CLOEXEC);
	seen = 0;
	trace = trace_create(&(struct trace_options){ .text = dup(trace_fd), .pcapng = -1 });
	fabric = fabric_create(trace);
	fabric_allow_unannounced(fabric);
	fake = fake_device_attach(fabric, &options);
	fake_device_enable(fake, BAR0, 0x380000000000);
	fake_config_write(fake, PCI_BASE_ADDRESS_4, BAR4, 4);
}

static void teardown(void)
{
	pci_function_connect(fake->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	close(trace_fd);
}

/* Lines recorded since the last call. */
static const char *new_lines(void)
{
	ssize_t n;

	trace_flush(trace);
	n = pread(trace_fd, text, sizeof(text) - 1, seen);
	text[n < 0 ? 0 : n] = '\0';
	seen += n;
	trace_lines_plain(text);
	return text;
}

static int cpu_read(unsigned int region, uint64_t offset, void *buf, size_t len)
{
	return pci_function_region_read(fake->fn, region, offset, buf, len);
}

static int cpu_write(unsigned int region, uint64_t offset, const void *buf, size_t len)
{
	return pci_function_region_write(fake->fn, region, offset, buf, len);
}

static uint32_t cpu_read32(unsigned int region, uint64_t offset)
{
	uint32_t value = 0;

	cpu_read(region, offset, &value, 4);
	return value;
}

static void cpu_write32(unsigned int region, uint64_t offset, uint32_t value)
{
	cpu_write(region, offset, &value, 4);
}

static void test_regions(void)
{
	struct pci_bar bar;
	uint8_t buf[PCI_CONFIG_SIZE];

	setup();
	is_str(pci_function_name(fake->fn), "fake", "name");
	is_hex(pci_function_bdf(fake->fn), 0x28, "BDF");
	is_int(pci_function_msix_vectors(fake->fn), 8, "vectors");
	is_int(pci_function_region_size(fake->fn, 0, &bar), 4096, "BAR0");
	is_int(bar.fd, -1, "is trapped");
	is_int(pci_function_region_size(fake->fn, 2, &bar), BAR2_SIZE, "BAR2");
	is_int(bar.fd, fake->fd, "is a file");
	is_int(pci_function_region_size(fake->fn, 1, &bar), 0, "BAR1 is absent");
	is_int(bar.type, PCI_BAR_NONE, "and says so");
	is_int(pci_function_region_size(fake->fn, 3, NULL), 0,
	       "the upper half of BAR2 is no region");
	is_int(pci_function_region_size(fake->fn, 6, NULL), 0, "no ROM");
	is_int(pci_function_region_size(fake->fn, PCI_REGION_CONFIG, NULL), 4096, "config space");
	is_int(pci_function_region_size(fake->fn, 8, NULL), 0, "no VGA");
	is_int(pci_function_region_size(fake->fn, UINT32_MAX, NULL), 0, "no such region");

	is_int(cpu_read(PCI_REGION_CONFIG, 0, buf, sizeof(buf)), 0, "config space in one access");
	is_int(cpu_read(PCI_REGION_CONFIG, 1, buf, sizeof(buf)), -EINVAL, "across its end");
	is_int(cpu_read(0, 4096, buf, 1), -EINVAL, "behind the end of BAR0");
	is_int(cpu_read(0, 4093, buf, 4), -EINVAL, "across the end of BAR0");
	is_int(cpu_read(0, 0, buf, 0), -EINVAL, "nothing");
	is_int(cpu_read(0, UINT64_MAX, buf, 4), -EINVAL, "wraps");
	is_int(cpu_write(0, 4093, buf, 4), -EINVAL, "write across the end of BAR0");
	is_int(cpu_write(0, 8, buf, SIZE_MAX), -EINVAL, "write of everything there is");
	is_int(cpu_read(1, 0, buf, 1), -EINVAL, "absent BAR");
	is_int(cpu_write(6, 0, buf, 1), -EINVAL, "absent ROM");
	is_int(cpu_read(UINT32_MAX, 0, buf, 1), -EINVAL, "no such region");
	is_str(new_lines(), "", "config accesses and refused ones are not traced");
	teardown();
}

static void test_trapped(void)
{
	uint8_t buf[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }, back[32];

	setup();
	is_int(cpu_write(0, 0x10, buf, 4), 0, "a register");
	is_str(new_lines(),
	       "1 rc -> 00:05.0 MWr32 0x00000000fe000010 len=4 th=0 be=f/0 value=0x04030201 "
	       "result=ok\n",
	       "is one TLP with its value");
	is_int(cpu_read(0, 0x10, back, 8), 0, "two registers");
	is_str(new_lines(),
	       "2 rc -> 00:05.0 MRd32 0x00000000fe000010 len=8 th=0 be=f/f result=ok\n",
	       "are one TLP");
	is_int(cpu_write(0, 0x103, buf, 16), 0, "anything else");
	is_str(new_lines(),
	       "3 rc -> 00:05.0 MWr32 0x00000000fe000100 len=1 th=0 be=8/0 value=0x01 result=ok\n"
	       "4 rc -> 00:05.0 MWr32 0x00000000fe000104 len=4 th=0 be=f/0 value=0x05040302 "
	       "result=ok\n"
	       "5 rc -> 00:05.0 MWr32 0x00000000fe000108 len=8 th=0 be=f/f "
	       "value=0x0d0c0b0a09080706 result=ok\n"
	       "6 rc -> 00:05.0 MWr32 0x00000000fe000110 len=2 th=0 be=3/0 value=0x0f0e result=ok\n"
	       "7 rc -> 00:05.0 MWr32 0x00000000fe000110 len=1 th=0 be=4/0 value=0x10 result=ok\n",
	       "is cut as a CPU would");
	is_mem(fake->bar0 + 0x103, buf, 16, "all bytes arrive");
	cpu_read(0, 0x103, back, 16);
	is_mem(back, buf, 16, "and come back");
	new_lines();

	fake->refuse = true;
	memset(back, 0, sizeof(back));
	is_int(cpu_read(0, 0, back, 4), 0, "what the device refuses");
	is_mem(back, "\xff\xff\xff\xff", 4, "reads as all ones");
	cpu_write(0, 0, buf, 4);
	ok(strstr(new_lines(), "MRd32 0x00000000fe000000 len=4 th=0 be=f/0 result=rejected\n") &&
	   strstr(text, "result=rejected\n"), "and is traced");
	fake->refuse = false;

	fake_config_write(fake, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	is_int(cpu_write(0, 0x10, back, 4), 0, "write without Memory Space Enable");
	is_mem(fake->bar0 + 0x10, buf, 4, "is dropped");
	memset(back, 0, sizeof(back));
	is_int(cpu_read(0, 0x10, back, 4), 0, "read without Memory Space Enable");
	is_mem(back, "\xff\xff\xff\xff", 4, "gives all ones");
	ok(strstr(new_lines(), "result=ur\n"), "and is traced");
	is_int(cpu_read(2, 0, back, 4), 0, "mapped BAR without Memory Space Enable");
	is_mem(back, "\xff\xff\xff\xff", 4, "gives all ones");
	teardown();
}

static void test_mapped(void)
{
	uint8_t buf[300], back[300];

	setup();
	memset(buf, 0x5a, sizeof(buf));
	is_int(cpu_write(2, 3, buf, sizeof(buf)), 0, "write to a BAR that could be mapped");
	is_mem(fake->memory + 3, buf, sizeof(buf), "arrives");
	is_int(cpu_read(2, 3, back, sizeof(back)), 0, "read of it");
	is_mem(back, buf, sizeof(buf), "gives the bytes");
	is_int(cpu_read(2, BAR2_SIZE - 1, back, 2), -EINVAL, "read across its end");
	is_str(new_lines(), "", "like an access to the mapping, it is not traced");
	teardown();
}

static unsigned int msix_control(void)
{
	return pci_function_cap(fake->fn, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS;
}

static void raise_vector(unsigned int vector)
{
	fabric_lock(fabric);
	pci_function_msix_raise(fake->fn, vector);
	fabric_unlock(fabric);
}

static void test_msix(void)
{
	setup();
	raise_vector(0);
	is_hex(fake->interrupts, 0, "disabled: nothing comes");
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	is_hex(fake->interrupts, 0, "and nothing comes later");
	raise_vector(3);
	raise_vector(7);
	is_hex(fake->interrupts, 0, "all masked: nothing comes");
	is_hex(cpu_read32(4, PENDING), 0x88, "but is pending");
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE, 2);
	is_hex(fake->interrupts, 0x88, "and comes when they no longer are");
	is_hex(cpu_read32(4, PENDING), 0, "nothing is pending");
	fake->interrupts = 0;
	raise_vector(0);
	is_hex(fake->interrupts, 1,
	       "not masked: comes at once, whatever the table of a client that keeps its own");
	raise_vector(8);
	raise_vector(64);
	is_hex(fake->interrupts, 1, "there is no vector 8 or 64");

	fake->interrupts = 0;
	fake_config_write(fake, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	raise_vector(1);
	is_hex(fake->interrupts, 0, "without Bus Master Enable nothing is sent");
	fake_config_write(fake, PCI_COMMAND, FAKE_COMMAND_ON, 2);
	is_hex(fake->interrupts, 2, "until it is set");
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	raise_vector(1);
	fake_config_write(fake, msix_control(), 0, 2);
	fake->interrupts = 0;
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE, 2);
	is_hex(fake->interrupts, 0, "what was pending is forgotten when MSI-X is disabled");
	teardown();
}

static void test_msix_table(void)
{
	uint64_t address = 0xfee01003;

	setup();
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE, 2);
	is_hex(cpu_read32(4, 12), 1, "vector 0 is masked after a reset");
	cpu_write(4, 16, &address, 8);
	is_hex(cpu_read32(4, 16), 0xfee01000, "low bits of the address are constant");
	cpu_write32(4, 24, 0x4021);
	is_hex(cpu_read32(4, 24), 0x4021, "data");
	raise_vector(1);
	is_hex(fake->interrupts, 0, "a client that writes the table is held to its masks");
	is_hex(cpu_read32(4, PENDING), 2, "pending");
	cpu_write32(4, 28, 0xfffffffe);
	is_hex(cpu_read32(4, 28), 0, "vector control has one bit");
	is_hex(fake->interrupts, 2, "which lets it out");
	cpu_write32(4, PENDING, 0xff);
	is_hex(cpu_read32(4, PENDING), 0, "pending bits are read-only");
	is_hex(cpu_read32(4, 8 * 16), 0, "behind the table: the device's own");
	cpu_write32(4, 8 * 16, 0x11223344);
	is_mem(fake->bar0 + 8 * 16, "\x44\x33\x22\x11", 4, "which sees it");
	cpu_write32(0, 12, 0);
	is_hex(cpu_read32(4, 12), 1, "another BAR is another BAR");
	pci_function_reset(fake->fn);
	fake_device_enable(fake, BAR0, 0);
	is_hex(cpu_read32(4, 16), 0, "the table is empty after a reset");
	teardown();
}

static void test_resets(void)
{
	struct pci_bar bar;
	unsigned int control;

	setup();
	control = pci_function_cap(fake->fn, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	fake->config_writes = fake->resets = 0;
	fake_config_write(fake, PCI_COMMAND, FAKE_COMMAND_ON, 2);
	is_int(fake->config_writes, 1, "the device hears of config writes");
	pci_function_dma_map(fake->fn, 0x10000, 0x1000, true, true, -1, 0);
	fake_config_write(fake, control, PCI_EXP_DEVCTL_BCR_FLR, 2);
	is_int(fake->resets, 1, "Function Level Reset");
	is_hex(cpu_read32(PCI_REGION_CONFIG, PCI_COMMAND), 0x00100000, "clears Command");
	is_hex(cpu_read32(PCI_REGION_CONFIG, PCI_BASE_ADDRESS_0), BAR0, "but not the BARs");
	is_int(pci_function_dma_map(fake->fn, 0x10000, 0x1000, true, true, -1, 0), -EEXIST,
	       "the DMA map is the client's");
	pci_function_reset(fake->fn);
	is_int(fake->resets, 2, "reset by the client");
	is_hex(cpu_read32(PCI_REGION_CONFIG, PCI_BASE_ADDRESS_0), BAR0, "does the same");
	pci_function_connect(fake->fn, NULL, NULL);
	is_int(fake->resets, 3, "a client that goes");
	is_hex(cpu_read32(PCI_REGION_CONFIG, PCI_BASE_ADDRESS_0), 0, "leaves nothing behind");
	is_int(pci_function_dma_map(fake->fn, 0x10000, 0x1000, true, true, -1, 0), 0,
	       "takes its DMA map along");
	pci_function_dma_unmap_all(fake->fn);
	is_int(pci_function_dma_unmap(fake->fn, 0x10000, 0x1000), -ENOENT, "nothing is left of it");
	fake_device_enable(fake, BAR0, 0);
	fake_config_write(fake, msix_control(), PCI_MSIX_FLAGS_ENABLE, 2);
	raise_vector(0);
	is_hex(fake->interrupts, 0, "without a client interrupts go nowhere");
	ok(pci_function_region_size(fake->fn, 2, &bar) && fcntl(bar.fd, F_GETFD) >= 0,
	   "the memory stays for the next");
	fake_device_connect(fake);
	teardown();
}

int main(void)
{
	test_regions();
	test_trapped();
	test_mapped();
	test_msix();
	test_msix_table();
	test_resets();
	return done_testing();
}
