// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The type1 IOMMU container does not map a dma-buf that a CPU has mapped: it
 * would keep access for its devices after a revocation. acc0 exports, acc1 is
 * in the container. Both have at least 8 MiB behind BAR2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"

#define HUGE_ENTRY	(2 * MIB)
#define IOVA		0x10000000ull

/**
 * struct container - a container with one device
 * @fd: the container
 * @device: the device, opened by its group
 */
struct container {
	int fd;
	int device;
};

static int group_number(const char *bdf)
{
	char path[128], target[128], *slash;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	length = readlink(path, target, sizeof(target) - 1);
	require_true(length > 0, "%s: %m", path);
	target[length] = 0;
	slash = strrchr(target, '/');
	return atoi(slash ? slash + 1 : target);
}

static struct container container_open(const char *name)
{
	struct bar_memory mem = memory_open(name);
	struct container c;
	char path[64];
	int group;

	/* It stays bound to vfio-pci. */
	tphbuf_device_close(mem.dev);
	c.fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	require_true(c.fd >= 0, "open /dev/vfio/vfio: %m");
	snprintf(path, sizeof(path), "/dev/vfio/%d", group_number(device_bdf(name)));
	group = open(path, O_RDWR | O_CLOEXEC);
	require_true(group >= 0, "open %s: %m", path);
	require_true(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &c.fd),
		     "put the group into the container: %m");
	require_true(!ioctl(c.fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "choose type1: %m");
	c.device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_bdf(name));
	require_true(c.device >= 0, "open %s by its group: %m", name);
	return c;
}

/* 0 or a negative errno value. */
static int map_dma(struct container *c, volatile void *addr, size_t length, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)addr,
		.iova = IOVA,
		.size = length,
	};

	return ioctl(c->fd, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

#define READ_WRITE	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

static void unmap_dma(struct container *c, size_t length)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = IOVA,
		.size = length,
	};

	require_true(!ioctl(c->fd, VFIO_IOMMU_UNMAP_DMA, &unmap), "unmap: %m");
	require_int((int64_t)unmap.size, (int64_t)length, "bytes that were unmapped");
}

static void dma_bufs_are_refused(void)
{
	struct container c = container_open("acc1");
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * HUGE_ENTRY);
	volatile uint8_t *map = map_shared(fd, 0, 2 * HUGE_ENTRY);

	expect_error(map_dma(&c, map, PAGE, READ_WRITE), -EOPNOTSUPP,
		     "a page that was not touched");
	must_write(map, 1, "the first page");
	expect_error(map_dma(&c, map, PAGE, READ_WRITE), -EOPNOTSUPP, "a page that was touched");
	expect_error(map_dma(&c, map, PAGE, VFIO_DMA_MAP_FLAG_READ), -EOPNOTSUPP, "for reading");
	expect_error(map_dma(&c, map, 2 * HUGE_ENTRY, READ_WRITE), -EOPNOTSUPP, "large entries");
	expect_error(map_dma(&c, map + HUGE_ENTRY + PAGE, PAGE, READ_WRITE), -EOPNOTSUPP,
		     "a page of one");
	close(fd);
	expect_error(map_dma(&c, map, PAGE, READ_WRITE), -EOPNOTSUPP, "with the fd closed");
	memory_revoke(&mem);
	expect_error(map_dma(&c, map, PAGE, READ_WRITE), -EOPNOTSUPP, "revoked");
	memory_restore(&mem);
	tphbuf_device_close(mem.dev);
	expect_error(map_dma(&c, map, PAGE, READ_WRITE), -EOPNOTSUPP,
		     "of a device that was closed");
}

/* A dma-buf behind other memory: nothing of the call stays. */
static void no_part_stays(void)
{
	struct container c = container_open("acc1");
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE);
	uint8_t *memory =
		mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *map;

	require_true(memory != MAP_FAILED, "memory");
	map = mmap(memory + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		   0);
	require_true(map == memory + 4 * PAGE, "a dma-buf behind it");
	expect_error(map_dma(&c, memory, 8 * PAGE, READ_WRITE), -EOPNOTSUPP, "both");
	expect_error(map_dma(&c, memory, 4 * PAGE, READ_WRITE), 0,
		     "the memory alone, at the same address");
	unmap_dma(&c, 4 * PAGE);
}

/* Everything else as before. */
static void other_memory_is_mapped(void)
{
	struct container c = container_open("acc1");
	uint8_t *memory =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bar_memory mem = memory_open("acc0");
	volatile uint8_t *bar;

	require_true(memory != MAP_FAILED, "memory");
	expect_error(map_dma(&c, memory, 4 * PAGE, READ_WRITE), 0, "memory");
	unmap_dma(&c, 4 * PAGE);

	bar = map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, HUGE_ENTRY);
	expect_error(map_dma(&c, bar, HUGE_ENTRY, READ_WRITE), 0,
		     "the device file of another device");
	unmap_dma(&c, HUGE_ENTRY);
}

static const struct test_case cases[] = {
	{ "dma_bufs_are_refused", dma_bufs_are_refused },
	{ "no_part_stays", no_part_stays },
	{ "other_memory_is_mapped", other_memory_is_mapped },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
