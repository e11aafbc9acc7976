// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What sysfs says about a PCI function, and whether VFIO can open it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bdf.h"
#include "config.h"
#include "function.h"
#include "sys.h"

#define NOIOMMU_PREFIX	"noiommu-"

/* "vfio0", or "noiommu-vfio0": the name of a VFIO device in its class. */
static bool is_vfio_name(const char *name)
{
	if (!strncmp(name, NOIOMMU_PREFIX, strlen(NOIOMMU_PREFIX)))
		name += strlen(NOIOMMU_PREFIX);
	if (strncmp(name, "vfio", 4))
		return false;
	name += 4;
	return *name && !name[strspn(name, "0123456789")];
}

static int find_cdev(const char *sysroot, const char *vfio, struct tphbuf_probe *probe)
{
	char device[NAME_MAX + 1];
	struct tpb_path path;
	int ret;

	if (snprintf(probe->cdev, sizeof(probe->cdev), TPB_VFIO_CDEVS "/%s", vfio) >=
	    (int)sizeof(probe->cdev))
		return -ENAMETOOLONG;
	ret = tpb_path(&path, sysroot, TPB_VFIO_CLASS "/%s/device", vfio);
	if (ret)
		return ret;
	ret = tpb_sysfs_link_name(&path, device, sizeof(device));
	if (ret == -ENOENT) {
		probe->open = TPHBUF_REASON_NOT_FOUND;
		return 0;
	}
	if (ret)
		return ret;
	if (tpb_bdf_parse(device, probe->bdf))
		probe->open = TPHBUF_REASON_NOT_VFIO;
	return 0;
}

int tpb_function_find(const char *sysroot, const char *name, struct tphbuf_probe *probe)
{
	static const char folder[] = TPB_VFIO_CDEVS "/";
	struct tpb_path path;
	int ret;

	*probe = (struct tphbuf_probe) { .iommu_group = -1 };
	tpb_function_not_asked(probe);
	if (!strncmp(name, folder, strlen(folder)) && is_vfio_name(name + strlen(folder)))
		return find_cdev(sysroot, name + strlen(folder), probe);
	if (tpb_bdf_parse(name, probe->bdf)) {
		snprintf(probe->cdev, sizeof(probe->cdev), "%s", name);
		probe->open = TPHBUF_REASON_BAD_NAME;
		return 0;
	}
	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s", probe->bdf);
	if (ret)
		return ret;
	ret = tpb_path_exists(&path);
	if (ret != -ENOENT)
		return ret;
	probe->open = TPHBUF_REASON_NOT_FOUND;
	return 0;
}

int tpb_function_driver(const char *sysroot, const char *bdf, char driver[TPHBUF_DRIVER_SIZE])
{
	struct tpb_path path;
	int ret;

	driver[0] = '\0';
	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/driver", bdf);
	if (ret)
		return ret;
	ret = tpb_sysfs_link_name(&path, driver, TPHBUF_DRIVER_SIZE);
	return ret == -ENOENT ? 0 : ret;
}

static int take_vfio_name(const char *name, void *arg)
{
	char *vfio = arg;

	if (!is_vfio_name(name) || strlen(name) >= TPHBUF_CDEV_SIZE)
		return 0;
	strcpy(vfio, name);
	return 1;
}

/* Name in the VFIO class, "" when no VFIO driver has the function. */
static int read_vfio_name(const struct tpb_path *function, char vfio[TPHBUF_CDEV_SIZE])
{
	struct tpb_path path;
	int ret;

	vfio[0] = '\0';
	ret = tpb_path(&path, function->text, "/vfio-dev");
	if (ret)
		return ret;
	ret = tpb_sysfs_each(&path, take_vfio_name, vfio);
	return ret == -ENOENT || ret == 1 ? 0 : ret;
}

struct group_visit {
	const struct tpb_path *members;
	const char *bdf;
	char *blocker;
};

/*
 * Drivers that do no DMA of their own, or let VFIO manage it, share a group
 * with VFIO: VFIO drivers, pci-stub, and the driver of PCIe ports.
 */
