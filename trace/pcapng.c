// SPDX-License-Identifier: GPL-2.0-or-later
/* Blocks of pcapng, as far as a trace needs them. */
#include <errno.h>
#include <string.h>

#include "pcapng.h"
#include "wire.h"

#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE	1u
#define BLOCK_PACKET	6u
#define MAGIC		0x1a2b3c4du
#define OPT_COMMENT	1
#define OPT_IF_NAME	2
#define OPT_IF_TSRESOL	9
#define OPT_USERAPPL	4
#define MICROSECONDS	6
#define NANOSECONDS	9

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static uint8_t *put16(uint8_t *p, uint16_t value)
{
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	memset(p + len, 0, padded(len) - len);
	return p + padded(len);
}

static uint8_t *put_option(uint8_t *p, uint16_t code, const void *value, uint16_t len)
{
	p = put16(p, code);
	p = put16(p, len);
	return put_bytes(p, value, len);
}

/* Type, the two lengths and what lies between them. */
static size_t block_finish(uint8_t *buf, uint32_t type, uint8_t *end)
{
	uint32_t size = end - buf + 4;

	put32(buf, type);
	put32(buf + 4, size);
	put32(end, size);
	return size;
}

size_t pcapng_section(uint8_t *buf, const char *application)
{
	uint8_t *p = put32(buf + 8, MAGIC);

	p = put16(p, 1);
	p = put16(p, 0);
	/* Length of the section: not known while it is written. */
	p = put32(p, UINT32_MAX);
	p = put32(p, UINT32_MAX);
	p = put_option(p, OPT_USERAPPL, application, strnlen(application, 64));
	return block_finish(buf, BLOCK_SECTION, put32(p, 0));
}

size_t pcapng_interface(uint8_t *buf, const char *name, uint32_t snaplen)
{
	const uint8_t resolution = NANOSECONDS;
	uint8_t *p = put16(buf + 8, PCAPNG_LINKTYPE);

	p = put16(p, 0);
	p = put32(p, snaplen);
	p = put_option(p, OPT_IF_NAME, name, strnlen(name, 64));
	p = put_option(p, OPT_IF_TSRESOL, &resolution, 1);
	return block_finish(buf, BLOCK_INTERFACE, put32(p, 0));
}

static void put_be(uint8_t *p, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		p[bytes] = value;
		value >>= 8;
	}
}

/* The parties go as 32 bits in all: PARTY_NONE is a flag. */
#define HEADER_NO_COMPLETER	1
#define HEADER_FROM_ROOT	2
#define HEADER_INTERRUPT	4
#define HEADER_INJECTED_SHIFT	4

/*
 * A place has the number of its interface in one byte, counted from 1. An interrupt ends at no
 * place, and has its vector there.
 */
static void put_header(uint8_t *p, const struct record *record, int place)
{
	p[0] = PCAPNG_HEADER_VERSION;
	p[1] = (record->completer == PARTY_NONE ? HEADER_NO_COMPLETER : 0) |
	       (record->requester == PARTY_ROOT_COMPLEX ? HEADER_FROM_ROOT : 0) |
	       (record->type == RECORD_MSIX ? HEADER_INTERRUPT : 0) |
	       record->injected << HEADER_INJECTED_SHIFT;
	p[2] = record->result;
	p[3] = place < UINT8_MAX ? place + 1 : 0;
	if (record->type == RECORD_MSIX)
		p[3] = record->vector;
	put_be(p + 4, record->requester & 0xffff, 2);
	put_be(p + 6, record->completer == PARTY_NONE ? 0 : record->completer & 0xffff, 2);
	put_be(p + 8, record->number, 8);
}

size_t pcapng_packet(uint8_t *buf, const struct record *record, uint32_t interface, int place,
		     const uint8_t *tlp, size_t kept, size_t full)
{
	size_t captured = PCAPNG_HEADER_SIZE + kept;
	uint8_t *p = put32(buf + 8, interface);

	p = put32(p, record->time >> 32);
	p = put32(p, record->time);
	p = put32(p, captured);
	p = put32(p, PCAPNG_HEADER_SIZE + full);
	put_header(p, record, place);
	memcpy(p + PCAPNG_HEADER_SIZE, tlp, kept);
	memset(p + captured, 0, padded(captured) - captured);
	p += padded(captured);
	if (record->mark[0]) {
		p = put_option(p, OPT_COMMENT, record->mark, strlen(record->mark));
		p = put32(p, 0);
	}
	return block_finish(buf, BLOCK_PACKET, p);
}

static uint16_t get16(const struct pcapng_state *state, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return state->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const struct pcapng_state *state, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return state->swapped ? __builtin_bswap32(value) : value;
}

static uint64_t get_be(const uint8_t *p, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *p++;
	return value;
}

size_t pcapng_block_size(struct pcapng_state *state, const uint8_t *buf)
{
	size_t size;

	if (get32(state, buf) == BLOCK_SECTION) {
		state->swapped = false;
		state->swapped = get32(state, buf + 8) != MAGIC;
	}
	size = get32(state, buf + 4);
	return size < 12 || size % 4 || size > PCAPNG_BLOCK_MAX ? 0 : size;
}

/*
 * Calls @use for each option between @p and @end; -EBADMSG when one reaches beyond the end.
 */
