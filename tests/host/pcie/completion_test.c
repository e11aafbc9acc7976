// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: completions. Their headers by the figures of the specification, where a read is
 * cut, and what the trace has of requests of each outcome.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/byteorder.h"
#include "pcie/completion.h"
#include "pcie/path.h"
#include "pcie/port.h"
#include "pcie/trace.h"
#include "pcie/transaction.h"
#include "tap.h"
#include "trace/pcapng.h"

#define PEER_BAR  0x380000000000ull
#define BAR_SIZE  0x10000ull
#define RAM	  0x40000000ull
#define RAM_SIZE  0x10000ull

static struct tlp read_of(uint64_t address, size_t bytes)
{
	struct tlp tlp = { .type = TLP_MRD, .requester = 0x0088, .tag = 0x2a };

	is_int(tlp_init_range(&tlp, address, bytes), 0, "a read of %zu bytes", bytes);
	return tlp;
}

/* Figure 2-37; Byte Count and Lower Address by section 2.2.9.1 */
static void test_header(void)
{
	static const uint8_t data[13], with_data[] = {
		0x4a, 0x00, 0x00, 0x04,		/* Fmt 010, Type 01010, Length 4 DW */
		0x00, 0x80, 0x00, 0x0d,		/* 00:10.0, SC, 13 bytes */
		0x00, 0x88, 0x2a, 0x43,		/* 00:11.0, tag, address 1000 0011b */
	};
	static const uint8_t unsupported[] = {
		0x0a, 0x00, 0x00, 0x00,		/* no data */
		0x00, 0x80, 0x20, 0x00,		/* UR, 4096 bytes */
		0x00, 0x88, 0x2a, 0x00,
	};
	static const uint8_t poisoned[] = {
		0x4a, 0x00, 0x40, 0x02,		/* EP */
		0x00, 0x00, 0x00, 0x08,		/* the root complex, the size of an operand */
		0x00, 0x88, 0x2a, 0x00,		/* Lower Address is reserved for AtomicOps */
	};
	struct tlp atomic = { .type = TLP_FETCH_ADD, .requester = 0x0088, .tag = 0x2a,
			      .address = 0x10000048, .length = 2, .first_be = 0xf, .last_be = 0xf };
	struct tlp tlp = read_of(0x100000c3, 13);
	uint8_t header[TLP_COMPLETION_HEADER];
	struct tlp_completion c;

	tlp_completion_begin(&c, &tlp, TLP_STATUS_SUCCESS, 0x80);
	ok(tlp_completion_next(&c, data, 128), "one");
	tlp_completion_encode_header(&c, header);
	is_mem(header, with_data, sizeof(header), "with data, of bytes within DWs");
	is_int(tlp_completion_skip(&c), 3, "bytes before the first");
	ok(!tlp_completion_next(&c, data, 128), "and no other");

	tlp = read_of(0x10000000, 4096);
	tlp_completion_begin(&c, &tlp, TLP_STATUS_UNSUPPORTED, 0x80);
	tlp_completion_encode_header(&c, header);
	is_mem(header, unsupported, sizeof(header), "an error: 0 means 4096 bytes");

	tlp_completion_begin(&c, &atomic, TLP_STATUS_SUCCESS, 0);
	c.poisoned = true;
	tlp_completion_next(&c, data, 128);
	tlp_completion_encode_header(&c, header);
	is_mem(header, poisoned, sizeof(header), "of an AtomicOp, poisoned");
	ok(!tlp_completion_next(&c, data, 128), "which has one completion");

	/* Attr[1:0] are those of the request (section 2.2.9), bits 13:12; Attr[2] is bit 18. */
	tlp.attributes = TLP_RELAXED_ORDERING | TLP_ID_ORDERING;
	tlp_completion_begin(&c, &tlp, TLP_STATUS_UNSUPPORTED, 0x80);
	tlp_completion_encode_header(&c, header);
	is_hex(get_be32(header), 0x0a002000, "Relaxed Ordering of the request, and no IDO");
}

