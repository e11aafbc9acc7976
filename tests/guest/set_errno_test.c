// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The results of VFIO_DEVICE_FEATURE_DMA_BUF_TPH, row by row, and with two
 * faults in one call which of them is reported. acc0 completes extended tags,
 * acc1 8-bit ones, acc2 none, acc3 has the reserved value.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "foreign.h"
#include "guest.h"
#include "vfio_tph.h"

static int set(struct accelerator *acc, const struct raw_set_tph *arg)
{
	struct raw_set_tph copy = *arg;

	return raw_feature(tphbuf_device_fd(acc->dev), &copy);
}

/* @length bytes at the end of a page, with nothing mapped behind it. */
static void *before_the_void(const void *bytes, size_t length)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);

	require_true(pages != MAP_FAILED, "map two pages");
	require_true(!munmap(pages + PAGE, PAGE), "unmap the second");
	return memcpy(pages + PAGE - length, bytes, length);
}

static void success(void)
{
	struct accelerator acc = acc_open("acc0"), narrow = acc_open("acc1");
	int fd = acc_export(&acc, 0, PAGE, NULL), narrow_fd = acc_export(&narrow, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	for (unsigned int flags = 0; flags < 4; flags++) {
		for (unsigned int ph = 0; ph < 4; ph++) {
			arg.flags = flags;
			arg.ph = ph;
			expect_error(set(&acc, &arg), 0, "flags %u, ph %u", flags, ph);
		}
	}
	arg = raw_set(narrow_fd);
	expect_error(set(&narrow, &arg), 0, "8-bit tag on an 8-bit completer");
	arg.flags = 0;
	expect_error(set(&narrow, &arg), 0, "clear on an 8-bit completer");
	arg.steering_tag_ext = 0xffff;
	expect_error(set(&narrow, &arg), 0, "a tag without its flag is not looked at");
}

static void longer_argument(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL);
	struct {
		struct raw_set_tph set;
		uint8_t more[44];
	} arg = { .set = raw_set(fd) };

	memset(arg.more, 0xff, sizeof(arg.more));
	arg.set.argsz = sizeof(arg);
	expect_error(raw_feature(tphbuf_device_fd(acc.dev), &arg), 0, "argsz %zu", sizeof(arg));
}

static void probe(void)
{
	static const char * const names[] = { "acc0", "acc1" };

	for (unsigned int i = 0; i < 2; i++) {
		struct accelerator acc = acc_open(names[i]);
		struct raw_set_tph arg = raw_set(-1);

		arg.feature |= RAW_FEATURE_PROBE;
		expect_error(set(&acc, &arg), 0, "%s: PROBE with SET", names[i]);
		arg.argsz = 8;
		expect_error(set(&acc, &arg), 0, "%s: PROBE with SET, the header alone", names[i]);
		arg.feature = RAW_FEATURE_PROBE | RAW_FEATURE_DMA_BUF_TPH;
		expect_error(set(&acc, &arg), 0, "%s: PROBE alone", names[i]);
		arg.feature |= RAW_FEATURE_GET;
		expect_error(set(&acc, &arg), -EINVAL, "%s: PROBE with GET", names[i]);
		arg.feature |= RAW_FEATURE_SET;
		expect_error(set(&acc, &arg), -EINVAL, "%s: PROBE with both", names[i]);
	}
}

static void probe_changes_nothing(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_tag tag = tag_both(0x03, 0x0021, 2);
	int fd = acc_export(&acc, 0, PAGE, &tag), engine = engine_open("dma0");
	uint32_t handle = engine_import(engine, fd), word = 0;
	struct raw_set_tph arg = raw_set(fd);
	struct tph_dma_query query;

	arg.feature |= RAW_FEATURE_PROBE;
	arg.flags = 0;
	expect_error(set(&acc, &arg), 0, "PROBE with SET, and a tuple that would clear");
	require_error(dma_engine_write(engine, handle, 0, &word, sizeof(word)), 0, "copy");
	query = engine_query(engine, handle);
	expect_true(query.state & TPH_DMA_STATE_TAGGED, "the tag is still there");
	expect_int(query.steering_tag, 0x0021, "the tag");
	expect_int(query.ph, 2, "the hint");
}

static void no_completer(void)
{
	static const char * const names[] = { "acc2", "acc3" };

	for (unsigned int i = 0; i < 2; i++) {
		struct accelerator acc = acc_open(names[i]);
		int fd = acc_export(&acc, 0, PAGE, NULL);
		struct raw_set_tph arg = raw_set(fd);

		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: SET", names[i]);
		arg.flags = 0;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: clear", names[i]);
		arg.flags = RAW_TPH_ST_EXT;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: extended", names[i]);
		arg.feature = RAW_FEATURE_PROBE | RAW_FEATURE_DMA_BUF_TPH;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: PROBE", names[i]);
		arg.feature |= RAW_FEATURE_SET;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: PROBE with SET", names[i]);

		/* It is the first thing that is looked at. */
		arg = raw_set(-1);
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: wins over a bad fd", names[i]);
		arg.argsz = 8;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: wins over a short argsz", names[i]);
		arg.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_TPH;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: wins over GET", names[i]);
		arg = raw_set(fd);
		arg.flags = ~0u;
		expect_error(set(&acc, &arg), -EOPNOTSUPP, "%s: wins over bad flags", names[i]);
		expect_error(raw_feature(tphbuf_device_fd(acc.dev),
					 before_the_void(&arg, 8)),
			     -EOPNOTSUPP, "%s: wins over a bad address", names[i]);
	}
}

