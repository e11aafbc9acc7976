/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_DEVICE_H
#define TPB_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <tphbuf/device.h>

#include "vfio_files.h"

/* Written while it is opened and only read afterwards, so it needs no lock. */
struct tphbuf_device {
	struct tpb_vfio_files files;
	bool owns_files;
	/* vfio-pci has the device because of TPHBUF_OPEN_BIND. */
	bool taken;
	char previous_driver[TPHBUF_DRIVER_SIZE];
	uint64_t config_offset;
	uint64_t config_size;
	struct tphbuf_bar bars[TPHBUF_NR_BARS];
	/* As found in sysfs when it was opened or adopted. */
	struct tphbuf_probe found;
	char sysroot[];
};

/* Without files, which it owns from the start; NULL when there is no memory. */
struct tphbuf_device *tpb_device_alloc(const char *sysroot);

/* Fills in the regions. -ENODEV when the file is not a PCI device. */
int tpb_device_read_regions(struct tphbuf_device *dev);

#endif
