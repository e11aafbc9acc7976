// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "sw_fence.h"

/* The kernel keeps these to itself: the interface is one of debugfs. */
struct sw_sync_create_fence_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_IOC_CREATE_FENCE	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC			_IOW('W', 1, uint32_t)

int sw_fence_add(int dmabuf)
{
	struct sw_sync_create_fence_data create = { .value = 1, .name = "tphbuf test" };
	struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE };
	int timeline, ret = 0;

	timeline = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
	if (timeline < 0)
		return -errno;
	if (ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, &create)) {
		ret = -errno;
		close(timeline);
		return ret;
	}
	import.fd = create.fence;
	if (ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import))
		ret = -errno;
	close(create.fence);
	if (ret) {
		close(timeline);
		return ret;
	}
	return timeline;
}

int sw_fence_signal(int timeline)
{
	uint32_t steps = 1;

	return ioctl(timeline, SW_SYNC_IOC_INC, &steps) ? -errno : 0;
}
