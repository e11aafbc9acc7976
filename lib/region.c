// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Access to the regions of a device: config space and BARs. */
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "device.h"
#include "sys.h"

static bool within(uint64_t size, uint64_t offset, uint64_t length)
{
	return offset <= size && length <= size - offset;
}

static int read_all(int fd, void *buf, size_t length, uint64_t offset)
{
	ssize_t got = tpb_sys.pread(fd, buf, length, offset);

	if (got < 0)
		return got;
	return (size_t)got == length ? 0 : -EIO;
}

static int write_all(int fd, const void *buf, size_t length, uint64_t offset)
{
	ssize_t put = tpb_sys.pwrite(fd, buf, length, offset);

	if (put < 0)
		return put;
	return (size_t)put == length ? 0 : -EIO;
}

/* The BAR, which is implemented and holds the bytes. */
static int bar_check(const struct tphbuf_device *dev, unsigned int index, uint64_t offset,
		     uint64_t length, const struct tphbuf_bar **bar)
{
	if (index >= TPHBUF_NR_BARS)
		return -EINVAL;
	*bar = &dev->bars[index];
	if (!(*bar)->size)
		return -ENXIO;
	return within((*bar)->size, offset, length) ? 0 : -ERANGE;
}

int tphbuf_device_bar(const struct tphbuf_device *dev, unsigned int index,
		      struct tphbuf_bar *bar)
{
	if (index >= TPHBUF_NR_BARS)
		return -EINVAL;
	*bar = dev->bars[index];
	return 0;
}

int tphbuf_device_config_read(struct tphbuf_device *dev, uint64_t offset, void *buf,
			      size_t length)
{
	if (!within(dev->config_size, offset, length))
		return -ERANGE;
	return read_all(dev->files.device, buf, length, dev->config_offset + offset);
}

int tphbuf_device_config_write(struct tphbuf_device *dev, uint64_t offset, const void *buf,
			       size_t length)
{
	if (!within(dev->config_size, offset, length))
		return -ERANGE;
	return write_all(dev->files.device, buf, length, dev->config_offset + offset);
}

int tphbuf_device_bar_read(struct tphbuf_device *dev, unsigned int index, uint64_t offset,
			   void *buf, size_t length)
{
	const struct tphbuf_bar *bar;
	int ret;

	ret = bar_check(dev, index, offset, length, &bar);
	if (ret)
		return ret;
	return read_all(dev->files.device, buf, length, bar->offset + offset);
}

int tphbuf_device_bar_write(struct tphbuf_device *dev, unsigned int index, uint64_t offset,
			    const void *buf, size_t length)
{
	const struct tphbuf_bar *bar;
	int ret;

	ret = bar_check(dev, index, offset, length, &bar);
	if (ret)
		return ret;
	return write_all(dev->files.device, buf, length, bar->offset + offset);
}

int tphbuf_device_bar_map(struct tphbuf_device *dev, unsigned int index, uint64_t offset,
			  size_t length, void **addr)
{
	const struct tphbuf_bar *bar;
	int ret, prot = 0;

	ret = bar_check(dev, index, offset, length, &bar);
	if (ret)
		return ret;
	if (!length || offset % (uint64_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	if (!(bar->flags & TPHBUF_BAR_MMAP))
		return -EOPNOTSUPP;
	if (bar->flags & TPHBUF_BAR_READ)
		prot |= PROT_READ;
	if (bar->flags & TPHBUF_BAR_WRITE)
		prot |= PROT_WRITE;
	return tpb_sys.mmap(dev->files.device, length, prot, bar->offset + offset, addr);
}

int tphbuf_device_bar_unmap(void *addr, size_t length)
{
	return tpb_sys.munmap(addr, length);
}

static int set_memory_enable(struct tphbuf_device *dev, bool enable)
{
	uint8_t command[2];
	int ret;

	ret = tphbuf_device_config_read(dev, PCI_COMMAND, command, sizeof(command));
	if (ret)
		return ret;
	if (enable)
		command[0] |= PCI_COMMAND_MEMORY;
	else
		command[0] &= (uint8_t)~PCI_COMMAND_MEMORY;
	return tphbuf_device_config_write(dev, PCI_COMMAND, command, sizeof(command));
}

int tphbuf_device_enable_memory(struct tphbuf_device *dev)
{
	return set_memory_enable(dev, true);
}

int tphbuf_device_disable_memory(struct tphbuf_device *dev)
{
	return set_memory_enable(dev, false);
}
