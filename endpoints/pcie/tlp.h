/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory request TLPs in non-flit mode: what one says, and its bytes on the link.
 *
 * Section numbers here and in the rest of endpoints/ are those of the PCI Express Base
 * Specification, Revision 6.x.
 */
#ifndef TPHBUF_TLP_H
#define TPHBUF_TLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLP_PAYLOAD_MAX	4096	/* bytes: Length is 10 bits of DWs, 0 means 1024 (section 2.2.2) */
#define TLP_BYTES_MAX	(4 + 16 + TLP_PAYLOAD_MAX)	/* TPH prefix, 4 DW header, payload */

enum tlp_type {
	TLP_MRD,
	TLP_MWR,
	/* AtomicOps (section 6.15); here operands have 8 bytes */
	TLP_FETCH_ADD,
	TLP_CAS,
};

#define TLP_ATOMIC_SIZE	8	/* bytes of an operand */

/**
 * struct tlp_hint - TLP Processing Hint and Steering Tag (section 2.2.7.1.1)
 * @present: the TH bit; all else counts only when it is set
 * @extended: 16-bit tag, upper byte in a TPH TLP prefix. The prefix is sent for every such tag:
 *	without it a completer could not tell a 16-bit tag below 0x100 from an 8-bit one.
 * @ph: processing hint, 0..3: bidirectional, requester, target, target with priority
 * @st: steering tag, at most 0xff unless @extended
 */
struct tlp_hint {
	bool present;
	bool extended;
	uint8_t ph;
	uint16_t st;
};

/* Attr[2:0] (section 2.2.6.3) */
enum tlp_attribute {
	TLP_NO_SNOOP = 1 << 0,
	TLP_RELAXED_ORDERING = 1 << 1,
	TLP_ID_ORDERING = 1 << 2,
};

/**
 * struct tlp_properties - what a requester wants for its requests
 * @hint: hint and steering tag
 * @attributes: bits of enum tlp_attribute; those that Device Control does not enable are not sent
 * @translated: the address is a translated one: AT is 10b (section 10.2.1)
 */
struct tlp_properties {
	struct tlp_hint hint;
	uint8_t attributes;
	bool translated;
};

/**
 * struct tlp - a memory request
 * @type: read, write or AtomicOp
 * @requester: requester ID, bus << 8 | device << 3 | function
 * @tag: transaction tag; a write with a hint has none, its field carries the steering tag
 * @address: of the first DW, a multiple of 4; decides between the 3 DW and the 4 DW header
 * @length: DWs, 1..1024
 * @first_be: enabled bytes of the first DW, bit 0 for the lowest address
 * @last_be: of the last DW, 0 when there is only one
 * @hint: hint and steering tag
 * @attributes: bits of enum tlp_attribute
 * @translated: AT is 10b
 * @poisoned: its data is known to be wrong: the EP bit (section 2.7.2.1)
 * @data: payload, @length DWs in address order; not owned, NULL for a read. Of an AtomicOp the
 *	operands, little-endian: what is added, or what is compared and then what is swapped in
 */
struct tlp {
	enum tlp_type type;
	uint16_t requester;
	uint8_t tag;
	uint64_t address;
	uint16_t length;
	uint8_t first_be;
	uint8_t last_be;
	struct tlp_hint hint;
	uint8_t attributes;
	bool translated;
	bool poisoned;
	const uint8_t *data;
};

/**
 * enum tlp_result - what became of a TLP
 * @TLP_OK: completed, or accepted when posted
 * @TLP_UNSUPPORTED: unsupported request: nothing claims it, or the completer's memory space is
 *	disabled
 * @TLP_MALFORMED: a check of the fabric failed (section 2.3)
 * @TLP_REJECTED: the completer took the TLP and refused its content
 * @TLP_FAULT: the root complex or its IOMMU refused
 * @TLP_ABORT: the far side vanished
 * @TLP_BLOCKED: ACS Source Validation or Translation Blocking of a port blocked it (section
 *	6.12.1.1)
 * @TLP_HINT_DROPPED: completed, but the completer received it without its hint
 * @TLP_DROPPED: it vanished on a link
 * @TLP_POISONED: its data, or that of its completion, was poisoned and not used (section 2.7.2.1)
 *
 * The numbers are those of the trace, where 6 says that a result is not known.
 */
