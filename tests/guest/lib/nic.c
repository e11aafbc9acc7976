// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nic.h"
#include "nic_ioctl.h"

#define ACCESS		(IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
/* An emulated machine may stand still for seconds. */
#define PATIENCE_S	60

struct nic nic_open(const char *name)
{
	struct nic nic = { .name = name };

	require_error(rdma_nic_open(&nic.rdma, device_bdf(name)), 0, "open the RDMA device of %s",
		      name);
	nic.buffer = aligned_alloc(PAGE, NIC_BUFFER);
	require_true(nic.buffer, "memory");
	nic.buffer_mr = ibv_reg_mr(nic.rdma.pd, nic.buffer, NIC_BUFFER, IBV_ACCESS_LOCAL_WRITE);
	require_true(nic.buffer_mr, "register the buffer: %s", strerror(errno));
	return nic;
}

void nic_close(struct nic *nic)
{
	expect_int(ibv_dereg_mr(nic->buffer_mr), 0, "deregister the buffer");
	rdma_nic_close(&nic->rdma);
	free(nic->buffer);
}

struct nic_region nic_register(struct nic *nic, int dmabuf, uint64_t length)
{
	struct nic_region region;

	require_error(rdma_nic_register(&nic->rdma, dmabuf, length, &region.mr), 0,
		      "register a dma-buf with %s", nic->name);
	region.handle = region.mr->handle;
	region.lkey = region.mr->lkey;
	region.rkey = region.mr->rkey;
	return region;
}

struct nic_region nic_register_dmah(struct nic *nic, int dmabuf, uint64_t length, uint32_t dmah)
{
	struct nic_region region = { 0 };

	require_error(nic_ioctl_register(nic->rdma.context->cmd_fd, nic->rdma.pd->handle, dmabuf,
					 length, ACCESS, dmah, &region.handle, &region.lkey,
					 &region.rkey),
		      0, "register a dma-buf with a DMAH");
	return region;
}

void nic_deregister(struct nic *nic, struct nic_region *region)
{
	int ret = region->mr ? -ibv_dereg_mr(region->mr)
			     : nic_ioctl_deregister(nic->rdma.context->cmd_fd, region->handle);

	require_error(ret, 0, "deregister");
	*region = (struct nic_region){ 0 };
}

uint32_t nic_alloc_dmah(struct nic *nic, uint8_t ph)
{
	uint32_t handle = 0;

	require_error(nic_ioctl_alloc_dmah(nic->rdma.context->cmd_fd, ph, &handle), 0,
		      "allocate a DMAH");
	return handle;
}

static enum ibv_wc_status wait_for_completion(struct nic *nic)
{
	time_t end = time(NULL) + limit(PATIENCE_S);
	struct ibv_wc wc;
	int done;

	do {
		done = ibv_poll_cq(nic->rdma.cq, 1, &wc);
	} while (!done && time(NULL) < end);
	require_int(done, 1, "completions of %s", nic->name);
	return wc.status;
}

enum ibv_wc_status nic_write(struct nic *nic, const struct nic_region *region, uint64_t offset,
			     const void *data, uint32_t length)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)nic->buffer,
		.length = length,
		.lkey = nic->buffer_mr->lkey,
	};
	struct ibv_send_wr *bad, wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = offset, .rkey = region->rkey },
	};
	enum ibv_wc_status status;

	require_true(length <= NIC_BUFFER, "the buffer of the NIC has the room");
	memcpy(nic->buffer, data, length);
	require_int(ibv_post_send(nic->rdma.requester, &wr, &bad), 0, "post a write");
	status = wait_for_completion(nic);
	if (status)
		require_error(rdma_nic_reconnect(&nic->rdma), 0, "connect anew");
	return status;
}

static int copy(const struct wire_path *path, uint64_t offset, const void *data, size_t length)
{
	enum ibv_wc_status status = nic_write(path->nic, path->region, offset, data, length);

	if (status)
		diag("RDMA write: %s", ibv_wc_status_str(status));
	return status ? -EIO : 0;
}

struct wire_path nic_path(struct nic *nic, struct nic_region *region, struct accelerator *acc,
			  uint64_t bar_offset)
{
	return (struct wire_path){
		.engine_name = nic->name,
		.copy = copy,
		.nic = nic,
		.region = region,
		.acc = acc,
		.bar_offset = bar_offset,
	};
}

struct rdma_nic_hints nic_hints(struct nic *nic, const struct nic_region *region)
{
	struct rdma_nic_hints hints;

	require_error(rdma_nic_hints(&nic->rdma, region->lkey, &hints), 0,
		      "the rdma tool shows the region");
	return hints;
}

void expect_unhinted(struct nic *nic, const struct nic_region *region, const char *state,
		     const char *what)
{
	struct rdma_nic_hints hints = nic_hints(nic, region);

	expect_true(!strcmp(hints.state, state), "%s: the driver says \"%s\", not \"%s\"", what,
		    hints.state, state);
	expect_int(hints.ph, -1, "%s: hint shown", what);
	expect_true(!hints.tagged, "%s: no tag shown", what);
}

int expect_published(struct nic *nic, const struct nic_region *region, uint16_t st, uint8_t ph,
		     const char *what)
{
	struct rdma_nic_hints hints = nic_hints(nic, region);

	expect_true(!strcmp(hints.state, "published"), "%s: the driver says \"%s\"", what,
		    hints.state);
	expect_true(hints.tagged, "%s: a tag is shown", what);
	expect_int(hints.ph, ph, "%s: hint shown", what);
	expect_int(hints.st, st, "%s: tag shown", what);
	return hints.st_index;
}
