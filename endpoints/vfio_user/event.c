// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event descriptors, signalled by asynchronous reads of nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "event.h"

/* Results that may lie in the kernel's ring, and signals after which they are taken out. */
#define RING_EVENTS	128
#define SIGNALS_PER_REAP 32u

static pthread_once_t once = PTHREAD_ONCE_INIT;
static aio_context_t context;
static int nothing = -1;
static int failure;
static atomic_uint signals;

static void prepare(void)
{
	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0 || syscall(SYS_io_setup, RING_EVENTS, &context) < 0)
		failure = -errno;
}

int vfio_user_event_init(void)
{
	pthread_once(&once, prepare);
	return failure;
}

static void reap(void)
{
	struct timespec none = { 0 };
	struct io_event events[RING_EVENTS];

	syscall(SYS_io_getevents, context, 0l, (long)RING_EVENTS, events, &none);
}

void vfio_user_event_signal(int fd)
{
	char byte;
	struct iocb read = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)nothing,
		.aio_buf = (uint64_t)(uintptr_t)&byte,
		.aio_nbytes = sizeof(byte),
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *reads[] = { &read };

	if (atomic_fetch_add_explicit(&signals, 1, memory_order_relaxed) % SIGNALS_PER_REAP ==
	    SIGNALS_PER_REAP - 1)
		reap();
	/* A read at the end of a file is done when it is submitted: its place is soon free. */
	while (syscall(SYS_io_submit, context, 1l, reads) < 0 && errno == EAGAIN)
		reap();
}
