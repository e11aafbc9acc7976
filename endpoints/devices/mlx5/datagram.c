// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unreliable datagrams: UD queue pairs and the management queue pairs QP0 and QP1.
 */
#include <errno.h>
#include <stdlib.h>

#include "datagram.h"
#include "link.h"
#include "qp.h"
#include "responder.h"
#include "sg.h"
#include "vport.h"

#define AV_OFFSET	sizeof(struct mlx5_wqe_ctrl_seg)
#define SEGMENTS_OFFSET (AV_OFFSET + sizeof(struct mlx5_av))
#define QPN_MASK	0xffffffu
#define QKEY_OWN	0x80000000u /* high bit of a Q_Key: take that of the queue pair */
#define GRH_IN_AV	(1u << 30)  /* of grh_gid_fl */
#define GRH_IN_BUFFER	1u	    /* code in the completion */
#define NEXT_HEADER_IB	0x1b
#define MTU_MAX		4096u

static bool is_datagram_type(uint8_t type)
{
	return type == MLX5_QPC_ST_UD || type == MLX5_QPC_ST_QP0 || type == MLX5_QPC_ST_QP1;
}

static void fill_grh(struct mlx5 *dev, const struct mlx5_av *av, struct ib_packet *packet)
{
	uint8_t *grh = packet->grh;

	packet->has_grh = true;
	put_be32(grh, 6u << 28 | (uint32_t)av->tclass << 20 | (be32toh(av->grh_gid_fl) & 0xfffff));
	grh[4] = (uint8_t)(packet->length >> 8);
	grh[5] = (uint8_t)packet->length;
	grh[6] = NEXT_HEADER_IB;
	grh[7] = av->hop_limit;
	put_be64(grh + 8, IB_GID_PREFIX_DEFAULT);
	put_be64(grh + 16, dev->guid);
	memcpy(grh + 24, av->rgid, sizeof(av->rgid));
}

/* Management queue pairs go by their well-known number on the wire. */
static uint32_t wire_number(const struct mlx5_qp *qp)
{
	return qp->type == MLX5_QPC_ST_QP0 ? 0 : qp->type == MLX5_QPC_ST_QP1 ? 1 : qp->number;
}

static struct ib_packet *make_packet(struct mlx5 *dev, const struct mlx5_qp *qp, uint32_t length)
{
	const struct mlx5_requester *requester = &qp->requester;
	struct ib_packet *packet = ib_packet_new(length);
	struct mlx5_av av;
	uint32_t qkey;

	if (!packet)
		return NULL;
	memcpy(&av, requester->wqe + AV_OFFSET, sizeof(av));
	qkey = be32toh(av.key.qkey.qkey);
	packet->kind = IB_PACKET_DATAGRAM;
	packet->source_qpn = wire_number(qp);
	packet->destination_lid = be16toh(av.rlid);
	packet->destination_qpn = be32toh(av.dqp_dct) & QPN_MASK;
	packet->qkey = qkey & QKEY_OWN ? (uint32_t)ifc_get(qpc, qp->context, q_key) : qkey;
	packet->pkey = mlx5_vport_pkey(
		(unsigned int)ifc_get(qpc, qp->context, primary_address_path.pkey_index));
	packet->service_level = av.stat_rate_sl & 0xf;
	packet->solicited = requester->wqe[offsetof(struct mlx5_wqe_ctrl_seg, fm_ce_se)] &
			    MLX5_WQE_CTRL_SOLICITED;
	packet->has_immediate = requester->opcode == MLX5_OPCODE_SEND_IMM;
	packet->immediate = get_be32(requester->wqe + offsetof(struct mlx5_wqe_ctrl_seg, imm));
	if (be32toh(av.grh_gid_fl) & GRH_IN_AV)
		fill_grh(dev, &av, packet);
	return packet;
}

