// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "subnet.h"

#define LID_UNICAST_MAX	      0xbfffu
#define DATAGRAMS_WAITING_MAX 256u

/* The ports of the process: it has one fabric. */
static struct mlx5 *ports;
static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;

static struct mlx5 *find_port(uint16_t lid)
{
	struct mlx5 *port = ports;

	while (port && port->lid != lid)
		port = port->next_port;
	return port;
}

int mlx5_subnet_join(struct mlx5 *dev, uint16_t lid)
{
	int ret = 0;

	dev->inbox_tail = &dev->inbox;
	pthread_mutex_lock(&ports_lock);
	if (!lid) {
		for (lid = 1; find_port(lid); lid++)
			;
	}
	if (lid > LID_UNICAST_MAX || find_port(lid)) {
		ret = -EEXIST;
	} else {
		dev->lid = lid;
		dev->next_port = ports;
		ports = dev;
	}
	pthread_mutex_unlock(&ports_lock);
	return ret;
}

void mlx5_subnet_leave(struct mlx5 *dev)
{
	struct mlx5 **link;
	struct mlx5_packet *packet;

	pthread_mutex_lock(&ports_lock);
	for (link = &ports; *link; link = &(*link)->next_port) {
		if (*link == dev) {
			*link = dev->next_port;
			break;
		}
	}
	pthread_mutex_unlock(&ports_lock);
	while ((packet = mlx5_subnet_receive(dev)))
		free(packet);
}

struct mlx5_packet *mlx5_packet_new(uint32_t length)
{
	struct mlx5_packet *packet = calloc(1, sizeof(*packet) + length);

	if (packet)
		packet->length = length;
	return packet;
}

bool mlx5_subnet_send(struct mlx5 *dev, struct mlx5_packet *packet)
{
	bool unreliable = packet->kind == MLX5_PACKET_DATAGRAM;
	struct mlx5 *port;

	packet->source_lid = dev->lid;
	pthread_mutex_lock(&ports_lock);
	port = find_port(packet->destination_lid);
	pthread_mutex_unlock(&ports_lock);
	if (!port || (unreliable && port->inbox_unreliable == DATAGRAMS_WAITING_MAX)) {
		dev->counters.dropped_packets++;
		free(packet);
		return false;
	}
	port->inbox_unreliable += unreliable;
	dev->counters.sent_packets++;
	dev->counters.sent_bytes += packet->length;
	port->counters.received_packets++;
	port->counters.received_bytes += packet->length;
	packet->next = NULL;
	*port->inbox_tail = packet;
	port->inbox_tail = &packet->next;
	mlx5_kick(port);
	return true;
}

struct mlx5_packet *mlx5_subnet_receive(struct mlx5 *dev)
{
	struct mlx5_packet *packet = dev->inbox;

	if (!packet)
		return NULL;
	dev->inbox = packet->next;
	if (!dev->inbox)
		dev->inbox_tail = &dev->inbox;
	dev->inbox_unreliable -= packet->kind == MLX5_PACKET_DATAGRAM;
	return packet;
}

void mlx5_subnet_answer(struct mlx5 *dev, const struct mlx5_packet *request,
			enum mlx5_packet_kind kind, uint8_t code)
{
	struct mlx5_packet *answer = mlx5_packet_new(0);

	if (!answer) {
		mlx5_fatal(dev, MLX5_INITIAL_SEG_HEALTH_SYNDROME_FW_INTERNAL_ERR, request->psn);
		return;
	}
	answer->kind = kind;
	answer->code = code;
	answer->destination_lid = request->source_lid;
	answer->destination_qpn = request->source_qpn;
	answer->source_qpn = request->destination_qpn;
	answer->psn = request->psn;
	mlx5_subnet_send(dev, answer);
}

static bool is_answered(const struct mlx5_packet *packet)
{
	return packet->kind == MLX5_PACKET_SEND || packet->kind == MLX5_PACKET_WRITE ||
	       packet->kind == MLX5_PACKET_READ;
}

void mlx5_subnet_flush(struct mlx5 *dev)
{
	struct mlx5_packet *packet, *rest = dev->inbox;

	/* Senders may be on this port: what they hear arrives in a new inbox. */
	dev->inbox = NULL;
	dev->inbox_tail = &dev->inbox;
	dev->inbox_unreliable = 0;
	while ((packet = rest)) {
		rest = packet->next;
		if (is_answered(packet))
			mlx5_subnet_answer(dev, packet, MLX5_PACKET_LOST, 0);
		free(packet);
	}
}
