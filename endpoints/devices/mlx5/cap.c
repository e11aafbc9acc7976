// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Capabilities: the most, the current ones, and what a driver may choose.
 */
#include <linux/pci_regs.h>

#include "cap.h"
#include "command.h"
#include "pcie/device_model.h"

#define CAPS_SIZE	sizeof(((struct mlx5 *)0)->general_caps)
#define PKEY_TABLE_128	0u	 /* code of a table with 128 entries */
#define GID_TABLE_8	0u	 /* code of a table with 8 entries */
#define CLOCK_KHZ	1000000u /* the timer counts nanoseconds */
#define BOTH_SIGNATURES 3u
#define ATOMIC_SIZE_8	(1u << 3) /* bit n: operands of 2^n bytes */

_Static_assert(ifc_size(cmd_hca_cap) == CAPS_SIZE, "general capabilities");
_Static_assert(ifc_size(odp_cap) == CAPS_SIZE, "capabilities for paging on demand");
_Static_assert(ifc_size(atomic_caps) == CAPS_SIZE, "capabilities for atomic operations");

#define general(field, value) ifc_set(cmd_hca_cap, caps, field, value)

static void fill_limits(uint8_t *caps)
{
	general(log_max_eq, MLX5_LOG_EQS);
	general(log_max_eq_sz, MLX5_LOG_EQ_ENTRIES);
	general(log_max_cq, MLX5_LOG_CQS);
	general(log_max_cq_sz, MLX5_LOG_CQ_ENTRIES);
	general(log_max_qp, MLX5_LOG_QPS);
	general(log_max_qp_sz, MLX5_LOG_QUEUE_ENTRIES);
	general(log_max_srq, MLX5_LOG_SRQS);
	general(log_max_srq_sz, MLX5_LOG_QUEUE_ENTRIES);
	general(log_max_rmp, MLX5_LOG_SRQS);
	general(log_max_mkey, MLX5_LOG_MKEYS);
	general(log_max_klm_list_size, 16);
	general(log_max_pd, MLX5_LOG_PDS);
	general(log_max_xrcd, MLX5_LOG_XRCDS);
	general(log_max_msg, MLX5_LOG_MESSAGE);
	general(log_max_ra_req_qp, 4);
	general(log_max_ra_res_qp, 4);
	general(log_max_wq_sz, MLX5_LOG_QUEUE_ENTRIES);
	general(max_wqe_sz_sq, MLX5_SEND_WQE_MAX_WQEBBS * MLX5_SEND_WQE_BB);
	general(max_wqe_sz_rq, 512);
	general(max_indirection, 1);
	general(gid_table_size, GID_TABLE_8);
	general(pkey_table_size, PKEY_TABLE_128);
}

/* What the function can do at most. Everything that is not named here it cannot. */
static void fill_general(struct mlx5 *dev, uint8_t *caps)
{
	memset(caps, 0, CAPS_SIZE);
	fill_limits(caps);
	general(page_request_disable, 1);
	general(port_type, MLX5_CAP_PORT_TYPE_IB);
	general(num_ports, 1);
	general(ib_virt, 1);
	general(local_ca_ack_delay, 16);
	general(rc, 1);
	general(uc, 1);
	general(ud, 1);
	general(xrc, 1);
	general(pg, 1);
	general(atomic, 1);
	/* There is no multicast, so nothing of it comes back. */
	general(block_lb_mc, 1);
	general(cq_oi, 1);
	general(cq_resize, 1);
	general(cqe_version, 1);
	general(compact_address_vector, 1);
	general(umr_extended_translation_offset, 1);
	general(qp_latency_sensitive_disable, 1);
	general(cmdif_checksum, BOTH_SIGNATURES);
	general(log_pg_sz, MLX5_ADAPTER_PAGE_SHIFT);
	general(uar_sz, 1);
	general(log_bf_reg_size, 9);
	general(num_of_uars_per_page, 1);
	general(device_frequency_khz, CLOCK_KHZ);
	general(device_frequency_mhz, CLOCK_KHZ / 1000);
	/* Keys ask for Relaxed Ordering when they are created; UMR cannot change it. */
	general(relaxed_ordering_write, 1);
	general(relaxed_ordering_read_pci_enabled, 1);
	general(mkey_pcie_tph, pci_function_ext_cap(dev->fn, PCI_EXT_CAP_ID_TPH) != 0);
}

static void fill_odp(uint8_t *caps)
{
	uint8_t *rc = ifc_at(odp_cap, caps, transport_page_fault_scheme_cap.rc_odp_caps);

	memset(caps, 0, CAPS_SIZE);
	ifc_set(odp_per_transport_service_cap, rc, send, 1);
	ifc_set(odp_per_transport_service_cap, rc, receive, 1);
	ifc_set(odp_per_transport_service_cap, rc, write, 1);
	ifc_set(odp_per_transport_service_cap, rc, read, 1);
	ifc_set(odp_per_transport_service_cap, rc, atomic, 1);
}

