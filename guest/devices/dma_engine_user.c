// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "dma_engine_user.h"

int dma_engine_open(const char *bdf)
{
	char path[300];
	struct dirent *entry;
	int fd = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/misc", bdf);
	dir = opendir(path);
	if (!dir)
		return -ENODEV;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "tph_dma", 7))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	closedir(dir);
	return fd;
}

int64_t dma_engine_import(int fd, int dmabuf_fd)
{
	struct tph_dma_import arg = { .dmabuf_fd = dmabuf_fd };

	return ioctl(fd, TPH_DMA_IMPORT, &arg) ? -errno : (int64_t)arg.handle;
}

static int copy(int fd, uint32_t handle, uint32_t flags, uint64_t offset, const void *data,
		uint64_t length)
{
	struct tph_dma_copy arg = {
		.handle = handle,
		.flags = flags,
		.user_addr = (uintptr_t)data,
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, TPH_DMA_COPY, &arg) ? -errno : 0;
}

int dma_engine_write(int fd, uint32_t handle, uint64_t offset, const void *data, uint64_t length)
{
	return copy(fd, handle, 0, offset, data, length);
}

int dma_engine_read(int fd, uint32_t handle, uint64_t offset, void *data, uint64_t length)
{
	return copy(fd, handle, TPH_DMA_COPY_FROM_BUFFER, offset, data, length);
}

int dma_engine_query(int fd, uint32_t handle, struct tph_dma_query *query)
{
	*query = (struct tph_dma_query){ .handle = handle };
	return ioctl(fd, TPH_DMA_QUERY, query) ? -errno : 0;
}

int dma_engine_release(int fd, uint32_t handle)
{
	struct tph_dma_release arg = { .handle = handle };

	return ioctl(fd, TPH_DMA_RELEASE, &arg) ? -errno : 0;
}
