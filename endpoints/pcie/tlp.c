// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory request TLPs: checks, encoding, decoding.
 */
#include <errno.h>
#include <string.h>

#include "byteorder.h"
#include "tlp.h"

/* First DW of the header (section 2.2.1.1) */
#define TLP_DW0_FMT_4DW		(1u << 29)
#define TLP_DW0_FMT_DATA	(1u << 30)
#define TLP_DW0_FMT_PREFIX	(4u << 29)
#define TLP_DW0_FMT		(7u << 29)
#define TLP_DW0_TYPE		(0x1fu << 24)	/* 0 is a memory request */
#define TLP_DW0_TYPE_FETCH_ADD	(0x0cu << 24)
#define TLP_DW0_TYPE_CAS	(0x0eu << 24)
#define TLP_DW0_TH		(1u << 16)
#define TLP_DW0_TD		(1u << 15)
#define TLP_DW0_EP		(1u << 14)
#define TLP_DW0_AT		(3u << 10)
#define TLP_DW0_AT_TRANSLATED	(2u << 10)
#define TLP_DW0_ATTR2		(1u << 18)
#define TLP_DW0_ATTR_SHIFT	12
#define TLP_ATTR_LOW		(TLP_NO_SNOOP | TLP_RELAXED_ORDERING)
#define TLP_DW0_LENGTH		0x3ffu

/* TPH TLP prefix: an End-End prefix of type 0 (sections 2.2.7.1.1 and 2.2.10.4) */
#define TLP_PREFIX_TYPE		(0xffu << 24)
#define TLP_PREFIX_TPH		(0x90u << 24)
#define TLP_PREFIX_ST_SHIFT	16

#define TLP_PH_MASK		3u
#define TLP_BOUNDARY		4096u

int tlp_init_range(struct tlp *tlp, uint64_t address, size_t bytes)
{
	unsigned int first = address & 3;
	unsigned int tail;
	size_t dwords;

	if (!bytes || bytes > TLP_PAYLOAD_MAX)
		return -EINVAL;
	dwords = (first + bytes + 3) / 4;
	if (((address & ~3ull) % TLP_BOUNDARY) + dwords * 4 > TLP_BOUNDARY)
		return -EINVAL;
	tail = dwords * 4 - first - bytes;

	tlp->address = address & ~3ull;
	tlp->length = dwords;
	tlp->first_be = 0xf & (0xf << first);
	tlp->last_be = 0xf >> tail;
	if (dwords == 1) {
		tlp->first_be &= tlp->last_be;
		tlp->last_be = 0;
	}
	return 0;
}

bool tlp_is_atomic(enum tlp_type type)
{
	return type == TLP_FETCH_ADD || type == TLP_CAS;
}

size_t tlp_payload(const struct tlp *tlp)
{
	return tlp->type == TLP_MRD ? 0 : (size_t)tlp->length * 4;
}

/* Bits of a byte enable: without the instruction for it the compiler would call a function. */
static unsigned int count_enables(unsigned int be)
{
	return (be & 1) + (be >> 1 & 1) + (be >> 2 & 1) + (be >> 3 & 1);
}

size_t tlp_enabled_bytes(const struct tlp *tlp)
{
	size_t bytes = count_enables(tlp->first_be);

	if (tlp->length > 1)
		bytes += (tlp->length - 2) * 4 + count_enables(tlp->last_be);
	return bytes;
}

unsigned int tlp_first_byte(const struct tlp *tlp)
{
	return tlp->first_be & 0xf ? __builtin_ctz(tlp->first_be) : 0;
}

/* The upper part of a DW, as a first byte enable that continues in the next DW must be. */
static bool be_is_upper_part(unsigned int be)
{
	return be == 0xf || be == 0xe || be == 0xc || be == 0x8;
}

static bool be_is_lower_part(unsigned int be)
{
	return be == 0xf || be == 0x7 || be == 0x3 || be == 0x1;
}

static bool byte_enables_ok(const struct tlp *tlp)
{
	if (tlp->first_be > 0xf || tlp->last_be > 0xf)
		return false;
	if (tlp->type != TLP_MWR && tlp->hint.present)
		return tlp->first_be == 0xf && tlp->last_be == (tlp->length > 1 ? 0xf : 0);
	if (tlp->length == 1)
		return !tlp->last_be;
	if (!tlp->first_be || !tlp->last_be)
		return false;
	/* Holes are allowed in one aligned quadword only. */
	if (tlp->length == 2 && tlp->address % 8 == 0)
		return true;
	return be_is_upper_part(tlp->first_be) && be_is_lower_part(tlp->last_be);
}

