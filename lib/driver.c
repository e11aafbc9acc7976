// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "function.h"

/* What driver_override reads as when it is not set. */
#define OVERRIDE_NONE	"(null)"

static int override_path(const char *sysroot, const char *bdf, struct tpb_path *path)
{
	return tpb_path(path, sysroot, TPB_PCI_DEVICES "/%s/driver_override", bdf);
}

static int write_override(const struct tpb_path *path, const char *driver)
{
	/*
	 * With an override only the driver that it names takes the function,
	 * and that one does even if the id is not in its table, as none is in
	 * that of vfio-pci. An empty line clears it.
	 */
	return tpb_sysfs_write(path, driver[0] ? driver : "\n");
}

static int unbind(const char *sysroot, const char *bdf)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/driver/unbind", bdf);
	if (ret)
		return ret;
	return tpb_sysfs_write(&path, bdf);
}

/*
 * Has the driver that driver_override names probe the function. A probe that
 * fails is no error of the write, so the link tells.
 */
static int probe_driver(const char *sysroot, const char *bdf, const char *driver)
{
	char now[TPHBUF_DRIVER_SIZE];
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, sysroot, "/sys/bus/pci/drivers_probe");
	if (!ret)
		ret = tpb_sysfs_write(&path, bdf);
	if (!ret)
		ret = tpb_function_driver(sysroot, bdf, now);
	if (ret)
		return ret;
	return strcmp(now, driver) ? -ENODEV : 0;
}

/* @override names @to, or nothing may take the function when @to is "". */
static int move(const char *sysroot, const char *bdf, const struct tpb_path *override,
		const char *to)
{
	char now[TPHBUF_DRIVER_SIZE];
	int ret;

	ret = tpb_function_driver(sysroot, bdf, now);
	if (ret || !strcmp(now, to))
		return ret;
	ret = write_override(override, to);
	if (!ret && now[0])
		ret = unbind(sysroot, bdf);
	if (!ret && to[0])
		ret = probe_driver(sysroot, bdf, to);
	return ret;
}

int tpb_driver_change(const char *sysroot, const char *bdf, const char *from, const char *to)
{
	char before[TPHBUF_DRIVER_SIZE];
	struct tpb_path override;
	int ret;

	ret = override_path(sysroot, bdf, &override);
	if (!ret)
		ret = tpb_sysfs_read(&override, before, sizeof(before));
	if (ret)
		return ret;
	if (!strcmp(before, OVERRIDE_NONE))
		before[0] = '\0';
	ret = move(sysroot, bdf, &override, to);
	if (!ret)
		ret = write_override(&override, before);
	if (ret) {
		move(sysroot, bdf, &override, from);
		write_override(&override, before);
	}
	return ret;
}