/* Each ends at a multiple of the payload size; Byte Count is what is left (section 2.3.1.1). */
static void test_cuts(void)
{
	static const struct {
		uint64_t address;
		unsigned int bytes, max_payload, count, first;
	} cases[] = {
		{ 0x1000, 1, 128, 1, 1 },
		{ 0x1000, 128, 128, 1, 128 },
		{ 0x107f, 2, 128, 2, 1 },
		{ 0x1001, 512, 256, 3, 255 },
		{ 0x1080, 512, 256, 3, 128 },
		{ 0x1000, 4096, 128, 32, 128 },
		{ 0x1003, 4093, 512, 8, 509 },
	};
	static uint8_t data[4096];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tlp tlp = read_of(cases[i].address, cases[i].bytes);
		unsigned int count = 0, sum = 0;
		struct tlp_completion c;
		bool good = true;

		tlp_completion_begin(&c, &tlp, TLP_STATUS_SUCCESS, 0x80);
		for (; tlp_completion_next(&c, data, cases[i].max_payload); count++) {
			good &= c.byte_count == cases[i].bytes - sum && c.data == data + sum;
			good &= c.address == cases[i].address + sum;
			good &= tlp_completion_length(&c) * 4 <= cases[i].max_payload;
			good &= !count ? c.bytes == cases[i].first : c.address % 128 == 0;
			sum += c.bytes;
			good &= (c.address + c.bytes) % 128 == 0 || sum == cases[i].bytes;
		}
		ok(good, "%u bytes at 0x%llx: what each says", cases[i].bytes,
		   (unsigned long long)cases[i].address);
		is_int(count, cases[i].count, "completions");
		is_int(sum, cases[i].bytes, "bytes in all");
	}
}

static struct fabric *fabric;
static struct trace *trace;
static struct fake_device *requester, *peer;
static uint8_t *ram;
static int text_fd, pcapng_fd, ram_fd;

static void setup(void)
{
	text_fd = memfd_create("text", MFD_CLOEXEC);
	pcapng_fd = memfd_create("pcapng", MFD_CLOEXEC);
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, RAM_SIZE))
		bail_out("memfd_create: %s", strerror(errno));
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	for (unsigned int i = 0; i < RAM_SIZE; i++)
		ram[i] = i;
	trace = trace_create(&(struct trace_options){ .text = dup(text_fd),
						      .pcapng = dup(pcapng_fd),
						      .payload = 16,
						      .completions = true });
	fabric = fabric_create(trace);
	fabric_add_port(fabric, &(struct pcie_port){ .name = "rp", .kind = PCIE_PORT_ROOT,
						     .bdf = 0x0008, .max_payload = 256,
						     .acs = PCIE_ACS_SOURCE_VALIDATION });
	requester = fake_device_attach(fabric, &(struct fake_options){
		.name = "requester", .bdf = 0x128, .port = fabric_find_port(fabric, "rp"),
		.atomic_requester = true, .vectors = 4 });
	peer = fake_device_attach(fabric, &(struct fake_options){
		.name = "peer", .bdf = 0x220, .bar2_size = BAR_SIZE, .is_completer = true,
		.atomic_completer = true });
	fake_device_enable(requester, 0xfe000000, 0);
	fake_device_enable(peer, 0xfe001000, PEER_BAR);
	fake_device_sizes(requester, 512, 512);
	fake_device_sizes(peer, 128, 512);
	pci_function_dma_map(requester->fn, RAM, RAM_SIZE, true, true, ram_fd, 0);
	pci_function_dma_map(requester->fn, PEER_BAR, BAR_SIZE, true, true, -1, 0);
}

static char text[16384];

/* Lines since the call before, without times. */
static const char *lines(void)
{
	static off_t seen;
	char *place, *end;
	ssize_t n;

	trace_flush(trace);
	n = pread(text_fd, text, sizeof(text) - 1, seen);
	text[n < 0 ? 0 : n] = '\0';
	seen += n < 0 ? 0 : n;
	while ((place = strstr(text, " t="))) {
		end = place + 3 + strspn(place + 3, "0123456789");
		memmove(place, end, strlen(end) + 1);
	}
	return text;
}

