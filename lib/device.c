// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* A device that is open: what it consists of, and its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"
#include "sys.h"
#include "vfio_uapi.h"

struct tphbuf_device *tpb_device_alloc(const char *sysroot)
{
	size_t length = sysroot ? strlen(sysroot) : 0;
	struct tphbuf_device *dev;

	dev = tpb_sys.calloc(1, sizeof(*dev) + length + 1);
	if (!dev)
		return NULL;
	if (length)
		memcpy(dev->sysroot, sysroot, length);
	dev->files = TPB_NO_VFIO_FILES;
	dev->owns_files = true;
	return dev;
}

static int read_region(int fd, uint32_t index, struct vfio_region_info *region)
{
	*region = (struct vfio_region_info) { .argsz = sizeof(*region), .index = index };
	return tpb_ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, region);
}

static int read_bar(struct tphbuf_device *dev, unsigned int index)
{
	struct tphbuf_bar *bar = &dev->bars[index];
	struct vfio_region_info region;
	uint8_t reg[4];
	int ret;

	ret = read_region(dev->files.device, VFIO_PCI_BAR0_REGION_INDEX + index, &region);
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

int tpb_device_read_regions(struct tphbuf_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region;
	int ret;

	ret = tpb_ioctl(dev->files.device, VFIO_DEVICE_GET_INFO, &info);
	if (ret)
		return ret;
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) ||
	    info.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		return -ENODEV;
	ret = read_region(dev->files.device, VFIO_PCI_CONFIG_REGION_INDEX, &region);
	if (ret)
		return ret;
	dev->config_offset = region.offset;
	dev->config_size = region.size;
	for (unsigned int i = 0; i < TPHBUF_NR_BARS; i++) {
		ret = read_bar(dev, i);
		if (ret)
			return ret;
	}
	return 0;
}

void tphbuf_device_close(struct tphbuf_device *dev)
{
	if (!dev)
		return;
	if (dev->owns_files)
		tpb_vfio_files_close(&dev->files);
	free(dev);
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
	return dev->files.device;
}

int tphbuf_device_iommufd(const struct tphbuf_device *dev)
{
	return dev->files.iommufd;
}
