// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dmabuf_mr.h"

static const char *advice(int error)
{
	switch (error) {
	case EOPNOTSUPP:
		return "its driver pins dma-bufs, or does not take any; memory of a VFIO device "
		       "can be revoked, so use a driver that maps it on demand: mlx5 with "
		       "CONFIG_INFINIBAND_ON_DEMAND_PAGING, or irdma";
	case ENODEV:
		return "the dma-buf is revoked: the device does not decode memory, is in reset or "
		       "in a low-power state, or has been closed; ask its owner";
	case EINVAL:
		return "offset, length or access flags are wrong, or no peer-to-peer path leads "
		       "from the NIC to the device; see \"tphbuf path DEVICE NIC\" and the kernel "
		       "log";
	case EBADF:
		return "the file descriptor is not open, or not a dma-buf";
	case ENOSPC:
	case ENOMEM:
		return "the NIC or the kernel has no room for another region; deregister some, or "
		       "raise \"ulimit -l\"";
	case EPERM:
	case EACCES:
		return "the dma-buf is not open for writing, or the process may not do it";
	default:
		return "see the kernel log";
	}
}

struct ibv_mr *dmabuf_mr_register(struct ibv_pd *pd, int dmabuf, uint64_t offset, size_t length,
				  int access, char *why, size_t size)
{
	uint64_t within = offset % (uint64_t)sysconf(_SC_PAGESIZE);
	struct ibv_mr *mr;

	/* Drivers want the address and the offset to be at the same place of a page. */
	mr = ibv_reg_dmabuf_mr(pd, offset, length, within, dmabuf, access);
	if (!mr)
		snprintf(why, size, "%s refuses the dma-buf: %s: %s",
			 ibv_get_device_name(pd->context->device), strerror(errno), advice(errno));
	return mr;
}
