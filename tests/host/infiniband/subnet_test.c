// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The InfiniBand subnet without any NIC: ports that are nothing but ports, on two fabrics.
 */
#include <errno.h>
#include <stdlib.h>

#include "tap.h"
#include "infiniband/subnet.h"
#include "pcie/fabric.h"

/**
 * struct nic - a port and what is seen of it
 * @port: the port, first member
 * @woken: times that a packet came
 */
struct nic {
	struct ib_port port;
	unsigned int woken;
};

static struct fabric *fabrics[2];

static void wake(struct ib_port *port)
{
	((struct nic *)port)->woken++;
}

static int join(struct nic *nic, unsigned int fabric, uint16_t lid)
{
	memset(nic, 0, sizeof(*nic));
	return ib_port_join(&nic->port, fabrics[fabric], lid, wake);
}

static bool send_to(struct nic *nic, uint16_t lid, enum ib_packet_kind kind, uint32_t length)
{
	struct ib_packet *packet = ib_packet_new(length);

	packet->kind = kind;
	packet->destination_lid = lid;
	packet->source_qpn = 70;
	packet->destination_qpn = 71;
	packet->psn = 0xabcdef;
	return ib_port_send(&nic->port, packet);
}

static void leave(struct nic *nic)
{
	ib_port_leave(&nic->port);
}

static void lids(void)
{
	struct nic one, two, three, four;

	is_int(join(&one, 0, 0), 0, "a port without wishes");
	is_int(one.port.lid, 1, "the lowest LID");
	is_int(join(&two, 0, 1), -EEXIST, "a LID that is taken");
	is_int(join(&two, 0, IB_LID_UNICAST_MAX + 1), -ERANGE, "a multicast LID");
	is_int(join(&two, 0, 3), 0, "a LID of one's own choice");
	is_int(join(&three, 0, 0), 0, "the next");
	is_int(three.port.lid, 2, "the lowest one that is free");
	is_int(join(&four, 1, 3), 0, "the same LID on another fabric");
	leave(&one);
	is_int(join(&one, 0, 0), 0, "again");
	is_int(one.port.lid, 1, "a LID that was given back");
	leave(&one);
	leave(&two);
	leave(&three);
	leave(&four);
	ok(!*fabric_ib_ports(fabrics[0]) && !*fabric_ib_ports(fabrics[1]), "all have left");
	leave(&four);
	ok(true, "leaving twice is no harm");
}

static void delivery(void)
{
	struct nic one, two, far;
	struct ib_packet *packet;

	join(&one, 0, 1);
	join(&two, 0, 2);
	join(&far, 1, 3);
	ok(send_to(&one, 2, IB_PACKET_WRITE, 100), "to another port");
	ok(send_to(&one, 2, IB_PACKET_SEND, 10), "once more");
	ok(!send_to(&one, 3, IB_PACKET_SEND, 0), "a port of another fabric is not there");
	is_int(two.woken, 2, "the receiver is woken");
	is_int(far.woken, 0, "nobody else");
	packet = ib_port_receive(&two.port);
	is_int(packet->kind, IB_PACKET_WRITE, "the first one first");
	is_int(packet->source_lid, 1, "from the sender's LID");
	is_int(packet->length, 100, "bytes");
	ok(ib_port_answer(&two.port, packet, IB_PACKET_NAK, IB_NAK_REMOTE_ACCESS), "refused");
	free(packet);
	packet = ib_port_receive(&one.port);
	is_int(packet->kind, IB_PACKET_NAK, "the answer");
	is_int(packet->code, IB_NAK_REMOTE_ACCESS, "its code");
	is_hex(packet->psn, 0xabcdef, "sequence number of the request");
	is_int(packet->source_qpn, 71, "from the queue pair that was asked");
	is_int(packet->destination_qpn, 70, "to the one that asked");
	free(packet);
	ok(send_to(&one, 1, IB_PACKET_READ, 0), "to oneself");
	is_int(one.port.counters.sent_packets, 3, "sent packets");
	is_int(one.port.counters.sent_bytes, 110, "sent bytes");
	is_int(one.port.counters.dropped_packets, 1, "dropped packets");
	is_int(two.port.counters.received_bytes, 110, "received bytes");
	leave(&one);
	leave(&two);
	leave(&far);
}

/* A port that is held up: its inbox does not grow for ever, and in the end all senders hear. */
static void full(void)
{
	unsigned int requests = 0, datagrams = 0, lost = 0;
	struct nic one, two;
	struct ib_packet *packet;

	join(&one, 0, 1);
	join(&two, 0, 2);
	while (requests < 100000 && send_to(&one, 2, IB_PACKET_WRITE, 1))
		requests++;
	while (datagrams < 100000 && send_to(&one, 2, IB_PACKET_DATAGRAM, 1))
		datagrams++;
	ok(requests >= 4096 && requests < 100000, "%u requests wait", requests);
	ok(datagrams >= 64 && datagrams < 100000, "%u datagrams wait", datagrams);
	ok(send_to(&one, 2, IB_PACKET_ACK, 0), "an answer arrives all the same");
	packet = ib_port_receive(&two.port);
	free(packet);
	ok(send_to(&one, 2, IB_PACKET_READ, 1), "room again for a request");
	ok(!send_to(&one, 2, IB_PACKET_READ, 1), "for one");
	ok(ib_port_flush(&two.port), "flushed");
	ok(!ib_port_receive(&two.port), "empty");
	while ((packet = ib_port_receive(&one.port))) {
		lost += packet->kind == IB_PACKET_LOST;
		free(packet);
	}
	is_int(lost, requests, "each sender of a request hears");
	ok(send_to(&one, 2, IB_PACKET_DATAGRAM, 1), "room for datagrams");
	leave(&two);
	leave(&one);
}

int main(void)
{
	fabrics[0] = fabric_create(NULL);
	fabrics[1] = fabric_create(NULL);
	lids();
	delivery();
	full();
	fabric_destroy(fabrics[0]);
	fabric_destroy(fabrics[1]);
	return done_testing();
}
