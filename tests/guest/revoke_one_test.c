// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE: one dma-buf is withdrawn for good, from
 * CPUs and from importers, before the call returns; all others live on. acc0
 * and acc1 have at least 8 MiB behind BAR2, dma0 imports.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar_memory.h"
#include "case.h"
#include "foreign.h"
#include "guest.h"
#include "page_table.h"
#include "sw_fence.h"
#include "vfio_dma_buf.h"
#include "waiting_call.h"

#define HUGE_ENTRY	(2 * MIB)
#define SHARED_RW	PROT_READ | PROT_WRITE, MAP_SHARED

static int set(struct bar_memory *mem, const struct raw_revoke *arg)
{
	struct raw_revoke copy = *arg;

	return raw_feature(tphbuf_device_fd(mem->dev), &copy);
}

/* No way leads back to the memory: what was mapped, what is mapped, a new importer. */
static void expect_gone(int fd, volatile uint8_t *map, size_t length, const char *when)
{
	int engine = engine_open("dma0");

	expect_int((int64_t)page_entries(map, length).mapped, 0, "%s: bytes mapped", when);
	must_bus(map, when);
	expect_error(try_map(fd, SHARED_RW, 0, PAGE), -ENODEV, "%s: a new mapping", when);
	expect_error(dma_engine_import(engine, fd), -ENODEV, "%s: a new importer", when);
	close(engine);
}

static void from_cpus(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 2 * HUGE_ENTRY);
	int same = memory_export(&mem, 0, 2 * HUGE_ENTRY);
	int beside = memory_export(&mem, 2 * HUGE_ENTRY, PAGE);
	volatile uint8_t *map = map_shared(fd, 0, 2 * HUGE_ENTRY);
	volatile uint8_t *same_map = map_shared(same, 0, 2 * HUGE_ENTRY);
	volatile uint8_t *beside_map = map_shared(beside, 0, PAGE);
	volatile uint8_t *bar =
		map_shared(tphbuf_device_fd(mem.dev), mem.file_offset, 4 * HUGE_ENTRY);

	must_write(map, 0x600d, "before");
	must_write(map + HUGE_ENTRY + PAGE, 0x600e, "before, the second half");
	must_read(same_map, "another dma-buf of the same memory");
	must_write(beside_map, 1, "a dma-buf of other memory");
	must_read(bar, "the device file");

	require_error(revoke_set(&mem, fd), 0, "SET");
	expect_gone(fd, map, 2 * HUGE_ENTRY, "after SET");
	expect_true(page_entries(same_map, 2 * HUGE_ENTRY).mapped,
		    "the other dma-buf is mapped as it was");
	expect_true(page_entries(bar, 4 * HUGE_ENTRY).mapped,
		    "the device file is mapped as it was");
	expect_int(must_read(same_map, "another dma-buf of the same memory"), 0x600d, "bytes");
	expect_int(must_read(bar + HUGE_ENTRY + PAGE, "the device file"), 0x600e, "bytes");
	must_write(beside_map, 2, "a dma-buf of other memory");
	must_write(map_shared(memory_export(&mem, 0, PAGE), 0, PAGE), 3,
		   "a new dma-buf of the same memory");
}

static void from_importers(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE), other = memory_export(&mem, 0, 4 * PAGE);
	int engine = engine_open("dma0");
	uint32_t handle = engine_import(engine, fd), other_handle = engine_import(engine, other);
	volatile uint8_t *map = map_shared(other, 0, 4 * PAGE);
	uint32_t word = 0x11111111;

	require_error(dma_engine_write(engine, handle, 0, &word, sizeof(word)), 0, "a copy before");
	expect_int(must_read(map, "the memory"), 0x11111111, "bytes");
	require_error(revoke_set(&mem, fd), 0, "SET");
	word = 0x22222222;
	expect_error(dma_engine_write(engine, handle, 0, &word, sizeof(word)), -ENODEV,
		     "a copy after");
	expect_int(must_read(map, "the memory"), 0x11111111, "bytes");
	word = 0x33333333;
	expect_error(dma_engine_write(engine, other_handle, 0, &word, sizeof(word)), 0,
		     "a copy to the other dma-buf");
	expect_int(must_read(map, "the memory"), 0x33333333, "bytes");
}

