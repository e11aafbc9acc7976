// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The port: its state, tables and registers, management datagrams, and datagrams between ports.
 */
#include "tap.h"
#include "verbs.h"

#define QKEY	   0x11111111u
#define GRH_IN_AV  (1u << 30)
#define ACTIVE	   4
#define MAD_OFFSET ifc_offset(mad_ifc_in, mad)

static struct nic *nic = &machine.nics[0];

static void gids(void)
{
	struct nic_command command;
	const uint8_t *gid = command.out + ifc_size(query_hca_vport_gid_out);

	nic_command_begin(&command, QUERY_HCA_VPORT_GID, query_hca_vport_gid);
	ifc_set(query_hca_vport_gid_in, command.in, gid_index, 0xffff);
	command.out_size += 8 * 16;
	nic_must(nic, &command);
	is_int(ifc_get(query_hca_vport_gid_out, command.out, gids_num), 8, "all GIDs");
	for (unsigned int i = 0; i < 8; i++, gid += 16) {
		is_hex(get_be64(gid), 0xfe80000000000000, "prefix of GID %u", i);
		is_int(get_be64(gid + 8) != 0, i == 0, "only the first has a GUID");
	}
}

static void context(void)
{
	struct nic_command command;
	uint8_t *context = ifc_at(query_hca_vport_context_out, command.out, hca_vport_context);

	nic_command_begin(&command, QUERY_HCA_VPORT_CONTEXT, query_hca_vport_context);
	nic_must(nic, &command);
	is_int(ifc_get(hca_vport_context, context, port_state), ACTIVE, "active");
	is_int(ifc_get(hca_vport_context, context, vport_state), ACTIVE, "active");
	is_int(ifc_get(hca_vport_context, context, lid), 1, "LID");
	is_int(ifc_get(hca_vport_context, context, sm_lid), 0, "no subnet manager");
	ifc_set(query_hca_vport_context_in, command.in, other_vport, 1);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "another port");
	gids();
	nic_command_begin(&command, QUERY_HCA_VPORT_GID, query_hca_vport_gid);
	command.out_size += 16;
	nic_must(nic, &command);
	is_hex(get_be64(command.out + ifc_size(query_hca_vport_gid_out)), 0xfe80000000000000,
	       "GID prefix");
	ifc_set(query_hca_vport_gid_in, command.in, gid_index, 8);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "behind the GID table");
	ifc_set(query_hca_vport_gid_in, command.in, gid_index, 0xffff);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_OUTP_LEN_ERR, "no room for all");
	nic_command_begin(&command, QUERY_HCA_VPORT_PKEY, query_hca_vport_pkey);
	ifc_set(query_hca_vport_pkey_in, command.in, pkey_index, 0xffff);
	command.out_size += 128 * 4;
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_OK, "all partition keys");
	is_hex(ifc_get(pkey, command.out + ifc_size(query_hca_vport_pkey_out), pkey), 0xffff,
	       "the default one");
	ifc_set(query_hca_vport_pkey_in, command.in, pkey_index, 128);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "behind the table");
}

static int access_register(struct nic_command *command, uint16_t number, size_t size, bool read)
{
	nic_command_begin(command, ACCESS_REG, access_register);
	ifc_set(access_register_in, command->in, op_mod, read);
	ifc_set(access_register_in, command->in, register_id, number);
	command->in_size += size;
	command->out_size += size;
	memcpy(command->in + ifc_size(access_register_in), "a description", 14);
	return nic_execute(nic, command);
}

static void registers(void)
{
	const uint8_t *data;
	struct nic_command command;

	data = command.out + ifc_size(access_register_out);
	is_int(access_register(&command, MLX5_REG_NODE_DESC, 64, true), 0, "node description");
	is_str((const char *)data, "nic0 mlx5", "as it is made");
	is_int(access_register(&command, MLX5_REG_NODE_DESC, 64, false), 0, "written");
	is_int(access_register(&command, MLX5_REG_NODE_DESC, 64, true), 0, "read");
	is_str((const char *)data, "a description", "as it was written");
	is_int(access_register(&command, MLX5_REG_PMTU, ifc_size(pmtu_reg), true), 0, "MTU");
	is_int(ifc_get(pmtu_reg, data, oper_mtu), 4096, "in use");
	is_int(access_register(&command, MLX5_REG_PMTU, ifc_size(pmtu_reg), false),
	       MLX5_CMD_STAT_BAD_PARAM_ERR, "MTU cannot be written");
	is_int(access_register(&command, MLX5_REG_PTYS, 4, true), MLX5_CMD_STAT_BAD_INP_LEN_ERR,
	       "half a register");
	is_int(access_register(&command, 0x9999, 64, true), MLX5_CMD_STAT_BAD_PARAM_ERR,
	       "no such register");
}

