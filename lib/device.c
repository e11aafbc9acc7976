// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"
#include "driver.h"
#include "function.h"
#include "sys.h"
#include "vfio_uapi.h"

int tpb_options_check(const struct tphbuf_options *options, uint32_t allowed)
{
	static const uint32_t zero[sizeof(options->reserved) / sizeof(options->reserved[0])];

	if (options && (options->flags & ~allowed ||
			memcmp(options->reserved, zero, sizeof(zero))))
		return -EINVAL;
	return 0;
}

const char *tpb_options_sysroot(const struct tphbuf_options *options)
{
	return options && options->sysroot && options->sysroot[0] ? options->sysroot : NULL;
}

int tpb_reason_errno(const struct tphbuf_probe *probe)
{
	switch (probe->open) {
	case TPHBUF_REASON_NONE:
		return 0;
	case TPHBUF_REASON_NOT_FOUND:
	case TPHBUF_REASON_NOT_VFIO:
	case TPHBUF_REASON_NOT_BOUND:
	case TPHBUF_REASON_BIND_FAILED:
		return -ENODEV;
	case TPHBUF_REASON_NO_IOMMU:
	case TPHBUF_REASON_NO_VFIO:
	case TPHBUF_REASON_NO_CDEV:
	case TPHBUF_REASON_NO_IOMMUFD:
		return -EOPNOTSUPP;
	case TPHBUF_REASON_NO_PERMISSION:
		return -EACCES;
	case TPHBUF_REASON_GROUP_NOT_VIABLE:
	case TPHBUF_REASON_GROUP_REFUSED:
	case TPHBUF_REASON_BUSY:
		return -EBUSY;
	default:
		return probe->error ? -probe->error : -EIO;
	}
}

static int fail(struct tphbuf_probe *probe, enum tphbuf_reason reason, int err)
{
	probe->open = reason;
	probe->error = reason == TPHBUF_REASON_SYSTEM || reason == TPHBUF_REASON_BIND_FAILED ?
		       -err : 0;
	return tpb_reason_errno(probe);
}

static int fail_node(struct tphbuf_probe *probe, enum tphbuf_reason absent, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return fail(probe, absent, err);
	case -EACCES:
	case -EPERM:
		return fail(probe, TPHBUF_REASON_NO_PERMISSION, err);
	default:
		return fail(probe, TPHBUF_REASON_SYSTEM, err);
	}
}

/* The errors of VFIO_DEVICE_BIND_IOMMUFD, whose arguments are known to be right. */
static int fail_bind_iommufd(const char *sysroot, struct tphbuf_probe *probe, int err)
{
	switch (err) {
	case -ENOTTY:
		return fail(probe, TPHBUF_REASON_NOT_VFIO, err);
	case -EACCES:
		return fail(probe, TPHBUF_REASON_NO_PERMISSION, err);
	case -EINVAL:	/* open through another device file */
	case -EBUSY:	/* open through its group */
		return fail(probe, TPHBUF_REASON_BUSY, err);
	case -EPERM:
		/* Look again: a driver may have come since. */
		if (!tpb_function_group_blocker(sysroot, probe->bdf, probe->group_blocker) &&
		    probe->group_blocker[0])
			return fail(probe, TPHBUF_REASON_GROUP_NOT_VIABLE, err);
		return fail(probe, TPHBUF_REASON_GROUP_REFUSED, err);
	default:
		return fail(probe, TPHBUF_REASON_SYSTEM, err);
	}
}

static int read_region(int fd, uint32_t index, struct vfio_region_info *region)
{
	*region = (struct vfio_region_info) { .argsz = sizeof(*region), .index = index };
	return tpb_sys.ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, region);
}