uint8_t mlx5_datagram_send(struct mlx5 *dev, struct mlx5_qp *qp)
{
	struct mlx5_requester *requester = &qp->requester;
	enum mlx5_memory_result result;
	struct ib_packet *packet;
	struct mlx5_sg sg = {
		.segments = requester->wqe + SEGMENTS_OFFSET,
		.size = requester->size - SEGMENTS_OFFSET,
		.pd = mlx5_qp_pd(qp),
		.access = MLX5_ACCESS_LOCAL_READ,
	};

	if (!is_datagram_type(qp->type) || requester->size < SEGMENTS_OFFSET ||
	    (requester->opcode != MLX5_OPCODE_SEND && requester->opcode != MLX5_OPCODE_SEND_IMM) ||
	    !mlx5_sg_length(&sg, &requester->length))
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	if (requester->length > MTU_MAX)
		return MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR;
	packet = make_packet(dev, qp, (uint32_t)requester->length);
	if (!packet)
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	result = mlx5_sg_read(dev, &sg, 0, packet->payload, packet->length);
	if (result) {
		free(packet);
		return MLX5_CQE_SYNDROME_LOCAL_PROT_ERR;
	}
	/* Whether anybody takes it does not matter to the sender. */
	ib_port_send(&dev->port, packet);
	return 0;
}

static bool accepts_datagram(const struct mlx5_qp *qp, const struct ib_packet *packet)
{
	if (!is_datagram_type(qp->type) ||
	    (qp->state != MLX5_QPC_STATE_RTR && qp->state != MLX5_QPC_STATE_RTS))
		return false;
	/* QP0 has no Q_Key. */
	return qp->type == MLX5_QPC_ST_QP0 || packet->qkey == ifc_get(qpc, qp->context, q_key);
}

static void datagram_post_completion(struct mlx5 *dev, struct mlx5_qp *qp,
				     const struct ib_packet *packet)
{
	uint8_t opcode = packet->has_immediate ? MLX5_CQE_RESP_SEND_IMM : MLX5_CQE_RESP_SEND;
	struct mlx5_cqe64 entry = {
		.slid = htobe16(packet->source_lid),
		.flags_rqpn = htobe32((packet->has_grh ? GRH_IN_BUFFER << 28 : 0) |
				      (uint32_t)packet->service_level << 24 | packet->source_qpn),
		.srqn = htobe32((uint32_t)ifc_get(qpc, qp->context, user_index)),
		.byte_cnt = htobe32(IB_GRH_SIZE + packet->length),
		.sop_drop_qpn = htobe32(qp->number),
		.wqe_counter = htobe16(qp->responder.wqe_index),
		.op_own = (uint8_t)(opcode << 4),
	};

	/* One word holds immediate data or the P_Key. */
	put_be32(&entry.immediate, packet->has_immediate ? packet->immediate : packet->pkey);
	mlx5_cq_post(dev, qp->receive_cq, &entry, packet->solicited);
}

void mlx5_datagram_receive(struct mlx5 *dev, struct mlx5_qp *qp, const struct ib_packet *packet)
{
	struct mlx5_responder *responder = &qp->responder;
	enum mlx5_memory_result result;
	struct mlx5_sg sg;
	uint64_t room;

	if (!accepts_datagram(qp, packet) || mlx5_responder_take(dev, qp) <= 0) {
		dev->port.counters.dropped_packets++;
		return;
	}
	sg = (struct mlx5_sg){
		.segments = responder->wqe,
		.size = responder->wqe_size,
		.pd = qp->srq ? qp->srq->pd : mlx5_qp_pd(qp),
		.access = MLX5_ACCESS_LOCAL_WRITE,
		.receive = true,
	};
	if (!mlx5_sg_length(&sg, &room) || room < IB_GRH_SIZE + packet->length) {
		mlx5_responder_error(dev, qp, MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR);
		mlx5_qp_fail(dev, qp);
		return;
	}
	/* The place for a global route header is there whether the packet has one or not. */
	result = mlx5_sg_write(dev, &sg, 0, packet->grh, IB_GRH_SIZE);
	if (!result)
		result = mlx5_sg_write(dev, &sg, IB_GRH_SIZE, packet->payload, packet->length);
	if (result == MLX5_MEMORY_STOPPED)
		return;
	if (!result) {
		datagram_post_completion(dev, qp, packet);
		responder->has_wqe = false;
	} else {
		mlx5_responder_error(dev, qp, MLX5_CQE_SYNDROME_LOCAL_PROT_ERR);
		mlx5_qp_fail(dev, qp);
	}
}
