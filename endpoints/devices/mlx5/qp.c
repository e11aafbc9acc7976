// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queue pairs as objects: when they run, and their way into the error state.
 */
#include "eq.h"
#include "qp.h"
#include "timer.h"

void mlx5_qp_run(struct mlx5 *dev, struct mlx5_qp *qp)
{
	if (!qp->is_runnable) {
		qp->is_runnable = true;
		TAILQ_INSERT_TAIL(&dev->runnable, qp, runnable);
	}
	mlx5_kick(dev);
}

void mlx5_qp_stop(struct mlx5 *dev, struct mlx5_qp *qp)
{
	if (qp->is_runnable)
		TAILQ_REMOVE(&dev->runnable, qp, runnable);
	if (qp->is_waiting)
		TAILQ_REMOVE(&dev->waiting, qp, waiting);
	qp->is_runnable = false;
	qp->is_waiting = false;
}

void mlx5_qp_wait(struct mlx5 *dev, struct mlx5_qp *qp, uint64_t delay)
{
	qp->deadline = mlx5_time() + delay;
	if (!qp->is_waiting) {
		qp->is_waiting = true;
		TAILQ_INSERT_TAIL(&dev->waiting, qp, waiting);
	}
	mlx5_timer_wake_at(&dev->timer, qp->deadline);
}

void mlx5_qp_fail(struct mlx5 *dev, struct mlx5_qp *qp)
{
	if (qp->state == MLX5_QPC_STATE_ERR)
		return;
	qp->state = MLX5_QPC_STATE_ERR;
	qp->flush_delay = MLX5_FLUSH_DELAY_FIRST;
	if (qp->srq)
		mlx5_event_queue(dev, MLX5_EVENT_TYPE_SRQ_LAST_WQE, qp->number);
	mlx5_qp_run(dev, qp);
}
