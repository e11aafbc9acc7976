// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that has its device open already, as a driver in user space has,
 * gives libtphbuf the file descriptor, exports memory with a Steering Tag, and
 * runs a command that inherits the dma-buf.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

/* What your driver does. */
static int open_device(const char *path, int *iommufd)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	int device = open(path, O_RDWR | O_CLOEXEC);

	if (device < 0)
		err(1, "%s", path);
	*iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (*iommufd < 0)
		err(1, "/dev/iommu");
	bind.iommufd = *iommufd;
	if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		err(1, "%s: cannot bind it to the iommufd", path);
	return device;
}

/* What comes in addition. */
static int export_memory(int device, int iommufd, unsigned int bar, struct tphbuf_device **dev)
{
	const struct tphbuf_range range = { .offset = 0, .length = 1 << 20 };
	const struct tphbuf_tag tag = {
		.valid = TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT,
		.st = 0x12,
		.st_ext = 0x4305,
		.ph = TPHBUF_PH_TARGET,
	};
	struct tphbuf_probe why;
	char line[400];
	int ret;

	ret = tphbuf_device_adopt(device, iommufd, 0, dev);
	if (ret)
		errx(1, "cannot adopt the device: %s", strerror(-ret));
	ret = tphbuf_device_enable_memory(*dev);
	if (ret)
		errx(1, "cannot enable memory decoding: %s", strerror(-ret));
	ret = tphbuf_export(*dev, bar, &range, 1, &tag, 0, &why);
	if (ret < 0) {
		tphbuf_reason_text(why.reason, &why, line, sizeof(line));
		errx(1, "%s", line);
	}
	return ret;
}

int main(int argc, char **argv)
{
	int device, iommufd, dmabuf, status;
	struct tphbuf_device *dev;
	char number[16];
	pid_t child;

	if (argc < 4)
		errx(1, "usage: adopt_export /dev/vfio/devices/vfioN BAR COMMAND...");
	device = open_device(argv[1], &iommufd);
	dmabuf = export_memory(device, iommufd, atoi(argv[2]), &dev);
	printf("memory of %s\n", tphbuf_device_bdf(dev));
	fflush(stdout);
	child = fork();
	if (!child) {
		snprintf(number, sizeof(number), "%d", dmabuf);
		setenv("TPHBUF_FD", number, 1);
		setenv("TPHBUF_SIZE", "1048576", 1);
		fcntl(dmabuf, F_SETFD, 0);
		execvp(argv[3], argv + 3);
		err(1, "%s", argv[3]);
	}
	waitpid(child, &status, 0);
	close(dmabuf);
	tphbuf_device_close(dev);	/* the two files stay yours */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
