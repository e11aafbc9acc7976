// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Opening a VFIO device, by its own file or by the file of its IOMMU group. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "reason.h"
#include "sys.h"
#include "sysfs.h"
#include "uuid.h"
#include "vfio_files.h"
#include "vfio_uapi.h"

/* Opens @node; @absent is the reason when it is not there. */
static int open_node(const char *sysroot, const char *node, enum tphbuf_reason absent,
		     struct tphbuf_probe *probe, int *fd)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, "%s", node);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	*fd = tpb_sys.open(path.text, O_RDWR);
	switch (*fd) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return tpb_fail_open(probe, absent, *fd);
	case -EACCES:
	case -EPERM:
		return tpb_fail_denied(probe, node);
	case -EBUSY:
		return tpb_fail_open(probe, TPHBUF_REASON_BUSY, *fd);
	default:
		return *fd < 0 ? tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, *fd) : 0;
	}
}

/* A group that cannot be had as a whole. */
static int fail_group(const char *sysroot, struct tphbuf_probe *probe, int err)
{
	/* Look again: a driver may have come since. */
	if (!tpb_function_group_blocker(sysroot, probe->bdf, probe->group_blocker) &&
	    probe->group_blocker[0])
		return tpb_fail_open(probe, TPHBUF_REASON_GROUP_NOT_VIABLE, err);
	return tpb_fail_open(probe, TPHBUF_REASON_GROUP_REFUSED, err);
}

/* The errors of VFIO_DEVICE_BIND_IOMMUFD, whose arguments are known to be right. */
static int fail_bind_iommufd(const char *sysroot, struct tphbuf_probe *probe, int err)
{
	switch (err) {
	case -ENOTTY:
		return tpb_fail_open(probe, TPHBUF_REASON_NOT_VFIO, err);
	case -EACCES:
		return tpb_fail_open(probe, TPHBUF_REASON_VF_TOKEN, err);
	case -EINVAL:	/* open through another device file */
	case -EBUSY:	/* open through its group */
		return tpb_fail_open(probe, TPHBUF_REASON_BUSY, err);
	case -EPERM:
		return fail_group(sysroot, probe, err);
	default:
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, err);
	}
}

static int bind_iommufd(const struct tpb_vfio_files *files, const uint8_t *token)
{
	struct tpb_vfio_bind_iommufd bind = {
		.argsz = token ? sizeof(bind) : TPB_VFIO_BIND_IOMMUFD_SIZE,
		.flags = token ? TPB_VFIO_BIND_TOKEN : 0,
		.iommufd = files->iommufd,
		.token_uuid_ptr = (uintptr_t)token,
	};

	return tpb_ioctl(files->device, TPB_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static int open_cdev(const char *sysroot, const uint8_t *token, struct tphbuf_probe *probe,
		     struct tpb_vfio_files *files)
{
	int ret;

	ret = open_node(sysroot, TPB_IOMMUFD, TPHBUF_REASON_NO_IOMMUFD, probe, &files->iommufd);
	if (!ret)
		ret = open_node(sysroot, probe->cdev, TPHBUF_REASON_NOT_FOUND, probe,
				&files->device);
	if (ret)
		return ret;
	ret = bind_iommufd(files, token);
	/* The kernel refuses a token where none is needed, and older ones know of none here. */
	if (ret == -EINVAL && token)
		ret = bind_iommufd(files, NULL);
	return ret ? fail_bind_iommufd(sysroot, probe, ret) : 0;
}

static int set_iommu(int container)
{
	int ret;

	ret = tpb_ioctl_value(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	if (ret == -EINVAL || ret == -ENODEV || ret == -ENOTTY)
		ret = tpb_ioctl_value(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	return ret;
}

/* Either the container of VFIO itself or, in kernels without it, an iommufd in its place. */
static int open_container(const char *sysroot, struct tphbuf_probe *probe, int *container)
{
	int ret;

	ret = open_node(sysroot, TPB_VFIO_CONTAINER, TPHBUF_REASON_NO_IOMMUFD, probe, container);
	if (ret && probe->open == TPHBUF_REASON_NO_IOMMUFD)
		ret = open_node(sysroot, TPB_IOMMUFD, TPHBUF_REASON_NO_IOMMUFD, probe, container);
	return ret;
}

static int get_device(int group, const char *bdf, const char *vf_token)
{
	char name[TPHBUF_BDF_SIZE + 64];

	snprintf(name, sizeof(name), "%s%s%s", bdf, vf_token ? " vf_token=" : "",
		 vf_token ? vf_token : "");
	return tpb_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
}

static int fail_get_device(struct tphbuf_probe *probe, int err)
{
	switch (err) {
	case -ENODEV:
		return tpb_fail_open(probe, TPHBUF_REASON_NOT_FOUND, err);
	case -EACCES:
		return tpb_fail_open(probe, TPHBUF_REASON_VF_TOKEN, err);
	case -EBUSY:
		return tpb_fail_open(probe, TPHBUF_REASON_BUSY, err);
	default:
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, err);
	}
}

static int open_group(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
		      struct tpb_vfio_files *files)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char node[32];
	int ret;

	snprintf(node, sizeof(node), TPB_VFIO_GROUPS "/%d", (int)probe->iommu_group);
	ret = open_container(sysroot, probe, &files->container);
	if (!ret)
		ret = open_node(sysroot, node, TPHBUF_REASON_NOT_FOUND, probe, &files->group);
	if (ret)
		return ret;
	probe->open = TPHBUF_REASON_NONE;
	ret = tpb_ioctl(files->group, VFIO_GROUP_GET_STATUS, &status);
	if (ret)
		return tpb_fail_open(probe, ret == -ENOTTY ? TPHBUF_REASON_NOT_VFIO :
							     TPHBUF_REASON_SYSTEM, ret);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail_group(sysroot, probe, -EPERM);
	ret = tpb_ioctl(files->group, VFIO_GROUP_SET_CONTAINER, &files->container);
	if (!ret)
		ret = set_iommu(files->container);
	if (ret)
		return ret == -EPERM ? fail_group(sysroot, probe, ret) :
				       tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	ret = get_device(files->group, probe->bdf, vf_token);
	/* As for a device file: a token where none is needed is refused. */
	if (ret == -EINVAL && vf_token)
		ret = get_device(files->group, probe->bdf, NULL);
	if (ret < 0)
		return fail_get_device(probe, ret);
	files->device = ret;
	return 0;
}

int tpb_vfio_files_open(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
			struct tpb_vfio_files *files)
{
	uint8_t token[TPB_UUID_SIZE];

	if (vf_token && tpb_uuid_parse(vf_token, token))
		return tpb_fail_open(probe, TPHBUF_REASON_VF_TOKEN, -EINVAL);
	if (probe->access == TPHBUF_ACCESS_GROUP)
		return open_group(sysroot, vf_token, probe, files);
	return open_cdev(sysroot, vf_token ? token : NULL, probe, files);
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		tpb_sys.close(*fd);
	*fd = -1;
}

void tpb_vfio_files_close(struct tpb_vfio_files *files)
{
	/* The device first: its last references to the others go with it. */
	close_file(&files->device);
	close_file(&files->iommufd);
	close_file(&files->group);
	close_file(&files->container);
}