enum tlp_result {
	TLP_OK,
	TLP_UNSUPPORTED,
	TLP_MALFORMED,
	TLP_REJECTED,
	TLP_FAULT,
	TLP_ABORT,
	TLP_BLOCKED = 7,
	TLP_HINT_DROPPED,
	TLP_DROPPED,
	TLP_POISONED,
	TLP_RESULTS
};

/**
 * tlp_init_range() - fill in address, length and byte enables for a range of bytes
 * @tlp: the request; other members are left alone
 * @address: of the first byte
 * @bytes: 1..4096; the DWs touched must not cross a 4 KiB boundary (section 2.2.7.1)
 *
 * Return: 0, or -EINVAL when one TLP cannot hold the range.
 */
int tlp_init_range(struct tlp *tlp, uint64_t address, size_t bytes);

/* Bytes of payload that a request carries. */
size_t tlp_payload(const struct tlp *tlp);

/* Whether it is FetchAdd or CAS. */
bool tlp_is_atomic(enum tlp_type type);

/* Bytes enabled, 0..4096: what a trace calls the length. */
size_t tlp_enabled_bytes(const struct tlp *tlp);

/* Offset of the first enabled byte from @tlp->address, 0..3; 0 when no byte is enabled. */
unsigned int tlp_first_byte(const struct tlp *tlp);

/**
 * tlp_check() - the rules that a receiver checks whatever it is
 * @tlp: the request
 * @max_payload: Max_Payload_Size in bytes; ignored for a read
 *
 * Length 1..1024 and at most Max_Payload_Size (section 2.2.2), byte enables (section 2.2.5.1),
 * alignment and no crossing of a 4 KiB boundary (section 2.2.7.1), PH and ST in range (section
 * 2.2.7.1.1), of an AtomicOp length of the operands and alignment to one of them.
 *
 * Return: 0, or -EBADMSG for a malformed TLP.
 */
int tlp_check(const struct tlp *tlp, size_t max_payload);

/**
 * tlp_encode() - the bytes on the link, before data link framing
 * @tlp: a request that passes tlp_check()
 * @buf: receives prefix, header and payload as big-endian DWs of header and payload bytes in
 *	address order
 * @size: of @buf; TLP_BYTES_MAX is always enough
 *
 * Return: bytes written, -EBADMSG when @tlp is malformed, -ENOSPC when @buf is too small.
 */
int tlp_encode(const struct tlp *tlp, void *buf, size_t size);

/**
 * tlp_encode_header() - prefix and header alone, also of a malformed request
 * @tlp: fields beyond the width of theirs are cut
 * @buf: room for TLP_BYTES_MAX - TLP_PAYLOAD_MAX bytes
 *
 * Return: bytes written.
 */
size_t tlp_encode_header(const struct tlp *tlp, void *buf);

/* Attr[2:0] in the first DW of a header. */
uint32_t tlp_attribute_bits(unsigned int attributes);

/**
 * tlp_decode() - the reverse of tlp_encode()
 * @tlp: out: the request; its data points into @buf
 * @buf: exactly one TLP
 * @size: bytes in @buf
 * @max_payload: as for tlp_check()
 *
 * A 64-bit header for an address below 4 GiB is refused; the specification leaves that to the
 * receiver (section 2.2.4.1).
 *
 * Return: 0, -EOPNOTSUPP for a TLP that is not a memory request, requests a translation, or has a
 * prefix which does not extend the steering tag, a digest or poisoned data, -EBADMSG when it is
 * malformed.
 */
int tlp_decode(struct tlp *tlp, const void *buf, size_t size, size_t max_payload);

#endif
