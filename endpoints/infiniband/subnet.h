/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The InfiniBand subnet of a fabric: ports with LIDs, and packets from port to port.
 *
 * Any device model can have ports; all those on one PCIe fabric are one subnet, and two fabrics
 * have nothing to do with each other. Nothing is lost on the way. A packet that no queue pair takes
 * is answered all the same, so that the sender needs no timer to find out; it waits for as long as
 * its timeout says before it tries again.
 *
 * The fabric's lock guards all ports on it; what is called without it says so.
 */
#ifndef TPHBUF_INFINIBAND_SUBNET_H
#define TPHBUF_INFINIBAND_SUBNET_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

struct fabric;

/**
 * struct ib_port_counters - packets since the port joined
 * @sent_packets: handed to a port
 * @sent_bytes: payload of those
 * @received_packets: put into the inbox
 * @received_bytes: payload of those
 * @dropped_packets: sent to nobody or to a full inbox; the device adds those that it drops
 */
struct ib_port_counters {
	uint64_t sent_packets;
	uint64_t sent_bytes;
	uint64_t received_packets;
	uint64_t received_bytes;
	uint64_t dropped_packets;
};

/**
 * struct ib_port - a port
 * @fabric: of the subnet
 * @next: port of the same subnet
 * @lid: its address
 * @wake: called when a packet has come; may not send
 * @inbox: packets that have come, oldest first
 * @inbox_tail: where the next one goes
 * @requests: of the packets in the inbox, those that are answered
 * @datagrams: of the packets in the inbox, those that are not
 * @counters: see there
 */
struct ib_port {
	struct fabric *fabric;
	struct ib_port *next;
	uint16_t lid;
	void (*wake)(struct ib_port *port);
	struct ib_packet *inbox;
	struct ib_packet **inbox_tail;
	uint32_t requests;
	uint32_t datagrams;
	struct ib_port_counters counters;
};

/**
 * ib_port_join() - connect a port
 * @port: zeroed
 * @fabric: where its device is going to be attached; not locked
 * @lid: wanted LID, 0 for the lowest one that is free
 * @wake: see struct ib_port; from here on it may be called on any thread
 *
 * Return: 0, -EEXIST when another port has @lid, -ERANGE for one that is not a unicast LID.
 */
int ib_port_join(struct ib_port *port, struct fabric *fabric, uint16_t lid,
		 void (*wake)(struct ib_port *port));

/* Disconnects a port and frees the packets in its inbox. Does nothing for one that never joined. */
void ib_port_leave(struct ib_port *port);

/**
 * ib_port_send() - hand a packet to the port it is addressed to
 * @port: the sender
 * @packet: taken over
 *
 * Return: false when there is no such port, or too many requests wait there already. Answers always
 * arrive: there is one for each request at most.
 */
bool ib_port_send(struct ib_port *port, struct ib_packet *packet);

/* Answers a request with a packet without payload. Return: false without memory. */
bool ib_port_answer(struct ib_port *port, const struct ib_packet *request, enum ib_packet_kind kind,
		    uint8_t code);

/* Takes the oldest packet out of the inbox; NULL when it is empty. To be freed with free(). */
struct ib_packet *ib_port_receive(struct ib_port *port);

/* Frees all packets in the inbox; their senders hear that they are lost. Return: false when memory
 * was missing for that. */
bool ib_port_flush(struct ib_port *port);

#endif
