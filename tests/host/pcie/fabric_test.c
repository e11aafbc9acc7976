// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the fabric. Where requests go, what each check refuses, how transfers are cut into
 * TLPs, what is counted and traced, and random transfers against a naive copy.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"
#include "trace_lines.h"

#define PEER_BAR	0x380000000000ull
#define PEER_SIZE	0x10000ull
#define RAM		0x40000000ull
#define RAM_SIZE	0x10000ull

static struct fabric *fabric;
static struct trace *trace;
static struct fake_device *requester, *peer;
static int trace_fd, ram_fd;
static char text[65536];

static const struct tlp_hint hint8 = { .present = true, .ph = 2, .st = 0x12 };
static const struct tlp_hint hint16 = { .present = true, .extended = true, .ph = 1, .st = 0x3412 };

static int make_file(uint64_t size)
{
	int fd = memfd_create("ram", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		bail_out("memfd_create: %s", strerror(errno));
	return fd;
}

/*
 * A requester at 00:05.0 and a completer at 00:04.0, both enabled; guest memory at RAM, the
 * completer's BAR announced.
 */
static void setup(void)
{
	struct fake_options requester_options = { .name = "requester",
						  .bdf = 0x28,
						  .end_end_prefix = true };
	struct fake_options peer_options = {
		.name = "peer",
		.bdf = 0x20,
		.bar2_size = PEER_SIZE,
		.end_end_prefix = true,
		.is_completer = true,
	};

	trace_fd = memfd_create("trace", MFD_CLOEXEC);
	trace = trace_create(&(struct trace_options){ .text = dup(trace_fd), .pcapng = -1 });
	fabric = fabric_create(trace);
	fabric_allow_unannounced(fabric);
	requester = fake_device_attach(fabric, &requester_options);
	peer = fake_device_attach(fabric, &peer_options);
	fake_device_enable(requester, 0xfe000000, 0);
	fake_device_enable(peer, 0xfe001000, PEER_BAR);
	ram_fd = make_file(RAM_SIZE);
	if (pci_function_dma_map(requester->fn, RAM, RAM_SIZE, true, true, ram_fd, 0) ||
	    pci_function_dma_map(requester->fn, PEER_BAR, PEER_SIZE, true, true, -1, 0))
		bail_out("cannot map");
}

static void teardown(void)
{
	pci_function_connect(requester->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	close(trace_fd);
	close(ram_fd);
}

static int do_write(uint64_t address, const void *buf, size_t len, const struct tlp_hint *hint)
{
	struct tlp_properties properties = { 0 };
	int ret;

	if (hint)
		properties.hint = *hint;
	fabric_lock(fabric);
	ret = fabric_write(requester->fn, address, buf, len, &properties, NULL);
	fabric_unlock(fabric);
	return ret;
}

static int do_read(uint64_t address, void *buf, size_t len)
{
	int ret;

	fabric_lock(fabric);
	ret = fabric_read(requester->fn, address, buf, len, NULL);
	fabric_unlock(fabric);
	return ret;
}

/* Lines recorded since the last call. */
static const char *new_lines(void)
{
	static off_t seen;
	off_t end;
	ssize_t n;

	trace_flush(trace);
	end = lseek(trace_fd, 0, SEEK_END);
	if (end < seen)
		seen = 0;
	n = pread(trace_fd, text, sizeof(text) - 1, seen);
	text[n < 0 ? 0 : n] = '\0';
	seen = end;
	trace_lines_plain(text);
	return text;
}

static uint64_t counted(enum tlp_result result)
{
	struct fabric_counters counters;

	fabric_get_counters(fabric, &counters);
	return counters.results[result];
}

/* Without fabric_allow_unannounced(): what the client has not announced is nowhere. */
static void test_unannounced(void)
{
	struct fake_options options = { .name = "alone", .bdf = 0x30 };
	struct fake_device *alone;
	char buf[4];

	fabric = fabric_create(NULL);
	alone = fake_device_attach(fabric, &options);
	fake_device_enable(alone, 0xfe000000, 0);
	pci_function_dma_map(alone->fn, 0x1000, 0x1000, true, true, -1, 0);
	fabric_lock(fabric);
	is_int(fabric_read(alone->fn, 0x1000, buf, 4, NULL), 0,
	       "an announced address is asked upstream");
	is_int(fabric_read(alone->fn, 0x2000, buf, 4, NULL), -EFAULT, "another is refused");
	is_int(fabric_write(alone->fn, 0, buf, 4, NULL, NULL), -EFAULT, "for writes as well");
	fabric_unlock(fabric);
	is_int(alone->upstream_calls, 1, "and the client is not asked");
	is_int(counted(TLP_FAULT), 2, "both are faults");
	pci_function_connect(alone->fn, NULL, NULL);
	fabric_destroy(fabric);
}

static void test_ways(void)
{
	char buf[16];

	setup();
	new_lines();
	is_int(do_write(RAM + 0x100, "guest memory", 12, &hint8), 0, "write to guest memory");
	is_int(pread(ram_fd, buf, 12, 0x100), 12, "the file");
	is_mem(buf, "guest memory", 12, "has the bytes");
	is_str(new_lines(),
	       "1 00:05.0 -> rc MWr32 0x0000000040000100 len=12 th=1 ph=2 st=0x12 be=f/f "
	       "result=ok\n",
	       "to the root complex, with the hint that left");
	is_int(do_read(RAM + 0x100, buf, 12), 0, "read of guest memory");
	is_mem(buf, "guest memory", 12, "gives the bytes");
	is_str(new_lines(),
	       "2 00:05.0 -> rc MRd32 0x0000000040000100 len=12 th=0 be=f/f result=ok\n",
	       "from the root complex");

	is_int(do_write(PEER_BAR + 0x40, "peer", 4, &hint16), 0, "write to the peer");
	is_mem(peer->memory + 0x40, "peer", 4, "its memory has the bytes");
	is_int(peer->writes, 1, "as one TLP");
	ok(peer->last.hint.present && peer->last.hint.extended && peer->last.hint.st == 0x3412 &&
		   peer->last.hint.ph == 1,
	   "with the hint");
	is_str(new_lines(),
	       "3 00:05.0 -> 00:04.0 MWr64 0x0000380000000040 len=4 th=1 ph=1 st-ext=0x3412 be=f/0 "
	       "result=ok\n",
	       "directly");
	is_int(do_read(PEER_BAR + 0x41, buf, 2), 0, "read of the peer");
	is_mem(buf, "ee", 2, "gives the bytes");
	is_str(new_lines(),
	       "4 00:05.0 -> 00:04.0 MRd64 0x0000380000000040 len=2 th=0 be=6/0 result=ok\n",
	       "directly");

	is_int(do_write(0x200, "up", 2, &hint8), 0, "write to what is not announced");
	is_mem(requester->upstream + 0x200, "up", 2, "goes through the client");
	is_str(new_lines(),
	       "5 00:05.0 -> rc MWr32 0x0000000000000200 len=2 th=1 ph=2 st=0x12 be=3/0 "
	       "result=ok\n",
	       "to the root complex");
	is_int(do_read(0x201, buf, 1), 0, "read of it");
	is_mem(buf, "p", 1, "gives the byte");
	is_int(requester->upstream_calls, 2, "through the client");
	is_int(peer->upstream_calls, 0, "of the requester");
	teardown();
}

static void test_refusals(void)
{
	char buf[16];

	setup();
	new_lines();
	is_int(do_write(0x20000, "x", 1, NULL), -EFAULT, "the client refuses");
	requester->upstream_result = -ENOTCONN;
	is_int(do_read(0x200, buf, 1), -ENOTCONN, "the client vanishes");
	requester->upstream_result = -EIO;
	is_int(do_read(0x200, buf, 1), -EFAULT, "any other error of the client");
	requester->upstream_result = 0;
	pci_function_dma_map(requester->fn, 0x1000, 0x1000, true, false, -1, 0);
	pci_function_dma_map(requester->fn, 0x2000, 0x1000, false, true, -1, 0);
	requester->upstream_calls = 0;
	is_int(do_write(0x1000, "x", 1, NULL), -EFAULT, "write to what is read-only");
	is_int(do_read(0x2000, buf, 1), -EFAULT, "read of what is write-only");
	is_int(requester->upstream_calls, 0, "the client is not asked");
	is_int(do_read(0x1000, buf, 1), 0, "read of what is read-only");
	is_str(new_lines(),
	       "1 00:05.0 -> rc MWr32 0x0000000000020000 len=1 th=0 be=1/0 result=fault\n"
	       "2 00:05.0 -> rc MRd32 0x0000000000000200 len=1 th=0 be=1/0 result=abort\n"
	       "3 00:05.0 -> rc MRd32 0x0000000000000200 len=1 th=0 be=1/0 result=fault\n"
	       "4 00:05.0 -> rc MWr32 0x0000000000001000 len=1 th=0 be=1/0 result=fault\n"
	       "5 00:05.0 -> rc MRd32 0x0000000000002000 len=1 th=0 be=1/0 result=fault\n"
	       "6 00:05.0 -> rc MRd32 0x0000000000001000 len=1 th=0 be=1/0 result=ok\n", "traced");
	is_int(counted(TLP_FAULT), 4, "faults are counted");
	is_int(counted(TLP_ABORT), 1, "aborts are counted");

	if (ftruncate(ram_fd, 0))
		bail_out("ftruncate: %s", strerror(errno));
	is_int(do_write(RAM, "x", 1, NULL), -EFAULT, "guest memory that was cut off");
	is_int(do_write(RAM, "x", 0, NULL), -EINVAL, "write of nothing");
	is_int(do_write(UINT64_MAX, "xx", 2, NULL), -EINVAL, "write that wraps");
	is_int(do_read(UINT64_MAX - 2, buf, 4), -EINVAL, "read that wraps");
	pci_function_connect(requester->fn, NULL, NULL);
	fake_device_enable(requester, 0xfe000000, 0);
	new_lines();
	is_int(do_write(0x200, "x", 1, NULL), -ENOTCONN, "without a client");
	is_int(do_write(RAM, "x", 1, NULL), -ENOTCONN, "whose map is gone, too");
	teardown();
}

static void test_bus_master(void)
{
	char buf[4];

	setup();
	new_lines();
	fake_config_write(requester, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	is_int(do_write(RAM, "x", 1, NULL), -EPERM, "write without Bus Master Enable");
	is_int(do_read(PEER_BAR, buf, 1), -EPERM, "read without Bus Master Enable");
	fake_config_write(requester, PCI_COMMAND, FAKE_COMMAND_ON, 2);
	fake_config_write(requester, pci_function_cap(requester->fn, PCI_CAP_ID_PM) + PCI_PM_CTRL,
			  3, 2);
	is_int(do_write(PEER_BAR, "x", 1, NULL), -EPERM, "write in D3hot");
	is_str(new_lines(), "", "nothing was sent");
	is_int(counted(TLP_OK), 0, "nor counted");
	teardown();
}

/* The rules of fabric.h on when an address is that of a peer. */
static void test_routing(void)
{
	int file;

	setup();
	pci_function_dma_unmap(requester->fn, PEER_BAR, PEER_SIZE);
	is_int(do_write(PEER_BAR, "x", 1, NULL), -EFAULT,
	       "a BAR that is not announced is asked upstream");
	is_int(requester->upstream_calls, 1, "which the client sees");
	pci_function_dma_map(requester->fn, PEER_BAR, PEER_SIZE / 2, true, true, -1, 0);
	do_write(PEER_BAR, "x", 1, NULL);
	is_int(requester->upstream_calls, 2, "half a BAR is a translated page");
	is_int(peer->writes, 0, "and not the peer");
	pci_function_dma_unmap_all(requester->fn);
	pci_function_dma_map(requester->fn, PEER_BAR - 0x1000, PEER_SIZE, true, true, -1, 0);
	do_write(PEER_BAR, "x", 1, NULL);
	is_int(requester->upstream_calls, 3, "so is one that is moved");
	pci_function_dma_unmap_all(requester->fn);
	pci_function_dma_map(requester->fn, PEER_BAR - 0x1000, PEER_SIZE + 0x2000, true, true, -1,
			     0);
	is_int(do_write(PEER_BAR, "x", 1, NULL), 0, "more than the BAR is the peer");
	is_int(peer->writes, 1, "which gets it");
	do_write(PEER_BAR + PEER_SIZE, "x", 1, NULL);
	is_int(requester->upstream_calls, 4, "what is around it is not");
	pci_function_dma_unmap_all(requester->fn);
	file = make_file(PEER_SIZE);
	pci_function_dma_map(requester->fn, PEER_BAR, PEER_SIZE, true, true, file, 0);
	is_int(do_write(PEER_BAR, "y", 1, NULL), 0, "a file wins");
	is_int(peer->writes, 1, "over the peer");
	is_mem(peer->memory, "x", 1, "which does not see it");
	pci_function_dma_unmap_all(requester->fn);
	pci_function_dma_map(requester->fn, 0xfe001000, 0x1000, true, true, -1, 0);
	do_write(0xfe001000, "y", 1, NULL);
	is_int(requester->upstream_calls, 5, "a trapped BAR is asked upstream");
	is_int(peer->bar0[0], 0, "the peer does not see it");
	teardown();
}

static void test_disabled_completer(void)
{
	struct fake_options options = {
		.name = "third", .bdf = 0x30, .bar2_size = PEER_SIZE, .is_completer = true,
	};
	struct fake_device *third;

	setup();
	new_lines();
	fake_config_write(peer, PCI_COMMAND, 0, 2);
	is_int(do_write(PEER_BAR, "x", 1, NULL), -EFAULT, "memory space disabled");
	fake_config_write(peer, PCI_COMMAND, FAKE_COMMAND_ON, 2);
	fake_config_write(peer, pci_function_cap(peer->fn, PCI_CAP_ID_PM) + PCI_PM_CTRL, 3, 2);
	is_int(do_write(PEER_BAR, "x", 1, NULL), -EFAULT, "D3hot");
	is_str(new_lines(),
	       "1 00:05.0 -> 00:04.0 MWr64 0x0000380000000000 len=1 th=0 be=1/0 result=ur\n"
	       "2 00:05.0 -> 00:04.0 MWr64 0x0000380000000000 len=1 th=0 be=1/0 result=ur\n",
	       "unsupported requests");
	is_int(counted(TLP_UNSUPPORTED), 2, "counted");
	is_int(peer->memory[0], 0, "nothing was written");

	third = fake_device_attach(fabric, &options);
	fake_device_enable(third, 0xfe002000, PEER_BAR);
	is_int(do_write(PEER_BAR, "x", 1, NULL), 0, "another function has the addresses now");
	is_int(third->writes, 1, "and gets it");
	is_int(requester->upstream_calls, 0, "the client is not asked");
	pci_function_connect(third->fn, NULL, NULL);
	teardown();
}

static void test_not_to_itself(void)
{
	setup();
	pci_function_dma_map(peer->fn, PEER_BAR, PEER_SIZE, true, true, -1, 0);
	fabric_lock(fabric);
	is_int(fabric_write(peer->fn, PEER_BAR, "x", 1, NULL, NULL), -EFAULT,
	       "a function's own BAR");
	fabric_unlock(fabric);
	is_int(peer->upstream_calls, 1, "is asked upstream");
	is_int(peer->writes, 0, "and does not come back by itself");
	teardown();
}

static void test_completer_checks(void)
{
	uint8_t buf[512] = { 0 };

	setup();
	fake_device_sizes(requester, 256, 512);
	new_lines();
	is_int(do_write(PEER_BAR, buf, 128, NULL), 0,
	       "payload of the completer's Max_Payload_Size");
	is_int(do_write(PEER_BAR, buf, 256, NULL), -EBADMSG, "payload above it");
	is_int(do_read(PEER_BAR, buf, 512), 0, "which does not bind reads");
	is_int(peer->malformed, 1, "the completer is told");
	peer->refuse = true;
	is_int(do_write(PEER_BAR, buf, 4, NULL), -EBADMSG, "the completer refuses a write");
	is_int(do_read(PEER_BAR, buf, 4), -EBADMSG, "the completer refuses a read");
	is_str(new_lines(),
	       "1 00:05.0 -> 00:04.0 MWr64 0x0000380000000000 len=128 th=0 be=f/f result=ok\n"
	       "2 00:05.0 -> 00:04.0 MWr64 0x0000380000000000 len=256 th=0 be=f/f "
	       "result=malformed\n"
	       "3 00:05.0 -> 00:04.0 MRd64 0x0000380000000000 len=512 th=0 be=f/f result=ok\n"
	       "4 00:05.0 -> 00:04.0 MWr64 0x0000380000000000 len=4 th=0 be=f/0 result=rejected\n"
	       "5 00:05.0 -> 00:04.0 MRd64 0x0000380000000000 len=4 th=0 be=f/0 result=rejected\n",
	       "traced");
	is_int(counted(TLP_MALFORMED), 1, "malformed are counted");
	is_int(counted(TLP_REJECTED), 2, "rejected are counted");
	teardown();
}

static void test_small_completer(void)
{
	struct fake_options small = {
		.name = "small", .bdf = 0x30, .bar2_size = 256, .is_completer = true
	};
	struct fake_options silent = { .name = "silent", .bdf = 0x38, .bar2_size = 4096 };
	struct fake_device *third, *fourth;
	uint8_t buf[512] = { 0 };

	setup();
	third = fake_device_attach(fabric, &small);
	fourth = fake_device_attach(fabric, &silent);
	fake_device_enable(third, 0xfe002000, 0xfd000000);
	fake_device_enable(fourth, 0xfe003000, 0xfd001000);
	fake_device_sizes(requester, 512, 512);
	fake_device_sizes(third, 512, 512);
	pci_function_dma_map(requester->fn, 0xfd000000, 0x2000, true, true, -1, 0);
	is_int(do_write(0xfd000000, buf, 256, NULL), 0, "all of a small BAR");
	is_int(do_write(0xfd000000, buf, 260, NULL), -EFAULT, "across its end");
	is_int(do_read(0xfd0000fc, buf, 8), -EFAULT, "read across its end");
	is_int(third->writes, 1, "which the completer does not see");
	is_int(do_write(0xfd000000, buf, 4, &hint8), 0,
	       "8-bit tag to a completer without prefixes");
	is_int(do_write(0xfd000000, buf, 4, &hint16), -EBADMSG,
	       "16-bit tag to a completer without prefixes");
	is_int(third->malformed, 1, "is malformed");
	is_int(do_write(0xfd001000, buf, 4, NULL), -EFAULT, "a function that completes no writes");
	is_int(do_read(0xfd001000, buf, 4), -EFAULT, "nor reads");
	pci_function_connect(third->fn, NULL, NULL);
	pci_function_connect(fourth->fn, NULL, NULL);
	teardown();
}

static void test_splitting(void)
{
	static uint8_t buf[16384];
	uint64_t sent = 0;

	setup();
	new_lines();
	fake_device_sizes(requester, 128, 256);
	fabric_lock(fabric);
	is_int(fabric_write(requester->fn, RAM + 0xf7d, buf, 0x10a,
			    &(struct tlp_properties){ .hint = hint8 }, &sent), 0,
	       "odd start, odd end, page border");
	fabric_unlock(fabric);
	is_int(sent, 4, "four TLPs");
	is_str(new_lines(),
	       "1 00:05.0 -> rc MWr32 0x0000000040000f7c len=3 th=1 ph=2 st=0x12 be=e/0 result=ok\n"
	       "2 00:05.0 -> rc MWr32 0x0000000040000f80 len=128 th=1 ph=2 st=0x12 be=f/f "
	       "result=ok\n"
	       "3 00:05.0 -> rc MWr32 0x0000000040001000 len=128 th=1 ph=2 st=0x12 be=f/f "
	       "result=ok\n"
	       "4 00:05.0 -> rc MWr32 0x0000000040001080 len=7 th=1 ph=2 st=0x12 be=f/7 "
	       "result=ok\n",
	       "end at Max_Payload_Size and cross nothing");
	is_int(do_read(RAM + 0xfff, buf, 0x102), 0, "a read");
	is_str(new_lines(),
	       "5 00:05.0 -> rc MRd32 0x0000000040000ffc len=1 th=0 be=8/0 result=ok\n"
	       "6 00:05.0 -> rc MRd32 0x0000000040001000 len=256 th=0 be=f/f result=ok\n"
	       "7 00:05.0 -> rc MRd32 0x0000000040001100 len=1 th=0 be=1/0 result=ok\n",
	       "ends at Max_Read_Request_Size");
	is_int(do_write(0xffffffff, buf, 2, NULL), -EFAULT, "at 4 GiB");
	is_str(new_lines(),
	       "8 00:05.0 -> rc MWr32 0x00000000fffffffc len=1 th=0 be=8/0 result=fault\n",
	       "stops at the first error");
	sent = 0;
	fabric_lock(fabric);
	fabric_write(requester->fn, RAM + RAM_SIZE - 256, buf, 512, NULL, &sent);
	fabric_unlock(fabric);
	is_int(sent, 3, "what failed was sent as well");
	teardown();
}

static void test_reset_under_way(void)
{
	char buf[4] = "old";

	setup();
	requester->reset_upstream = requester->fn;
	is_int(do_write(0x200, "x", 1, NULL), -ECANCELED, "reset during a write");
	fake_device_enable(requester, 0xfe000000, 0);
	is_int(do_read(0x200, buf, 1), -ECANCELED, "reset during a read");
	requester->reset_upstream = peer->fn;
	fake_device_enable(requester, 0xfe000000, 0);
	is_int(do_write(0x200, "x", 1, NULL), 0, "reset of another function");
	teardown();
}

/* Random transfers end up as a plain copy would, at the peer as in guest memory. */
static void test_random(void)
{
	static uint8_t model_ram[RAM_SIZE], model_peer[PEER_SIZE], buf[5000], back[5000];
	static const unsigned int sizes[] = { 128, 256, 512 };
	unsigned int errors = 0, differences = 0;
	uint8_t ram[RAM_SIZE];

	setup();
	srandom(5);
	fake_device_sizes(peer, 512, 512);
	for (unsigned int i = 0; i < 3000; i++) {
		bool to_peer = random() % 2;
		size_t len = 1 + random() % (random() % 2 ? 20 : sizeof(buf));
		uint64_t offset = random() % (RAM_SIZE - len);
		uint64_t address = (to_peer ? PEER_BAR : RAM) + offset;

		if (i % 50 == 0)
			fake_device_sizes(requester, sizes[random() % 3], sizes[random() % 3]);
		for (size_t j = 0; j < len; j++)
			buf[j] = 1 + random() % 255;
		errors += do_write(address, buf, len, random() % 2 ? &hint16 : NULL) != 0;
		memcpy((to_peer ? model_peer : model_ram) + offset, buf, len);
		len = 1 + random() % (sizeof(back) - 1);
		offset = random() % (RAM_SIZE - len);
		errors += do_read((to_peer ? PEER_BAR : RAM) + offset, back, len) != 0;
		differences += memcmp(back, (to_peer ? model_peer : model_ram) + offset, len) != 0;
	}
	is_int(errors, 0, "random transfers: none fails");
	is_int(differences, 0, "random transfers: reads give what was written");
	is_int(pread(ram_fd, ram, sizeof(ram), 0), sizeof(ram), "guest memory");
	is_mem(ram, model_ram, sizeof(ram), "is as it should be");
	is_mem(peer->memory, model_peer, PEER_SIZE, "the peer's memory as well");
	is_int(peer->bad_tlps, 0, "and every TLP was one that a link can carry");
	ok(peer->writes > 3000, "%u of them", peer->writes);
	teardown();
}

static void check_attach(const char *what, const struct fake_options *options, int result)
{
	struct fake_device *fake = fake_device_new(options);
	bool destroyed = false;
	int ret;

	if (!fake)
		bail_out("%s: cannot make a device", what);
	fake->destroyed = &destroyed;
	ret = pci_function_attach(fake->fn, fabric);
	is_int(ret, result, "%s", what);
	is_int(destroyed, ret != 0, "%s: destroyed when refused", what);
	if (!ret)
		fake->destroyed = NULL;
}

static void test_attach(void)
{
	char name[16];
	struct fake_options options = { .name = "requester", .bdf = 0x100 };

	setup();
	check_attach("a name that is taken", &options, -EEXIST);
	options = (struct fake_options){ .name = "other", .bdf = 0x28 };
	check_attach("a BDF that is taken", &options, -EEXIST);
	for (unsigned int i = 2; i < FABRIC_FUNCTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		options = (struct fake_options){ .name = name, .bdf = 0x100 + i };
		if (pci_function_attach(fake_device_new(&options)->fn, fabric))
			bail_out("cannot attach %s", name);
	}
	options = (struct fake_options){ .name = "other", .bdf = 0x200 };
	check_attach("one too many", &options, -ENOSPC);
	options = (struct fake_options){ .name = "other", .bdf = 0 };
	ok(!fake_device_new(&options), "the place of the host bridge");
	options = (struct fake_options){ .name = "", .bdf = 8 };
	ok(!fake_device_new(&options), "no name");
	options = (struct fake_options){ .name = "0123456789012345678901234567890x", .bdf = 8 };
	ok(!fake_device_new(&options), "a name that is too long");
	teardown();
	fabric_destroy(NULL);
}

int main(void)
{
	test_unannounced();
	test_ways();
	test_refusals();
	test_bus_master();
	test_routing();
	test_disabled_completer();
	test_not_to_itself();
	test_completer_checks();
	test_small_completer();
	test_splitting();
	test_reset_under_way();
	test_random();
	test_attach();
	return done_testing();
}
