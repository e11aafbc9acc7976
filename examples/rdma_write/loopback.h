/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two queue pairs of one RDMA device, connected to each other. A program with a
 * peer on another machine has one of its own, and exchanges number, LID or GID,
 * and rkeys with that peer.
 */
#ifndef RDMA_WRITE_LOOPBACK_H
#define RDMA_WRITE_LOOPBACK_H

#include <infiniband/verbs.h>

struct loopback {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *requester;
	struct ibv_qp *responder;
};

/*
 * @name: as ibv_devices shows it. 0, or -1 with errno set and *@what saying what
 * failed; loopback_close() is to be called in either case.
 */
int loopback_open(struct loopback *loop, const char *name, const char **what);

void loopback_close(struct loopback *loop);

/*
 * Writes @length bytes at @offset of @source to the same offset of @target, and
 * waits until they are there. Returns the status of the completion, or -1 with
 * errno set.
 */
int loopback_write(struct loopback *loop, const struct ibv_mr *source, const struct ibv_mr *target,
		   uint64_t offset, uint32_t length);

#endif
