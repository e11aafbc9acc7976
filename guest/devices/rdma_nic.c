// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rdma_nic.h"

#define PORT		1
#define ACCESS		(IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
#define FIRST_PSN	0x1234
/* One message; the longest that InfiniBand has is 2 GiB. */
#define MESSAGE_SIZE	(16u << 20)
/* An emulated machine may stand still for seconds. */
#define PATIENCE_S	120

static bool is_function(const struct ibv_device *device, const char *bdf)
{
	char link[IBV_SYSFS_PATH_MAX + 8], target[300];
	const char *name;
	ssize_t length;

	snprintf(link, sizeof(link), "%s/device", device->ibdev_path);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = 0;
	name = strrchr(target, '/');
	return !strcmp(name ? name + 1 : target, bdf);
}

static int open_function(const char *bdf, struct ibv_context **context)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int ret = -ENODEV;

	if (!list)
		return -errno;
	for (int i = 0; list[i]; i++) {
		if (!is_function(list[i], bdf))
			continue;
		*context = ibv_open_device(list[i]);
		ret = *context ? 0 : -EIO;
		break;
	}
	ibv_free_device_list(list);
	return ret;
}

static struct ibv_qp *create_qp(struct rdma_nic *nic)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = nic->cq,
		.recv_cq = nic->cq,
		.cap = { .max_send_wr = 4, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};

	return ibv_create_qp(nic->pd, &attr);
}

/* From any state, the error state too, to one in which it sends to @peer. */
static int connect_qp(struct rdma_nic *nic, struct ibv_qp *qp, const struct ibv_qp *peer)
{
	struct ibv_qp_attr reset = { .qp_state = IBV_QPS_RESET };
	struct ibv_qp_attr init = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = ACCESS,
	};
	struct ibv_qp_attr receive = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = peer->qp_num,
		.rq_psn = FIRST_PSN,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = { .dlid = nic->lid, .port_num = PORT },
	};
	struct ibv_qp_attr send = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.sq_psn = FIRST_PSN,
		.max_rd_atomic = 1,
	};
	int ret;

	ret = ibv_modify_qp(qp, &reset, IBV_QP_STATE);
	if (!ret)
		ret = ibv_modify_qp(qp, &init,
				    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					    IBV_QP_ACCESS_FLAGS);
	if (!ret)
		ret = ibv_modify_qp(qp, &receive,
				    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					    IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					    IBV_QP_MIN_RNR_TIMER);
	if (!ret)
		ret = ibv_modify_qp(qp, &send,
				    IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
					    IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
					    IBV_QP_MAX_QP_RD_ATOMIC);
	return -ret;
}

int rdma_nic_reconnect(struct rdma_nic *nic)
{
	int ret = connect_qp(nic, nic->responder, nic->requester);

	return ret ? ret : connect_qp(nic, nic->requester, nic->responder);
}

void rdma_nic_close(struct rdma_nic *nic)
{
	if (nic->requester)
		ibv_destroy_qp(nic->requester);
	if (nic->responder)
		ibv_destroy_qp(nic->responder);
	if (nic->cq)
		ibv_destroy_cq(nic->cq);
	if (nic->pd)
		ibv_dealloc_pd(nic->pd);
	if (nic->context)
		ibv_close_device(nic->context);
	*nic = (struct rdma_nic){ 0 };
}

static int set_up(struct rdma_nic *nic)
{
	struct ibv_port_attr port;
	int ret = ibv_query_port(nic->context, PORT, &port);

	if (ret)
		return -ret;
	nic->lid = port.lid;
	nic->pd = ibv_alloc_pd(nic->context);
	if (nic->pd)
		nic->cq = ibv_create_cq(nic->context, 8, NULL, NULL, 0);
	if (nic->cq)
		nic->requester = create_qp(nic);
	if (nic->requester)
		nic->responder = create_qp(nic);
	return nic->responder ? rdma_nic_reconnect(nic) : -errno;
}

int rdma_nic_open(struct rdma_nic *nic, const char *bdf)
{
	int ret;

	*nic = (struct rdma_nic){ 0 };
	ret = open_function(bdf, &nic->context);
	if (!ret)
		ret = set_up(nic);
	if (ret)
		rdma_nic_close(nic);
	return ret;
}