/* What ends a revocation for a while does not end this one. */
static void for_good(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE), other = memory_export(&mem, 0, 4 * PAGE);
	int engine = engine_open("dma0");
	uint32_t handle = engine_import(engine, fd), word = 1;
	volatile uint8_t *map = map_shared(fd, 0, 4 * PAGE);
	volatile uint8_t *other_map = map_shared(other, 0, 4 * PAGE);

	must_write(map, 1, "before");
	require_error(revoke_set(&mem, fd), 0, "SET");
	memory_revoke(&mem);
	memory_restore(&mem);
	expect_gone(fd, map, 4 * PAGE, "memory decoding off and on");
	raw_reset(tphbuf_device_fd(mem.dev));
	memory_restore(&mem);
	expect_gone(fd, map, 4 * PAGE, "after a reset");
	expect_error(dma_engine_write(engine, handle, 0, &word, sizeof(word)), -ENODEV, "a copy");
	must_write(other_map, 2, "the other dma-buf");
	tphbuf_device_close(mem.dev);
	must_bus(map, "after the close");
	mem = memory_open("acc0");
	must_bus(map, "after somebody opened the device again");
}

/* While nothing has access anyway. */
static void while_revoked(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE), other = memory_export(&mem, 0, 4 * PAGE);
	volatile uint8_t *map = map_shared(fd, 0, 4 * PAGE);
	volatile uint8_t *other_map = map_shared(other, 0, 4 * PAGE);

	must_write(map, 1, "before");
	memory_revoke(&mem);
	require_error(revoke_set(&mem, fd), 0, "SET without memory decoding");
	expect_error(revoke_set(&mem, fd), -EBADFD, "again");
	memory_restore(&mem);
	expect_gone(fd, map, 4 * PAGE, "with memory decoding again");
	must_write(other_map, 2, "the other dma-buf");
}

/* Released, closed and unbound as any other. */
static void goes_as_any_other(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, 4 * PAGE), kept = memory_export(&mem, 0, 4 * PAGE);

	require_error(revoke_set(&mem, fd), 0, "SET");
	close(fd);
	require_error(revoke_set(&mem, kept), 0, "SET of another");
	for (int i = 0; i < 100; i++) {
		fd = memory_export(&mem, 0, PAGE);
		require_error(revoke_set(&mem, fd), 0, "SET, round %d", i);
		close(fd);
	}
	tphbuf_device_close(mem.dev);
	devices_unbind();
	mem = memory_open("acc0");
	expect_error(revoke_set(&mem, kept), -ENODEV, "one of a device that was closed");
}

static void probe(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct raw_revoke arg = raw_revoke(-1);

	expect_error(revoke_probe(&mem), 0, "PROBE");
	arg.feature |= RAW_FEATURE_PROBE;
	expect_error(set(&mem, &arg), 0, "PROBE with SET");
	arg.feature = RAW_FEATURE_PROBE | RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_REVOKE;
	expect_error(set(&mem, &arg), -EINVAL, "PROBE with GET");
	arg.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_REVOKE;
	expect_error(set(&mem, &arg), -EINVAL, "GET");
}