static void read_bytes(uint64_t address, size_t len, int want)
{
	uint8_t buf[4096];

	fabric_lock(fabric);
	is_int(fabric_read(requester->fn, address, buf, len, NULL), want, "read");
	fabric_unlock(fabric);
}

/* Cut by the smallest Max_Payload_Size on the way, which is a port's or the completer's. */
static void test_trace(void)
{
	const uint64_t operands[] = { 5, 6 };
	uint64_t before;
	uint32_t word;

	read_bytes(RAM + 0x1fe, 260, 0);
	is_str(lines(),
	       "1 01:05.0 -> rc MRd32 0x00000000400001fc len=2 th=0 be=c/0 result=ok\n"
	       "2 01:05.0 -> rc MRd32 0x0000000040000200 len=258 th=0 be=f/3 tag=1 result=ok\n"
	       "3 rc -> 01:05.0 CplD len=2 tag=0 status=SC byte-count=2 lower-address=0x7e result=ok\n"
	       "4 rc -> 01:05.0 CplD len=256 tag=1 status=SC byte-count=258 lower-address=0x00 "
	       "result=ok\n"
	       "5 rc -> 01:05.0 CplD len=2 tag=1 status=SC byte-count=2 lower-address=0x00 "
	       "result=ok\n", "from memory");
	read_bytes(PEER_BAR, 256, 0);
	is_str(lines(),
	       "6 01:05.0 -> 02:04.0 MRd64 0x0000380000000000 len=256 th=0 be=f/f tag=2 result=ok\n"
	       "7 02:04.0 -> 01:05.0 CplD len=128 tag=2 status=SC byte-count=256 "
	       "lower-address=0x00 result=ok\n"
	       "8 02:04.0 -> 01:05.0 CplD len=128 tag=2 status=SC byte-count=128 "
	       "lower-address=0x00 result=ok\n", "from a peer");
	put_le64(ram + 64, 5);
	fabric_lock(fabric);
	is_int(fabric_atomic(requester->fn, TLP_CAS, RAM + 64, operands, &before, NULL), 0, "CAS");
	fabric_unlock(fabric);
	is_str(lines(),
	       "9 01:05.0 -> rc CAS32 0x0000000040000040 len=16 th=0 be=f/f tag=3 result=ok\n"
	       "10 rc -> 01:05.0 CplD len=8 tag=3 status=SC byte-count=8 lower-address=0x00 "
	       "result=ok\n", "of an AtomicOp");
	pci_function_region_read(peer->fn, 0, 8, &word, sizeof(word));
	is_str(lines(),
	       "11 rc -> 02:04.0 MRd32 0x00000000fe001008 len=4 th=0 be=f/0 result=ok\n"
	       "12 02:04.0 -> rc CplD len=4 tag=0 status=SC byte-count=4 lower-address=0x08 "
	       "value=0x00000000 result=ok\n", "for the CPU");
}

/* Who refuses completes, and for what vanishes or is malformed nothing comes back. */
static void test_errors(void)
{
	uint32_t word;

	peer->refuse = true;
	read_bytes(PEER_BAR, 8, -EBADMSG);
	is_str(lines(),
	       "13 01:05.0 -> 02:04.0 MRd64 0x0000380000000000 len=8 th=0 be=f/f tag=4 "
	       "result=rejected\n"
	       "14 02:04.0 -> 01:05.0 Cpl len=0 tag=4 status=CA byte-count=8 lower-address=0x00 "
	       "result=ok\n", "the completer refuses its content");
	pci_function_region_read(peer->fn, 0, 8, &word, sizeof(word));
	ok(strstr(lines(), "16 02:04.0 -> rc Cpl len=0 tag=0 status=CA byte-count=4 "
			   "lower-address=0x08 result=ok\n"), "also a read by the CPU");
	peer->refuse = false;
	fake_config_write(peer, 4, 0, 2);
	read_bytes(PEER_BAR + 0x104, 8, -EFAULT);
	is_str(lines(),
	       "17 01:05.0 -> 02:04.0 MRd64 0x0000380000000104 len=8 th=0 be=f/f tag=5 result=ur\n"
	       "18 02:04.0 -> 01:05.0 Cpl len=0 tag=5 status=UR byte-count=8 lower-address=0x04 "
	       "result=ok\n", "it does not decode the address");
	fake_config_write(peer, 4, FAKE_COMMAND_ON, 2);
	read_bytes(0x1000, 4, -EFAULT);
	ok(strstr(lines(), "20 rc -> 01:05.0 Cpl len=0 tag=6 status=UR byte-count=4 "
			   "lower-address=0x00 result=ok\n"), "an address that is not announced");
}

