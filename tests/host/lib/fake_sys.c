// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "fake_dmabuf.h"
#include "fake_sys.h"
#include "fake_tree.h"
#include "sys.h"

#define MAX_FDS	64

enum kind {
	KIND_NONE,
	KIND_FILE,
	KIND_IOMMUFD,
	KIND_CDEV,
	KIND_CDEV_BOUND,
	KIND_CONTAINER,
	KIND_GROUP,
	KIND_OVERRIDE,
	KIND_UNBIND,
	KIND_DRIVERS_PROBE,
};

struct fake_sys fake_sys;
static enum kind kinds[MAX_FDS];

void fake_sys_reset(const char *root)
{
	fake_sys = (struct fake_sys) { .root = root };
	memset(kinds, 0, sizeof(kinds));
}

unsigned int fake_sys_open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int fake_sys_fault(const char *call)
{
	if (!fake_sys.fail_at || ++fake_sys.calls != fake_sys.fail_at)
		return 0;
	fake_sys.failed_call = call;
	return -fake_sys.fail_errno;
}

static bool ends_with(const char *path, const char *end)
{
	size_t lp = strlen(path), le = strlen(end);

	return lp >= le && !strcmp(path + lp - le, end);
}

static enum kind kind_of(const char *path)
{
	const char *group = strstr(path, "/dev/vfio/");

	if (strstr(path, "/dev/vfio/devices/"))
		return KIND_CDEV;
	if (ends_with(path, "/dev/vfio/vfio"))
		return KIND_CONTAINER;
	if (group && group[strlen("/dev/vfio/")] >= '0' && group[strlen("/dev/vfio/")] <= '9')
		return KIND_GROUP;
	if (ends_with(path, "/dev/iommu"))
		return KIND_IOMMUFD;
	if (ends_with(path, "/driver_override"))
		return KIND_OVERRIDE;
	if (ends_with(path, "/driver/unbind"))
		return KIND_UNBIND;
	if (ends_with(path, "/drivers_probe"))
		return KIND_DRIVERS_PROBE;
	return KIND_FILE;
}

/* What is asked for without a sysroot is for the running system, which is the tree here. */
static const char *resolve(const char *path, char buf[PATH_MAX])
{
	if (!fake_sys.root || (strncmp(path, "/sys/", 5) && strncmp(path, "/proc/", 6)))
		return path;
	snprintf(buf, PATH_MAX, "%s%s", fake_sys.root, path);
	return buf;
}

static int fake_open(const char *path, int flags)
{
	enum kind kind = kind_of(path);
	char buf[PATH_MAX];
	int fd, ret = fake_sys_fault("open");

	if (!ret && kind == KIND_CDEV)
		ret = -fake_sys.errors.open_cdev;
	if (!ret && kind == KIND_IOMMUFD)
		ret = -fake_sys.errors.open_iommufd;
	if (ret)
		return ret;
	fd = open(resolve(path, buf), flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fd >= MAX_FDS)
		abort();
	kinds[fd] = kind;
	return fd;
}

static int fake_close(int fd)
{
	int ret = fake_sys_fault("close");

	if (fd >= 0 && fd < MAX_FDS)
		kinds[fd] = KIND_NONE;
	/* As in Linux, a file is closed also when close() fails. */
	if (close(fd))
		abort();
	return ret;
}

static int play_bind(int fd, const struct tpb_vfio_bind_iommufd *bind)
{
	if (fake_sys.errors.bind)
		return -fake_sys.errors.bind;
	if (bind->argsz != (bind->flags ? sizeof(*bind) : TPB_VFIO_BIND_IOMMUFD_SIZE) ||
	    bind->flags & ~TPB_VFIO_BIND_TOKEN || kinds[bind->iommufd] != KIND_IOMMUFD)
		return -EINVAL;
	if (!bind->flags && fake_sys.errors.token)
		return -fake_sys.errors.token;
	/* A token is refused where none is needed. */
	if (bind->flags && !fake_sys.errors.token)
		return -EINVAL;
	if (bind->flags)
		memcpy(fake_sys.token, (const void *)(uintptr_t)bind->token_uuid_ptr, 16);
	for (int i = 0; i < MAX_FDS; i++)
		if (kinds[i] == KIND_CDEV_BOUND)
			return -EINVAL;
	kinds[fd] = KIND_CDEV_BOUND;
	fake_sys.device_opens++;
	return 0;
}