static int check_group_member(const char *name, void *arg)
{
	struct group_visit *visit = arg;
	char driver[TPHBUF_DRIVER_SIZE], vfio[TPHBUF_CDEV_SIZE];
	struct tpb_path member, path;
	int ret;

	if (!strcmp(name, visit->bdf))
		return 0;
	ret = tpb_path(&member, visit->members->text, "/%s", name);
	if (!ret)
		ret = tpb_path(&path, member.text, "/driver");
	if (!ret)
		ret = tpb_sysfs_link_name(&path, driver, sizeof(driver));
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (!strcmp(driver, TPB_VFIO_PCI) || !strcmp(driver, "pci-stub") ||
	    !strcmp(driver, "pcieport"))
		return 0;
	ret = read_vfio_name(&member, vfio);
	if (ret || vfio[0])
		return ret;
	snprintf(visit->blocker, TPHBUF_BDF_SIZE, "%s", name);
	return 1;
}

int tpb_function_group_blocker(const char *sysroot, const char *bdf,
			       char blocker[TPHBUF_BDF_SIZE])
{
	struct group_visit visit = { .bdf = bdf, .blocker = blocker };
	struct tpb_path members;
	int ret;

	blocker[0] = '\0';
	ret = tpb_path(&members, sysroot, TPB_PCI_DEVICES "/%s/iommu_group/devices", bdf);
	if (ret)
		return ret;
	visit.members = &members;
	ret = tpb_sysfs_each(&members, check_group_member, &visit);
	return ret == -ENOENT || ret == 1 ? 0 : ret;
}

/* An attribute that is not there leaves the value alone. */
static int read_id(const struct tpb_path *function, const char *attribute, uint16_t *id)
{
	struct tpb_path path;
	uint32_t value;
	int ret;

	ret = tpb_path(&path, function->text, "/%s", attribute);
	if (ret)
		return ret;
	ret = tpb_sysfs_read_u32(&path, &value);
	if (!ret)
		*id = value;
	return ret == -ENOENT ? 0 : ret;
}

static int read_iommu_group(const struct tpb_path *function, int32_t *group)
{
	struct tpb_path path;
	char name[16];
	int ret;

	ret = tpb_path(&path, function->text, "/iommu_group");
	if (ret)
		return ret;
	ret = tpb_sysfs_link_name(&path, name, sizeof(name));
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return sscanf(name, "%" SCNd32, group) == 1 ? 0 : -EINVAL;
}

static int read_hints(const struct tpb_path *function, struct tphbuf_probe *probe)
{
	uint8_t config[TPB_CONFIG_SIZE_ALL];
	struct tpb_tph_requester requester;
	struct tpb_path path;
	ssize_t got;
	int ret;

	ret = tpb_path(&path, function->text, "/config");
	if (ret)
		return ret;
	got = tpb_sysfs_read_bytes(&path, config, sizeof(config));
	if (got == -EACCES || got == -EPERM || got == -ENOENT)
		return 0;
	if (got < 0)
		return (int)got;
	probe->completer = tpb_config_completer(config, (size_t)got);
	tpb_config_requester(config, (size_t)got, &requester);
	probe->requester = requester.type;
	return 0;
}

/* NO_PERMISSION, @absent when it is not there, or NONE. */
static int check_node(const char *sysroot, const char *node, enum tphbuf_reason absent,
		      struct tphbuf_probe *probe)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, "%s", node);
	if (ret)
		return ret;
	ret = tpb_sys.access(path.text, R_OK | W_OK);
	switch (ret) {
	case -ENOENT:
	case -ENOTDIR:
		probe->open = absent;
		return 0;
	case -EACCES:
	case -EPERM:
	case -EROFS:
		probe->open = TPHBUF_REASON_NO_PERMISSION;
		snprintf(probe->denied, sizeof(probe->denied), "%s", node);
		return 0;
	default:
		probe->open = TPHBUF_REASON_NONE;
		return ret;
	}
}

static int check_unbound(const char *sysroot, struct tphbuf_probe *probe)
{
	struct tpb_path path;
	int ret;

	probe->open = TPHBUF_REASON_NO_IOMMU;
	if (probe->iommu_group < 0)
		return 0;
	ret = tpb_path(&path, sysroot, TPB_PCI_DRIVERS "/" TPB_VFIO_PCI);
	if (!ret)
		ret = tpb_path_exists(&path);
	probe->open = ret == -ENOENT ? TPHBUF_REASON_NO_VFIO : TPHBUF_REASON_NOT_BOUND;
	return ret == -ENOENT ? 0 : ret;
}

/* The device file, and iommufd beside it. */
static int check_cdev(const char *sysroot, const struct tpb_path *function, const char *vfio,
		      struct tphbuf_probe *probe)
{
	struct tpb_path path;
	int ret;