static int read_bar(struct tphbuf_device *dev, unsigned int index)
{
	struct tphbuf_bar *bar = &dev->bars[index];
	struct vfio_region_info region;
	uint8_t reg[4];
	int ret;

	ret = read_region(dev->fd, VFIO_PCI_BAR0_REGION_INDEX + index, &region);
	if (ret)
		return ret;
	if (!region.size)
		return 0;
	ret = tphbuf_device_config_read(dev, PCI_BASE_ADDRESS_0 + 4 * index, reg, sizeof(reg));
	if (ret)
		return ret;
	bar->size = region.size;
	bar->offset = region.offset;
	if (region.flags & VFIO_REGION_INFO_FLAG_READ)
		bar->flags |= TPHBUF_BAR_READ;
	if (region.flags & VFIO_REGION_INFO_FLAG_WRITE)
		bar->flags |= TPHBUF_BAR_WRITE;
	if (region.flags & VFIO_REGION_INFO_FLAG_MMAP)
		bar->flags |= TPHBUF_BAR_MMAP;
	/* The low byte of the register holds the type. */
	if (reg[0] & PCI_BASE_ADDRESS_SPACE_IO) {
		bar->flags |= TPHBUF_BAR_IO;
		return 0;
	}
	if ((reg[0] & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		bar->flags |= TPHBUF_BAR_64BIT;
	if (reg[0] & PCI_BASE_ADDRESS_MEM_PREFETCH)
		bar->flags |= TPHBUF_BAR_PREFETCH;
	return 0;
}

static int read_regions(struct tphbuf_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region;
	unsigned int i;
	int ret;

	ret = tpb_sys.ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info);
	if (ret)
		return ret;
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) ||
	    info.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		return -ENODEV;
	ret = read_region(dev->fd, VFIO_PCI_CONFIG_REGION_INDEX, &region);
	if (ret)
		return ret;
	dev->config_offset = region.offset;
	dev->config_size = region.size;
	for (i = 0; i < TPHBUF_NR_BARS; i++) {
		ret = read_bar(dev, i);
		if (ret)
			return ret;
	}
	return 0;
}

static int bind_iommufd(struct tphbuf_device *dev)
{
	struct tpb_vfio_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = dev->iommufd,
	};

	return tpb_sys.ioctl(dev->fd, TPB_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static int open_files(struct tphbuf_device *dev, const char *sysroot,
		      struct tphbuf_probe *probe)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, TPB_IOMMUFD);
	if (ret)
		return fail(probe, TPHBUF_REASON_SYSTEM, ret);
	dev->iommufd = tpb_sys.open(path.text, O_RDWR);
	if (dev->iommufd < 0)
		return fail_node(probe, TPHBUF_REASON_NO_IOMMUFD, dev->iommufd);
	ret = tpb_path(&path, sysroot, "%s", probe->cdev);
	if (ret)
		return fail(probe, TPHBUF_REASON_SYSTEM, ret);
	dev->fd = tpb_sys.open(path.text, O_RDWR);
	if (dev->fd < 0)
		return fail_node(probe, TPHBUF_REASON_NOT_FOUND, dev->fd);
	ret = bind_iommufd(dev);
	if (ret)
		return fail_bind_iommufd(sysroot, probe, ret);
	ret = read_regions(dev);
	if (ret == -ENODEV)
		return fail(probe, TPHBUF_REASON_NOT_VFIO, ret);
	return ret ? fail(probe, TPHBUF_REASON_SYSTEM, ret) : 0;
}

static void close_files(struct tphbuf_device *dev)
{
	if (!dev->owns_fds)
		return;
	/* The device first: its last reference to the iommufd goes with it. */
	if (dev->fd >= 0)
		tpb_sys.close(dev->fd);
	if (dev->iommufd >= 0)
		tpb_sys.close(dev->iommufd);
}

static struct tphbuf_device *device_alloc(const char *sysroot)
{
	size_t length = sysroot ? strlen(sysroot) : 0;
	struct tphbuf_device *dev;

	dev = tpb_sys.calloc(1, sizeof(*dev) + length + 1);
	if (!dev)
		return NULL;
	if (length)
		memcpy(dev->sysroot, sysroot, length);
	dev->fd = -1;
	dev->iommufd = -1;
	return dev;
}

