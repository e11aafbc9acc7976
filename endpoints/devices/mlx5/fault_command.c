// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of a page fault: the driver has brought the pages and tells the QP to go on.
 */
#include "command.h"
#include "qp.h"
#include "requester.h"
#include "responder.h"

static uint8_t fault_resume(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *info =
		ifc_at(page_fault_resume_in, command->in, page_fault_info.trans_page_fault_info);
	uint32_t token = (uint32_t)ifc_get(trans_page_fault_info, info, fault_token);
	bool error = ifc_get(trans_page_fault_info, info, error);
	struct mlx5_qp *qp;

	if (!token)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	for (uint32_t number = 0; (qp = mlx5_table_from(&dev->qps, &number)); number++) {
		if (qp->requester.token != token && qp->responder.token != token)
			continue;
		dev->counters.page_fault_errors += error;
		if (qp->requester.token == token)
			mlx5_requester_resume(dev, qp, error);
		else
			mlx5_responder_resume(dev, qp, error);
		return MLX5_CMD_STAT_OK;
	}
	/* The QP is gone or was reset since: nobody waits any more. */
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_fault_commands[] = {
	MLX5_COMMAND(PAGE_FAULT_RESUME, INITIALIZED, page_fault_resume, fault_resume),
	{ 0 },
};