	probe->open = TPHBUF_REASON_NO_CDEV;
	if (!vfio[0])
		return 0;
	ret = tpb_path(&path, function->text, "/vfio-dev/%s/dev", vfio);
	if (!ret)
		ret = tpb_path_exists(&path);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (snprintf(probe->cdev, sizeof(probe->cdev), TPB_VFIO_CDEVS "/%s", vfio) >=
	    (int)sizeof(probe->cdev))
		return -ENAMETOOLONG;
	probe->access = TPHBUF_ACCESS_CDEV;
	ret = check_node(sysroot, TPB_IOMMUFD, TPHBUF_REASON_NO_IOMMUFD, probe);
	if (ret || probe->open)
		return ret;
	return check_node(sysroot, probe->cdev, TPHBUF_REASON_NO_CDEV, probe);
}

/* The file of the group, and something to put the group into. */
static int check_group(const char *sysroot, struct tphbuf_probe *probe)
{
	char node[32];
	int ret;

	probe->open = TPHBUF_REASON_NO_CDEV;
	if (probe->iommu_group < 0)
		return 0;
	snprintf(node, sizeof(node), TPB_VFIO_GROUPS "/%d", (int)probe->iommu_group);
	ret = check_node(sysroot, node, TPHBUF_REASON_NO_CDEV, probe);
	if (ret || probe->open == TPHBUF_REASON_NO_CDEV)
		return ret;
	probe->access = TPHBUF_ACCESS_GROUP;
	if (probe->open)
		return 0;
	ret = check_node(sysroot, TPB_VFIO_CONTAINER, TPHBUF_REASON_NO_IOMMUFD, probe);
	if (!ret && probe->open == TPHBUF_REASON_NO_IOMMUFD)
		ret = check_node(sysroot, TPB_IOMMUFD, TPHBUF_REASON_NO_IOMMUFD, probe);
	return ret;
}

static int check_bound(const char *sysroot, const struct tpb_path *function, const char *vfio,
		       struct tphbuf_probe *probe)
{
	struct tphbuf_probe other;
	int ret;

	ret = check_cdev(sysroot, function, vfio, probe);
	if (!ret && probe->open) {
		other = *probe;
		ret = check_group(sysroot, &other);
		/* What stands in the way of the better way is the better answer. */
		if (!ret && (!other.open || probe->access == TPHBUF_ACCESS_NONE))
			*probe = other;
	}
	if (ret || probe->access == TPHBUF_ACCESS_NONE)
		return ret;
	ret = tpb_function_group_blocker(sysroot, probe->bdf, probe->group_blocker);
	if (!ret && probe->group_blocker[0])
		probe->open = TPHBUF_REASON_GROUP_NOT_VIABLE;
	return ret;
}

void tpb_function_not_asked(struct tphbuf_probe *probe)
{
	bool none = probe->completer == TPHBUF_COMPLETER_NONE;

	probe->dmabuf = TPHBUF_REASON_NOT_ASKED;
	probe->st = none ? TPHBUF_REASON_NO_COMPLETER : TPHBUF_REASON_NOT_ASKED;
	probe->st_ext = probe->completer == TPHBUF_COMPLETER_TPH ? TPHBUF_REASON_ST_8BIT_ONLY :
								   probe->st;
	probe->mmap = TPHBUF_REASON_NOT_ASKED;
	probe->wc = TPHBUF_REASON_NOT_ASKED;
}

int tpb_function_inspect(const char *sysroot, struct tphbuf_probe *probe)
{
	char vfio[TPHBUF_CDEV_SIZE];
	struct tpb_path function;
	int ret;

	ret = tpb_path(&function, sysroot, TPB_PCI_DEVICES "/%s", probe->bdf);
	if (!ret)
		ret = read_id(&function, "vendor", &probe->vendor);
	if (!ret)
		ret = read_id(&function, "device", &probe->device);
	if (!ret)
		ret = read_iommu_group(&function, &probe->iommu_group);
	if (!ret)
		ret = read_hints(&function, probe);
	if (!ret)
		ret = tpb_function_driver(sysroot, probe->bdf, probe->driver);
	if (!ret)
		ret = read_vfio_name(&function, vfio);
	if (ret)
		return ret;
	tpb_function_not_asked(probe);
	probe->cdev[0] = '\0';
	probe->access = TPHBUF_ACCESS_NONE;
	if (!vfio[0] && strcmp(probe->driver, TPB_VFIO_PCI))
		return check_unbound(sysroot, probe);
	return check_bound(sysroot, &function, vfio, probe);
}
