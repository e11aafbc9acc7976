// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tphbuf/export.h>
#include <tphbuf/mmap.h>

#include "bdf.h"
#include "config.h"
#include "device.h"
#include "function.h"
#include "sys.h"
#include "vfio_uapi.h"

/* Base class of bridges, in the upper byte of the class code. */
#define PCI_CLASS_BRIDGE	0x06

/* Whether the kernel and the device know a feature with GET or SET in @how. */
static int feature_probe(int fd, uint32_t feature, uint32_t how)
{
	struct vfio_device_feature arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_PROBE | how | feature,
	};

	return tpb_sys.ioctl(fd, VFIO_DEVICE_FEATURE, &arg);
}

static enum tphbuf_reason system_reason(struct tphbuf_probe *probe, int err)
{
	probe->error = -err;
	return TPHBUF_REASON_SYSTEM;
}

/* 0 when a page of a BAR can be exported and mapped; nothing of it stays. */
static int try_mmap(struct tphbuf_device *dev, unsigned int bar, size_t page)
{
	const struct tphbuf_range range = { .length = page };
	void *addr;
	int fd, ret;

	fd = tphbuf_export(dev, bar, &range, 1, NULL, 0);
	if (fd < 0)
		return fd;
	/* No feature announces it, but it works on a revoked dma-buf too, so this always tells. */
	ret = tphbuf_mmap(fd, 0, page, PROT_READ, &addr);
	if (!ret)
		tphbuf_munmap(addr, page);
	tpb_sys.close(fd);
	return ret;
}

static enum tphbuf_reason ask_mmap(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned int i;
	int ret = -ENXIO;

	/*
	 * Of several BARs any may be one that the driver of the device keeps for
	 * itself. I/O BARs are smaller than a page.
	 */
	for (i = 0; i < TPHBUF_NR_BARS && ret; i++)
		if (dev->bars[i].size >= page)
			ret = try_mmap(dev, i, page);
	switch (ret) {
	case 0:
		return TPHBUF_REASON_NONE;
	case -ENXIO:
		return TPHBUF_REASON_NO_BAR;
	case -EOPNOTSUPP:
		return TPHBUF_REASON_NO_MMAP;
	default:
		return system_reason(probe, ret);
	}
}

static enum tphbuf_reason ask_wc(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret = feature_probe(dev->fd, TPB_VFIO_FEATURE_DMA_BUF_WC, VFIO_DEVICE_FEATURE_SET);

	switch (ret) {
	case 0:
		return TPHBUF_REASON_NONE;
	case -ENOTTY:
		return TPHBUF_REASON_NO_WC_FEATURE;
	case -EOPNOTSUPP:
		return probe->dmabuf ? TPHBUF_REASON_NO_DMABUF : TPHBUF_REASON_NO_WC;
	default:
		return system_reason(probe, ret);
	}
}

/* @probe->completer is up to date. */
static void ask_features(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret;

	ret = feature_probe(dev->fd, TPB_VFIO_FEATURE_DMA_BUF, VFIO_DEVICE_FEATURE_GET);
	if (!ret)
		probe->dmabuf = TPHBUF_REASON_NONE;
	else if (ret == -ENOTTY || ret == -EOPNOTSUPP)
		probe->dmabuf = TPHBUF_REASON_NO_DMABUF;
	else
		probe->dmabuf = system_reason(probe, ret);

	ret = feature_probe(dev->fd, TPB_VFIO_FEATURE_DMA_BUF_TPH, VFIO_DEVICE_FEATURE_SET);
	if (!ret)
		probe->st = TPHBUF_REASON_NONE;
	else if (ret == -ENOTTY)
		probe->st = TPHBUF_REASON_NO_TPH_FEATURE;
	else if (ret == -EOPNOTSUPP)
		probe->st = probe->dmabuf ? TPHBUF_REASON_NO_DMABUF : TPHBUF_REASON_NO_COMPLETER;
	else
		probe->st = system_reason(probe, ret);

	probe->st_ext = probe->st;
	if (!probe->st && probe->completer != TPHBUF_COMPLETER_EXT_TPH)
		probe->st_ext = TPHBUF_REASON_ST_8BIT_ONLY;

	probe->mmap = probe->dmabuf ? probe->dmabuf : ask_mmap(dev, probe);
	probe->wc = ask_wc(dev, probe);
}

int tphbuf_device_probe(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	uint8_t config[TPB_CONFIG_SIZE];
	int ret;

	*probe = dev->found;
	probe->open = TPHBUF_REASON_NONE;
	ret = tphbuf_device_config_read(dev, 0, config, sizeof(config));
	if (ret)
		return ret;
	probe->completer = tpb_config_completer(config, sizeof(config));
	ask_features(dev, probe);
	return 0;
}

/* Completes what inspection found with what the kernel says. */
static int ask(const char *sysroot, struct tphbuf_probe *probe)
{
	struct tphbuf_device *dev;
	int ret;

	/* That it cannot be opened is an answer, and stands in @probe. */
	if (tpb_device_open(sysroot, probe, false, &dev))
		return 0;
	ret = tphbuf_device_probe(dev, probe);
	tphbuf_device_close(dev);
	return ret;
}

