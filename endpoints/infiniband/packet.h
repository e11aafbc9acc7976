/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets between InfiniBand ports: what their headers say, as a struct.
 */
#ifndef TPHBUF_INFINIBAND_PACKET_H
#define TPHBUF_INFINIBAND_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define IB_GRH_SIZE	   40
#define IB_ATOMIC_SIZE	   8 /* bytes that an atomic changes, aligned */
#define IB_PSN_MASK	   0xffffffu
#define IB_LID_UNICAST_MAX 0xbfffu

/* GID prefix of a subnet that nobody gave another one */
#define IB_GID_PREFIX_DEFAULT 0xfe80000000000000ull

enum ib_packet_kind {
	/* requests */
	IB_PACKET_SEND,
	IB_PACKET_WRITE,
	IB_PACKET_READ, /* asks for one packet's worth */
	IB_PACKET_COMPARE_SWAP,
	IB_PACKET_FETCH_ADD,
	IB_PACKET_DATAGRAM, /* not answered */
	/* answers */
	IB_PACKET_ACK,
	IB_PACKET_READ_RESPONSE,
	IB_PACKET_ATOMIC_RESPONSE, /* 8 bytes big-endian: the value before */
	IB_PACKET_RNR_NAK,	   /* no receive request; @code is the timer field */
	IB_PACKET_NAK,		   /* refused; @code is an enum ib_nak */
	IB_PACKET_LOST,		   /* nobody took the request */
};

/**
 * enum ib_nak - why a responder refuses a request, by the codes of the wire (InfiniBand
 * Architecture Specification, volume 1, section 9.7.5.2.8)
 * @IB_NAK_INVALID_REQUEST: the request cannot be: length, operation
 * @IB_NAK_REMOTE_ACCESS: its key, range or rights are wrong
 * @IB_NAK_REMOTE_OPERATION: the responder could not do it
 */
enum ib_nak {
	IB_NAK_INVALID_REQUEST = 1,
	IB_NAK_REMOTE_ACCESS = 2,
	IB_NAK_REMOTE_OPERATION = 3,
};

/**
 * struct ib_packet - one packet
 * @next: in an inbox
 * @kind: what it is
 * @source_lid: port it came from; the port fills it in
 * @source_qpn: queue pair it came from
 * @destination_lid: port it goes to
 * @destination_qpn: queue pair it goes to; 0 and 1 are the management queue pairs
 * @srqn: shared receive queue there, of a request over an extended reliable connection (XRC)
 * @psn: packet sequence number; an answer has that of its request
 * @first: first packet of a message
 * @last: last packet of a message
 * @solicited: the receiver's completion counts as solicited
 * @has_immediate: @immediate is valid
 * @immediate: immediate data, big-endian as it was given
 * @code: of a NAK, see the kinds
 * @service_level: of a datagram
 * @has_grh: a datagram has a global route header
 * @grh: that header
 * @qkey: of a datagram
 * @pkey: of a datagram
 * @address: remote address of the message, in the first packet of a write, in each read and atomic
 * @key: remote key of the message, in the same packets
 * @message_length: bytes of the message, in the same packets
 * @swap_add: of an atomic: what is swapped in or added
 * @compare: of a compare and swap
 * @length: bytes in @payload
 */
struct ib_packet {
	struct ib_packet *next;
	enum ib_packet_kind kind;
	uint16_t source_lid;
	uint32_t source_qpn;
	uint16_t destination_lid;
	uint32_t destination_qpn;
	uint32_t srqn;
	uint32_t psn;
	bool first;
	bool last;
	bool solicited;
	bool has_immediate;
	uint32_t immediate;
	uint8_t code;
	uint8_t service_level;
	bool has_grh;
	uint8_t grh[IB_GRH_SIZE];
	uint32_t qkey;
	uint16_t pkey;
	uint64_t address;
	uint32_t key;
	uint32_t message_length;
	uint64_t swap_add;
	uint64_t compare;
	uint32_t length;
	uint8_t payload[];
};

/* A packet with room for @length bytes, all else 0, to be freed with free(); NULL without memory.
 * Takes no lock. */
struct ib_packet *ib_packet_new(uint32_t length);

/* Whether its sender waits for an answer. Takes no lock. */
bool ib_packet_is_answered(const struct ib_packet *packet);

/**
 * ib_packet_answer() - make an answer without payload
 * @request: what is answered
 * @kind: of the answer
 * @code: of a NAK, otherwise 0
 *
 * Takes no lock. Return: the answer, addressed to the sender of @request; NULL without memory.
 */
struct ib_packet *ib_packet_answer(const struct ib_packet *request, enum ib_packet_kind kind,
				   uint8_t code);

#endif
