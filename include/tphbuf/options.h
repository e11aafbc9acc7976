/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_OPTIONS_H
#define TPHBUF_OPTIONS_H

#include <stdint.h>

/*
 * tphbuf_device_open(): when no VFIO driver holds the device, take it from the
 * driver that has it and bind it to vfio-pci. Needs the right to write to the
 * PCI files in sysfs, which is root's as a rule.
 */
#define TPHBUF_OPEN_BIND	(1u << 0)

/*
 * tphbuf_probe() and tphbuf_probe_all(): open a device that is bound to a VFIO
 * driver and free, ask the kernel what it supports for it, and close it. The
 * kernel resets a device function whenever it is opened through VFIO; nothing
 * else about the machine changes.
 */
#define TPHBUF_PROBE_OPEN	(1u << 1)

/**
 * struct tphbuf_options - how to look for devices
 * @flags: TPHBUF_OPEN_* or TPHBUF_PROBE_*, as the call allows
 * @reserved: zero, or the call fails with -EINVAL
 * @sysroot: folder that stands for "/" in front of /sys and /dev, NULL or ""
 *	for the running system; the caller keeps it until the call returns
 *
 * Zero-initialise it. A call that takes options also takes NULL for none.
 */
struct tphbuf_options {
	uint32_t flags;
	uint32_t reserved[5];
	const char *sysroot;
};

#endif
