// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Opening a device by its name, and giving it back to the driver that had it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "function.h"
#include "open.h"
#include "options.h"
#include "reason.h"

/* Gives the function, whose lock is taken, to vfio-pci and inspects it again. */
static int take(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	struct tpb_denied denied;
	int ret;

	/* Before anything is changed: it would be in vain. */
	ret = tpb_function_group_blocker(dev->sysroot, probe->bdf, probe->group_blocker);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	if (probe->group_blocker[0])
		return tpb_fail_open(probe, TPHBUF_REASON_GROUP_NOT_VIABLE, 0);

	strcpy(dev->previous_driver, probe->driver);
	ret = tpb_driver_change(dev->sysroot, probe->bdf, dev->previous_driver, TPB_VFIO_PCI,
				&denied);
	if (ret == -EACCES || ret == -EPERM || ret == -EROFS)
		return tpb_fail_denied(probe, denied.path);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_BIND_FAILED, ret);
	dev->taken = true;
	ret = tpb_function_inspect(dev->sysroot, probe);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	return tpb_fail_open(probe, probe->open, 0);
}

static int give_back(struct tphbuf_device *dev, const char *bdf)
{
	struct tpb_denied denied;

	if (!dev->taken)
		return 0;
	return tpb_driver_change(dev->sysroot, bdf, TPB_VFIO_PCI, dev->previous_driver, &denied);
}

static int open_files(struct tphbuf_device *dev, const char *vf_token, struct tphbuf_probe *probe)
{
	int ret;

	ret = tpb_vfio_files_open(dev->sysroot, vf_token, probe, &dev->files);
	if (ret)
		return ret;
	ret = tpb_device_read_regions(dev);
	if (ret == -ENODEV)
		return tpb_fail_open(probe, TPHBUF_REASON_NOT_VFIO, ret);
	return ret ? tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret) : 0;
}

/* @bind: the lock of the function is taken, and it is to be taken from its driver. */
static int open_function(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
			 bool bind, struct tphbuf_device **out)
{
	struct tphbuf_device *dev;
	int ret = 0;

	dev = tpb_device_alloc(sysroot);
	if (!dev)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, -ENOMEM);
	if (bind)
		ret = take(dev, probe);
	if (!ret)
		ret = open_files(dev, vf_token, probe);
	if (ret) {
		tpb_vfio_files_close(&dev->files);
		/* The first error is the one to report. */
		give_back(dev, probe->bdf);
		if (bind)
			tpb_function_driver(sysroot, probe->bdf, probe->driver);
		free(dev);
		return ret;
	}
	dev->found = *probe;
	dev->found.reason = TPHBUF_REASON_NONE;
	*out = dev;
	return 0;
}

int tpb_open_function(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
		      struct tphbuf_device **dev)
{
	return open_function(sysroot, vf_token, probe, false, dev);
}

static int fail_lock(struct tphbuf_probe *probe, int err)
{
	char path[TPHBUF_DENIED_SIZE];

	switch (err) {
	case -EWOULDBLOCK:
		return tpb_fail_open(probe, TPHBUF_REASON_BUSY, err);
	case -EACCES:
	case -EPERM:
	case -EROFS:
		snprintf(path, sizeof(path), TPB_PCI_DEVICES "/%s/rescan", probe->bdf);
		return tpb_fail_denied(probe, path);
	default:
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, err);
	}
}

/* Nobody else changes the driver between the inspection and the end of this. */
static int open_locked(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
		       struct tphbuf_device **dev)
{
	int ret, lock;

	lock = tpb_driver_lock(sysroot, probe->bdf, true);
	/* Who may open a device that is bound already need not be allowed to bind one. */
	if (lock < 0 && !probe->open)
		return open_function(sysroot, vf_token, probe, false, dev);
	if (lock < 0 && (lock == -EWOULDBLOCK || probe->open == TPHBUF_REASON_NOT_BOUND))
		return fail_lock(probe, lock);
	if (lock < 0)
		return tpb_fail_open(probe, probe->open, 0);
	ret = tpb_function_inspect(sysroot, probe);
	if (ret)
		ret = tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	else if (!probe->open || probe->open == TPHBUF_REASON_NOT_BOUND)
		ret = open_function(sysroot, vf_token, probe, probe->open, dev);
	else
		ret = tpb_fail_open(probe, probe->open, 0);
	tpb_driver_unlock(lock);
	return ret;
}

/*
 * What may be so only while another process changes the driver: a device that
 * it has for a moment has its own driver again soon, and between the bind and
 * the device file there is a driver and no file.
 */
static bool may_change(enum tphbuf_reason open)
{
	return open == TPHBUF_REASON_NONE || open == TPHBUF_REASON_NOT_BOUND ||
	       open == TPHBUF_REASON_NO_CDEV;
}

static int open_named(const char *name, const struct tphbuf_options *options,
		      struct tphbuf_device **dev, struct tphbuf_probe *probe)
{
	const char *sysroot = tpb_options_sysroot(options);
	const char *vf_token = tpb_options_vf_token(options);
	int ret;

	ret = tpb_options_check(options, TPHBUF_OPEN_BIND);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	ret = tpb_function_find(sysroot, name, probe);
	if (!ret && !probe->open)
		ret = tpb_function_inspect(sysroot, probe);
	if (ret)
		return tpb_fail_open(probe, TPHBUF_REASON_SYSTEM, ret);
	if (options && options->flags & TPHBUF_OPEN_BIND && may_change(probe->open))
		return open_locked(sysroot, vf_token, probe, dev);
	if (probe->open)
		return tpb_fail_open(probe, probe->open, 0);
	return open_function(sysroot, vf_token, probe, false, dev);
}

int tphbuf_device_open(const char *name, const struct tphbuf_options *options,
		       struct tphbuf_device **dev, struct tphbuf_probe *why)
{
	struct tphbuf_probe probe = { .iommu_group = -1 };
	int ret = open_named(name, options, dev, &probe);

	if (ret && why)
		*why = probe;
	return ret;
}

int tphbuf_device_restore_driver(struct tphbuf_device *dev)
{
	int ret = 0, lock = -1;

	if (!dev)
		return 0;
	if (dev->taken) {
		lock = tpb_driver_lock(dev->sysroot, dev->found.bdf, false);
		ret = lock < 0 ? lock : 0;
	}
	if (dev->owns_files)
		tpb_vfio_files_close(&dev->files);
	if (!ret)
		ret = give_back(dev, dev->found.bdf);
	if (lock >= 0)
		tpb_driver_unlock(lock);
	free(dev);
	return ret;
}
