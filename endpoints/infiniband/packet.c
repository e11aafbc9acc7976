// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets between InfiniBand ports.
 */
#include <stdlib.h>

#include "packet.h"

struct ib_packet *ib_packet_new(uint32_t length)
{
	struct ib_packet *packet = calloc(1, sizeof(*packet) + length);

	if (packet)
		packet->length = length;
	return packet;
}

bool ib_packet_is_answered(const struct ib_packet *packet)
{
	switch (packet->kind) {
	case IB_PACKET_SEND:
	case IB_PACKET_WRITE:
	case IB_PACKET_READ:
	case IB_PACKET_COMPARE_SWAP:
	case IB_PACKET_FETCH_ADD:
		return true;
	default:
		return false;
	}
}

struct ib_packet *ib_packet_answer(const struct ib_packet *request, enum ib_packet_kind kind,
				   uint8_t code)
{
	struct ib_packet *answer = ib_packet_new(0);

	if (!answer)
		return NULL;
	answer->kind = kind;
	answer->code = code;
	answer->destination_lid = request->source_lid;
	answer->destination_qpn = request->source_qpn;
	answer->source_qpn = request->destination_qpn;
	answer->psn = request->psn;
	return answer;
}
