/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An RDMA NIC that writes into dma-bufs: two connected queue pairs of one
 * device, of which one writes through a memory region that belongs to the
 * other.
 *
 * All functions return 0 or a negative errno value, unless they say otherwise.
 */
#ifndef TPHBUF_GUEST_RDMA_NIC_H
#define TPHBUF_GUEST_RDMA_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <infiniband/verbs.h>

/**
 * struct rdma_nic - an open NIC
 * @lid: address of its port, which is also where it sends to
 */
struct rdma_nic {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *requester;
	struct ibv_qp *responder;
	uint16_t lid;
};

/* By PCI address. -ENODEV: no RDMA driver has it. */
int rdma_nic_open(struct rdma_nic *nic, const char *bdf);

/* Connects the queue pairs anew, whatever state a failure has left them in. */
int rdma_nic_reconnect(struct rdma_nic *nic);

/* Closes it; its memory regions are gone. */
void rdma_nic_close(struct rdma_nic *nic);

/*
 * A memory region of the first @length bytes of a dma-buf, with addresses that
 * are offsets in it; ibv_dereg_mr() ends it.
 */
int rdma_nic_register(struct rdma_nic *nic, int dmabuf, uint64_t length, struct ibv_mr **mr);

/*
 * Writes @length bytes to @offset of the region, and waits until they are
 * there. -EREMOTEIO: the region did not take them; -EIO: another failure,
 * -ETIMEDOUT: none and no success either. The NIC can be used on after a
 * failure.
 */
int rdma_nic_write(struct rdma_nic *nic, const struct ibv_mr *mr, uint64_t offset,
		   const void *data, size_t length);

/**
 * struct rdma_nic_hints - hints of a memory region as the driver shows them
 * @state: why it has hints, or none; "" when nothing is said
 * @tagged: it has a published tag: the other members hold
 * @st_index: steering tag index
 * @ph: processing hint, or -1; a region may have one without a tag
 * @path: "switch", "host_bridge", or "" when nothing is said
 */
struct rdma_nic_hints {
	char state[20];
	char path[16];
	bool tagged;
	uint16_t st;
	uint32_t st_index;
	int ph;
};

/*
 * What "rdma -dd resource show mr" has on the region with this key. -ENOENT: it
 * does not show the region.
 */
int rdma_nic_hints(struct rdma_nic *nic, uint32_t lkey, struct rdma_nic_hints *hints);

#endif
