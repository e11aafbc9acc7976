// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Giving a PCI function to another driver, through sysfs. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "driver.h"
#include "function.h"
#include "sys.h"

/* What driver_override reads as when it is not set. */
#define OVERRIDE_NONE	"(null)"

#define LOCK_WAIT_MS	20
#define LOCK_LIMIT_MS	10000

/* Where a change is made, and the file that was used last. */
struct change {
	const char *sysroot;
	const char *bdf;
	struct tpb_denied *at;
};

int tpb_driver_lock(const char *sysroot, const char *bdf, bool limited)
{
	unsigned int waited = 0;
	struct tpb_path path;
	int ret, fd;

	/*
	 * Whoever may open the file could hold up everyone else: this one root may
	 * write to, and others may not even read. Only the lock is used.
	 */
	ret = tpb_path(&path, sysroot, TPB_PCI_DEVICES "/%s/rescan", bdf);
	if (ret)
		return ret;
	fd = tpb_sys.open(path.text, O_WRONLY);
	if (fd < 0)
		return fd;
	while ((ret = tpb_sys.flock(fd, LOCK_EX | LOCK_NB))) {
		if (ret != -EWOULDBLOCK || (limited && waited >= LOCK_LIMIT_MS)) {
			tpb_sys.close(fd);
			return ret;
		}
		tpb_sys.sleep_ms(LOCK_WAIT_MS);
		waited += LOCK_WAIT_MS;
	}
	return fd;
}

void tpb_driver_unlock(int lock)
{
	tpb_sys.close(lock);
}

__attribute__((format(printf, 3, 4)))
static int write_to(struct change *change, const char *text, const char *format, ...)
{
	struct tpb_path path;
	va_list ap;
	int ret;

	va_start(ap, format);
	vsnprintf(change->at->path, sizeof(change->at->path), format, ap);
	va_end(ap);
	ret = tpb_path(&path, change->sysroot, "%s", change->at->path);
	return ret ? ret : tpb_sysfs_write(&path, text);
}

static int write_override(struct change *change, const char *driver)
{
	/*
	 * With an override only the driver that it names takes the function,
	 * and that one does even if the id is not in its table, as none is in
	 * that of vfio-pci. An empty line clears it.
	 */
	return write_to(change, driver[0] ? driver : "\n", TPB_PCI_DEVICES "/%s/driver_override",
			change->bdf);
}

/*
 * Has the driver that driver_override names probe the function. The write
 * succeeds also when the probe fails: the link tells.
 */
static int probe_driver(struct change *change, const char *driver)
{
	char now[TPHBUF_DRIVER_SIZE];
	int ret;

	ret = write_to(change, change->bdf, "/sys/bus/pci/drivers_probe");
	if (!ret)
		ret = tpb_function_driver(change->sysroot, change->bdf, now);
	if (ret)
		return ret;
	return strcmp(now, driver) ? -ENODEV : 0;
}

/* To @to, or nothing may take the function when @to is "". */
static int move_function(struct change *change, const char *to)
{
	char now[TPHBUF_DRIVER_SIZE];
	int ret;

	ret = tpb_function_driver(change->sysroot, change->bdf, now);
	if (ret || !strcmp(now, to))
		return ret;
	ret = write_override(change, to);
	if (!ret && now[0])
		ret = write_to(change, change->bdf, TPB_PCI_DEVICES "/%s/driver/unbind",
			       change->bdf);
	if (!ret && to[0])
		ret = probe_driver(change, to);
	return ret;
}

static int read_override(const struct change *change, char *driver, size_t size)
{
	struct tpb_path path;
	int ret;

	ret = tpb_path(&path, change->sysroot, TPB_PCI_DEVICES "/%s/driver_override", change->bdf);
	if (!ret)
		ret = tpb_sysfs_read(&path, driver, size);
	if (!ret && !strcmp(driver, OVERRIDE_NONE))
		driver[0] = '\0';
	return ret;
}

int tpb_driver_change(const char *sysroot, const char *bdf, const char *from, const char *to,
		      struct tpb_denied *denied)
{
	struct change change = { .sysroot = sysroot, .bdf = bdf, .at = denied };
	char before[TPHBUF_DRIVER_SIZE];
	struct tpb_denied ignored;
	int ret;

	snprintf(denied->path, sizeof(denied->path), TPB_PCI_DEVICES "/%s/driver_override", bdf);
	ret = read_override(&change, before, sizeof(before));
	if (ret)
		return ret;
	ret = move_function(&change, to);
	if (!ret)
		ret = write_override(&change, before);
	if (ret) {
		/* The file of the first error is the one to report. */
		change.at = &ignored;
		move_function(&change, from);
		write_override(&change, before);
	}
	return ret;
}
