/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Which driver has a PCI function: changed through sysfs. */
#ifndef TPB_DRIVER_H
#define TPB_DRIVER_H

#include <stdbool.h>

#include <tphbuf/probe.h>

/* The file that could not be written to, without the sysroot. */
struct tpb_denied {
	char path[TPHBUF_DENIED_SIZE];
};

/*
 * Keeps other processes that use this library from changing the driver of a
 * function. The lock goes with the process. Returns a value for
 * tpb_driver_unlock(), or -EWOULDBLOCK when @limited and another process has
 * held the lock for seconds.
 */
int tpb_driver_lock(const char *sysroot, const char *bdf, bool limited);
void tpb_driver_unlock(int lock);

/*
 * Takes the function, whose lock the caller has, from the driver that has it,
 * @from ("" for none), and gives it to @to ("" for none). Leaves driver_override
 * as it found it. -ENODEV when @to did not take the function. When this fails,
 * @from has been asked to take it back, and @denied names the file.
 */
int tpb_driver_change(const char *sysroot, const char *bdf, const char *from, const char *to,
		      struct tpb_denied *denied);

#endif
