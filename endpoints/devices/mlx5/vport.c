// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The InfiniBand port: virtual port contexts, tables, port registers. It is active from the start;
 * no subnet manager is needed.
 */
#include "command.h"
#include "vport.h"

#define PKEY_DEFAULT  0xffffu
#define SPEED_EDR     32u     /* ib_proto_oper: as in PortInfo:LinkSpeedExt, shifted */
#define VIRTUAL_LANES 4u      /* VL0..VL3 */
#define ALL_ENTRIES   0xffffu /* index that asks for a whole table */
#define GID_SIZE      16u

uint16_t mlx5_vport_pkey(unsigned int index)
{
	return index ? 0 : PKEY_DEFAULT;
}

static uint8_t query_context(struct mlx5 *dev, struct mlx5_command *command)
{
	uint8_t *context = ifc_at(query_hca_vport_context_out, command->out, hca_vport_context);

	if (ifc_get(query_hca_vport_context_in, command->in, other_vport))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	ifc_set(hca_vport_context, context, has_smi, 1);
	ifc_set(hca_vport_context, context, port_physical_state, MLX5_VPORT_PHYS_LINK_UP);
	ifc_set(hca_vport_context, context, port_state, MLX5_VPORT_ACTIVE);
	ifc_set(hca_vport_context, context, vport_state, MLX5_VPORT_ACTIVE);
	ifc_set(hca_vport_context, context, system_image_guid, dev->guid);
	ifc_set(hca_vport_context, context, port_guid, dev->guid);
	ifc_set(hca_vport_context, context, node_guid, dev->guid);
	ifc_set(hca_vport_context, context, cap_mask1, dev->port_capabilities);
	ifc_set(hca_vport_context, context, cap_mask1_field_select, MLX5_VPORT_CAPS_WRITABLE);
	ifc_set(hca_vport_context, context, lid, dev->port.lid);
	return MLX5_CMD_STAT_OK;
}

/* Only capability bits may be changed: the selected ones take the given value. */
static uint8_t modify_context(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context =
		ifc_at(modify_hca_vport_context_in, command->in, hca_vport_context);
	uint32_t mask = (uint32_t)ifc_get(hca_vport_context, context, cap_mask1_field_select);
	uint32_t value = (uint32_t)ifc_get(hca_vport_context, context, cap_mask1);

	if (ifc_get(modify_hca_vport_context_in, command->in, other_vport) ||
	    mask & ~MLX5_VPORT_CAPS_WRITABLE)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	dev->port_capabilities = (dev->port_capabilities & ~mask) | (value & mask);
	return MLX5_CMD_STAT_OK;
}

/* Index and number of the entries that a table query asks for. Return: false when it is out of
 * range. */
static bool table_range(uint64_t index, uint32_t entries, uint32_t *first, uint32_t *count)
{
	bool all = index == ALL_ENTRIES;

	*first = all ? 0 : (uint32_t)index;
	*count = all ? entries : 1;
	return all || index < entries;
}

static uint8_t query_gid(struct mlx5 *dev, struct mlx5_command *command)
{
	uint8_t *list = command->out + ifc_size(query_hca_vport_gid_out);
	uint32_t first, count;

	if (ifc_get(query_hca_vport_gid_in, command->in, other_vport) ||
	    !table_range(ifc_get(query_hca_vport_gid_in, command->in, gid_index), MLX5_GIDS, &first,
			 &count))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if ((command->out_size - ifc_size(query_hca_vport_gid_out)) / GID_SIZE < count)
		return MLX5_CMD_STAT_BAD_OUTP_LEN_ERR;
	/* An entry without a GUID has the prefix of the subnet all the same. */
	for (uint32_t i = 0; i < count; i++)
		put_be64(list + i * GID_SIZE, IB_GID_PREFIX_DEFAULT);
	if (!first)
		put_be64(list + sizeof(uint64_t), dev->guid);
	ifc_set(query_hca_vport_gid_out, command->out, gids_num, count);
	return MLX5_CMD_STAT_OK;
}

static uint8_t query_pkey(struct mlx5 *dev, struct mlx5_command *command)
{
	uint8_t *list = command->out + ifc_size(query_hca_vport_pkey_out);
	uint32_t first, count;

	(void)dev;
	if (ifc_get(query_hca_vport_pkey_in, command->in, other_vport) ||
	    !table_range(ifc_get(query_hca_vport_pkey_in, command->in, pkey_index), MLX5_PKEYS,
			 &first, &count))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if ((command->out_size - ifc_size(query_hca_vport_pkey_out)) / ifc_size(pkey) < count)
		return MLX5_CMD_STAT_BAD_OUTP_LEN_ERR;
	for (uint32_t i = 0; i < count; i++)
		ifc_set(pkey, list + i * ifc_size(pkey), pkey, mlx5_vport_pkey(first + i));
	return MLX5_CMD_STAT_OK;
}