static void wrong_operation(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	arg.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF_TPH;
	expect_error(set(&acc, &arg), -EINVAL, "GET");
	arg.feature |= RAW_FEATURE_SET;
	expect_error(set(&acc, &arg), -EINVAL, "GET and SET");
	arg.feature = RAW_FEATURE_DMA_BUF_TPH;
	expect_error(set(&acc, &arg), -EINVAL, "neither");
}

static void short_argsz(void)
{
	struct accelerator acc = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	for (uint32_t argsz = 0; argsz < sizeof(arg); argsz++) {
		arg.argsz = argsz;
		expect_error(set(&acc, &arg), -EINVAL, "argsz %u", argsz);
	}
	arg.argsz = 8;
	expect_error(raw_feature(tphbuf_device_fd(acc.dev), before_the_void(&arg, 8)), -EINVAL,
		     "wins over a bad address");
}

static void bad_address(void)
{
	struct accelerator acc = acc_open("acc0");
	int device = tphbuf_device_fd(acc.dev), fd = acc_export(&acc, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	expect_error(raw_feature(device, NULL), -EFAULT, "no argument at all");
	for (size_t length = 8; length < sizeof(arg); length++)
		expect_error(raw_feature(device, before_the_void(&arg, length)), -EFAULT,
			     "the first %zu bytes can be read", length);
	expect_error(raw_feature(device, before_the_void(&arg, sizeof(arg))), 0, "all of them");

	/* What can be read of it is wrong, but the rest cannot be read. */
	arg.dmabuf_fd = -1;
	arg.flags = ~0u;
	expect_error(raw_feature(device, before_the_void(&arg, 16)), -EFAULT,
		     "wins over bad flags and a bad fd");
}

static void bad_flags_and_hints(void)
{
	struct accelerator acc = acc_open("acc0"), narrow = acc_open("acc1");
	int fd = acc_export(&acc, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	for (unsigned int bit = 2; bit < 32; bit++) {
		arg.flags = RAW_TPH_ST | 1u << bit;
		expect_error(set(&acc, &arg), -EINVAL, "flag bit %u", bit);
	}
	arg = raw_set(fd);
	for (unsigned int ph = 4; ph < 256; ph++) {
		arg.ph = ph;
		expect_error(set(&acc, &arg), -EINVAL, "ph %u", ph);
	}
	arg.flags = 0;
	expect_error(set(&acc, &arg), -EINVAL, "ph 255, even when no tag is valid");

	arg = raw_set(-1);
	arg.flags |= 1u << 2;
	expect_error(set(&acc, &arg), -EINVAL, "a bad flag wins over a bad fd");
	arg = raw_set(-1);
	arg.ph = 4;
	expect_error(set(&acc, &arg), -EINVAL, "a bad hint wins over a bad fd");
	arg = raw_set(-1);
	arg.flags = RAW_TPH_ST_EXT | 1u << 2;
	expect_error(set(&narrow, &arg), -EINVAL,
		     "a bad flag wins over an extended tag on an 8-bit completer");
	arg = raw_set(-1);
	arg.flags = RAW_TPH_ST_EXT;
	arg.ph = 4;
	expect_error(set(&narrow, &arg), -EINVAL,
		     "a bad hint wins over an extended tag on an 8-bit completer");
}

static void extended_on_8bit_completer(void)
{
	struct accelerator acc = acc_open("acc1"), other = acc_open("acc0");
	int fd = acc_export(&acc, 0, PAGE, NULL), other_fd = acc_export(&other, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	arg.flags = RAW_TPH_ST_EXT;
	arg.steering_tag_ext = 0x12;
	expect_error(set(&acc, &arg), -EOPNOTSUPP, "extended alone, a number that fits in 8 bits");
	arg.flags |= RAW_TPH_ST;
	expect_error(set(&acc, &arg), -EOPNOTSUPP, "with an 8-bit tag");
	arg.dmabuf_fd = -1;
	expect_error(set(&acc, &arg), -EOPNOTSUPP, "wins over a bad fd");
	arg.dmabuf_fd = STDIN_FILENO;
	expect_error(set(&acc, &arg), -EOPNOTSUPP, "wins over a file that is no dma-buf");
	arg.dmabuf_fd = other_fd;
	expect_error(set(&acc, &arg), -EOPNOTSUPP, "wins over another device's buffer");
}

static void bad_fd(void)
{
	struct accelerator acc = acc_open("acc0");
	int closed = acc_export(&acc, 0, PAGE, NULL), pipes[2];
	struct raw_set_tph arg = raw_set(-1);

	expect_error(set(&acc, &arg), -EBADF, "fd -1");
	arg.dmabuf_fd = INT32_MIN;
	expect_error(set(&acc, &arg), -EBADF, "the smallest fd");
	arg.dmabuf_fd = INT32_MAX;
	expect_error(set(&acc, &arg), -EBADF, "the largest fd");
	close(closed);
	arg.dmabuf_fd = closed;
	expect_error(set(&acc, &arg), -EBADF, "an fd that was closed");

	require_true(!pipe(pipes), "make a pipe");
	arg.dmabuf_fd = pipes[0];
	expect_error(set(&acc, &arg), -EINVAL, "a pipe");
	arg.dmabuf_fd = eventfd(0, EFD_CLOEXEC);
	expect_error(set(&acc, &arg), -EINVAL, "an eventfd");
	arg.dmabuf_fd = open("/dev/null", O_RDWR);
	expect_error(set(&acc, &arg), -EINVAL, "/dev/null");
	arg.dmabuf_fd = tphbuf_device_fd(acc.dev);
	expect_error(set(&acc, &arg), -EINVAL, "the device itself");
	arg.dmabuf_fd = tphbuf_device_iommufd(acc.dev);
	expect_error(set(&acc, &arg), -EINVAL, "the iommufd");
}

static void foreign_exporters(void)
{
	struct accelerator acc = acc_open("acc0");
	struct raw_set_tph arg = raw_set(foreign_udmabuf(PAGE));

	require_error(arg.dmabuf_fd < 0 ? arg.dmabuf_fd : 0, 0, "make a udmabuf");
	expect_error(set(&acc, &arg), -EINVAL, "a udmabuf");
	arg.flags = 0;
	expect_error(set(&acc, &arg), -EINVAL, "clearing a udmabuf");

	arg = raw_set(foreign_system_heap(PAGE));
	require_error(arg.dmabuf_fd < 0 ? arg.dmabuf_fd : 0, 0,
		      "take a buffer from the system heap");
	expect_error(set(&acc, &arg), -EINVAL, "a buffer of the system heap");
}

static void another_device(void)
{
	struct accelerator a = acc_open("acc0"), b = acc_open("acc1");
	int of_a = acc_export(&a, 0, PAGE, NULL), of_b = acc_export(&b, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(of_b);

	expect_error(set(&a, &arg), -EINVAL, "acc1's buffer through acc0");
	arg = raw_set(of_a);
	expect_error(set(&b, &arg), -EINVAL, "acc0's buffer through acc1");
	expect_error(set(&a, &arg), 0, "acc0's buffer through acc0");
}

static void detached(void)
{
	struct accelerator acc = acc_open("acc0"), again;
	int fd = acc_export(&acc, 0, PAGE, NULL);
	struct raw_set_tph arg = raw_set(fd);

	expect_error(set(&acc, &arg), 0, "while the device is open");
	accelerator_close(&acc);
	again = acc_open("acc0");
	expect_error(set(&again, &arg), -EINVAL,
		     "the same device, opened again: the buffer belongs to the first opening");
}

/* A SET that fails leaves the tuple alone. */
static void failure_changes_nothing(void)
{
	struct accelerator acc = acc_open("acc0"), other = acc_open("acc1");
	struct tphbuf_tag tag = tag_both(0x03, 0x0021, 2);
	int fd = acc_export(&acc, 0, PAGE, &tag), engine = engine_open("dma0");
	uint32_t handle = engine_import(engine, fd), word = 0;
	struct raw_set_tph arg = raw_set(fd);
	struct tph_dma_query query;

	arg.flags = RAW_TPH_ST_EXT | 1u << 5;
	expect_error(set(&acc, &arg), -EINVAL, "bad flag");
	arg.flags = RAW_TPH_ST_EXT;
	arg.ph = 9;
	expect_error(set(&acc, &arg), -EINVAL, "bad hint");
	arg.ph = 0;
	arg.flags = RAW_TPH_ST;
	expect_error(set(&other, &arg), -EINVAL, "through another device");
	require_error(dma_engine_write(engine, handle, 0, &word, sizeof(word)), 0, "copy");
	query = engine_query(engine, handle);
	expect_true(query.state & TPH_DMA_STATE_TAGGED, "the tag is still there");
	expect_int(query.steering_tag, 0x0021, "the tag");
	expect_int(query.ph, 2, "the hint");
}

static const struct test_case cases[] = {
	{ "success", success },
	{ "longer_argument", longer_argument },
	{ "probe", probe },
	{ "probe_changes_nothing", probe_changes_nothing },
	{ "no_completer", no_completer },
	{ "wrong_operation", wrong_operation },
	{ "short_argsz", short_argsz },
	{ "bad_address", bad_address },
	{ "bad_flags_and_hints", bad_flags_and_hints },
	{ "extended_on_8bit_completer", extended_on_8bit_completer },
	{ "bad_fd", bad_fd },
	{ "foreign_exporters", foreign_exporters },
	{ "another_device", another_device },
	{ "detached", detached },
	{ "failure_changes_nothing", failure_changes_nothing },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
