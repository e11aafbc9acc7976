// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What can be done with devices that are not open, one of them or all. */
#include <errno.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "bdf.h"
#include "function.h"
#include "open.h"
#include "options.h"
#include "sys.h"

/* The other bit says that there are more functions. */
#define HEADER_TYPE_MASK	0x7f

/* Completes what inspection found with what the kernel says. */
static int ask_kernel(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe)
{
	struct tphbuf_device *dev;
	int ret;

	/* That it cannot be opened is an answer, and stands in @probe. */
	if (tpb_open_function(sysroot, vf_token, probe, &dev)) {
		probe->reason = TPHBUF_REASON_NONE;
		return 0;
	}
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
		ret = ask_kernel(sysroot, tpb_options_vf_token(options), probe);
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

/* VFIO takes functions with a header of type 0, some of which are bridges by their class. */
static int has_other_header(const char *sysroot, const char *bdf)
{
	uint8_t config[PCI_STD_HEADER_SIZEOF];
	struct tpb_path path;
	ssize_t got;
	int ret;

	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/config", bdf);
	if (ret)
		return ret;
	got = tpb_sysfs_read_bytes(&path, config, sizeof(config));
	if (got < 0)
		return got == -ENOENT ? 0 : (int)got;
	return got > PCI_HEADER_TYPE &&
	       (config[PCI_HEADER_TYPE] & HEADER_TYPE_MASK) != PCI_HEADER_TYPE_NORMAL;
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
	ret = has_other_header(sysroot, name);
	if (!ret)
		ret = tphbuf_probe(name, visit->options, probe);
	else if (ret > 0)
		return 0;
	/* One function that cannot be read is no reason to hide the others. */
	if (ret) {
		if (tpb_function_find(sysroot, name, probe) == -EINVAL)
			return 0;
		probe->open = TPHBUF_REASON_SYSTEM;
		probe->error = -ret;
	}
	if (probe->open != TPHBUF_REASON_NOT_FOUND)
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

static int stop_at_first(const char *name, void *arg)
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
	ret = tpb_sysfs_each(&path, stop_at_first, NULL);
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
	/* A kernel of groups only opens devices by a container. */
	if (!ret)
		ret = host_has(sysroot, TPB_VFIO_CONTAINER);
	if (ret <= 0)
		return ret;
	*reason = TPHBUF_REASON_NONE;
	return 0;
}
