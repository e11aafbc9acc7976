/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_DEVICE_H
#define TPB_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <tphbuf/device.h>

/* Written while it is opened and only read afterwards, so it needs no lock. */
struct tphbuf_device {
	int fd;
	int iommufd;
	bool owns_fds;
	/* vfio-pci has the device because of TPHBUF_OPEN_BIND. */
	bool taken;
	char previous_driver[TPHBUF_DRIVER_SIZE];
	uint64_t config_offset;
	uint64_t config_size;
	struct tphbuf_bar bars[TPHBUF_NR_BARS];
	/* As found in sysfs before it was opened. */
	struct tphbuf_probe found;
	char sysroot[];
};

/*
 * Opens the function that @probe describes, whose @open is NONE, or NOT_BOUND
 * with @bind. On failure @probe->open is the reason.
 */
int tpb_device_open(const char *sysroot, struct tphbuf_probe *probe, bool bind,
		    struct tphbuf_device **dev);

/* The errno value, negative, for @probe->open. */
int tpb_reason_errno(const struct tphbuf_probe *probe);

/* -EINVAL for bits that are not in @allowed or a reserved field that is not zero. */
int tpb_options_check(const struct tphbuf_options *options, uint32_t allowed);

/* NULL for none. */
const char *tpb_options_sysroot(const struct tphbuf_options *options);

#endif
