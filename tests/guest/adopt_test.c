// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices that the caller has opened: through the VFIO device file and an
 * iommufd, and through the IOMMU group, as programs from before those do, with
 * a container of either kind. acc0 is the device, dma0 the engine that writes
 * into what is exported.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "guest.h"
#include "vfio_tph.h"
#include "wire.h"

#define TAG	0x0077

/* Exports with a tag, and has the engine write into it. */
static void use(struct tphbuf_device *dev, uint64_t mem_size)
{
	struct accelerator adopted = { .dev = dev, .mem_size = mem_size, .completer = 3 };
	struct tphbuf_tag tag = tag_ext(TAG, 2);
	struct tphbuf_range range = { 0, 4 * PAGE };
	struct accelerator_counters counters;
	struct tphbuf_probe probe;
	struct wire_path path;
	uint32_t word = 0x600df00d;
	int fd;

	require_error(tphbuf_device_enable_memory(dev), 0, "turn memory decoding on");
	expect_true(!strcmp(tphbuf_device_bdf(dev), device_bdf("acc0")),
		    "its address is \"%s\"", tphbuf_device_bdf(dev));
	require_error(tphbuf_device_probe(dev, &probe), 0, "probe");
	expect_int(probe.dmabuf, TPHBUF_REASON_NONE, "dma-buf");
	expect_int(probe.st_ext, TPHBUF_REASON_NONE, "extended tags");
	expect_int(probe.completer, TPHBUF_COMPLETER_EXT_TPH, "completer");

	fd = tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL);
	require_error(fd < 0 ? fd : 0, 0, "export");
	require_error(accelerator_map(&adopted), 0, "map");
	*(volatile uint32_t *)adopted.mem = 0;
	path = wire_path(&adopted, "dma0", fd);
	counters = acc_count(&adopted, true, TAG);
	require_error(dma_engine_write(path.engine, path.handle, 0, &word, sizeof(word)), 0,
		      "copy");
	counters = acc_count_since(&adopted, true, TAG, &counters);
	if (!domain_is_translated())
		expect_int(counters.with_tag, 1, "writes with the tag");
	expect_int(*(volatile uint32_t *)adopted.mem, word, "what was written");
	accelerator_unmap(&adopted);
	close(path.engine);
	close(fd);
}

/* Bound to vfio-pci and closed; the size of its memory. */
static uint64_t prepare(char *cdev, size_t size)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_probe probe;

	require_error(tphbuf_device_probe(acc.dev, &probe), 0, "probe");
	snprintf(cdev, size, "%s", probe.cdev);
	accelerator_close(&acc);
	return acc.mem_size;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void device_file(void)
{
	struct raw_bind_iommufd bind = { .argsz = sizeof(bind) };
	char cdev[TPHBUF_CDEV_SIZE];
	uint64_t size = prepare(cdev, sizeof(cdev));
	int device = open(cdev, O_RDWR | O_CLOEXEC),
	    iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	struct tphbuf_device *dev;

	require_true(device >= 0 && iommufd >= 0, "open %s and /dev/iommu", cdev);
	expect_error(tphbuf_device_adopt(device, iommufd, 0, &dev), -EINVAL,
		     "adopt a device that is not bound to an iommufd");
	bind.iommufd = iommufd;
	require_true(!ioctl(device, RAW_VFIO_DEVICE_BIND_IOMMUFD, &bind), "bind them");
	require_error(tphbuf_device_adopt(device, iommufd, TPHBUF_ADOPT_CLOSE, &dev), 0, "adopt");
	use(dev, size);
	tphbuf_device_close(dev);
	expect_true(!is_open(device) && !is_open(iommufd), "the files are closed");
}

static int open_group(void)
{
	char path[100], target[200], group[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device_bdf("acc0"));
	length = readlink(path, target, sizeof(target) - 1);
	require_true(length > 0, "the device has an IOMMU group");
	target[length] = '\0';
	snprintf(group, sizeof(group), "/dev/vfio/%.40s", strrchr(target, '/') + 1);
	fd = open(group, O_RDWR | O_CLOEXEC);
	require_error(fd < 0 ? -errno : 0, 0, "open %s", group);
	return fd;
}

static void through_group(const char *container_path)
{
	char cdev[TPHBUF_CDEV_SIZE];
	uint64_t size = prepare(cdev, sizeof(cdev));
	int container = open(container_path, O_RDWR | O_CLOEXEC), group = open_group(), device;
	struct tphbuf_device *dev, *late;
	struct tphbuf_probe why;

	require_error(container < 0 ? -errno : 0, 0, "open %s", container_path);
	require_error(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ? -errno : 0, 0,
		      "put the group into a container");
	require_error(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ? -errno : 0, 0,
		      "make it a type 1 container");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_bdf("acc0"));
	require_error(device < 0 ? -errno : 0, 0, "get the device from its group");

	require_error(tphbuf_device_adopt(device, -1, 0, &dev), 0, "adopt");
	expect_int(tphbuf_device_iommufd(dev), -1, "iommufd");
	use(dev, size);
	/* The other way in is closed meanwhile. */
	expect_error(tphbuf_device_open(device_bdf("acc0"), NULL, &late, &why), -EBUSY,
		     "open the device file too");
	expect_int(why.open, TPHBUF_REASON_BUSY, "why");
	tphbuf_device_close(dev);
	expect_true(is_open(device), "the file stays the caller's");

	require_error(tphbuf_device_adopt(device, -1, TPHBUF_ADOPT_CLOSE, &dev), 0,
		      "adopt for good");
	tphbuf_device_close(dev);
	expect_true(!is_open(device), "the file is closed");
	close(group);
	close(container);
	expect_error(tphbuf_device_open(device_bdf("acc0"), NULL, &late, NULL), 0,
		     "open the device file afterwards");
}

static void group_type1(void)
{
	through_group("/dev/vfio/vfio");
}

/* Where the kernel has both, iommufd takes the place of the container. */
static void group_iommufd(void)
{
	through_group("/dev/iommu");
}

static void nonsense(void)
{
	struct tphbuf_device *dev;
	int null = open("/dev/null", O_RDWR), closed = dup(null);

	close(closed);
	expect_error(tphbuf_device_adopt(-1, -1, 0, &dev), -EINVAL, "fd -1");
	expect_error(tphbuf_device_adopt(closed, -1, 0, &dev), -EBADF, "an fd that is not open");
	expect_error(tphbuf_device_adopt(null, -1, 0, &dev), -ENOTTY, "/dev/null");
	expect_error(tphbuf_device_adopt(null, -1, 1u << 9, &dev), -EINVAL, "an unknown flag");
	expect_true(is_open(null), "the file stays the caller's");
}

/* The group itself, and its container, are no devices. */
static void group_files(void)
{
	char cdev[TPHBUF_CDEV_SIZE];
	struct tphbuf_device *dev;
	int group;

	prepare(cdev, sizeof(cdev));
	group = open_group();
	expect_error(tphbuf_device_adopt(group, -1, 0, &dev), -ENOTTY, "a group");
	expect_error(tphbuf_device_adopt(open("/dev/iommu", O_RDWR), -1, 0, &dev), -ENOTTY,
		     "an iommufd");
}

static const struct test_case cases[] = {
	{ "device_file", device_file },
	{ "group_type1", group_type1 },
	{ "group_iommufd", group_iommufd },
	{ "group_files", group_files },
	{ "nonsense", nonsense },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
