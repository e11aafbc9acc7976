// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: blocks of pcapng, written and read, whole and broken, in both byte orders. */
#include <errno.h>

#include "trace/pcapng.h"
#include "tap.h"

static const uint8_t tlp[] = {
	0x40, 0x01, 0x00, 0x40, 0x00, 0x28, 0x12, 0xff, 0xfe, 0xa0, 0x01, 0x02,
};

static const struct record record = {
	.number = 0x0102030405060708, .time = 1790000000123456789, .requester = 0x28,
	.completer = 0x20, .result = RESULT_REJECTED, .mark = "set st=0x12 ph=2",
};

struct file {
	size_t size;
	size_t packet;		/* where the packet block begins */
	uint8_t bytes[1024];
};

static struct file write_file(void)
{
	struct file file = { 0 };

	file.size = pcapng_section(file.bytes, "test");
	file.size += pcapng_interface(file.bytes + file.size, "00:05.0", 0);
	file.packet = file.size;
	file.size += pcapng_packet(file.bytes + file.size, &record, 0, -1, tlp, sizeof(tlp),
				   sizeof(tlp) + 256);
	return file;
}

static int read_file(const uint8_t *bytes, size_t size, struct record *out)
{
	struct pcapng_state state = { 0 };
	size_t at = 0;
	int ret = 0;

	while (at + 12 <= size && !ret) {
		size_t block = pcapng_block_size(&state, bytes + at);

		if (!block || block > size - at)
			return -EBADMSG;
		ret = pcapng_block(&state, bytes + at, block, out);
		at += block;
	}
	return ret;
}

/* A place is an interface that is named like it. */
static void places(void)
{
	static const struct { const char *name, *want; } names[] = {
		{ "redirecting", "redirecting" },
		{ "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde" },
		{ "0123456789abcdef0123456789abcdef", "" },
		{ "two words", "" },
		{ "a\nline", "" },
	};
	struct file file = { 0 };
	struct record got;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		file.size = pcapng_section(file.bytes, "test");
		file.size += pcapng_interface(file.bytes + file.size, "00:05.0", 0);
		file.size += pcapng_interface(file.bytes + file.size, names[i].name, 0);
		file.packet = file.size;
		file.size += pcapng_packet(file.bytes + file.size, &record, 0, 1, tlp, sizeof(tlp),
					   sizeof(tlp) + 256);
		is_int(read_file(file.bytes, file.size, &got), 1, "a record with a place");
		is_str(got.at, names[i].want, "  \"%s\"", got.at);
	}
	is_int(file.bytes[file.packet + 28 + 3], 2, "  whose number counts from 1");
	file.bytes[file.packet + 28 + 3] = 3;
	is_int(read_file(file.bytes, file.size, &got), 1, "a place that is not described");
	is_str(got.at, "", "  is none");
}

static void written_and_read(void)
{
	struct file file = write_file();
	struct record got;

	/* The layout that docs/reference/trace-format.md promises, in a little-endian file */
	static const uint8_t header[] = {
		1, 0, 3, 0, 0x00, 0x28, 0x00, 0x20, 1, 2, 3, 4, 5, 6, 7, 8
	};

	is_mem(file.bytes + file.packet + 28, header, sizeof(header), "the header of a packet");
	is_mem(file.bytes + file.packet + 44, tlp, sizeof(tlp), "the TLP behind it");
	is_int(read_file(file.bytes, file.size, &got), 1, "a TLP is read");
	ok(got.number == record.number && got.time == record.time, "number and time");
	is_int(got.requester, record.requester, "requester");
	is_int(got.completer, record.completer, "completer");
	is_int(got.result, record.result, "result");
	is_str(got.mark, record.mark, "mark");
	is_hex(got.st, 0x12, "what the TLP says");
	is_int((intmax_t)got.raw_size, sizeof(tlp), "bytes that were kept");
	is_int((intmax_t)got.raw_full, sizeof(tlp) + 256, "bytes that there were");
}

static void nobody_took_it(void)
{
	struct record lost = record, got;
	struct file file = write_file();

	lost.requester = PARTY_ROOT_COMPLEX;
	lost.completer = PARTY_NONE;
	lost.mark[0] = 0;
	file.size = file.packet + pcapng_packet(file.bytes + file.packet, &lost, 0, -1, tlp,
						sizeof(tlp), sizeof(tlp) + 256);
	is_int(read_file(file.bytes, file.size, &got), 1, "read");
	is_int(got.completer, PARTY_NONE, "no completer");
	is_int(got.requester, PARTY_ROOT_COMPLEX, "sent by the root complex");
	is_str(got.mark, "", "no mark");
}

