// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH while a revocation waits for a fence, which
 * the test signals in the end. The revocation holds the reservation lock of the
 * buffer, which SET for this buffer waits for, through whatever device. It also
 * holds memory_lock of the device, which SET for another buffer does not need.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "sw_fence.h"
#include "vfio_tph.h"
#include "waiting_call.h"
#include "wire.h"

static int run_revoke(void *arg)
{
	struct accelerator *acc = arg;

	return tphbuf_device_disable_memory(acc->dev);
}

/* A SET through a device. */
struct set_call {
	struct accelerator *acc;
	struct raw_set_tph arg;
};

static int run_set(void *arg)
{
	struct set_call *set = arg;

	return raw_feature(tphbuf_device_fd(set->acc->dev), &set->arg);
}

static struct set_call set_of(struct accelerator *acc, int fd)
{
	struct set_call set = { .acc = acc, .arg = raw_set(fd) };

	set.arg.flags = RAW_TPH_ST | RAW_TPH_ST_EXT;
	set.arg.steering_tag_ext = 0x0032;
	return set;
}

static void set_is_interrupted(struct accelerator *through, struct accelerator *owner, int flags)
{
	struct tphbuf_tag tag = tag_ext(0x0031, 1);
	int fd = acc_export(owner, 0, 4 * PAGE, &tag), timeline = add_fence(fd);
	struct set_call set = set_of(through, fd);
	struct call revoke, call;
	struct wire_path path;

	catch_signal(flags);
	call_start(&revoke, run_revoke, owner, 'D');
	call_start(&call, run_set, &set, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR, "SET that a signal interrupted");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");

	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(owner, true);
	path = wire_path(owner, "dma0", fd);
	expect_writes(&path, wire_ext(0x0031, 1), "the tag is as it was before");
}

static void own_device_interrupted(void)
{
	struct accelerator acc = acc_open("acc0");

	set_is_interrupted(&acc, &acc, 0);
}

/*
 * The call is not restarted behind the back of the caller, whatever the handler
 * asks for.
 */
static void own_device_interrupted_sa_restart(void)
{
	struct accelerator acc = acc_open("acc0");

	set_is_interrupted(&acc, &acc, SA_RESTART);
}

static void another_device_interrupted(void)
{
	struct accelerator acc = acc_open("acc0"), other = acc_open("acc1");
	struct set_call set;
	int fd, timeline;
	struct call revoke, call;

	fd = acc_export(&acc, 0, PAGE, NULL);
	timeline = add_fence(fd);
	set = set_of(&other, fd);
	set.arg.flags = RAW_TPH_ST;
	catch_signal(0);
	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_set, &set, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR,
		     "SET through another device that a signal interrupted");

	call_start(&call, run_set, &set, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), -EINVAL,
		     "without a signal it sees that the buffer is not its own");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static void set_waits(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 4 * PAGE, NULL), timeline = add_fence(fd);
	struct set_call set = set_of(&acc, fd);
	struct call revoke, call;
	struct wire_path path;

	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_set, &set, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), 0, "SET after the wait");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(&acc, true);
	path = wire_path(&acc, "dma0", fd);
	expect_writes(&path, wire_ext(0x0032, 1), "the tag is there after the revocation");
}

static void another_buffer_does_not_wait(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 4 * PAGE, 4 * PAGE, NULL);
	int other = acc_export(&acc, 0, 4 * PAGE, NULL);
	int timeline = add_fence(fd);
	struct set_call set = set_of(&acc, other);
	struct call revoke, call;
	struct wire_path path;

	call_start(&revoke, run_revoke, &acc, 'D');
	call_begin(&call, run_set, &set);
	expect_error(call_end(&call), 0, "SET for another buffer of the device");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(&acc, true);
	path = wire_path(&acc, "dma0", other);
	expect_writes(&path, wire_ext(0x0032, 1), "the tag is there after the revocation");
}

/* What is refused before a lock is taken does not wait for it. */
static void early_errors_do_not_wait(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL), timeline = add_fence(fd);
	struct set_call set = set_of(&acc, fd);
	struct call revoke;

	call_start(&revoke, run_revoke, &acc, 'D');
	set.arg.flags = 1u << 7;
	expect_error(run_set(&set), -EINVAL, "bad flag");
	set = set_of(&acc, -1);
	expect_error(run_set(&set), -EBADF, "bad fd");
	set = set_of(&acc, STDIN_FILENO);
	expect_error(run_set(&set), -EINVAL, "no dma-buf");
	set.arg.feature |= RAW_FEATURE_PROBE;
	expect_error(run_set(&set), 0, "PROBE");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static void waiting_set_is_killed(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL), timeline = add_fence(fd), status, ms;
	struct call revoke;
	pid_t pid;

	call_start(&revoke, run_revoke, &acc, 'D');
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		struct set_call set = set_of(&acc, fd);

		_exit(run_set(&set) ? 1 : 0);
	}
	pause_ms(SETTLE_MS);
	require_int(waitpid(pid, &status, WNOHANG), 0, "the child waits");
	kill(pid, SIGKILL);
	for (ms = 0; ms < WAIT_MS && waitpid(pid, &status, WNOHANG) != pid; ms++)
		pause_ms(1);
	expect_true(ms < WAIT_MS && WIFSIGNALED(status), "it dies while the revocation waits on");
	expect_true(!atomic_load(&revoke.done), "the revocation waits on");
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&revoke), 0, "the revocation");
}

static int run_copy(void *arg)
{
	static uint32_t word;
	const struct wire_path *path = arg;

	return dma_engine_write(path->engine, path->handle, 0, &word, sizeof(word));
}

/*
 * The importer, too, waits for the reservation lock in a way that a signal
 * ends.
 */
static void importer_interrupted(void)
{
	struct tphbuf_tag tag = tag_ext(0x0033, 1);
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, 4 * PAGE, &tag), timeline;
	struct wire_path path = wire_path(&acc, "dma0", fd);
	struct call revoke, call;

	expect_writes(&path, wire_ext(0x0033, 1), "before");
	timeline = add_fence(fd);
	catch_signal(0);
	call_start(&revoke, run_revoke, &acc, 'D');
	call_start(&call, run_copy, &path, 'S');
	require_true(!pthread_kill(call.thread, SIGUSR1), "send a signal");
	expect_error(call_end(&call), -EINTR, "a copy that a signal interrupted");
	call_start(&call, run_copy, &path, 'S');
	require_error(sw_fence_signal(timeline), 0, "signal the fence");
	expect_error(call_end(&call), -ENODEV,
		     "without a signal it sees that the buffer is revoked");
	expect_error(call_end(&revoke), 0, "the revocation");
	acc_decode(&acc, true);
	expect_writes(&path, wire_ext(0x0033, 1), "after");
}

static const struct test_case cases[] = {
	{ "own_device_interrupted", own_device_interrupted },
	{ "own_device_interrupted_sa_restart", own_device_interrupted_sa_restart },
	{ "another_device_interrupted", another_device_interrupted },
	{ "set_waits", set_waits },
	{ "another_buffer_does_not_wait", another_buffer_does_not_wait },
	{ "early_errors_do_not_wait", early_errors_do_not_wait },
	{ "waiting_set_is_killed", waiting_set_is_killed },
	{ "importer_interrupted", importer_interrupted },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