static int mad(struct nic_command *command, uint8_t class, uint8_t method, uint16_t attribute)
{
	uint8_t *in = command->in + MAD_OFFSET;

	nic_command_begin(command, MAD_IFC, mad_ifc);
	ifc_set(mad_ifc_in, command->in, port, 1);
	in[offsetof(struct ib_mad_hdr, mgmt_class)] = class;
	in[offsetof(struct ib_mad_hdr, method)] = method;
	attribute = htobe16(attribute);
	memcpy(in + offsetof(struct ib_mad_hdr, attr_id), &attribute, sizeof(attribute));
	return nic_execute(nic, command);
}

static void management(void)
{
	const struct ib_port_info *port;
	const struct ib_smp *smp;
	struct nic_command command;
	const uint8_t *out = ifc_at(mad_ifc_out, command.out, response_mad_packet);

	is_int(mad(&command, IB_MGMT_CLASS_SUBN_LID_ROUTED, IB_MGMT_METHOD_GET, 0x0015), 0,
	       "SubnGet(PortInfo)");
	smp = (const struct ib_smp *)out;
	port = (const struct ib_port_info *)smp->data;
	is_int(smp->method, IB_MGMT_METHOD_GET_RESP, "a response");
	is_int(be16toh(smp->status), 0, "status");
	is_int(port->linkspeed_portstate & 0xf, ACTIVE, "active");
	is_int(be16toh(port->lid), 1, "LID");
	is_int(be16toh(port->sm_lid), 0, "no subnet manager");
	is_int(mad(&command, IB_MGMT_CLASS_SUBN_LID_ROUTED, IB_MGMT_METHOD_SET, 0x0015), 0, "Set");
	is_int(be16toh(smp->status), IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB, "refused");
	is_int(mad(&command, IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE, IB_MGMT_METHOD_GET, 0x7777), 0,
	       "no such attribute");
	is_int(be16toh(smp->status) & 0x7fff, IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB,
	       "refused");
	is_int(mad(&command, IB_MGMT_CLASS_PERF_MGMT, IB_MGMT_METHOD_GET, 0x0012), 0,
	       "port counters");
	is_int(be16toh(smp->status), 0, "status");
	is_int(mad(&command, 0x77, IB_MGMT_METHOD_GET, 1), MLX5_CMD_STAT_BAD_PKT_ERR,
	       "another class");
}