/* Compare and swap, fetch and add, of 8 bytes. Whether a driver gets the values in its own byte
 * order is its choice. */
static void fill_atomic(uint8_t *caps)
{
	memset(caps, 0, CAPS_SIZE);
	ifc_set(atomic_caps, caps, supported_atomic_req_8B_endianness_mode_1, 1);
	ifc_set(atomic_caps, caps, atomic_operations,
		MLX5_ATOMIC_OPS_CMP_SWAP | MLX5_ATOMIC_OPS_FETCH_ADD);
	ifc_set(atomic_caps, caps, atomic_size_qp, ATOMIC_SIZE_8);
}

void mlx5_caps_reset(struct mlx5 *dev)
{
	fill_general(dev, dev->general_caps);
	/* Drivers turn signatures off before they have made one right. */
	ifc_set(cmd_hca_cap, dev->general_caps, cmdif_checksum, 0);
	fill_odp(dev->odp_caps);
	dev->atomic_host_endian = false;
	dev->check_signatures = false;
}

static uint8_t cap_query(struct mlx5 *dev, struct mlx5_command *command)
{
	uint64_t selector = ifc_get(query_hca_cap_in, command->in, op_mod);
	bool maximum = (selector & 1) == HCA_CAP_OPMOD_GET_MAX;
	uint8_t *caps = ifc_at(query_hca_cap_out, command->out, capability);

	if (ifc_get(query_hca_cap_in, command->in, other_function))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	switch (selector >> 1) {
	case MLX5_CAP_GENERAL:
		if (maximum)
			fill_general(dev, caps);
		else
			memcpy(caps, dev->general_caps, CAPS_SIZE);
		return MLX5_CMD_STAT_OK;
	case MLX5_CAP_ODP:
		if (maximum)
			fill_odp(caps);
		else
			memcpy(caps, dev->odp_caps, CAPS_SIZE);
		return MLX5_CMD_STAT_OK;
	case MLX5_CAP_ATOMIC:
		fill_atomic(caps);
		ifc_set(atomic_caps, caps, atomic_req_8B_endianness_mode,
			maximum || dev->atomic_host_endian);
		return MLX5_CMD_STAT_OK;
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
}

/* The driver may choose these; all else has to stay as it is. */
static uint8_t set_general(struct mlx5 *dev, const uint8_t *wanted)
{
	uint8_t caps[CAPS_SIZE];
	uint64_t log_max_qp = ifc_get(cmd_hca_cap, wanted, log_max_qp);
	uint64_t checksum = ifc_get(cmd_hca_cap, wanted, cmdif_checksum);

	memcpy(caps, dev->general_caps, sizeof(caps));
	general(log_max_qp, log_max_qp);
	general(cmdif_checksum, checksum);
	if (memcmp(caps, wanted, sizeof(caps)) || !log_max_qp || log_max_qp > MLX5_LOG_QPS)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	memcpy(dev->general_caps, caps, sizeof(caps));
	dev->check_signatures = checksum != 0;
	return MLX5_CMD_STAT_OK;
}

static uint8_t set_odp(struct mlx5 *dev, const uint8_t *wanted)
{
	uint8_t most[CAPS_SIZE];

	fill_odp(most);
	for (size_t i = 0; i < CAPS_SIZE; i++) {
		if (wanted[i] & ~most[i])
			return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	memcpy(dev->odp_caps, wanted, CAPS_SIZE);
	return MLX5_CMD_STAT_OK;
}

/* The byte order is all that there is to choose; the driver leaves the rest 0. */
static uint8_t set_atomic(struct mlx5 *dev, const uint8_t *wanted)
{
	uint64_t mode = ifc_get(atomic_caps, wanted, atomic_req_8B_endianness_mode);

	if (mode > 1)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	dev->atomic_host_endian = mode;
	return MLX5_CMD_STAT_OK;
}

static uint8_t cap_set(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *caps = ifc_at(set_hca_cap_in, command->in, capability);

	if (dev->hca_state != MLX5_HCA_ENABLED)
		return MLX5_CMD_STAT_BAD_SYS_STATE_ERR;
	if (ifc_get(set_hca_cap_in, command->in, other_function))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	switch (ifc_get(set_hca_cap_in, command->in, op_mod) >> 1) {
	case MLX5_CAP_GENERAL:
		return set_general(dev, caps);
	case MLX5_CAP_ODP:
		return set_odp(dev, caps);
	case MLX5_CAP_ATOMIC:
		return set_atomic(dev, caps);
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
}

const struct mlx5_command_type mlx5_cap_commands[] = {
	MLX5_COMMAND(QUERY_HCA_CAP, ENABLED, query_hca_cap, cap_query),
	MLX5_COMMAND(SET_HCA_CAP, ENABLED, set_hca_cap, cap_set),
	{ 0 },
};