/* As a machine of the other byte order writes it: each field of a block, not its contents. */
static void swap(uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[size - 1 - i];
		bytes[size - 1 - i] = byte;
	}
}

static void other_byte_order(void)
{
	struct record plain = record, got;
	struct file file = { 0 };
	size_t at;

	plain.mark[0] = 0;
	file.size = pcapng_section(file.bytes, "");
	/* type, length, magic, versions, section length as two, option, length */
	for (at = 0; at < 12; at += 4)
		swap(file.bytes + at, 4);
	swap(file.bytes + 12, 2);
	swap(file.bytes + 24, 2);
	swap(file.bytes + file.size - 4, 4);
	at = file.size;
	file.size += pcapng_interface(file.bytes + at, "", 0);
	swap(file.bytes + at, 4);
	swap(file.bytes + at + 4, 4);
	swap(file.bytes + at + 8, 2);
	swap(file.bytes + at + 16, 2);
	swap(file.bytes + at + 20, 2);
	swap(file.bytes + at + 22, 2);
	swap(file.bytes + file.size - 4, 4);
	at = file.size;
	file.size += pcapng_packet(file.bytes + at, &plain, 0, -1, tlp, sizeof(tlp),
				   sizeof(tlp) + 256);
	for (size_t i = 0; i < 28; i += 4)
		swap(file.bytes + at + i, 4);
	swap(file.bytes + file.size - 4, 4);
	is_int(read_file(file.bytes, file.size, &got), 1, "read");
	ok(got.number == record.number && got.time == record.time, "number and time");
}

/* Whatever one byte becomes, nothing is read beyond the block: the sanitizers look. */
static void one_byte_wrong(void)
{
	struct file good = write_file();
	int refused = 0;
	size_t i;

	for (i = 0; i < good.size * 8; i++) {
		uint8_t *copy = malloc(good.size);
		struct record got;

		memcpy(copy, good.bytes, good.size);
		copy[i / 8] ^= 1 << i % 8;
		refused += read_file(copy, good.size, &got) < 0;
		free(copy);
	}
	ok(refused > 100, "%d of %zu single-bit errors are refused", refused, good.size * 8);
}

static void foreign_packets(void)
{
	struct file file = write_file();
	struct record got;

	file.bytes[file.packet + 28] = 2;
	is_int(read_file(file.bytes, file.size, &got), -EOPNOTSUPP,
	       "another version of the header");
	file = write_file();
	/* Link type of the interface: Ethernet */
	file.bytes[pcapng_section((uint8_t[PCAPNG_SECTION_MAX]){ 0 }, "test") + 8] = 1;
	is_int(read_file(file.bytes, file.size, &got), -EOPNOTSUPP, "another link type");
}

/* An MSI-X interrupt is a write with a flag and its vector; a place has no room beside it. */
static void interrupt(void)
{
	static const uint8_t header[] = { 1, 4, 0, 200, 0x00, 0x28, 0, 0 };
	static const uint8_t write[] = {
		0x40, 0x00, 0x00, 0x01, 0x00, 0x28, 0x00, 0x0f, 0xfe, 0xe0, 0x10, 0x00,
		0x21, 0x40, 0x00, 0x00,
	};
	struct record one = { .number = 9, .requester = 0x28, .completer = PARTY_ROOT_COMPLEX,
			      .type = RECORD_MSIX, .vector = 200 }, got;
	struct file file = write_file();

	file.size = file.packet + pcapng_packet(file.bytes + file.packet, &one, 0, -1, write,
						sizeof(write), sizeof(write));
	is_mem(file.bytes + file.packet + 28, header, sizeof(header), "the header");
	is_int(read_file(file.bytes, file.size, &got), 1, "read");
	is_int(got.type, RECORD_MSIX, "an interrupt");
	is_int(got.vector, 200, "its vector");
	is_hex(got.address, 0xfee01000, "its address");
	is_str(got.at, "", "no place");
}

/* A TLP that the fabric refused as malformed does not end the trace. */
static void malformed_tlp(void)
{
	struct file file = write_file();
	struct record got;

	file.size = file.packet + pcapng_packet(file.bytes + file.packet, &record, 0, -1, tlp, 8,
						8);
	is_int(read_file(file.bytes, file.size, &got), 1, "a record");
	is_int(got.type, RECORD_OTHER, "of no type");
	is_int(got.requester, record.requester, "with its requester");
}

int main(void)
{
	malformed_tlp();
	interrupt();
	written_and_read();
	places();
	nobody_took_it();
	other_byte_order();
	one_byte_wrong();
	foreign_packets();
	return done_testing();
}
