// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queue pairs on the worker: their doorbells, packets that arrived for them, their timers, and
 * their turn.
 */
#include <stdlib.h>

#include "datagram.h"
#include "doorbell.h"
#include "link.h"
#include "qp.h"
#include "qp_work.h"
#include "requester.h"
#include "responder.h"
#include "timer.h"

#define FLUSH_DELAY_MAX 1000000000ull /* ns */

bool mlx5_qp_doorbell_work(struct mlx5 *dev)
{
	struct mlx5_qp *qp;
	uint32_t *number = &dev->doorbells.last_qp;

	if (!dev->doorbells.any_qp)
		return false;
	if (!mlx5_doorbell_take(dev->doorbells.qps, 1u << MLX5_LOG_QPS, number)) {
		dev->doorbells.any_qp = false;
		return false;
	}
	qp = mlx5_table_get(&dev->qps, *number);
	if (qp)
		mlx5_qp_run(dev, qp);
	else
		dev->counters.bad_doorbells++;
	return true;
}

static struct mlx5_qp *receiver_of(struct mlx5 *dev, const struct ib_packet *packet)
{
	if (packet->kind == IB_PACKET_DATAGRAM && packet->destination_qpn < 2)
		return dev->special_qp[packet->destination_qpn];
	return mlx5_table_get(&dev->qps, packet->destination_qpn);
}

bool mlx5_qp_packet_work(struct mlx5 *dev)
{
	struct ib_packet *packet = ib_port_receive(&dev->port);
	struct mlx5_qp *qp;

	if (!packet)
		return false;
	qp = receiver_of(dev, packet);
	switch (packet->kind) {
	case IB_PACKET_SEND:
	case IB_PACKET_WRITE:
	case IB_PACKET_READ:
	case IB_PACKET_COMPARE_SWAP:
	case IB_PACKET_FETCH_ADD:
		if (qp) {
			mlx5_responder_request(dev, qp, packet);
			return true;
		}
		mlx5_link_answer(dev, packet, IB_PACKET_LOST, 0);
		break;
	case IB_PACKET_DATAGRAM:
		if (qp) {
			mlx5_datagram_receive(dev, qp, packet);
			free(packet);
			return true;
		}
		break;
	default:
		if (qp) {
			mlx5_requester_answer(dev, qp, packet);
			return true;
		}
	}
	dev->port.counters.dropped_packets++;
	free(packet);
	return true;
}

/* In the error state all requests are flushed; new ones come without a doorbell, so the queues are
 * looked at now and then. */
static bool qp_flush(struct mlx5 *dev, struct mlx5_qp *qp)
{
	mlx5_responder_drop(dev, qp);
	if (mlx5_requester_flush(dev, qp) || mlx5_responder_flush(dev, qp)) {
		qp->flush_delay = MLX5_FLUSH_DELAY_FIRST;
		return true;
	}
	mlx5_qp_wait(dev, qp, qp->flush_delay);
	if (qp->flush_delay < FLUSH_DELAY_MAX)
		qp->flush_delay *= 2;
	return false;
}

static bool qp_step(struct mlx5 *dev, struct mlx5_qp *qp)
{
	switch (qp->state) {
	case MLX5_QPC_STATE_RTS:
		return mlx5_requester_step(dev, qp);
	case MLX5_QPC_STATE_ERR:
		return qp_flush(dev, qp);
	default:
		return false;
	}
}

bool mlx5_qp_work(struct mlx5 *dev)
{
	struct mlx5_qp *qp = TAILQ_FIRST(&dev->runnable);

	if (!qp)
		return false;
	TAILQ_REMOVE(&dev->runnable, qp, runnable);
	qp->is_runnable = false;
	if (qp_step(dev, qp))
		mlx5_qp_run(dev, qp);
	return true;
}

void mlx5_qp_timer_work(struct mlx5 *dev)
{
	uint64_t now = mlx5_time();
	struct mlx5_qp *qp, *next;

	for (qp = TAILQ_FIRST(&dev->waiting); qp; qp = next) {
		next = TAILQ_NEXT(qp, waiting);
		if (qp->deadline > now) {
			mlx5_timer_wake_at(&dev->timer, qp->deadline);
			continue;
		}
		TAILQ_REMOVE(&dev->waiting, qp, waiting);
		qp->is_waiting = false;
		mlx5_qp_run(dev, qp);
	}
}