/* Up to 32 requests are under way, each with a tag of its own; the tags begin again behind them. */
static void test_in_flight(void)
{
	static char tags[2][16384];
	unsigned int at = 0, cfg;
	const char *line;

	fabric_lock(fabric);
	cfg = pci_function_cap(requester->fn, 0x10) + 8;
	fabric_unlock(fabric);
	fake_device_sizes(requester, 512, 128);
	for (unsigned int extended = 0; extended < 2; extended++) {
		if (extended)
			fake_config_write(requester, cfg, 0x0140, 2);
		read_bytes(RAM, 4096, 0);
		read_bytes(RAM + 4096, 4096, 0);
		at = 0;
		for (line = lines(); *line; line = strchr(line, '\n') + 1) {
			unsigned int tag = 0;

			if (strstr(line, " tag=") && strstr(line, " tag=") < strchr(line, '\n'))
				tag = strtoul(strstr(line, " tag=") + 5, NULL, 10);
			at += snprintf(tags[extended] + at, sizeof(tags[0]) - at, "%c%u ",
				       strstr(line, "MRd") && strstr(line, "MRd") <
				       strchr(line, '\n') ? 'r' : 'c', tag);
		}
	}
	is_str(tags[0],
	       "r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 "
	       "r28 r29 r30 r31 r0 r1 r2 r3 r4 r5 r6 "
	       "c7 c8 c9 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20 c21 c22 c23 c24 c25 c26 c27 "
	       "c28 c29 c30 c31 c0 c1 c2 c3 c4 c5 c6 "
	       "r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 "
	       "r28 r29 r30 r31 r0 r1 r2 r3 r4 r5 r6 "
	       "c7 c8 c9 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20 c21 c22 c23 c24 c25 c26 c27 "
	       "c28 c29 c30 c31 c0 c1 c2 c3 c4 c5 c6 ", "32 tags");
	ok(strstr(tags[1], " r102 c71 "), "more with Extended Tag Field Enable: %.200s", tags[1]);
}

static void test_interrupt(void)
{
	static const uint8_t entry[] = {
		0x00, 0x10, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x21, 0x40, 0x00, 0x00, 0, 0, 0, 0,
	};
	unsigned int msix;

	fabric_lock(fabric);
	msix = pci_function_cap(requester->fn, 0x11);
	fabric_unlock(fabric);
	fake_config_write(requester, msix + 2, 0x8000, 2);
	fabric_lock(fabric);
	pci_function_msix_raise(requester->fn, 1);
	fabric_unlock(fabric);
	is_str(lines(), "21 01:05.0 -> rc MSI-X32 0x0000000000000000 len=4 th=0 be=f/0 "
			"value=0x00000000 vector=1 result=ok\n",
	       "the client keeps the table to itself");
	pci_function_region_write(requester->fn, 4, 2 * sizeof(entry), entry, sizeof(entry));
	lines();
	fabric_lock(fabric);
	pci_function_msix_raise(requester->fn, 2);
	fabric_unlock(fabric);
	ok(strstr(lines(), " 01:05.0 -> rc MSI-X32 0x00000000fee01000 len=4 th=0 be=f/0 "
			   "value=0x00004021 vector=2 result=ok\n"),
	   "address and data of the table");
	is_int((intmax_t)requester->interrupts, 1 << 1 | 1 << 2, "and the client was told");
}

