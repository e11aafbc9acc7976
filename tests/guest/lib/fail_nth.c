// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fail_nth.h"
#include "guest.h"

/* Open all the time: opening it allocates. */
static int control;

/*
 * What is armed at the moment may hit this very call, and is over then.
 */
void fail_nth(unsigned int n)
{
	char text[20];
	int length = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(control, text, (size_t)length, 0) != length)
		require_int(errno, EFAULT, "errno of arming a failure");
}

/* If it has not happened, reading what is left is a chance to fail as well. */
bool fail_nth_done(void)
{
	char left = 0;

	if (pread(control, &left, 1, 0) != 1)
		require_int(errno, EFAULT, "errno of reading what is left");
	fail_nth(0);
	return left == '0';
}

void fail_nth_open(void)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc" };
	char path[80];
	unsigned int i;

	control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	require_true(control >= 0, "open fail-nth (the kernel needs CONFIG_FAULT_INJECTION)");
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", kinds[i]);
		require_error(sysfs_write(path, "N"), 0, "let allocations fail that may wait");
		/* A stack trace for each would drown the kernel log. */
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", kinds[i]);
		require_error(sysfs_write(path, "0"), 0, "be quiet about it");
	}
	require_error(sysfs_write("/sys/kernel/debug/fail_usercopy/verbose", "0"), 0,
		      "be quiet about it");
}

bool is_injected(int ret)
{
	return ret == -ENOMEM || ret == -EFAULT;
}
