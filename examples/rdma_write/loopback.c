// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "loopback.h"

#define PORT	1

static struct ibv_context *open_device(const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	if (!list)
		return NULL;
	errno = ENODEV;
	for (int i = 0; list[i]; i++) {
		if (!strcmp(ibv_get_device_name(list[i]), name))
			context = ibv_open_device(list[i]);
	}
	ibv_free_device_list(list);
	return context;
}

static struct ibv_qp *create(struct loopback *loop)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = loop->cq,
		.recv_cq = loop->cq,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};

	return ibv_create_qp(loop->pd, &attr);
}

/* libibverbs gives errors of these calls as positive numbers. */
static int connect_to(struct ibv_qp *qp, const struct ibv_qp *peer, uint16_t lid)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
	};

	errno = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
						 IBV_QP_ACCESS_FLAGS);
	if (errno)
		return -1;

	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = peer->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = { .dlid = lid, .port_num = PORT },
	};
	errno = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
						 IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
						 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
	if (errno)
		return -1;

	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTS,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};
	errno = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
						 IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
						 IBV_QP_MAX_QP_RD_ATOMIC);
	return errno ? -1 : 0;
}

int loopback_open(struct loopback *loop, const char *name, const char **what)
{
	struct ibv_port_attr port;

	*loop = (struct loopback){ 0 };
	*what = "open the RDMA device";
	loop->context = open_device(name);
	if (!loop->context)
		return -1;

	*what = "create queues on the RDMA device";
	loop->pd = ibv_alloc_pd(loop->context);
	if (loop->pd)
		loop->cq = ibv_create_cq(loop->context, 2, NULL, NULL, 0);
	if (loop->cq)
		loop->requester = create(loop);
	if (loop->requester)
		loop->responder = create(loop);
	if (!loop->responder)
		return -1;

	*what = "connect the queue pairs (is the port active and of InfiniBand?)";
	errno = ibv_query_port(loop->context, PORT, &port);
	if (errno || connect_to(loop->requester, loop->responder, port.lid))
		return -1;
	return connect_to(loop->responder, loop->requester, port.lid);
}

void loopback_close(struct loopback *loop)
{
	if (loop->responder)
		ibv_destroy_qp(loop->responder);
	if (loop->requester)
		ibv_destroy_qp(loop->requester);
	if (loop->cq)
		ibv_destroy_cq(loop->cq);
	if (loop->pd)
		ibv_dealloc_pd(loop->pd);
	if (loop->context)
		ibv_close_device(loop->context);
}

int loopback_write(struct loopback *loop, const struct ibv_mr *source, const struct ibv_mr *target,
		   uint64_t offset, uint32_t length)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)source->addr + offset,
		.length = length,
		.lkey = source->lkey,
	};
	struct ibv_send_wr *bad, request = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = offset, .rkey = target->rkey },
	};
	struct ibv_wc completion;
	int done;

	errno = ibv_post_send(loop->requester, &request, &bad);
	if (errno)
		return -1;
	/* It always completes: in error when the retries of the queue pair are spent. */
	do {
		done = ibv_poll_cq(loop->cq, 1, &completion);
	} while (!done);
	if (done < 0) {
		errno = EIO;
		return -1;
	}
	return completion.status;
}
