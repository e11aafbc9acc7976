/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_BDF_H
#define TPB_BDF_H

#include <tphbuf/probe.h>

/*
 * Reads a PCI address, "dddd:bb:dd.f" or "bb:dd.f" in domain 0, in hex, and
 * writes it as sysfs does. Returns 0, or -EINVAL when @text is none.
 */
int tpb_bdf_parse(const char *text, char bdf[TPHBUF_BDF_SIZE]);

/* Order by domain, bus, device and function, of addresses as sysfs writes them. */
int tpb_bdf_compare(const char *a, const char *b);

#endif
