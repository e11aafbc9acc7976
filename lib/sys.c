// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What every system below the library has in common. */
#include <errno.h>

#include "sys.h"

/* ENOTSUPP of the kernel's own sources, which is not meant for user space. */
#define KERNEL_ENOTSUPP		524

int tpb_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = tpb_sys.ioctl(fd, request, arg);

	return ret == -KERNEL_ENOTSUPP ? -EOPNOTSUPP : ret;
}

int tpb_ioctl_value(int fd, unsigned long request, unsigned long value)
{
	return tpb_ioctl(fd, request, (void *)value);
}
