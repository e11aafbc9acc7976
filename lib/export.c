// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <tphbuf/export.h>
#include <tphbuf/mmap.h>

#include "device.h"
#include "sys.h"
#include "tag.h"
#include "vfio_uapi.h"

static int check_ranges(const struct tphbuf_bar *bar, const struct tphbuf_range *ranges,
			size_t nr_ranges)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), sum = 0;
	size_t i;

	if (!nr_ranges || nr_ranges > UINT32_MAX)
		return -EINVAL;
	for (i = 0; i < nr_ranges; i++) {
		const struct tphbuf_range *range = &ranges[i];

		if (!range->length || range->offset % page || range->length % page)
			return -EINVAL;
		if (range->offset > bar->size || range->length > bar->size - range->offset)
			return -ERANGE;
		/* Ranges may overlap, so that each fits says nothing about the sum. */
		if (__builtin_add_overflow(sum, range->length, &sum) || sum > INT64_MAX)
			return -ERANGE;
	}
	return 0;
}

static int get_dma_buf(struct tphbuf_device *dev, unsigned int bar,
		       const struct tphbuf_range *ranges, size_t nr_ranges)
{
	size_t size = sizeof(struct vfio_device_feature) + sizeof(struct tpb_vfio_dma_buf);
	struct vfio_device_feature *feature;
	struct tpb_vfio_dma_buf *dma_buf;
	size_t i;
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
	for (i = 0; i < nr_ranges; i++) {
		dma_buf->ranges[i].offset = ranges[i].offset;
		dma_buf->ranges[i].length = ranges[i].length;
	}
	ret = tpb_sys.ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature);
	free(feature);
	return ret;
}

static int set_tph(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag)
{
	struct tpb_vfio_set_tph arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_TPH,
		.tph.dmabuf_fd = dmabuf_fd,
	};

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
	return tpb_sys.ioctl(dev->fd, VFIO_DEVICE_FEATURE, &arg);
}

int tphbuf_export(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		  size_t nr_ranges, const struct tphbuf_tag *tag, unsigned int flags)
{
	struct tphbuf_bar info;
	int ret, fd;

	if (flags & ~TPHBUF_EXPORT_WC)
		return -EINVAL;
	ret = tphbuf_device_bar(dev, bar, &info);
	if (ret)
		return ret;
	if (!info.size || info.flags & TPHBUF_BAR_IO)
		return -ENXIO;
	ret = check_ranges(&info, ranges, nr_ranges);
	if (!ret && tag)
		ret = tpb_tag_check(tag);
	if (ret)
		return ret;

	fd = get_dma_buf(dev, bar, ranges, nr_ranges);
	if (fd < 0)
		return fd;
	if (tag)
		ret = set_tph(dev, fd, tag);
	/* Last, because nothing takes it back. */
	if (!ret && flags & TPHBUF_EXPORT_WC)
		ret = tphbuf_set_wc(dev, fd);
	if (ret) {
		tpb_sys.close(fd);
		return ret;
	}
	return fd;
}

int tphbuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag)
{
	int ret = tpb_tag_check(tag);

	return ret ? ret : set_tph(dev, dmabuf_fd, tag);
}

int tphbuf_clear_tag(struct tphbuf_device *dev, int dmabuf_fd)
{
	return set_tph(dev, dmabuf_fd, NULL);
}