/* The other form has the same records, and the payload. */
static void test_pcapng(void)
{
	static uint8_t file[65536];
	struct pcapng_state state = { 0 };
	unsigned int completions = 0, interrupts = 0;
	struct record got;
	ssize_t at = 0, size;

	trace_flush(trace);
	size = pread(pcapng_fd, file, sizeof(file), 0);
	while (at < size) {
		size_t block = pcapng_block_size(&state, file + at);
		int ret = block ? pcapng_block(&state, file + at, block, &got) : -1;

		if (ret < 0)
			bail_out("a broken block at %zd", at);
		at += block;
		if (!ret)
			continue;
		completions += record_is_completion(got.type);
		interrupts += got.type == RECORD_MSIX;
		if (got.number == 3) {
			is_hex(got.byte_count, 2, "byte count");
			is_hex(got.address, 0x7e, "lower address");
			is_hex(got.value, 0xfffe, "two bytes behind two that nobody asked for");
			is_int(got.completer, 0x128, "goes to the requester");
			is_int(got.requester, PARTY_ROOT_COMPLEX, "from the root complex");
		} else if (got.number == 4) {
			is_int((intmax_t)got.raw_full, 12 + 256, "bytes of the TLP");
			is_int((intmax_t)got.raw_size, 12 + 16, "of which some are kept");
			is_hex(got.raw[12 + 15], 0x0f, "the last of them");
		} else if (got.number == 10) {
			is_hex(got.value, 5, "the value before an AtomicOp");
		} else if (got.number == 21) {
			is_int(got.vector, 1, "vector");
		}
	}
	is_int(completions, 11, "completions");
	is_int(interrupts, 2, "interrupts");
}

static void teardown(void)
{
	pci_function_connect(requester->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	fabric_destroy(fabric);
	is_int(trace_destroy(trace).error, 0, "no error");
	munmap(ram, RAM_SIZE);
}

static struct pcie_port *tree_port(const char *name, enum pcie_port_kind kind, uint16_t bdf,
				   struct pcie_port *above, unsigned int acs)
{
	struct pcie_port port = { .kind = kind, .bdf = bdf, .above = above, .acs = acs,
				  .max_payload = 4096 };

	strcpy(port.name, name);
	is_int(fabric_add_port(fabric, &port), 0, "port %s", name);
	return fabric_find_port(fabric, name);
}

/* A request that ends at a port is completed there: redirected, without Upstream Forwarding. */
static void test_port(void)
{
	struct pcie_port *root, *top;
	int fd = memfd_create("text", MFD_CLOEXEC);
	ssize_t n;

	trace = trace_create(&(struct trace_options){ .text = dup(fd), .pcapng = -1,
						      .completions = true });
	fabric = fabric_create(trace);
	root = tree_port("root", PCIE_PORT_ROOT, 0x0018, NULL, 0);
	top = tree_port("top", PCIE_PORT_UPSTREAM, 0x0100, root, 0);
	requester = fake_device_attach(fabric, &(struct fake_options){
		.name = "requester", .bdf = 0x328,
		.port = tree_port("from", PCIE_PORT_DOWNSTREAM, 0x0200, top,
				  PCIE_ACS_REQUEST_REDIRECT) });
	peer = fake_device_attach(fabric, &(struct fake_options){
		.name = "peer", .bdf = 0x420, .bar2_size = BAR_SIZE, .is_completer = true,
		.port = tree_port("to", PCIE_PORT_DOWNSTREAM, 0x0208, top, 0) });
	fake_device_enable(requester, 0xfe000000, 0);
	fake_device_enable(peer, 0xfe001000, PEER_BAR);
	pci_function_dma_map(requester->fn, PEER_BAR, BAR_SIZE, true, true, -1, 0);
	read_bytes(PEER_BAR, 4, -EFAULT);
	trace_flush(trace);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	ok(strstr(text, "result=ur at=root\n2 00:03.0 -> 03:05.0 Cpl len=0 tag=0 status=UR"),
	   "by the root port");
	pci_function_connect(requester->fn, NULL, NULL);
	pci_function_connect(peer->fn, NULL, NULL);
	fabric_destroy(fabric);
	trace_destroy(trace);
	close(fd);
}

int main(void)
{
	test_header();
	test_cuts();
	setup();
	test_trace();
	test_errors();
	test_interrupt();
	test_pcapng();
	test_in_flight();
	teardown();
	test_port();
	return done_testing();
}