static void errors(void)
{
	struct bar_memory mem = memory_open("acc0"), other = memory_open("acc1");
	int fd = memory_export(&mem, 0, PAGE), others = memory_export(&other, 0, PAGE), foreign;
	uint8_t *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct raw_revoke arg = raw_revoke(fd);

	for (arg.argsz = 8; arg.argsz < sizeof(arg); arg.argsz++)
		expect_error(set(&mem, &arg), -EINVAL, "argsz %u", arg.argsz);
	arg = raw_revoke(fd);
	require_true(pages != MAP_FAILED && !munmap(pages + PAGE, PAGE),
		     "a page with nothing behind it");
	memcpy(pages + PAGE - 12, &arg, 12);
	expect_error(raw_feature(tphbuf_device_fd(mem.dev), pages + PAGE - 12), -EFAULT,
		     "an argument that cannot be read to its end");
	for (unsigned int bit = 0; bit < 32; bit++) {
		arg.flags = 1u << bit;
		expect_error(set(&mem, &arg), -EINVAL, "flags 0x%x", arg.flags);
	}
	expect_error(revoke_set(&mem, -1), -EBADF, "no descriptor");
	expect_error(revoke_set(&mem, tphbuf_device_fd(mem.dev)), -EINVAL, "not a dma-buf");
	foreign = foreign_udmabuf(PAGE);
	require_error(foreign < 0 ? foreign : 0, 0, "a dma-buf of system memory");
	expect_error(revoke_set(&mem, foreign), -ENXIO, "a dma-buf of another exporter");
	expect_error(revoke_set(&mem, others), -EXDEV, "a dma-buf of another device");
	tphbuf_device_close(other.dev);
	expect_error(revoke_set(&mem, others), -ENODEV,
		     "a dma-buf of another device that was closed");

	must_write(map_shared(fd, 0, PAGE), 1, "the dma-buf, after all that was refused");
	expect_error(revoke_set(&mem, fd), 0, "SET");
	expect_error(revoke_set(&mem, fd), -EBADFD, "again");
}

/* The hints stay the owner's to change; they serve nobody any more. */
static void hints_can_be_set(void)
{
	struct bar_memory mem = memory_open("acc0");
	int fd = memory_export(&mem, 0, PAGE);
	struct raw_set_tph tag = raw_set(fd);

	require_error(revoke_set(&mem, fd), 0, "SET");
	expect_error(raw_feature(tphbuf_device_fd(mem.dev), &tag), 0, "SET of hints");
}

struct set_call {
	struct bar_memory *mem;
	int fd;
};

static int run_set(void *arg)
{
	struct set_call *call = arg;

	return revoke_set(call->mem, call->fd);
}

/* A fence says that somebody still uses the memory. */
static void waits_for_users(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct set_call arg = { .mem = &mem, .fd = memory_export(&mem, 0, PAGE) };
	int timeline = add_fence(arg.fd);
	volatile uint8_t *map = map_shared(arg.fd, 0, PAGE);
	struct call call;

	must_write(map, 1, "before");
	call_start(&call, run_set, &arg, 'D');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), 0, "SET");
	expect_gone(arg.fd, map, PAGE, "after SET");
}

/* A signal that kills ends the wait for the locks of the device, which another revocation holds. */
static void waiting_set_is_killed(void)
{
	struct bar_memory mem = memory_open("acc0");
	struct set_call arg = { .mem = &mem, .fd = memory_export(&mem, 0, PAGE) };
	int timeline = add_fence(arg.fd), other = memory_export(&mem, 0, PAGE), status, ms;
	volatile uint8_t *map = map_shared(other, 0, PAGE);
	struct call call;
	pid_t pid;

	call_start(&call, run_set, &arg, 'D');
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid)
		_exit(revoke_set(&mem, other) ? 1 : 0);
	pause_ms(SETTLE_MS);
	require_int(waitpid(pid, &status, WNOHANG), 0, "the child waits");
	kill(pid, SIGKILL);
	for (ms = 0; ms < WAIT_MS && waitpid(pid, &status, WNOHANG) != pid; ms++)
		pause_ms(1);
	expect_true(ms < WAIT_MS && WIFSIGNALED(status), "it dies");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), 0, "SET of the first");
	must_write(map, 1, "the other dma-buf");
}

static const struct test_case cases[] = {
	{ "probe", probe },
	{ "errors", errors },
	{ "from_cpus", from_cpus },
	{ "from_importers", from_importers },
	{ "for_good", for_good },
	{ "while_revoked", while_revoked },
	{ "goes_as_any_other", goes_as_any_other },
	{ "hints_can_be_set", hints_can_be_set },
	{ "waits_for_users", waits_for_users },
	{ "waiting_set_is_killed", waiting_set_is_killed },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