int rdma_nic_register(struct rdma_nic *nic, int dmabuf, uint64_t length, struct ibv_mr **mr)
{
	*mr = ibv_reg_dmabuf_mr(nic->pd, 0, length, 0, dmabuf, ACCESS);
	return *mr ? 0 : -errno;
}

static int wait_for_completion(struct rdma_nic *nic)
{
	time_t end = time(NULL) + PATIENCE_S;
	struct ibv_wc wc;
	int done;

	do {
		done = ibv_poll_cq(nic->cq, 1, &wc);
	} while (!done && time(NULL) < end);
	if (!done)
		return -ETIMEDOUT;
	if (done < 0)
		return -EIO;
	switch (wc.status) {
	case IBV_WC_SUCCESS:
		return 0;
	case IBV_WC_REM_ACCESS_ERR:
	case IBV_WC_REM_OP_ERR:
		return -EREMOTEIO;
	default:
		return -EIO;
	}
}

static int write_message(struct rdma_nic *nic, const struct ibv_mr *target, uint64_t offset,
			 const struct ibv_mr *source, const uint8_t *data, uint32_t length)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)data,
		.length = length,
		.lkey = source->lkey,
	};
	struct ibv_send_wr *bad, wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = offset, .rkey = target->rkey },
	};
	int ret = -ibv_post_send(nic->requester, &wr, &bad);

	return ret ? ret : wait_for_completion(nic);
}

int rdma_nic_write(struct rdma_nic *nic, const struct ibv_mr *mr, uint64_t offset, const void *data,
		   size_t length)
{
	const uint8_t *at = data;
	struct ibv_mr *source;
	int ret = 0;

	/* Read only: the NIC takes from it what it sends. */
	source = ibv_reg_mr(nic->pd, (void *)data, length, 0);
	if (!source)
		return -errno;
	while (length && !ret) {
		uint32_t part = length < MESSAGE_SIZE ? length : MESSAGE_SIZE;

		ret = write_message(nic, mr, offset, source, at, part);
		at += part;
		offset += part;
		length -= part;
	}
	if (ret) {
		int again = rdma_nic_reconnect(nic);

		if (again)
			ret = again;
	}
	ibv_dereg_mr(source);
	return ret;
}

/* The word behind " key " in a line of the rdma tool. */
static bool word(const char *line, const char *key, char *value, size_t size)
{
	char pattern[40];
	const char *at;
	size_t length;

	snprintf(pattern, sizeof(pattern), " %s ", key);
	at = strstr(line, pattern);
	if (!at)
		return false;
	at += strlen(pattern);
	length = strcspn(at, " \n");
	if (length >= size)
		length = size - 1;
	memcpy(value, at, length);
	value[length] = 0;
	return true;
}

static bool number(const char *line, const char *key, uint32_t *value)
{
	char text[20];

	if (!word(line, key, text, sizeof(text)))
		return false;
	*value = strtoul(text, NULL, 0);
	return true;
}

static void read_hints(const char *line, struct rdma_nic_hints *hints)
{
	uint32_t ph, st = 0;

	word(line, "drv_tph", hints->state, sizeof(hints->state));
	word(line, "drv_tph_path", hints->path, sizeof(hints->path));
	hints->ph = number(line, "drv_tph_ph", &ph) ? (int)ph : -1;
	hints->tagged = number(line, "drv_tph_st", &st) &&
			number(line, "drv_tph_st_index", &hints->st_index);
	hints->st = st;
}

int rdma_nic_hints(struct rdma_nic *nic, uint32_t lkey, struct rdma_nic_hints *hints)
{
	char command[100], *line = NULL;
	int ret = -ENOENT;
	bool own = false;
	size_t size = 0;
	uint32_t key;
	FILE *tool;

	*hints = (struct rdma_nic_hints){ .ph = -1 };
	snprintf(command, sizeof(command), "rdma -dd resource show mr dev %s",
		 ibv_get_device_name(nic->context->device));
	tool = popen(command, "r");
	if (!tool)
		return -errno;
	/* What the driver has to say follows in a line that is indented. */
	while (getline(&line, &size, tool) > 0) {
		if (line[0] != ' ')
			own = number(line, "lkey", &key) && key == lkey;
		if (!own)
			continue;
		ret = 0;
		if (strstr(line, " drv_tph "))
			read_hints(line, hints);
	}
	free(line);
	pclose(tool);
	return ret;
}