static void send_datagram(struct qp *from, const struct qp *to, uint32_t qkey, bool grh,
			  uint64_t data, uint32_t length)
{
	struct mlx5_av av = {
		.dqp_dct = htobe32(to->number | (uint32_t)MLX5_EXTENDED_UD_AV),
		.rlid = htobe16(to->lid),
		.grh_gid_fl = htobe32(grh ? GRH_IN_AV : 0),
		.hop_limit = 9,
	};
	struct wqe wqe;

	av.key.qkey.qkey = htobe32(qkey);
	wqe_begin(&wqe, MLX5_OPCODE_SEND, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_add(&wqe, &av, sizeof(av));
	wqe_data(&wqe, data, length, from->nic->key);
	qp_post(from, &wqe);
}

static bool sent(struct cq *cq)
{
	struct mlx5_cqe64 entry;

	return cq_poll(cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ;
}

static void datagrams(void)
{
	struct nic *other = &machine.nics[1];
	uint64_t from = machine_alloc(2 * PAGE), to = machine_alloc(2 * PAGE);
	struct mlx5_cqe64 entry;
	uint64_t dropped;
	struct cq cqs[2];
	struct qp one, two;

	cq_create(&cqs[0], nic, 6);
	cq_create(&cqs[1], other, 6);
	qp_create(&one, nic, MLX5_QPC_ST_UD, &cqs[0]);
	qp_create(&two, other, MLX5_QPC_ST_UD, &cqs[1]);
	qp_connect(&one, &two);
	fill(from, 2 * PAGE, 1);
	qp_receive(&two, to, 40 + 1000, other->key);
	send_datagram(&one, &two, QKEY, false, from, 1000);
	ok(sent(&cqs[0]), "sent");
	ok(cq_poll(&cqs[1], &entry), "received");
	is_int(cqe_opcode(&entry), MLX5_CQE_RESP_SEND, "a send");
	is_int(be32toh(entry.byte_cnt), 1040, "bytes, with room for the route header");
	is_hex(be32toh(entry.flags_rqpn), one.number, "sender, no route header");
	is_int(be16toh(entry.slid), 1, "port");
	is_mem((uint8_t *)machine_at(to) + 40, machine_at(from), 1000, "data");

	qp_receive(&two, to, 2 * PAGE, other->key);
	send_datagram(&one, &two, 0x80000000, true, from, PAGE);
	ok(sent(&cqs[0]) && cq_poll(&cqs[1], &entry), "with a route header, by the own Q_Key");
	is_int(be32toh(entry.flags_rqpn) >> 28, 1, "there is one");
	is_int(((uint8_t *)machine_at(to))[0] >> 4, 6, "its version");
	is_int(((uint8_t *)machine_at(to))[7], 9, "its hop limit");

	dropped = nic_state(other, MLX5_STATE_DROPPED_PACKETS);
	qp_receive(&two, to, 2 * PAGE, other->key);
	send_datagram(&one, &two, QKEY + 1, false, from, 10);
	ok(sent(&cqs[0]), "sent");
	ok(until(nic_state(other, MLX5_STATE_DROPPED_PACKETS) == dropped + 1),
	   "dropped for a wrong Q_Key");
	send_datagram(&one, &(struct qp){ .number = 4000, .lid = 2 }, QKEY, false, from, 10);
	ok(sent(&cqs[0]), "sent");
	ok(until(nic_state(other, MLX5_STATE_DROPPED_PACKETS) == dropped + 2), "to nobody");
	send_datagram(&one, &(struct qp){ .number = 4000, .lid = 77 }, QKEY, false, from, 10);
	ok(sent(&cqs[0]), "to no port");
	send_datagram(&one, &two, QKEY, false, from, PAGE + 1);
	ok(cq_poll(&cqs[0], &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR,
	   "longer than a packet");
	qp_reconnect(&one, &two);
	qp_receive(&two, to, 49, other->key);
	send_datagram(&one, &two, QKEY, false, from, 10);
	ok(sent(&cqs[0]), "sent");
	ok(cq_poll(&cqs[1], &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR,
	   "does not fit");
}

/* QP1 goes; what comes for it afterwards goes nowhere. */
static void stale_management(void)
{
	struct nic *other = &machine.nics[1];
	uint64_t data = machine_alloc(PAGE), dropped;
	struct qp one, special, to = { .number = 1, .lid = 2 };
	struct mlx5_cqe64 entry;
	struct cq cqs[2];

	cq_create(&cqs[0], nic, 6);
	cq_create(&cqs[1], other, 6);
	qp_create(&one, nic, MLX5_QPC_ST_UD, &cqs[0]);
	qp_create(&special, other, MLX5_QPC_ST_QP1, &cqs[1]);
	qp_connect(&one, &special);
	qp_receive(&special, data, PAGE, other->key);
	qp_receive(&special, data, PAGE, other->key);
	send_datagram(&one, &to, QKEY, false, data, 10);
	ok(sent(&cqs[0]) && cq_poll(&cqs[1], &entry), "QP1 takes a datagram");
	is_int(qp_destroy(&special), MLX5_CMD_STAT_OK, "QP1 is destroyed");
	dropped = nic_state(other, MLX5_STATE_DROPPED_PACKETS);
	send_datagram(&one, &to, QKEY, false, data, 10);
	ok(sent(&cqs[0]), "sent");
	ok(until(nic_state(other, MLX5_STATE_DROPPED_PACKETS) == dropped + 1), "dropped");
}

int main(void)
{
	machine_setup(2, "");
	nic_open(nic);
	nic_open(&machine.nics[1]);
	context();
	registers();
	management();
	datagrams();
	stale_management();
	machine_teardown();
	return done_testing();
}