/* A register: fills in @data, which is zeroed, or takes it over. */
typedef void register_handler(struct mlx5 *dev, uint8_t *data);

static void read_ptys(struct mlx5 *dev, uint8_t *data)
{
	(void)dev;
	ifc_set(ptys_reg, data, local_port, 1);
	ifc_set(ptys_reg, data, proto_mask, MLX5_PTYS_IB);
	ifc_set(ptys_reg, data, ib_link_width_capability, MLX5_PTYS_WIDTH_4X);
	ifc_set(ptys_reg, data, ib_link_width_admin, MLX5_PTYS_WIDTH_4X);
	ifc_set(ptys_reg, data, ib_link_width_oper, MLX5_PTYS_WIDTH_4X);
	ifc_set(ptys_reg, data, ib_proto_capability, SPEED_EDR);
	ifc_set(ptys_reg, data, ib_proto_admin, SPEED_EDR);
	ifc_set(ptys_reg, data, ib_proto_oper, SPEED_EDR);
}

static void read_pmtu(struct mlx5 *dev, uint8_t *data)
{
	(void)dev;
	ifc_set(pmtu_reg, data, local_port, 1);
	ifc_set(pmtu_reg, data, max_mtu, MLX5_PAGE_SIZE);
	ifc_set(pmtu_reg, data, admin_mtu, MLX5_PAGE_SIZE);
	ifc_set(pmtu_reg, data, oper_mtu, MLX5_PAGE_SIZE);
}

static void read_pvlc(struct mlx5 *dev, uint8_t *data)
{
	(void)dev;
	ifc_set(pvlc_reg, data, local_port, 1);
	ifc_set(pvlc_reg, data, vl_hw_cap, VIRTUAL_LANES);
	ifc_set(pvlc_reg, data, vl_admin, VIRTUAL_LANES);
	ifc_set(pvlc_reg, data, vl_operational, VIRTUAL_LANES);
}

static void read_node_desc(struct mlx5 *dev, uint8_t *data)
{
	memcpy(data, dev->node_desc, sizeof(dev->node_desc));
}

static void write_node_desc(struct mlx5 *dev, uint8_t *data)
{
	memcpy(dev->node_desc, data, sizeof(dev->node_desc));
}

static const struct {
	uint16_t id;
	uint16_t size;
	register_handler *read;
	register_handler *write;
} registers[] = {
	{ MLX5_REG_PTYS, ifc_size(ptys_reg), read_ptys, NULL },
	{ MLX5_REG_PMTU, ifc_size(pmtu_reg), read_pmtu, NULL },
	{ MLX5_REG_PVLC, ifc_size(pvlc_reg), read_pvlc, NULL },
	{ MLX5_REG_NODE_DESC, MLX5_NODE_DESC_SIZE, read_node_desc, write_node_desc },
};

static uint8_t access_register(struct mlx5 *dev, struct mlx5_command *command)
{
	bool read = ifc_get(access_register_in, command->in, op_mod);
	uint64_t id = ifc_get(access_register_in, command->in, register_id);
	uint8_t *out = command->out + ifc_size(access_register_out);
	const uint8_t *in = command->in + ifc_size(access_register_in);

	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++) {
		if (registers[i].id != id)
			continue;
		if (command->in_size - ifc_size(access_register_in) < registers[i].size)
			return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
		if (command->out_size - ifc_size(access_register_out) < registers[i].size)
			return MLX5_CMD_STAT_BAD_OUTP_LEN_ERR;
		if (read) {
			registers[i].read(dev, out);
			return MLX5_CMD_STAT_OK;
		}
		if (!registers[i].write)
			return MLX5_CMD_STAT_BAD_PARAM_ERR;
		memcpy(out, in, registers[i].size);
		registers[i].write(dev, out);
		return MLX5_CMD_STAT_OK;
	}
	return MLX5_CMD_STAT_BAD_PARAM_ERR;
}

const struct mlx5_command_type mlx5_vport_commands[] = {
	MLX5_COMMAND(QUERY_HCA_VPORT_CONTEXT, INITIALIZED, query_hca_vport_context, query_context),
	MLX5_COMMAND(MODIFY_HCA_VPORT_CONTEXT, INITIALIZED, modify_hca_vport_context,
		     modify_context),
	MLX5_COMMAND(QUERY_HCA_VPORT_GID, INITIALIZED, query_hca_vport_gid, query_gid),
	MLX5_COMMAND(QUERY_HCA_VPORT_PKEY, INITIALIZED, query_hca_vport_pkey, query_pkey),
	MLX5_COMMAND(ACCESS_REG, ENABLED, access_register, access_register),
	{ 0 },
};
