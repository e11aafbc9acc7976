/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Which driver has a PCI function: changed through sysfs. */
#ifndef TPB_DRIVER_H
#define TPB_DRIVER_H

#include <tphbuf/probe.h>

/*
 * Takes the function from the driver that has it, @from ("" for none), and
 * gives it to @to ("" for none). Leaves driver_override as it found it. -ENODEV
 * when @to did not take the function. When this fails, @from has been asked to
 * take it back.
 */
int tpb_driver_change(const char *sysroot, const char *bdf, const char *from, const char *to);

#endif
