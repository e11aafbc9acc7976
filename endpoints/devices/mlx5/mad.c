// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MAD_IFC: management datagrams that the driver hands to the device instead of to the wire: subnet
 * and performance management.
 */
#include "command.h"
#include "pcie/device_model.h"
#include "vport.h"

#define MAD_SIZE       256u
#define GUIDS_IN_BLOCK 8u
#define PKEYS_IN_BLOCK 32u

#define NODE_TYPE_CA   1u
#define MTU_4096       5u
#define WIDTH_4X       2u
#define SPEED_QDR      4u /* PortInfo:LinkSpeed knows none that is faster */

/* A 64-byte attribute of subnet management. Return: false when the modifier is wrong. */
typedef bool smp_handler(struct mlx5 *dev, uint32_t modifier, uint8_t *data);

static bool get_node_desc(struct mlx5 *dev, uint32_t modifier, uint8_t *data)
{
	(void)modifier;
	memcpy(data, dev->node_desc, sizeof(dev->node_desc));
	return true;
}

static bool get_node_info(struct mlx5 *dev, uint32_t modifier, uint8_t *data)
{
	uint16_t device = pci_config_get16(pci_function_config(dev->fn), 0x02);
	struct ib_node_info info = {
		.base_version = 1,
		.class_version = 1,
		.node_type = NODE_TYPE_CA,
		.num_ports = 1,
		.sys_guid = htobe64(dev->guid),
		.node_guid = htobe64(dev->guid),
		.port_guid = htobe64(dev->guid),
		.partition_cap = htobe16(MLX5_PKEYS),
		.device_id = htobe16(device),
		.local_port_num = 1,
	};

	(void)modifier;
	memcpy(data, &info, sizeof(info));
	return true;
}

static bool get_port_info(struct mlx5 *dev, uint32_t modifier, uint8_t *data)
{
	struct ib_port_info info = {
		.gid_prefix = htobe64(IB_GID_PREFIX_DEFAULT),
		.lid = htobe16(dev->port.lid),
		.cap_mask = htobe32(dev->port_capabilities),
		.local_port_num = 1,
		.link_width_enabled = WIDTH_4X,
		.link_width_supported = WIDTH_4X,
		.link_width_active = WIDTH_4X,
		.linkspeed_portstate = SPEED_QDR << 4 | MLX5_VPORT_ACTIVE,
		.portphysstate_linkdown = MLX5_VPORT_PHYS_LINK_UP << 4 | 2,
		.linkspeedactive_enabled = SPEED_QDR << 4 | SPEED_QDR,
		.neighbormtu_mastersmsl = MTU_4096 << 4,
		.vlcap_inittype = 3 << 4,
		.inittypereply_mtucap = MTU_4096,
		.operationalvl_pei_peo_fpi_fpo = 3 << 4,
		.guid_cap = MLX5_GIDS,
	};

	if (modifier > 1)
		return false;
	memcpy(data, &info, sizeof(info));
	return true;
}

static bool get_guid_info(struct mlx5 *dev, uint32_t modifier, uint8_t *data)
{
	if (modifier >= MLX5_GIDS / GUIDS_IN_BLOCK)
		return false;
	put_be64(data, dev->guid);
	return true;
}

static bool get_pkey_table(struct mlx5 *dev, uint32_t modifier, uint8_t *data)
{
	uint32_t block = modifier & 0xffff;

	(void)dev;
	if (block >= MLX5_PKEYS / PKEYS_IN_BLOCK)
		return false;
	for (unsigned int i = 0; i < PKEYS_IN_BLOCK; i++)
		layout_write_bits(data, i * 16, 16, mlx5_vport_pkey(block * PKEYS_IN_BLOCK + i));
	return true;
}