static bool atomic_ok(const struct tlp *tlp)
{
	size_t operands = tlp->type == TLP_CAS ? 2 : 1;

	return (size_t)tlp->length * 4 == operands * TLP_ATOMIC_SIZE &&
	       tlp->address % TLP_ATOMIC_SIZE == 0 && tlp->first_be == 0xf && tlp->last_be == 0xf;
}

int tlp_check(const struct tlp *tlp, size_t max_payload)
{
	size_t bytes = (size_t)tlp->length * 4;

	if (tlp->type > TLP_CAS || (tlp_is_atomic(tlp->type) && !atomic_ok(tlp)))
		return -EBADMSG;
	if (!bytes || bytes > TLP_PAYLOAD_MAX)
		return -EBADMSG;
	if (tlp->type != TLP_MRD && (bytes > max_payload || !tlp->data))
		return -EBADMSG;
	/* The operands of an AtomicOp are longer than the memory that it is about. */
	if (!tlp_is_atomic(tlp->type) &&
	    (tlp->address & 3 || tlp->address % TLP_BOUNDARY + bytes > TLP_BOUNDARY))
		return -EBADMSG;
	if (!byte_enables_ok(tlp))
		return -EBADMSG;
	if (tlp->hint.present &&
	    (tlp->hint.ph > TLP_PH_MASK || (!tlp->hint.extended && tlp->hint.st > 0xff)))
		return -EBADMSG;
	return 0;
}

static uint32_t type_bits(enum tlp_type type)
{
	switch (type) {
	case TLP_FETCH_ADD:
		return TLP_DW0_TYPE_FETCH_ADD;
	case TLP_CAS:
		return TLP_DW0_TYPE_CAS;
	case TLP_MRD:
	case TLP_MWR:
		break;
	}
	return 0;
}

/* Return: whether the bits are a request of a kind that is known here. */
static bool tlp_type_of(uint32_t dw0, enum tlp_type *type)
{
	bool data = dw0 & TLP_DW0_FMT_DATA;

	switch (dw0 & TLP_DW0_TYPE) {
	case 0:
		*type = data ? TLP_MWR : TLP_MRD;
		return true;
	case TLP_DW0_TYPE_FETCH_ADD:
		*type = TLP_FETCH_ADD;
		return data;
	case TLP_DW0_TYPE_CAS:
		*type = TLP_CAS;
		return data;
	default:
		return false;
	}
}

static size_t header_size(const struct tlp *tlp)
{
	bool prefix = tlp->hint.present && tlp->hint.extended;

	return (prefix ? 4 : 0) + (tlp->address >> 32 ? 16 : 12);
}

uint32_t tlp_attribute_bits(unsigned int attributes)
{
	return (attributes & TLP_ATTR_LOW) << TLP_DW0_ATTR_SHIFT |
	       (attributes & TLP_ID_ORDERING ? TLP_DW0_ATTR2 : 0);
}

size_t tlp_encode_header(const struct tlp *tlp, void *buf)
{
	const struct tlp_hint *hint = &tlp->hint;
	bool wide = tlp->address >> 32;
	uint32_t dw0 = type_bits(tlp->type) | (tlp->length & TLP_DW0_LENGTH);
	uint32_t be = (uint32_t)tlp->last_be << 4 | tlp->first_be;
	uint32_t tag = tlp->tag;
	uint8_t *p = buf;

	if (wide)
		dw0 |= TLP_DW0_FMT_4DW;
	if (tlp_payload(tlp))
		dw0 |= TLP_DW0_FMT_DATA;
	if (tlp->poisoned)
		dw0 |= TLP_DW0_EP;
	if (tlp->translated)
		dw0 |= TLP_DW0_AT_TRANSLATED;
	dw0 |= tlp_attribute_bits(tlp->attributes);
	if (hint->present) {
		dw0 |= TLP_DW0_TH;
		if (tlp->type == TLP_MWR)
			tag = hint->st & 0xff;
		else
			be = hint->st & 0xff;
	}

	if (hint->present && hint->extended) {
		put_be32(p, TLP_PREFIX_TPH | (uint32_t)hint->st >> 8 << TLP_PREFIX_ST_SHIFT);
		p += 4;
	}
	put_be32(p, dw0);
	put_be32(p + 4, (uint32_t)tlp->requester << 16 | tag << 8 | be);
	p += 8;
	if (wide) {
		put_be32(p, tlp->address >> 32);
		p += 4;
	}
	put_be32(p, (uint32_t)tlp->address | (hint->present ? hint->ph : 0));
	return header_size(tlp);
}