static int play_group_status(struct vfio_group_status *status)
{
	if (status->argsz < sizeof(*status))
		return -EINVAL;
	status->flags = fake_sys.errors.not_viable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

static int play_get_device(const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(fake_sys.opened, sizeof(fake_sys.opened), "%s", name);
	if (fake_sys.errors.get_device)
		return -fake_sys.errors.get_device;
	if (fake_sys.errors.token && !strchr(name, ' '))
		return -fake_sys.errors.token;
	if (!fake_sys.errors.token && strchr(name, ' '))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%.12s/memory", fake_sys.root, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fd >= MAX_FDS)
		abort();
	kinds[fd] = KIND_CDEV_BOUND;
	fake_sys.device_opens++;
	return fd;
}

static int play_group(unsigned long request, void *arg)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		return play_group_status(arg);
	case VFIO_GROUP_SET_CONTAINER:
		if (kinds[*(int *)arg] != KIND_CONTAINER && kinds[*(int *)arg] != KIND_IOMMUFD)
			return -EINVAL;
		return -fake_sys.errors.set_container;
	case VFIO_GROUP_GET_DEVICE_FD:
		return play_get_device(arg);
	default:
		return -ENOTTY;
	}
}

static int play_info(struct vfio_device_info *info)
{
	if (fake_sys.errors.info)
		return -fake_sys.errors.info;
	if (info->argsz < sizeof(*info))
		return -EINVAL;
	info->flags = fake_sys.errors.not_pci ? VFIO_DEVICE_FLAGS_PLATFORM :
						VFIO_DEVICE_FLAGS_PCI;
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	return 0;
}

