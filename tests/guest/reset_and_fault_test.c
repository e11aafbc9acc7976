// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault on a dma-buf against a reset of its device, which has an ATS
 * capability: the reset takes the mutex of the IOMMU group with memory_lock
 * held, so a fault must not want memory_lock with mmap_lock held. acc0 has the
 * capability. What lockdep finds is in the kernel log.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "guest.h"
#include "sw_fence.h"
#include "vfio_dma_buf.h"
#include "waiting_call.h"

#define HUGE_ENTRY	(2 * MIB)
#define ROUNDS		10
#define EXT_CAP_ATS	0x0f

static bool has_ats(struct bar_memory *mem)
{
	uint32_t header, at = 0x100;

	while (at && !tphbuf_device_config_read(mem->dev, at, &header, sizeof(header))) {
		if ((header & 0xffff) == EXT_CAP_ATS)
			return true;
		at = header >> 20;
	}
	return false;
}

static int run_revoke(void *arg)
{
	struct bar_memory *mem = arg;

	return tphbuf_device_disable_memory(mem->dev);
}

static int run_touch(void *arg)
{
	uint32_t value;

	return touch_read(arg, &value);
}

/* A revocation that waits for the first dma-buf has memory_lock, and has not come to the second. */
static void fault_does_not_want_memory_lock(void)
{
	struct bar_memory mem = memory_open("acc0");
	int first = memory_export(&mem, 0, PAGE), second = memory_export(&mem, PAGE, PAGE);
	volatile uint8_t *map = map_shared(second, 0, PAGE);
	int timeline = add_fence(first);
	struct call revoke, touch;

	call_start(&revoke, run_revoke, &mem, 'D');
	call_begin(&touch, run_touch, (void *)map);
	expect_int(call_end(&touch), 0, "an access to the second: signal");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
	must_bus(map, "the second, revoked");
}

static atomic_bool stop;

/* Faults on fresh mappings, of the process and of the kernel on its behalf, until it is told. */
static int run_faults(void *arg)
{
	const int *fd = arg;
	int fds[2], through = 0;

	if (pipe2(fds, O_NONBLOCK))
		return -errno;
	while (!atomic_load(&stop)) {
		volatile uint8_t *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, *fd, 0);
		uint32_t value;
		int number;
		char byte;

		if (map == MAP_FAILED)
			return -errno;
		number = touch_read(map, &value);
		if (number && number != SIGBUS)
			return -EINVAL;
		through += !number;
		if (write(fds[1], (const void *)(map + PAGE), 1) == 1)
			(void)!read(fds[0], &byte, 1);
		munmap((void *)map, 2 * PAGE);
	}
	return through;
}

static void resets_and_faults(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * HUGE_ENTRY), ret;
	volatile uint8_t *map = map_shared(fd, 0, 2 * HUGE_ENTRY);
	struct call faults;

	require_true(has_ats(&mem), "the device has an ATS capability");
	call_begin(&faults, run_faults, &fd);
	for (int i = 0; i < ROUNDS; i++) {
		require_error(raw_reset(tphbuf_device_fd(mem.dev)), 0, "reset %d", i);
		memory_restore(&mem);
		must_write(map, 1, "after the reset");
		pause_ms(20);
	}
	atomic_store(&stop, true);
	ret = call_end(&faults);
	diag("%d accesses got through", ret);
	expect_true(ret > 0, "accesses get through between resets: %d", ret);
}

static const struct test_case cases[] = {
	{ "fault_does_not_want_memory_lock", fault_does_not_want_memory_lock },
	{ "resets_and_faults", resets_and_faults },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
