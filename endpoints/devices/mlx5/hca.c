// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Life of the HCA: enable, initialize, tear down, disable.
 */
#include "cap.h"
#include "command.h"
#include "objects.h"

#define ISSI_NEWEST 1u
#define VENDOR_OUI  0x0002c9u /* ieee_vendor_id of real devices, which programs look for */
#define PSID	    "TPHBUF0000000001"

_Static_assert(sizeof(PSID) - 1 == 16, "board id");

static uint8_t hca_enable(struct mlx5 *dev, struct mlx5_command *command)
{
	if (ifc_get(enable_hca_in, command->in, function_id))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (dev->hca_state != MLX5_HCA_DISABLED)
		return MLX5_CMD_STAT_BAD_SYS_STATE_ERR;
	dev->hca_state = MLX5_HCA_ENABLED;
	dev->issi = 0;
	dev->given_pages = 0;
	mlx5_caps_reset(dev);
	return MLX5_CMD_STAT_OK;
}

static uint8_t hca_disable(struct mlx5 *dev, struct mlx5_command *command)
{
	if (ifc_get(disable_hca_in, command->in, function_id))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	mlx5_objects_destroy(dev);
	dev->hca_state = MLX5_HCA_DISABLED;
	return MLX5_CMD_STAT_OK;
}

static uint8_t hca_init(struct mlx5 *dev, struct mlx5_command *command)
{
	(void)command;
	if (dev->hca_state != MLX5_HCA_ENABLED)
		return MLX5_CMD_STAT_BAD_SYS_STATE_ERR;
	dev->hca_state = MLX5_HCA_INITIALIZED;
	return MLX5_CMD_STAT_OK;
}

static uint8_t hca_teardown(struct mlx5 *dev, struct mlx5_command *command)
{
	if (ifc_get(teardown_hca_in, command->in, profile) !=
	    MLX5_TEARDOWN_HCA_IN_PROFILE_GRACEFUL_CLOSE)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	mlx5_objects_destroy(dev);
	dev->hca_state = MLX5_HCA_ENABLED;
	return MLX5_CMD_STAT_OK;
}

static uint8_t query_issi(struct mlx5 *dev, struct mlx5_command *command)
{
	ifc_set(query_issi_out, command->out, current_issi, dev->issi);
	ifc_set(query_issi_out, command->out, supported_issi_dw0, 1u << 0 | 1u << ISSI_NEWEST);
	return MLX5_CMD_STAT_OK;
}

/* Only the newest one: with 0 a driver would make its shared receive queues by commands that are
 * not there. */
static uint8_t set_issi(struct mlx5 *dev, struct mlx5_command *command)
{
	uint64_t issi = ifc_get(set_issi_in, command->in, current_issi);

	if (issi != ISSI_NEWEST || dev->hca_state != MLX5_HCA_ENABLED)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	dev->issi = (uint16_t)issi;
	return MLX5_CMD_STAT_OK;
}

static uint8_t query_adapter(struct mlx5 *dev, struct mlx5_command *command)
{
	uint8_t *adapter = ifc_at(query_adapter_out, command->out, query_adapter_struct);

	(void)dev;
	ifc_set(query_adapter_param_block, adapter, ieee_vendor_id, VENDOR_OUI);
	memcpy(ifc_at(query_adapter_param_block, adapter, vsd_contd_psid), PSID, sizeof(PSID) - 1);
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_hca_commands[] = {
	MLX5_COMMAND(ENABLE_HCA, DISABLED, enable_hca, hca_enable),
	MLX5_COMMAND(DISABLE_HCA, ENABLED, disable_hca, hca_disable),
	MLX5_COMMAND(INIT_HCA, ENABLED, init_hca, hca_init),
	MLX5_COMMAND(TEARDOWN_HCA, INITIALIZED, teardown_hca, hca_teardown),
	MLX5_COMMAND(QUERY_ISSI, ENABLED, query_issi, query_issi),
	MLX5_COMMAND(SET_ISSI, ENABLED, set_issi, set_issi),
	MLX5_COMMAND(QUERY_ADAPTER, ENABLED, query_adapter, query_adapter),
	{ 0 },
};