int tlp_encode(const struct tlp *tlp, void *buf, size_t size)
{
	size_t header = header_size(tlp), payload = tlp_payload(tlp);

	if (tlp_check(tlp, TLP_PAYLOAD_MAX))
		return -EBADMSG;
	if (header + payload > size)
		return -ENOSPC;
	tlp_encode_header(tlp, buf);
	if (payload)
		memcpy((uint8_t *)buf + header, tlp->data, payload);
	return header + payload;
}

/*
 * DW1 of the header: with a hint, the tag of a write or the byte enables of other requests are the
 * steering tag.
 */
static void decode_dw1(struct tlp *tlp, uint32_t dw1)
{
	uint8_t tag = dw1 >> 8;

	tlp->requester = dw1 >> 16;
	tlp->tag = tag;
	tlp->first_be = dw1 & 0xf;
	tlp->last_be = (dw1 >> 4) & 0xf;
	if (!tlp->hint.present)
		return;
	if (tlp->type == TLP_MWR) {
		tlp->hint.st |= tag;
		tlp->tag = 0;
	} else {
		tlp->hint.st |= dw1 & 0xff;
		tlp->first_be = 0xf;
		tlp->last_be = tlp->length > 1 ? 0xf : 0;
	}
}

int tlp_decode(struct tlp *tlp, const void *buf, size_t size, size_t max_payload)
{
	const uint8_t *p = buf, *end = p + size;
	struct tlp_hint hint = { 0 };
	size_t header, payload;
	uint32_t dw0, low;

	memset(tlp, 0, sizeof(*tlp));
	if (size % 4 || size < 4)
		return -EBADMSG;
	dw0 = get_be32(p);
	if ((dw0 & TLP_DW0_FMT) == TLP_DW0_FMT_PREFIX) {
		if ((dw0 & TLP_PREFIX_TYPE) != TLP_PREFIX_TPH)
			return -EOPNOTSUPP;
		hint.extended = true;
		hint.st = (dw0 >> TLP_PREFIX_ST_SHIFT & 0xff) << 8;
		p += 4;
		/* A prefix must have a header behind it (section 2.2.10.1). */
		if (p == end)
			return -EBADMSG;
		dw0 = get_be32(p);
	}
	tlp->translated = (dw0 & TLP_DW0_AT) == TLP_DW0_AT_TRANSLATED;
	if (dw0 & (TLP_DW0_FMT_PREFIX | TLP_DW0_TD | TLP_DW0_EP) ||
	    (dw0 & TLP_DW0_AT && !tlp->translated) || !tlp_type_of(dw0, &tlp->type))
		return -EOPNOTSUPP;

	hint.present = dw0 & TLP_DW0_TH;
	/*
	 * Legal, but then the prefix holds attributes of a translated request and no tag (section
	 * 2.2.7.1.1).
	 */
	if (hint.extended && !hint.present)
		return -EOPNOTSUPP;
	tlp->length = dw0 & TLP_DW0_LENGTH ? dw0 & TLP_DW0_LENGTH : TLP_PAYLOAD_MAX / 4;
	header = dw0 & TLP_DW0_FMT_4DW ? 16 : 12;
	payload = tlp_payload(tlp);
	if ((size_t)(end - p) != header + payload)
		return -EBADMSG;

	tlp->attributes = dw0 >> TLP_DW0_ATTR_SHIFT & TLP_ATTR_LOW;
	if (dw0 & TLP_DW0_ATTR2)
		tlp->attributes |= TLP_ID_ORDERING;
	tlp->hint = hint;
	decode_dw1(tlp, get_be32(p + 4));
	if (header == 16) {
		tlp->address = (uint64_t)get_be32(p + 8) << 32;
		if (!tlp->address)
			return -EBADMSG;
	}
	low = get_be32(p + header - 4);
	tlp->address |= low & ~TLP_PH_MASK;
	if (tlp->hint.present)
		tlp->hint.ph = low & TLP_PH_MASK;
	if (payload)
		tlp->data = p + header;
	return tlp_check(tlp, max_payload);
}