static uint16_t subnet_management(struct mlx5 *dev, const uint8_t *in, uint8_t *out)
{
	static const struct {
		uint16_t attribute;
		smp_handler *get;
	} attributes[] = {
		{ IB_SMP_ATTR_NODE_DESC, get_node_desc },
		{ IB_SMP_ATTR_NODE_INFO, get_node_info },
		{ IB_SMP_ATTR_PORT_INFO, get_port_info },
		{ IB_SMP_ATTR_GUID_INFO, get_guid_info },
		{ IB_SMP_ATTR_PKEY_TABLE, get_pkey_table },
	};
	const size_t data = offsetof(struct ib_smp, data);
	uint16_t attribute = get_be16(in + offsetof(struct ib_smp, attr_id));

	if (in[offsetof(struct ib_smp, method)] != IB_MGMT_METHOD_GET)
		return IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		if (attributes[i].attribute != attribute)
			continue;
		memset(out + data, 0, IB_SMP_DATA_SIZE);
		if (attributes[i].get(dev, get_be32(in + offsetof(struct ib_smp, attr_mod)),
				      out + data))
			return 0;
		return IB_MGMT_MAD_STATUS_INVALID_ATTRIB_VALUE;
	}
	return IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB;
}

/* A 64-bit count in a 32-bit counter, which stays at its end (section 16.1.3.5). */
static uint32_t saturated(uint64_t count)
{
	return htobe32(count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

static uint16_t performance_management(struct mlx5 *dev, const uint8_t *in, uint8_t *out)
{
	uint16_t attribute = get_be16(in + offsetof(struct ib_mad_hdr, attr_id));
	const struct ib_port_counters *count = &dev->port.counters;
	uint8_t *data = out + offsetof(struct ib_pma_mad, data);

	if (in[offsetof(struct ib_mad_hdr, method)] != IB_MGMT_METHOD_GET)
		return IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB;
	memset(data, 0, sizeof(((struct ib_pma_mad *)0)->data));
	if (attribute == IB_PMA_CLASS_PORT_INFO) {
		struct ib_class_port_info info = {
			.base_version = 1,
			.class_version = 1,
			.capability_mask = htobe16(IB_PMA_CLASS_CAP_EXT_WIDTH),
		};

		memcpy(data, &info, sizeof(info));
	} else if (attribute == IB_PMA_PORT_COUNTERS) {
		struct ib_pma_portcounters counters = {
			.port_select = 1,
			.port_xmit_data = saturated(count->sent_bytes / 4),
			.port_rcv_data = saturated(count->received_bytes / 4),
			.port_xmit_packets = saturated(count->sent_packets),
			.port_rcv_packets = saturated(count->received_packets),
		};

		memcpy(data, &counters, sizeof(counters));
	} else if (attribute == IB_PMA_PORT_COUNTERS_EXT) {
		struct ib_pma_portcounters_ext counters = {
			.port_select = 1,
			.port_xmit_data = htobe64(count->sent_bytes / 4),
			.port_rcv_data = htobe64(count->received_bytes / 4),
			.port_xmit_packets = htobe64(count->sent_packets),
			.port_rcv_packets = htobe64(count->received_packets),
			.port_unicast_xmit_packets = htobe64(count->sent_packets),
			.port_unicast_rcv_packets = htobe64(count->received_packets),
		};

		memcpy(data, &counters, sizeof(counters));
	} else {
		return IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB;
	}
	return 0;
}

static uint8_t mad_ifc(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *in = ifc_at(mad_ifc_in, command->in, mad);
	uint8_t *out = ifc_at(mad_ifc_out, command->out, response_mad_packet);
	uint16_t status;

	if (ifc_get(mad_ifc_in, command->in, port) != 1)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	memcpy(out, in, MAD_SIZE);
	switch (in[offsetof(struct ib_mad_hdr, mgmt_class)]) {
	case IB_MGMT_CLASS_SUBN_LID_ROUTED:
	case IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE:
		status = subnet_management(dev, in, out);
		break;
	case IB_MGMT_CLASS_PERF_MGMT:
		status = performance_management(dev, in, out);
		break;
	default:
		return MLX5_CMD_STAT_BAD_PKT_ERR;
	}
	out[offsetof(struct ib_mad_hdr, method)] = IB_MGMT_METHOD_GET_RESP;
	layout_write_bits(out, offsetof(struct ib_mad_hdr, status) * 8, 16, status);
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_mad_commands[] = {
	MLX5_COMMAND(MAD_IFC, INITIALIZED, mad_ifc, mad_ifc),
	{ 0 },
};
