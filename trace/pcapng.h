/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace as pcapng: a section header, an interface description for each link, an enhanced packet
 * block for each TLP. In front of each TLP stands the header below, with what the bytes on the
 * link do not say; docs/reference/trace-format.md shows how other dissectors skip it.
 */
#ifndef TRACE_PCAPNG_H
#define TRACE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define PCAPNG_LINKTYPE		158	/* LINKTYPE_USER11 */
#define PCAPNG_HEADER_SIZE	16
#define PCAPNG_HEADER_VERSION	1
#define PCAPNG_BLOCK_MAX	(1u << 20)	/* a longer block is taken for a broken file */

/* Bytes of a block that pcapng_packet() writes, without the @kept ones. */
#define PCAPNG_PACKET_MAX	(32 + PCAPNG_HEADER_SIZE + 4 + RECORD_MARK_MAX + 16)
/* Bytes that pcapng_section() and pcapng_interface() write at most. */
#define PCAPNG_SECTION_MAX	128
#define PCAPNG_INTERFACE_MAX	128

/* Each writes a block in the byte order of this machine and returns its size. */
size_t pcapng_section(uint8_t *buf, const char *application);
size_t pcapng_interface(uint8_t *buf, const char *name, uint32_t snaplen);

/**
 * pcapng_packet() - one TLP
 * @buf: room for PCAPNG_PACKET_MAX and @kept bytes
 * @record: number, time, parties, result and mark are written as they are
 * @interface: number of its link, counted by the pcapng_interface() blocks of the file
 * @place: number of the interface that is named like @record->at, -1 without
 * @tlp: the bytes on the link
 * @kept: of them to write
 * @full: bytes that the TLP had
 */
size_t pcapng_packet(uint8_t *buf, const struct record *record, uint32_t interface, int place,
		     const uint8_t *tlp, size_t kept, size_t full);

#define PCAPNG_INTERFACES_MAX	256

/**
 * struct pcapng_state - what a reader learns from the blocks before a packet
 * @swapped: the file has the other byte order
 * @interfaces: how many were described in this section
 * @resolution: if_tsresol of each: powers of ten, or of two with the top bit
 * @linktype: of each
 * @name: of each, "" without one that can be the name of a place
 */
struct pcapng_state {
	bool swapped;
	unsigned int interfaces;
	uint8_t resolution[PCAPNG_INTERFACES_MAX];
	uint16_t linktype[PCAPNG_INTERFACES_MAX];
	char name[PCAPNG_INTERFACES_MAX][RECORD_PLACE_MAX];
};

/* Size of the block that begins at @buf, of which 12 bytes are there; 0 when it cannot be one. */
size_t pcapng_block_size(struct pcapng_state *state, const uint8_t *buf);

/**
 * pcapng_block() - read a whole block
 * @state: updated
 * @buf: the block
 * @size: as pcapng_block_size() gave it
 * @record: out, when the block is a TLP
 *
 * Return: 1 for a TLP, 0 for another block, -EBADMSG when it contradicts itself, -EOPNOTSUPP for
 * a packet of a link type or a header version that is not a trace of TLPs.
 */
int pcapng_block(struct pcapng_state *state, const uint8_t *buf, size_t size,
		 struct record *record);

#endif
