// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: event descriptors. They count, and one that is full and may block does not: neither
 * the first event nor more than the kernel keeps results of.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tap.h"
#include "vfio_user/event.h"

#define SECONDS	20

static void test_counts(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	eventfd_t count = 0;

	for (unsigned int i = 0; i < 1000; i++)
		vfio_user_event_signal(fd);
	is_int(eventfd_read(fd, &count), 0, "there are events");
	is_int(count, 1000, "as many as were sent");
	close(fd);
}

static void test_full(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	eventfd_t count = 0;

	eventfd_write(fd, UINT64_MAX - 1);
	alarm(SECONDS);
	for (unsigned int i = 0; i < 1000; i++)
		vfio_user_event_signal(fd);
	alarm(0);
	ok(true, "a full counter holds up nobody");
	eventfd_read(fd, &count);
	ok(count >= UINT64_MAX - 1, "and stays full");
	is_int(fcntl(fd, F_GETFL) & O_NONBLOCK, 0, "flags are as they were");
	close(fd);
}

int main(void)
{
	is_int(vfio_user_event_init(), 0, "prepared");
	test_counts();
	test_full();
	return done_testing();
}
