// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The InfiniBand subnet of a fabric: LIDs and delivery.
 */
#include <errno.h>
#include <stdlib.h>

#include "pcie/fabric.h"
#include "subnet.h"

/* What may wait in an inbox: a sender that resets its queue pair after each packet could send
 * without end to a port that is held up. */
#define REQUESTS_WAITING_MAX  8192u
#define DATAGRAMS_WAITING_MAX 256u

static struct ib_port *find_port(struct fabric *fabric, uint16_t lid)
{
	struct ib_port *port = *fabric_ib_ports(fabric);

	while (port && port->lid != lid)
		port = port->next;
	return port;
}

static int take_lid(struct ib_port *port, uint16_t lid)
{
	struct ib_port **ports = fabric_ib_ports(port->fabric);

	if (!lid) {
		for (lid = 1; find_port(port->fabric, lid); lid++)
			;
	}
	if (lid > IB_LID_UNICAST_MAX)
		return -ERANGE;
	if (find_port(port->fabric, lid))
		return -EEXIST;
	port->lid = lid;
	port->next = *ports;
	*ports = port;
	return 0;
}

int ib_port_join(struct ib_port *port, struct fabric *fabric, uint16_t lid,
		 void (*wake)(struct ib_port *port))
{
	int ret;

	port->fabric = fabric;
	port->wake = wake;
	port->inbox_tail = &port->inbox;
	fabric_lock(fabric);
	ret = take_lid(port, lid);
	fabric_unlock(fabric);
	return ret;
}

void ib_port_leave(struct ib_port *port)
{
	struct ib_port **link;
	struct ib_packet *packet;

	if (!port->lid)
		return;
	for (link = fabric_ib_ports(port->fabric); *link != port; link = &(*link)->next)
		;
	*link = port->next;
	port->lid = 0;
	while ((packet = ib_port_receive(port)))
		free(packet);
}

/* Packets of this kind in the inbox; NULL for answers, which are not counted. */
static uint32_t *waiting_like(struct ib_port *port, const struct ib_packet *packet)
{
	if (packet->kind == IB_PACKET_DATAGRAM)
		return &port->datagrams;
	return ib_packet_is_answered(packet) ? &port->requests : NULL;
}

static void count_waiting(struct ib_port *port, const struct ib_packet *packet, uint32_t by)
{
	uint32_t *waiting = waiting_like(port, packet);

	if (waiting)
		*waiting += by;
}

static bool has_room(const struct ib_port *port, const struct ib_packet *packet)
{
	if (packet->kind == IB_PACKET_DATAGRAM)
		return port->datagrams < DATAGRAMS_WAITING_MAX;
	return !ib_packet_is_answered(packet) || port->requests < REQUESTS_WAITING_MAX;
}

bool ib_port_send(struct ib_port *port, struct ib_packet *packet)
{
	struct ib_port *to = find_port(port->fabric, packet->destination_lid);

	packet->source_lid = port->lid;
	if (!to || !has_room(to, packet)) {
		port->counters.dropped_packets++;
		free(packet);
		return false;
	}
	count_waiting(to, packet, 1);
	port->counters.sent_packets++;
	port->counters.sent_bytes += packet->length;
	to->counters.received_packets++;
	to->counters.received_bytes += packet->length;
	packet->next = NULL;
	*to->inbox_tail = packet;
	to->inbox_tail = &packet->next;
	to->wake(to);
	return true;
}

bool ib_port_answer(struct ib_port *port, const struct ib_packet *request, enum ib_packet_kind kind,
		    uint8_t code)
{
	struct ib_packet *answer = ib_packet_answer(request, kind, code);

	if (!answer)
		return false;
	ib_port_send(port, answer);
	return true;
}

struct ib_packet *ib_port_receive(struct ib_port *port)
{
	struct ib_packet *packet = port->inbox;

	if (!packet)
		return NULL;
	port->inbox = packet->next;
	if (!port->inbox)
		port->inbox_tail = &port->inbox;
	count_waiting(port, packet, -1u);
	return packet;
}

bool ib_port_flush(struct ib_port *port)
{
	struct ib_packet *packet, *rest = port->inbox;
	bool all_told = true;

	/* Senders may be on this port: what they hear arrives in a new inbox. */
	port->inbox = NULL;
	port->inbox_tail = &port->inbox;
	port->requests = 0;
	port->datagrams = 0;
	while ((packet = rest)) {
		rest = packet->next;
		if (ib_packet_is_answered(packet))
			all_told &= ib_port_answer(port, packet, IB_PACKET_LOST, 0);
		free(packet);
	}
	return all_told;
}
