// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Using a device that the caller has opened, and finding out which one it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bdf.h"
#include "device.h"
#include "function.h"
#include "sys.h"
#include "sysfs.h"

/* A device file: its number leads to its entry in sysfs, whose name is that of the file. */
static int find_by_number(const struct stat *status, struct tphbuf_probe *probe)
{
	char vfio[TPHBUF_CDEV_SIZE], name[TPHBUF_CDEV_SIZE + sizeof(TPB_VFIO_CDEVS "/")];
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, NULL, "/sys/dev/char/%u:%u", major(status->st_rdev),
		       minor(status->st_rdev));
	if (!ret)
		ret = tpb_sysfs_link_name(&path, vfio, sizeof(vfio));
	if (ret)
		return ret;
	snprintf(name, sizeof(name), TPB_VFIO_CDEVS "/%s", vfio);
	return tpb_function_find(NULL, name, probe);
}

/* A file from VFIO_GROUP_GET_DEVICE_FD has no number, but says where its device is. */
static int find_by_fdinfo(int fd, struct tphbuf_probe *probe)
{
	static const char key[] = "vfio-device-syspath:";
	char text[1024], *line, *lines, *last;
	struct tpb_path path;
	ssize_t got;
	int ret;

	ret = tpb_path(&path, NULL, "/proc/self/fdinfo/%d", fd);
	if (ret)
		return ret;
	got = tpb_sysfs_read_text(&path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		last = strrchr(line, '/');
		if (!strncmp(line, key, strlen(key)) && last)
			return tpb_bdf_parse(last + 1, probe->bdf);
	}
	return -ENODEV;
}

/* What cannot be found stays unknown: the device works without. */
static void identify(struct tphbuf_device *dev)
{
	struct tphbuf_probe probe = { .iommu_group = -1 };
	struct stat status;
	int ret;

	ret = tpb_sys.fstat(dev->files.device, &status);
	if (ret)
		return;
	ret = S_ISCHR(status.st_mode) ? find_by_number(&status, &probe) :
					find_by_fdinfo(dev->files.device, &probe);
	if (ret || !probe.bdf[0] || tpb_function_inspect(NULL, &probe))
		return;
	probe.open = TPHBUF_REASON_NONE;
	probe.denied[0] = '\0';
	probe.group_blocker[0] = '\0';
	probe.access = S_ISCHR(status.st_mode) ? TPHBUF_ACCESS_CDEV : TPHBUF_ACCESS_GROUP;
	dev->found = probe;
}

int tphbuf_device_adopt(int device_fd, int iommufd, unsigned int flags,
			struct tphbuf_device **out)
{
	struct tphbuf_device *dev;
	int ret;

	if (flags & ~TPHBUF_ADOPT_CLOSE || device_fd < 0)
		return -EINVAL;
	dev = tpb_device_alloc(NULL);
	if (!dev)
		return -ENOMEM;
	dev->files.device = device_fd;
	dev->files.iommufd = iommufd < 0 ? -1 : iommufd;
	dev->found.iommu_group = -1;
	ret = tpb_device_read_regions(dev);
	if (ret) {
		free(dev);
		return ret;
	}
	identify(dev);
	dev->owns_files = flags & TPHBUF_ADOPT_CLOSE;
	*out = dev;
	return 0;
}