static int options(const struct pcapng_state *state, const uint8_t *p, const uint8_t *end,
		   void (*use)(uint16_t code, const uint8_t *value, uint16_t len, void *arg),
		   void *arg)
{
	while (end - p >= 4) {
		uint16_t code = get16(state, p), len = get16(state, p + 2);

		if (!code)
			return 0;
		p += 4;
		if ((size_t)(end - p) < padded(len))
			return -EBADMSG;
		use(code, p, len, arg);
		p += padded(len);
	}
	return 0;
}

/* A name that a record may have, also in the text form. */
static bool is_place(const uint8_t *name, uint16_t len)
{
	for (unsigned int i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return len < RECORD_PLACE_MAX;
}

static void use_interface(uint16_t code, const uint8_t *value, uint16_t len, void *arg)
{
	struct pcapng_state *state = arg;
	unsigned int i = state->interfaces;

	if (code == OPT_IF_TSRESOL && len == 1)
		state->resolution[i] = *value;
	if (code == OPT_IF_NAME && is_place(value, len)) {
		memcpy(state->name[i], value, len);
		state->name[i][len] = 0;
	}
}

static uint64_t nanoseconds(uint64_t stamp, uint8_t resolution)
{
	unsigned __int128 ns = stamp;
	unsigned int digits = resolution & 0x7f;

	if (resolution & 0x80)
		return digits < 64 ? ns * 1000000000u >> digits : 0;
	for (; digits < NANOSECONDS; digits++)
		ns *= 10;
	for (; digits > NANOSECONDS && ns; digits--)
		ns /= 10;
	return ns;
}

static int interface_block(struct pcapng_state *state, const uint8_t *buf, size_t size)
{
	unsigned int i = state->interfaces;
	int ret;

	if (size < 20 || i == PCAPNG_INTERFACES_MAX)
		return -EBADMSG;
	state->resolution[i] = MICROSECONDS;
	state->name[i][0] = 0;
	ret = options(state, buf + 16, buf + size - 4, use_interface, state);
	if (ret)
		return ret;
	state->linktype[i] = get16(state, buf + 8);
	state->interfaces++;
	return 0;
}

static void use_comment(uint16_t code, const uint8_t *value, uint16_t len, void *arg)
{
	struct record *record = arg;

	if (code != OPT_COMMENT)
		return;
	if (len > RECORD_MARK_MAX - 1)
		len = RECORD_MARK_MAX - 1;
	memcpy(record->mark, value, len);
	record->mark[len] = 0;
}

static int packet_header(const struct pcapng_state *state, struct record *record, const uint8_t *p)
{
	if (p[0] != PCAPNG_HEADER_VERSION)
		return -EOPNOTSUPP;
	if (p[1] & HEADER_INTERRUPT && record->type == RECORD_MWR) {
		record->type = RECORD_MSIX;
		record->vector = p[3];
	} else if (p[3] && p[3] <= state->interfaces)
		memcpy(record->at, state->name[p[3] - 1], RECORD_PLACE_MAX);
	record->injected = p[1] >> HEADER_INJECTED_SHIFT;
	if (record->injected >= INJECTIONS)
		record->injected = INJECTED_NONE;
	record->result = p[2] < RESULTS ? p[2] : RESULT_UNKNOWN;
	record->completer = p[1] & HEADER_NO_COMPLETER ? PARTY_NONE : (int)get_be(p + 6, 2);
	record->number = get_be(p + 8, 8);
	record->requester = p[1] & HEADER_FROM_ROOT ? PARTY_ROOT_COMPLEX : (int)get_be(p + 4, 2);
	return 0;
}

static int packet_block(const struct pcapng_state *state, const uint8_t *buf, size_t size,
			struct record *record)
{
	size_t captured, full;
	uint32_t interface;
	uint64_t stamp;
	int ret;

	if (size < 32)
		return -EBADMSG;
	interface = get32(state, buf + 8);
	captured = get32(state, buf + 20);
	full = get32(state, buf + 24);
	if (interface >= state->interfaces || captured > size - 32 || full < captured)
		return -EBADMSG;
	if (state->linktype[interface] != PCAPNG_LINKTYPE)
		return -EOPNOTSUPP;
	if (captured < PCAPNG_HEADER_SIZE || padded(captured) > size - 32)
		return -EBADMSG;
	memset(record, 0, offsetof(struct record, mark) + 1);
	/* A malformed TLP is a record like any other. */
	if (wire_decode(record, buf + 28 + PCAPNG_HEADER_SIZE, captured - PCAPNG_HEADER_SIZE,
			full - PCAPNG_HEADER_SIZE))
		record->type = RECORD_OTHER;
	ret = packet_header(state, record, buf + 28);
	if (ret)
		return ret;
	stamp = (uint64_t)get32(state, buf + 12) << 32 | get32(state, buf + 16);
	record->time = nanoseconds(stamp, state->resolution[interface]);
	ret = options(state, buf + 28 + padded(captured), buf + size - 4, use_comment, record);
	return ret ? ret : 1;
}

int pcapng_block(struct pcapng_state *state, const uint8_t *buf, size_t size,
		 struct record *record)
{
	if (get32(state, buf + size - 4) != size)
		return -EBADMSG;
	switch (get32(state, buf)) {
	case BLOCK_SECTION:
		if (get32(state, buf + 8) != MAGIC)
			return -EBADMSG;
		state->interfaces = 0;
		return 0;
	case BLOCK_INTERFACE:
		return interface_block(state, buf, size);
	case BLOCK_PACKET:
		return packet_block(state, buf, size, record);
	default:
		return 0;
	}
}
