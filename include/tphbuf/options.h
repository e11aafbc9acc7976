/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_OPTIONS_H
#define TPHBUF_OPTIONS_H

#include <stdint.h>

/**
 * struct tphbuf_options - how to look for devices
 * @flags: flags of the call that it is given to: TPHBUF_OPEN_* for
 *	tphbuf_device_open(), TPHBUF_PROBE_* for tphbuf_probe() and
 *	tphbuf_probe_all(), none for other calls
 * @reserved: zero, or the call fails with -EINVAL
 * @sysroot: directory that stands for "/" in front of /sys, /dev and /proc, NULL
 *	or "" for the running system; the caller keeps it until the call returns
 * @vf_token: UUID that the owner of the physical function has set, as text
 *	("00112233-4455-6677-8899-aabbccddeeff"), NULL or "" for none; the caller
 *	keeps it until the call returns
 *
 * Initialize it to zero. A call that accepts options also accepts NULL.
 */
struct tphbuf_options {
	uint32_t flags;
	uint32_t reserved[5];
	const char *sysroot;
	const char *vf_token;
};

#endif