/* Gives the function to vfio-pci and looks at it again. */
static int take(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret;

	/* Before anything is changed: it would be in vain. */
	ret = tpb_function_group_blocker(dev->sysroot, probe->bdf, probe->group_blocker);
	if (ret)
		return fail(probe, TPHBUF_REASON_SYSTEM, ret);
	if (probe->group_blocker[0])
		return fail(probe, TPHBUF_REASON_GROUP_NOT_VIABLE, 0);

	strcpy(dev->previous_driver, probe->driver);
	ret = tpb_driver_change(dev->sysroot, probe->bdf, dev->previous_driver, TPB_VFIO_PCI);
	if (ret == -EACCES || ret == -EPERM || ret == -EROFS)
		return fail(probe, TPHBUF_REASON_NO_PERMISSION, ret);
	if (ret)
		return fail(probe, TPHBUF_REASON_BIND_FAILED, ret);
	dev->taken = true;
	ret = tpb_function_inspect(dev->sysroot, probe);
	if (ret)
		return fail(probe, TPHBUF_REASON_SYSTEM, ret);
	return tpb_reason_errno(probe);
}

static int give_back(struct tphbuf_device *dev, const char *bdf)
{
	if (!dev->taken)
		return 0;
	return tpb_driver_change(dev->sysroot, bdf, TPB_VFIO_PCI, dev->previous_driver);
}

int tpb_device_open(const char *sysroot, struct tphbuf_probe *probe, bool bind,
		    struct tphbuf_device **out)
{
	struct tphbuf_device *dev;
	int ret = 0;

	dev = device_alloc(sysroot);
	if (!dev)
		return fail(probe, TPHBUF_REASON_SYSTEM, -ENOMEM);
	dev->owns_fds = true;
	if (bind)
		ret = take(dev, probe);
	if (!ret)
		ret = open_files(dev, sysroot, probe);
	if (ret) {
		close_files(dev);
		/* The first error is the one to report. */
		give_back(dev, probe->bdf);
		if (bind)
			tpb_function_driver(sysroot, probe->bdf, probe->driver);
		free(dev);
		return ret;
	}
	dev->found = *probe;
	*out = dev;
	return 0;
}

int tphbuf_device_open(const char *name, const struct tphbuf_options *options,
		       struct tphbuf_device **dev, struct tphbuf_probe *why)
{
	const char *sysroot = tpb_options_sysroot(options);
	bool bind = options && options->flags & TPHBUF_OPEN_BIND;
	struct tphbuf_probe probe = { .iommu_group = -1 };
	int ret;

	ret = tpb_options_check(options, TPHBUF_OPEN_BIND);
	if (!ret)
		ret = tpb_function_find(sysroot, name, &probe);
	if (!ret && !probe.open)
		ret = tpb_function_inspect(sysroot, &probe);
	if (ret) {
		fail(&probe, TPHBUF_REASON_SYSTEM, ret);
	} else {
		bind = bind && probe.open == TPHBUF_REASON_NOT_BOUND;
		if (!probe.open || bind)
			ret = tpb_device_open(sysroot, &probe, bind, dev);
		else
			ret = tpb_reason_errno(&probe);
	}
	if (ret && why)
		*why = probe;
	return ret;
}

int tphbuf_device_adopt(int device_fd, int iommufd, unsigned int flags,
			struct tphbuf_device **out)
{
	struct tphbuf_device *dev;
	int ret;

	if (flags & ~TPHBUF_ADOPT_CLOSE || device_fd < 0)
		return -EINVAL;
	dev = device_alloc(NULL);
	if (!dev)
		return -ENOMEM;
	dev->fd = device_fd;
	dev->iommufd = iommufd < 0 ? -1 : iommufd;
	dev->found.iommu_group = -1;
	ret = read_regions(dev);
	if (ret) {
		free(dev);
		return ret;
	}
	dev->owns_fds = flags & TPHBUF_ADOPT_CLOSE;
	*out = dev;
	return 0;
}

void tphbuf_device_close(struct tphbuf_device *dev)
{
	if (!dev)
		return;
	close_files(dev);
	free(dev);
}

int tphbuf_device_restore_driver(struct tphbuf_device *dev)
{
	int ret;

	close_files(dev);
	ret = give_back(dev, dev->found.bdf);
	free(dev);
	return ret;
}

const char *tphbuf_device_previous_driver(const struct tphbuf_device *dev)
{
	return dev->taken ? dev->previous_driver : NULL;
}

const char *tphbuf_device_bdf(const struct tphbuf_device *dev)
{
	return dev->found.bdf;
}

int tphbuf_device_fd(const struct tphbuf_device *dev)
{
	return dev->fd;
}

int tphbuf_device_iommufd(const struct tphbuf_device *dev)
{
	return dev->iommufd;
}
