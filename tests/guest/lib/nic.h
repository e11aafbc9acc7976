/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An RDMA NIC that writes into dma-bufs through the memory regions that a test
 * registers, opened or the case ends.
 */
#ifndef TPHBUF_TESTS_NIC_H
#define TPHBUF_TESTS_NIC_H

#include "guest.h"
#include "rdma_nic.h"
#include "wire.h"

/**
 * struct nic - an open NIC
 * @name: as in the list of suites, "nic0"
 * @buffer: what it sends, NIC_BUFFER bytes
 */
struct nic {
	const char *name;
	struct rdma_nic rdma;
	struct ibv_mr *buffer_mr;
	uint8_t *buffer;
};

#define NIC_BUFFER	(16u << 10)

struct nic nic_open(const char *name);

/* Closes it; all regions have to be gone. */
void nic_close(struct nic *nic);

/**
 * struct nic_region - memory region of a dma-buf, from its first byte on
 * @mr: as libibverbs registered it, or NULL
 * @handle: of the kernel, without @mr
 */
struct nic_region {
	struct ibv_mr *mr;
	uint32_t handle;
	uint32_t lkey;
	uint32_t rkey;
};

struct nic_region nic_register(struct nic *nic, int dmabuf, uint64_t length);

/*
 * With a DMAH, for which libibverbs has to be newer than that of the guest:
 * through the kernel's interface.
 */
struct nic_region nic_register_dmah(struct nic *nic, int dmabuf, uint64_t length, uint32_t dmah);

void nic_deregister(struct nic *nic, struct nic_region *region);

/* A DMAH that has a processing hint and no CPU, and so no steering tag. */
uint32_t nic_alloc_dmah(struct nic *nic, uint8_t ph);

/*
 * RDMA write to an offset of the region. Returns the status of the completion;
 * after a failure the queue pairs are connected anew.
 */
enum ibv_wc_status nic_write(struct nic *nic, const struct nic_region *region, uint64_t offset,
			     const void *data, uint32_t length);

/* The way from the NIC to a buffer, for expect_writes(). */
struct wire_path nic_path(struct nic *nic, struct nic_region *region, struct accelerator *acc,
			  uint64_t bar_offset);

/* What the driver says. */
struct rdma_nic_hints nic_hints(struct nic *nic, const struct nic_region *region);

/* The region has no hints, for this reason. */
void expect_unhinted(struct nic *nic, const struct nic_region *region, const char *state,
		     const char *what);

/* The region has what was published. Returns the index. */
int expect_published(struct nic *nic, const struct nic_region *region, uint16_t st, uint8_t ph,
		     const char *what);

#endif
