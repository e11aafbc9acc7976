// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the work requests of the mlx5 model, over RC, UC and a UMR queue. Input: requests,
 *
 *	control		bits 0-1: queue, bits 2-3: receive requests before it, bit 4: number, size
 *			and QP of the control segment stay as they come
 *	length		of the request behind its control segment, in units of 16 bytes
 *	control segment, segments
 *
 * Whatever comes: a queue that can still send completes the next request; the function lives, and
 * works for the next driver.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mlx5/verbs.h"

#define CONTROL	   sizeof(struct mlx5_wqe_ctrl_seg)
#define QUEUES	   3u
#define LENGTH_MAX 40u /* units of 16 bytes */
#define PATIENCE   2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp queues[QUEUES], peers[QUEUES];
static uint64_t start, memory;

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void open_all(void)
{
	static const unsigned int kinds[] = { MLX5_QPC_ST_RC, MLX5_QPC_ST_UC };

	machine.next = start;
	nic_open(nic);
	cq_create(&cq, nic, 6);
	for (unsigned int i = 0; i < 2; i++) {
		qp_create(&queues[i], nic, kinds[i], &cq);
		qp_create(&peers[i], nic, kinds[i], &cq);
		queues[i].not_ready_retry = 0;
		qp_connect(&queues[i], &peers[i]);
	}
	umr_create(&queues[2], nic, &cq);
	memory = machine_alloc(4 * PAGE);
}

/* As qp_post(), which writes the first two words of the control segment. */
static void post_as_it_is(struct qp *qp, const struct wqe *wqe)
{
	size_t blocks = (wqe->size + MLX5_SEND_WQE_BB - 1) / MLX5_SEND_WQE_BB;

	for (size_t i = 0; i < blocks; i++)
		memcpy((uint8_t *)machine_at(qp->ring) + RECEIVE_BYTES +
			       (qp->send_head + i) % (1u << SEND_LOG) * MLX5_SEND_WQE_BB,
		       wqe->bytes + i * MLX5_SEND_WQE_BB, MLX5_SEND_WQE_BB);
	qp->send_head = (uint16_t)(qp->send_head + blocks);
	put_be32(machine_at(qp->doorbell + MLX5_SND_DBR * sizeof(uint32_t)), qp->send_head);
	qp_ring_doorbell(qp);
}

/* Until the queue has read all that was posted, or is in the error state and flushes. */
static void wait_for(struct qp *qp)
{
	for (unsigned int i = 0; i < PATIENCE; i++) {
		struct nic_command command;
		const uint8_t *context;

		nic_command_begin(&command, QUERY_QP, query_qp);
		ifc_set(query_qp_in, command.in, qpn, qp->number);
		nic_must(nic, &command);
		context = ifc_at(query_qp_out, command.out, qpc);
		if (ifc_get(qpc, context, state) == MLX5_QPC_STATE_ERR ||
		    (uint16_t)ifc_get(qpc, context, hw_sq_wqebb_counter) == qp->send_head)
			return;
	}
	must(false, "a request that does not end");
}

static size_t run_request(const uint8_t *data, size_t size)
{
	struct wqe wqe = { .size = CONTROL };
	size_t length;
	unsigned int queue;

	if (size < 2 + CONTROL)
		return 0;
	queue = (data[0] & 3u) % QUEUES;
	length = data[1] % LENGTH_MAX * 16u;
	if (length > size - 2 - CONTROL)
		return 0;
	memcpy(wqe.bytes, data + 2, CONTROL + length);
	wqe.size += length;
	for (unsigned int i = data[0] >> 2 & 3; i && queue < 2; i--)
		qp_receive(&peers[queue], memory, PAGE, nic->key);
	if (data[0] & 16)
		post_as_it_is(&queues[queue], &wqe);
	else
		qp_post(&queues[queue], &wqe);
	wait_for(&queues[queue]);
	return 2 + CONTROL + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0, taken;

	if (!machine.fabric) {
		machine_setup(1, "");
		start = machine.next;
	}
	open_all();
	while (!nic_syndrome(nic) && (taken = run_request(data + at, size - at)))
		at += taken;
	open_all();
	must(!qp_write(&queues[0], memory, nic->key, 64, memory + PAGE, nic->key),
	     "the next driver cannot write");
	nic_close(nic);
	return 0;
}