static int play_region(struct vfio_region_info *region)
{
	static const struct {
		uint64_t size;
		uint32_t flags;
	} regions[VFIO_PCI_NUM_REGIONS] = {
		[0] = { FAKE_BAR0_SIZE, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
		[2] = { FAKE_BAR2_SIZE, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
					VFIO_REGION_INFO_FLAG_MMAP },
		[4] = { FAKE_BAR4_SIZE, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
		[FAKE_REGION_CONFIG] = { FAKE_CONFIG_SIZE, VFIO_REGION_INFO_FLAG_READ |
							   VFIO_REGION_INFO_FLAG_WRITE },
	};

	if (fake_sys.errors.region)
		return -fake_sys.errors.region;
	if (region->argsz < sizeof(*region) || region->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	region->size = regions[region->index].size;
	if (fake_sys.errors.small_bars && region->index < FAKE_REGION_CONFIG && region->size)
		region->size = 0x80;
	if (fake_sys.errors.huge_bars && region->index < FAKE_REGION_CONFIG && region->size)
		region->size = 1ull << 62;
	region->flags = regions[region->index].flags;
	region->offset = FAKE_REGION(region->index);
	return 0;
}

static int play_export(int device_fd, const struct vfio_device_feature *feature)
{
	const struct tpb_vfio_dma_buf *arg = (const void *)feature->data;
	int fd;

	if (fake_sys.errors.dmabuf_get)
		return -fake_sys.errors.dmabuf_get;
	if (feature->argsz != sizeof(*feature) + sizeof(*arg) +
			      arg->nr_ranges * sizeof(arg->ranges[0]) ||
	    arg->flags || !(arg->open_flags & O_CLOEXEC))
		return -EINVAL;
	fake_sys.exported.region_index = arg->region_index;
	fake_sys.exported.open_flags = arg->open_flags;
	fake_sys.exported.nr_ranges = arg->nr_ranges;
	for (uint32_t i = 0; i < arg->nr_ranges && i < 8; i++)
		fake_sys.exported.ranges[i] = arg->ranges[i];
	fd = fake_dmabuf_create(device_fd, arg, feature->argsz - sizeof(*feature));
	fake_sys.exports += fd >= 0;
	return fd;
}

static int play_set_tag(const struct tpb_vfio_set_tph *arg)
{
	int ret;

	if (fake_sys.errors.tph_set)
		return -fake_sys.errors.tph_set;
	if (arg->argsz != sizeof(*arg))
		return -EINVAL;
	ret = fake_dmabuf_check(arg->tph.dmabuf_fd);
	if (ret)
		return ret;
	fake_sys.tag = arg->tph;
	fake_dmabuf_set_tag(arg->tph.dmabuf_fd, &fake_sys.tag);
	fake_sys.tag_sets++;
	return 0;
}

static int play_set_wc(const struct tpb_vfio_set_wc *arg)
{
	int ret;

	if (fake_sys.errors.wc_set)
		return -fake_sys.errors.wc_set;
	if (arg->argsz != sizeof(*arg))
		return -EINVAL;
	if (arg->wc.memattr != 1)
		return -ENOENT;
	ret = fake_dmabuf_check(arg->wc.dmabuf_fd);
	if (ret)
		return ret;
	fake_dmabuf_set_wc(arg->wc.dmabuf_fd);
	fake_sys.wc_sets++;
	return 0;
}

static int play_revoke(const struct tpb_vfio_set_revoke *arg)
{
	int ret;

	if (fake_sys.errors.revoke)
		return -fake_sys.errors.revoke;
	if (arg->argsz != sizeof(*arg) || arg->revoke_flags)
		return -EINVAL;
	ret = fake_dmabuf_check(arg->dmabuf_fd);
	fake_sys.revokes += !ret;
	return ret;
}

static int play_feature(int fd, const struct vfio_device_feature *feature)
{
	switch (feature->flags) {
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF:
		return -fake_sys.errors.dmabuf_probe;
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_TPH:
		return -fake_sys.errors.tph_probe;
	/* It refuses GET, as does any feature that can only be set. */
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF_TPH:
		if (fake_sys.errors.tph_other)
			return 0;
		return fake_sys.errors.tph_probe ? -fake_sys.errors.tph_probe : -EINVAL;
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF_WC:
		if (fake_sys.errors.wc_other)
			return 0;
		return fake_sys.errors.wc_probe ? -fake_sys.errors.wc_probe : -EINVAL;
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF_REVOKE:
		return -EINVAL;
	case VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_REVOKE:
		return play_revoke((const void *)feature);
	case VFIO_DEVICE_FEATURE_GET | TPB_VFIO_FEATURE_DMA_BUF:
		return play_export(fd, feature);
	case VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_TPH:
		return play_set_tag((const void *)feature);
	case VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_WC:
		return -fake_sys.errors.wc_probe;
	case VFIO_DEVICE_FEATURE_SET | TPB_VFIO_FEATURE_DMA_BUF_WC:
		return play_set_wc((const void *)feature);
	default:
		return -ENOTTY;
	}
}

/* Before it is known what it is, so that a wrong feature number can be seen. */
static void record_set(const struct vfio_device_feature *feature)
{
	if (!(feature->flags & VFIO_DEVICE_FEATURE_SET) ||
	    feature->flags & VFIO_DEVICE_FEATURE_PROBE)
		return;
	if (feature->argsz == sizeof(fake_sys.set_argument))
		memcpy(&fake_sys.set_argument, feature, feature->argsz);
	if (feature->argsz == sizeof(fake_sys.wc_argument))
		memcpy(&fake_sys.wc_argument, feature, feature->argsz);
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = fake_sys_fault("ioctl");

	if (ret)
		return ret;
	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	if (request == TPB_VFIO_DEVICE_BIND_IOMMUFD && kinds[fd] == KIND_CDEV)
		return play_bind(fd, arg);
	if (kinds[fd] == KIND_GROUP)
		return play_group(request, arg);
	if ((kinds[fd] == KIND_CONTAINER || kinds[fd] == KIND_IOMMUFD) && request == VFIO_SET_IOMMU)
		return -fake_sys.errors.set_iommu;
	if (kinds[fd] == KIND_CDEV)
		return -EINVAL;
	if (kinds[fd] != KIND_CDEV_BOUND)
		return -ENOTTY;
	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		return play_info(arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return play_region(arg);
	case VFIO_DEVICE_FEATURE:
		record_set(arg);
		return play_feature(fd, arg);
	default:
		return -ENOTTY;
	}
}

static ssize_t fake_pread(int fd, void *buf, size_t size, uint64_t offset)
{
	ssize_t ret = fake_sys_fault("pread");

	if (ret)
		return ret;
	if (fake_sys.errors.short_io && kinds[fd] == KIND_CDEV_BOUND)
		size--;
	ret = pread(fd, buf, size, offset);
	return ret < 0 ? -errno : ret;
}

/* The address of the function that an open sysfs file belongs to, or is about. */
static void function_of(int fd, char bdf[32])
{
	char link[64], path[PATH_MAX];
	const char *at;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		abort();
	path[length] = '\0';
	at = strstr(path, "/devices/");
	if (!at)
		abort();
	at += strlen("/devices/");
	snprintf(bdf, 32, "%.*s", (int)strcspn(at, "/"), at);
}

/* The driver that driver_override names takes a function that has none. */
static void play_drivers_probe(const char *bdf)
{
	char path[PATH_MAX], driver[64];

	snprintf(driver, sizeof(driver), "%s", fake_tree_override_of(fake_sys.root, bdf));
	snprintf(path, sizeof(path), "%s/sys/bus/pci/drivers/%s", fake_sys.root, driver);
	if (fake_tree_driver_of(fake_sys.root, bdf) || !strcmp(driver, "(null)") ||
	    access(path, F_OK))
		return;
	if (!strcmp(driver, "vfio-pci") && fake_sys.errors.vfio_pci_refuses)
		return;
	fake_tree_bind(fake_sys.root, bdf, driver);
}

static ssize_t play_sysfs_write(int fd, const char *text, size_t size)
{
	char bdf[32], value[64];

	if (kinds[fd] == KIND_OVERRIDE && fake_sys.errors.write_override)
		return -fake_sys.errors.write_override;
	if (kinds[fd] == KIND_UNBIND && fake_sys.errors.write_unbind)
		return -fake_sys.errors.write_unbind;
	if (kinds[fd] == KIND_DRIVERS_PROBE && fake_sys.errors.write_probe)
		return -fake_sys.errors.write_probe;
	snprintf(value, sizeof(value), "%.*s", (int)size, text);
	value[strcspn(value, "\n")] = '\0';
	switch (kinds[fd]) {
	case KIND_OVERRIDE:
		function_of(fd, bdf);
		fake_tree_write(fake_sys.root, value[0] ? value : "(null)",
				"sys/bus/pci/devices/%s/driver_override", bdf);
		break;
	case KIND_UNBIND:
		if (!fake_tree_driver_of(fake_sys.root, value))
			return -ENODEV;
		fake_tree_unbind(fake_sys.root, value);
		break;
	case KIND_DRIVERS_PROBE:
		play_drivers_probe(value);
		break;
	default:
		abort();
	}
	return size;
}

static ssize_t fake_pwrite(int fd, const void *buf, size_t size, uint64_t offset)
{
	ssize_t ret = fake_sys_fault("pwrite");

	if (ret)
		return ret;
	if (kinds[fd] != KIND_CDEV_BOUND) {
		fake_sys.sysfs_writes++;
		/* Without the part that is missing nothing happens. */
		if (fake_sys.errors.short_sysfs)
			return size - 1;
		return play_sysfs_write(fd, buf, size);
	}
	if (fake_sys.errors.short_io)
		size--;
	ret = pwrite(fd, buf, size, offset);
	return ret < 0 ? -errno : ret;
}

static int fake_mmap(int fd, size_t length, int prot, uint64_t offset, void **addr)
{
	int ret = fake_sys_fault("mmap");
	void *p;

	if (ret)
		return ret;
	if (fake_dmabuf_is(fd))
		return fake_dmabuf_map(fd, length, prot, offset, addr);
	p = mmap(NULL, length, prot, MAP_SHARED, fd, offset);
	if (p == MAP_FAILED)
		return -errno;
	*addr = p;
	return 0;
}

static int fake_munmap(void *addr, size_t length)
{
	fake_dmabuf_forget(addr);
	return munmap(addr, length) ? -errno : 0;
}

static int64_t fake_lseek(int fd, int64_t offset, int whence)
{
	int ret = fake_sys_fault("lseek");

	if (ret)
		return ret;
	if (!fake_dmabuf_is(fd)) {
		offset = lseek(fd, offset, whence);
		return offset < 0 ? -errno : offset;
	}
	/* All that a dma-buf can do. */
	return offset || whence != SEEK_END ? -EINVAL : fake_dmabuf_size(fd);
}

static int fake_fstatfs(int fd, struct statfs *status)
{
	int ret = fake_sys_fault("fstatfs");

	if (ret)
		return ret;
	if (fstatfs(fd, status))
		return -errno;
	if (fake_dmabuf_is(fd))
		status->f_type = DMA_BUF_MAGIC;
	return 0;
}

static int fake_fstat(int fd, struct stat *status)
{
	int ret = fake_sys_fault("fstat");

	if (ret)
		return ret;
	if (fstat(fd, status))
		return -errno;
	/* Device files are regular files here. */
	if (kinds[fd] == KIND_CDEV_BOUND && fake_sys.device_number) {
		status->st_mode = S_IFCHR | 0600;
		status->st_rdev = fake_sys.device_number;
	}
	return 0;
}

static int fake_flock(int fd, int operation)
{
	int ret = fake_sys_fault("flock");

	if (!ret)
		ret = -fake_sys.errors.flock;
	if (ret)
		return ret;
	if (fake_sys.on_lock)
		fake_sys.on_lock();
	return flock(fd, operation) ? -errno : 0;
}

static int fake_touch(const void *addr)
{
	int ends[2], ret = fake_sys_fault("write");

	if (ret)
		return ret;
	if (pipe2(ends, O_CLOEXEC))
		abort();
	if (write(ends[1], addr, 1) != 1)
		ret = -errno;
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static void fake_sleep_ms(unsigned int milliseconds)
{
	fake_sys.slept_ms += milliseconds;
	if (fake_sys.revoke_after_ms && fake_sys.slept_ms >= fake_sys.revoke_after_ms)
		fake_sys.errors.revoked_from = 1;
}

static int fake_access(const char *path, int mode)
{
	char buf[PATH_MAX];
	enum kind kind = kind_of(path);
	int ret = fake_sys_fault("access");

	if (!ret && kind == KIND_CDEV)
		ret = -fake_sys.errors.access_cdev;
	if (!ret && kind == KIND_IOMMUFD && mode != F_OK)
		ret = -fake_sys.errors.access_iommufd;
	if (ret)
		return ret;
	return access(resolve(path, buf), mode) ? -errno : 0;
}

static ssize_t fake_readlink(const char *path, char *buf, size_t size)
{
	ssize_t ret = fake_sys_fault("readlink");
	char at[PATH_MAX];

	if (ret)
		return ret;
	ret = readlink(resolve(path, at), buf, size);
	return ret < 0 ? -errno : ret;
}

static int fake_opendir(const char *path, DIR **dir)
{
	int ret = fake_sys_fault("opendir");
	char buf[PATH_MAX];

	if (ret)
		return ret;
	*dir = opendir(resolve(path, buf));
	return *dir ? 0 : -errno;
}

static int fake_readdir(DIR *dir, const char **name)
{
	struct dirent *entry;
	int ret = fake_sys_fault("readdir");

	if (ret)
		return ret;
	errno = 0;
	entry = readdir(dir);
	if (!entry)
		return -errno;
	*name = entry->d_name;
	return 1;
}

static void fake_closedir(DIR *dir)
{
	closedir(dir);
}

static void *fake_calloc(size_t count, size_t size)
{
	return fake_sys_fault("calloc") ? NULL : calloc(count, size);
}

const struct tpb_sys tpb_sys = {
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.pread = fake_pread,
	.pwrite = fake_pwrite,
	.mmap = fake_mmap,
	.munmap = fake_munmap,
	.lseek = fake_lseek,
	.fstatfs = fake_fstatfs,
	.fstat = fake_fstat,
	.flock = fake_flock,
	.touch = fake_touch,
	.sleep_ms = fake_sleep_ms,
	.access = fake_access,
	.readlink = fake_readlink,
	.opendir = fake_opendir,
	.readdir = fake_readdir,
	.closedir = fake_closedir,
	.calloc = fake_calloc,
};
