// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion TLPs: what each says of its request, and its header.
 */
#include "byteorder.h"
#include "completion.h"

#define DW0_TYPE	(0x0au << 24)
#define DW0_DATA	(1u << 30)
#define DW0_EP		(1u << 14)
#define DW0_LENGTH	0x3ffu
#define STATUS_SHIFT	13
#define BYTE_COUNT	0xfffu	/* 0 means 4096 */
#define LOWER_ADDRESS	0x7fu

void tlp_completion_begin(struct tlp_completion *completion, const struct tlp *request,
			  enum tlp_status status, uint16_t completer)
{
	bool atomic = tlp_is_atomic(request->type);
	size_t bytes = tlp_enabled_bytes(request);

	*completion = (struct tlp_completion){
		.completer = completer,
		.requester = request->requester,
		.tag = request->tag,
		/* ID-Based Ordering is the completer's own to enable, and no completer does. */
		.attributes = request->attributes & ~TLP_ID_ORDERING,
		.status = status,
		/* Of an AtomicOp the size of an operand; a read of nothing counts as one byte. */
		.byte_count = atomic ? TLP_ATOMIC_SIZE : bytes ? bytes : 1,
		.address = atomic ? 0 : request->address + tlp_first_byte(request),
	};
}

bool tlp_completion_next(struct tlp_completion *completion, const uint8_t *data,
			 unsigned int max_payload)
{
	unsigned int room;

	if (completion->bytes == completion->byte_count)
		return false;
	completion->data = completion->bytes ? completion->data + completion->bytes : data;
	completion->byte_count -= completion->bytes;
	completion->address += completion->bytes;
	room = max_payload - completion->address % max_payload;
	completion->bytes = completion->byte_count < room ? completion->byte_count : room;
	return true;
}

unsigned int tlp_completion_skip(const struct tlp_completion *completion)
{
	return completion->bytes ? completion->address & 3 : 0;
}

unsigned int tlp_completion_length(const struct tlp_completion *completion)
{
	return (tlp_completion_skip(completion) + completion->bytes + 3) / 4;
}

void tlp_completion_encode_header(const struct tlp_completion *completion, void *buf)
{
	uint32_t dw0 = DW0_TYPE | (tlp_completion_length(completion) & DW0_LENGTH);
	uint8_t *p = buf;

	dw0 |= tlp_attribute_bits(completion->attributes);
	if (completion->bytes)
		dw0 |= DW0_DATA;
	if (completion->poisoned)
		dw0 |= DW0_EP;
	put_be32(p, dw0);
	put_be32(p + 4, (uint32_t)completion->completer << 16 |
			(uint32_t)completion->status << STATUS_SHIFT |
			(completion->byte_count & BYTE_COUNT));
	put_be32(p + 8, (uint32_t)completion->requester << 16 | (uint32_t)completion->tag << 8 |
			(completion->address & LOWER_ADDRESS));
}
