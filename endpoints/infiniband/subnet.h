/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The InfiniBand subnet between the functions of one fabric: LIDs, and packets from port to port.
 *
 * Nothing is lost on the way. A packet that no queue pair takes is answered all the same, so that
 * the sender needs no timer to find out; it waits for as long as its timeout says before it tries
 * again.
 */
#ifndef TPHBUF_MLX5_SUBNET_H
#define TPHBUF_MLX5_SUBNET_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/mlx5/device.h"

#define MLX5_GRH_SIZE 40

enum mlx5_packet_kind {
	/* requests */
	MLX5_PACKET_SEND,
	MLX5_PACKET_WRITE,
	MLX5_PACKET_READ,     /* asks for one packet's worth */
	MLX5_PACKET_DATAGRAM, /* not answered */
	/* answers */
	MLX5_PACKET_ACK,
	MLX5_PACKET_READ_RESPONSE,
	MLX5_PACKET_NOT_READY, /* no receive request; @code is the timer field */
	MLX5_PACKET_REFUSED,   /* @code is the syndrome that the requester reports */
	MLX5_PACKET_LOST,      /* nobody took the request */
};

/**
 * struct mlx5_packet - one packet
 * @next: in an inbox
 * @kind: what it is
 * @source_lid: port it came from
 * @source_qpn: queue pair it came from
 * @destination_lid: port it goes to
 * @destination_qpn: queue pair it goes to; 0 and 1 are the management queue pairs
 * @psn: packet sequence number; an answer has that of its request
 * @first: first packet of a message
 * @last: last packet of a message
 * @solicited: the receiver's completion counts as solicited
 * @has_immediate: @immediate is valid
 * @immediate: immediate data, big-endian as it was given
 * @code: see the kinds
 * @service_level: of a datagram
 * @has_grh: a datagram has a global route header
 * @grh: that header
 * @qkey: of a datagram
 * @pkey: of a datagram
 * @address: remote address of the message, in its first packet and in each read
 * @key: remote key, likewise
 * @message_length: bytes of the message, likewise
 * @length: bytes in @payload
 */
struct mlx5_packet {
	struct mlx5_packet *next;
	enum mlx5_packet_kind kind;
	uint16_t source_lid;
	uint32_t source_qpn;
	uint16_t destination_lid;
	uint32_t destination_qpn;
	uint32_t psn;
	bool first;
	bool last;
	bool solicited;
	bool has_immediate;
	uint32_t immediate;
	uint8_t code;
	uint8_t service_level;
	bool has_grh;
	uint8_t grh[MLX5_GRH_SIZE];
	uint32_t qkey;
	uint16_t pkey;
	uint64_t address;
	uint32_t key;
	uint32_t message_length;
	uint32_t length;
	uint8_t payload[];
};

/**
 * mlx5_subnet_join() - connect a port
 * @dev: its device
 * @lid: wanted LID, 0 for the lowest one that is free
 *
 * Return: 0, -EEXIST when another port has @lid.
 */
int mlx5_subnet_join(struct mlx5 *dev, uint16_t lid);

/* Disconnects a port and frees the packets in its inbox; the fabric's lock is held if it is
 * attached to one. */
void mlx5_subnet_leave(struct mlx5 *dev);

/* A packet with room for @length bytes, all else 0; NULL without memory. */
struct mlx5_packet *mlx5_packet_new(uint32_t length);

/**
 * mlx5_subnet_send() - hand a packet to the port it is addressed to
 * @dev: the sender; fills in the source LID
 * @packet: taken over
 *
 * Return: false when there is no such port, or it drops datagrams because too many wait.
 */
bool mlx5_subnet_send(struct mlx5 *dev, struct mlx5_packet *packet);

/* Takes the oldest packet out of the inbox; NULL when it is empty. To be freed with free(). */
struct mlx5_packet *mlx5_subnet_receive(struct mlx5 *dev);

/* Answers a request with a packet without payload. */
void mlx5_subnet_answer(struct mlx5 *dev, const struct mlx5_packet *request,
			enum mlx5_packet_kind kind, uint8_t code);

/* Frees all packets in the inbox; their senders hear that they are lost. */
void mlx5_subnet_flush(struct mlx5 *dev);

#endif