int tphbuf_probe(const char *name, const struct tphbuf_options *options,
		 struct tphbuf_probe *probe)
{
	const char *sysroot = tpb_options_sysroot(options);
	int ret;

	ret = tpb_options_check(options, TPHBUF_PROBE_OPEN);
	if (!ret)
		ret = tpb_function_find(sysroot, name, probe);
	if (ret || probe->open)
		return ret;
	ret = tpb_function_inspect(sysroot, probe);
	if (!ret && !probe->open && options && options->flags & TPHBUF_PROBE_OPEN)
		ret = ask(sysroot, probe);
	return ret;
}

struct list_visit {
	const struct tphbuf_options *options;
	struct tphbuf_probe *probes;
	size_t count;
	size_t room;
};

static int count_function(const char *name, void *arg)
{
	struct list_visit *visit = arg;

	(void)name;
	visit->room++;
	return 0;
}

static int is_bridge(const char *sysroot, const char *bdf)
{
	struct tpb_path path;
	uint32_t class;
	int ret;

	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/class", bdf);
	if (!ret)
		ret = tpb_sysfs_read_u32(&path, &class);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return class >> 16 == PCI_CLASS_BRIDGE;
}

static int add_function(const char *name, void *arg)
{
	struct list_visit *visit = arg;
	const char *sysroot = tpb_options_sysroot(visit->options);
	struct tphbuf_probe *probe;
	int ret;

	/* One that was plugged in since they were counted waits for the next call. */
	if (visit->count == visit->room)
		return 1;
	probe = &visit->probes[visit->count];
	ret = is_bridge(sysroot, name);
	if (!ret)
		ret = tphbuf_probe(name, visit->options, probe);
	else if (ret > 0)
		return 0;
	/* One function that cannot be read is no reason to hide the others. */
	if (ret) {
		if (tpb_function_find(sysroot, name, probe) == -EINVAL)
			return 0;
		probe->open = system_reason(probe, ret);
	}
	if (probe->open != TPHBUF_REASON_NOT_FOUND && probe->open != TPHBUF_REASON_NO_IOMMU)
		visit->count++;
	return 0;
}

static int compare_probes(const void *a, const void *b)
{
	const struct tphbuf_probe *pa = a, *pb = b;

	return tpb_bdf_compare(pa->bdf, pb->bdf);
}

int tphbuf_probe_all(const struct tphbuf_options *options, struct tphbuf_probe **probes,
		     size_t *count)
{
	struct list_visit visit = { .options = options };
	struct tpb_path path;
	int ret;

	*probes = NULL;
	*count = 0;
	ret = tpb_options_check(options, TPHBUF_PROBE_OPEN);
	if (!ret)
		ret = tpb_path(&path, tpb_options_sysroot(options), TPB_PCI_DEVICES);
	if (!ret)
		ret = tpb_sysfs_each(&path, count_function, &visit);
	if (ret || !visit.room)
		return ret == -ENOENT ? 0 : ret;
	visit.probes = tpb_sys.calloc(visit.room, sizeof(*visit.probes));
	if (!visit.probes)
		return -ENOMEM;
	ret = tpb_sysfs_each(&path, add_function, &visit);
	if (ret < 0 || !visit.count) {
		free(visit.probes);
		return ret < 0 ? ret : 0;
	}
	qsort(visit.probes, visit.count, sizeof(*visit.probes), compare_probes);
	*probes = visit.probes;
	*count = visit.count;
	return 0;
}

void tphbuf_probe_free(struct tphbuf_probe *probes)
{
	free(probes);
}

static int stop(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return 1;
}

static int host_has(const char *sysroot, const char *what)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, "%s", what);
	if (!ret)
		ret = tpb_path_exists(&path);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return 1;
}

int tphbuf_probe_host(const struct tphbuf_options *options, enum tphbuf_reason *reason)
{
	const char *sysroot = tpb_options_sysroot(options);
	struct tpb_path path;
	int ret;

	ret = tpb_options_check(options, 0);
	if (!ret)
		ret = tpb_path(&path, sysroot, TPB_IOMMU_GROUPS);
	if (ret)
		return ret;
	*reason = TPHBUF_REASON_NO_IOMMU;
	ret = tpb_sysfs_each(&path, stop, NULL);
	if (ret <= 0)
		return ret == -ENOENT ? 0 : ret;

	/* A VFIO driver for one make of device does without vfio-pci. */
	*reason = TPHBUF_REASON_NO_VFIO;
	ret = host_has(sysroot, TPB_PCI_DRIVERS "/" TPB_VFIO_PCI);
	if (!ret)
		ret = host_has(sysroot, TPB_VFIO_CLASS);
	if (ret <= 0)
		return ret;

	*reason = TPHBUF_REASON_NO_IOMMUFD;
	ret = host_has(sysroot, TPB_IOMMUFD);
	if (ret <= 0)
		return ret;
	*reason = TPHBUF_REASON_NONE;
	return 0;
}
