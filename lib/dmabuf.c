// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The requests of the kernel that make a dma-buf and change it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "device.h"
#include "dmabuf.h"
#include "feature.h"
#include "sys.h"
#include "vfio_uapi.h"

int tpb_dmabuf_get(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		   size_t nr_ranges)
{
	size_t size = sizeof(struct vfio_device_feature) + sizeof(struct tpb_vfio_dma_buf);
	struct vfio_device_feature *feature;
	struct tpb_vfio_dma_buf *dma_buf;
	int ret;

	/* argsz has 32 bits. */
	if (nr_ranges > (UINT32_MAX - size) / sizeof(dma_buf->ranges[0]))
		return -EINVAL;
	size += nr_ranges * sizeof(dma_buf->ranges[0]);
	feature = tpb_sys.calloc(1, size);
	if (!feature)
		return -ENOMEM;
	feature->argsz = size;
	feature->flags = VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF;
	dma_buf = (struct tpb_vfio_dma_buf *)feature->data;
	dma_buf->region_index = VFIO_PCI_BAR0_REGION_INDEX + bar;
	dma_buf->open_flags = O_RDWR | O_CLOEXEC;
	dma_buf->nr_ranges = nr_ranges;
	for (size_t i = 0; i < nr_ranges; i++) {
		dma_buf->ranges[i].offset = ranges[i].offset;
		dma_buf->ranges[i].length = ranges[i].length;
	}
	ret = tpb_ioctl(dev->files.device, VFIO_DEVICE_FEATURE, feature);
	free(feature);
	return ret;
}

int tpb_dmabuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag)
{
	struct tpb_vfio_set_tph arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_TPH,
		.tph.dmabuf_fd = dmabuf_fd,
	};

	/* Whatever it is, it is not to be set to a tag. */
	if (tpb_feature_is_other(dev, TPB_VFIO_FEATURE_DMA_BUF_TPH))
		return -ENOTTY;
	if (tag) {
		if (tag->valid & TPHBUF_TAG_ST) {
			arg.tph.flags |= TPB_VFIO_TPH_ST;
			arg.tph.steering_tag = tag->st;
		}
		if (tag->valid & TPHBUF_TAG_ST_EXT) {
			arg.tph.flags |= TPB_VFIO_TPH_ST_EXT;
			arg.tph.steering_tag_ext = tag->st_ext;
		}
		arg.tph.ph = tag->ph;
	}
	return tpb_ioctl(dev->files.device, VFIO_DEVICE_FEATURE, &arg);
}

int tpb_dmabuf_set_wc(struct tphbuf_device *dev, int dmabuf_fd)
{
	struct tpb_vfio_set_wc arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_WC,
		.wc.dmabuf_fd = dmabuf_fd,
		.wc.memattr = TPB_VFIO_MEMATTR_WC,
	};

	if (tpb_feature_is_other(dev, TPB_VFIO_FEATURE_DMA_BUF_WC))
		return -ENOTTY;
	return tpb_ioctl(dev->files.device, VFIO_DEVICE_FEATURE, &arg);
}

int tpb_dmabuf_revoke(struct tphbuf_device *dev, int dmabuf_fd)
{
	struct tpb_vfio_set_revoke arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_REVOKE,
		.dmabuf_fd = dmabuf_fd,
	};

	if (tpb_feature_is_other(dev, TPB_VFIO_FEATURE_DMA_BUF_REVOKE))
		return -ENOTTY;
	return tpb_ioctl(dev->files.device, VFIO_DEVICE_FEATURE, &arg);
}
