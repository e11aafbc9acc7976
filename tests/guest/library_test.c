// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libtphbuf on the real kernel: opening, binding and giving back, what it says
 * about each device, and that an export is tagged or not there at all. acc0
 * completes extended tags, acc1 8-bit ones, acc2 none, acc3 has the reserved
 * value; dma0 is an engine that tph_dma drives.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define NOBODY		65534

static const char * const accelerators[] = { "acc0", "acc1", "acc2", "acc3" };

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	require_true(dir, "list the open files");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Each device as it comes: not bound to anything. */
static void unbind_all(void)
{
	devices_unbind();
}

static const char *driver_of(const char *name, char *buf, size_t size)
{
	char path[100], target[200];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", device_bdf(name));
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = 0;
	snprintf(buf, size, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : "");
	return buf;
}

static void expect_reason(enum tphbuf_reason got, enum tphbuf_reason want, const char *what)
{
	if (got != want)
		diag("%s: \"%s\" instead of \"%s\"", what, tphbuf_reason_name(got),
		     tphbuf_reason_name(want));
	expect_int(got, want, "%s", what);
}

static void open_unbound(void)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;
	char driver[64];

	unbind_all();
	expect_error(tphbuf_device_open(device_bdf("acc0"), NULL, &dev, &why), -ENODEV,
		     "open without binding");
	expect_reason(why.open, TPHBUF_REASON_NOT_BOUND, "why");
	expect_true(!strcmp(driver_of("acc0", driver, sizeof(driver)), ""), "it was not bound");
}

static void open_binds_and_restores(void)
{
	struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };
	static const char * const names[] = { "acc0", "dma0" };
	static const char * const drivers[] = { "", "tph_dma" };
	char driver[64];

	unbind_all();
	for (int i = 0; i < 2; i++) {
		struct tphbuf_device *dev;

		require_error(tphbuf_device_open(device_bdf(names[i]), &options, &dev, NULL), 0,
			      "open %s", names[i]);
		expect_true(!strcmp(driver_of(names[i], driver, sizeof(driver)), "vfio-pci"),
			    "%s is bound, to \"%s\"", names[i], driver);
		expect_true(!strcmp(tphbuf_device_previous_driver(dev), drivers[i]),
			    "previous driver of %s is \"%s\"", names[i],
			    tphbuf_device_previous_driver(dev));
		expect_error(tphbuf_device_restore_driver(dev), 0, "give %s back", names[i]);
		expect_true(!strcmp(driver_of(names[i], driver, sizeof(driver)), drivers[i]),
			    "%s is with \"%s\" again", names[i], driver);
	}
}

static void open_nonsense(void)
{
	static const struct {
		const char *name;
		int want;
	} list[] = {
		{ "", -EINVAL },
		{ "accelerator", -EINVAL },
		{ "0000:00:1f.9", -EINVAL },
		{ "0000:7f:00.0", -ENODEV },
		{ "/dev/null", -EINVAL },
		{ "/dev/vfio/devices/vfio77", -ENODEV },
	};
	struct tphbuf_device *dev = NULL;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		expect_error(tphbuf_device_open(list[i].name, NULL, &dev, NULL), list[i].want,
			     "open \"%s\"", list[i].name);
	expect_true(!dev, "no device came of it");
}

static void open_twice(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_device *dev;
	struct tphbuf_probe why;

	expect_error(tphbuf_device_open(device_bdf("acc0"), NULL, &dev, &why), -EBUSY,
		     "open what is open");
	expect_reason(why.open, TPHBUF_REASON_BUSY, "why");
	accelerator_close(&acc);
	acc = acc_open("acc0");
}

static void open_by_path(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_device *dev;
	struct tphbuf_probe probe;

	require_error(tphbuf_device_probe(acc.dev, &probe), 0, "probe");
	expect_true(!strncmp(probe.cdev, "/dev/vfio/devices/vfio", 22), "the device file is \"%s\"",
		    probe.cdev);
	accelerator_close(&acc);
	require_error(tphbuf_device_open(probe.cdev, NULL, &dev, NULL), 0, "open \"%s\"",
		      probe.cdev);
	expect_true(!strcmp(tphbuf_device_bdf(dev), device_bdf("acc0")), "it is \"%s\"",
		    tphbuf_device_bdf(dev));
	tphbuf_device_close(dev);
}

/* As another user, who may not even open the file. */
static void open_without_permission(void)
{
	struct accelerator acc = acc_open("acc0");
	struct tphbuf_probe why;
	int status;
	pid_t pid;

	accelerator_close(&acc);
	pid = fork();
	require_true(pid >= 0, "fork");
	if (!pid) {
		struct tphbuf_device *dev;

		require_true(!setgid(NOBODY) && !setuid(NOBODY), "become nobody");
		expect_error(tphbuf_device_open(device_bdf("acc0"), NULL, &dev, &why), -EACCES,
			     "open");
		expect_reason(why.open, TPHBUF_REASON_NO_PERMISSION, "why");
		_exit(0);
	}
	require_true(waitpid(pid, &status, 0) == pid, "wait for nobody");
	expect_int(status, 0, "exit status of nobody");
}

static void completers(void)
{
	static const enum tphbuf_completer completer[] = {
		TPHBUF_COMPLETER_EXT_TPH, TPHBUF_COMPLETER_TPH,
		TPHBUF_COMPLETER_NONE, TPHBUF_COMPLETER_NONE,
	};
	static const enum tphbuf_reason st[] = {
		TPHBUF_REASON_NONE, TPHBUF_REASON_NONE,
		TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER,
	};
	static const enum tphbuf_reason st_ext[] = {
		TPHBUF_REASON_NONE, TPHBUF_REASON_ST_8BIT_ONLY,
		TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER,
	};
	struct tphbuf_options options = { .flags = TPHBUF_PROBE_OPEN };

	for (int i = 0; i < 4; i++) {
		struct accelerator acc = acc_open(accelerators[i]);

		for (int way = 0; way < 2; way++) {
			const char *name = accelerators[i];
			struct tphbuf_probe probe;

			if (way) {
				accelerator_close(&acc);
				require_error(tphbuf_probe(device_bdf(name), &options, &probe), 0,
					      "probe %s", name);
			} else {
				require_error(tphbuf_device_probe(acc.dev, &probe), 0, "probe %s",
					      name);
			}
			expect_int(probe.completer, completer[i], "%s: completer", name);
			expect_reason(probe.dmabuf, TPHBUF_REASON_NONE, "dma-buf");
			expect_reason(probe.st, st[i], "8-bit tags");
			expect_reason(probe.st_ext, st_ext[i], "extended tags");
		}
	}
}

static void probe_finds_all(void)
{
	struct tphbuf_probe *probes;
	unsigned int found = 0;
	size_t count;

	require_error(tphbuf_probe_all(NULL, &probes, &count), 0, "probe all");
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < 4; j++)
			found += !strcmp(probes[i].bdf, device_bdf(accelerators[j]));
		if (i)
			expect_true(strcmp(probes[i - 1].bdf, probes[i].bdf) < 0, "%s before %s",
				    probes[i - 1].bdf, probes[i].bdf);
	}
	expect_int(found, 4, "accelerators among %zu functions", count);
	tphbuf_probe_free(probes);
}

/* An export that cannot be tagged as asked leaves nothing behind. */
static void export_all_or_nothing(void)
{
	const struct tphbuf_range page = { 0, PAGE };
	struct tphbuf_tag ext = tag_ext(0x0011, 1), narrow = tag_8bit(0x11, 1),
			  bad = tag_8bit(1, 4);
	unsigned int fds;

	for (int i = 0; i < 4; i++) {
		struct accelerator acc = acc_open(accelerators[i]);
		bool tph = acc.completer & 1, extended = acc.completer == 3;
		const char *name = accelerators[i];

		fds = open_fds();
		if (!extended)
			expect_error(tphbuf_export(acc.dev, 2, &page, 1, &ext, 0, NULL),
				     -EOPNOTSUPP, "%s: with an extended tag", name);
		if (!tph)
			expect_error(tphbuf_export(acc.dev, 2, &page, 1, &narrow, 0, NULL),
				     -EOPNOTSUPP, "%s: with an 8-bit tag", name);
		expect_error(tphbuf_export(acc.dev, 2, &page, 1, &bad, 0, NULL), -EINVAL,
			     "%s: with hint 4", name);
		expect_int(open_fds(), fds, "%s: open files", name);
		expect_true(tphbuf_export(acc.dev, 2, &page, 1, NULL, 0, NULL) >= 0,
			    "%s: without tag", name);
		if (tph)
			expect_true(tphbuf_export(acc.dev, 2, &page, 1, &narrow, 0, NULL) >= 0,
				    "%s: with an 8-bit tag", name);
	}
}

static void export_bad_ranges(void)
{
	struct accelerator acc = acc_open("acc0");
	const uint64_t size = acc.mem_size;
	const struct {
		struct tphbuf_range range;
		int want;
	} list[] = {
		{ { 0, 0 }, -EINVAL },
		{ { 1, PAGE }, -EINVAL },
		{ { 0, PAGE + 1 }, -EINVAL },
		{ { size, PAGE }, -ERANGE },
		{ { 0, size + PAGE }, -ERANGE },
		{ { size - PAGE, 2 * PAGE }, -ERANGE },
		{ { UINT64_MAX - PAGE + 1, PAGE }, -ERANGE },
		{ { PAGE, UINT64_MAX - PAGE + 1 }, -ERANGE },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		expect_error(tphbuf_export(acc.dev, 2, &list[i].range, 1, NULL, 0, NULL),
			     list[i].want, "range %zu", i);
	expect_error(tphbuf_export(acc.dev, 2, NULL, 0, NULL, 0, NULL), -EINVAL, "no range");
	expect_error(tphbuf_export(acc.dev, 6, &list[0].range, 1, NULL, 0, NULL), -EINVAL, "BAR 6");
	expect_error(tphbuf_export(acc.dev, 5, &list[3].range, 1, NULL, 0, NULL), -ENXIO, "BAR 5");
	expect_error(tphbuf_export(acc.dev, 2, &(struct tphbuf_range){ size - PAGE, PAGE }, 1, NULL,
				   0, NULL) < 0,
		     0, "the last page");
	expect_error(
		tphbuf_export(acc.dev, 2, &(struct tphbuf_range){ 0, size }, 1, NULL, 0, NULL) < 0,
		0, "the whole BAR");
}

static void no_fd_is_left(void)
{
	unsigned int fds = open_fds();

	for (unsigned int i = 0; i < 5; i++) {
		struct accelerator acc = acc_open("acc0");
		struct tphbuf_tag tag = tag_ext(0x0001, 0);

		close(acc_export(&acc, 0, PAGE, &tag));
		accelerator_close(&acc);
	}
	expect_int(open_fds(), fds, "open files");
}

static const struct test_case cases[] = {
	{ "open_unbound", open_unbound },
	{ "open_binds_and_restores", open_binds_and_restores },
	{ "open_nonsense", open_nonsense },
	{ "open_twice", open_twice },
	{ "open_by_path", open_by_path },
	{ "open_without_permission", open_without_permission },
	{ "completers", completers },
	{ "probe_finds_all", probe_finds_all },
	{ "export_all_or_nothing", export_all_or_nothing },
	{ "export_bad_ranges", export_bad_ranges },
	{ "no_fd_is_left", no_fd_is_left },
};

int main(int argc, char **argv)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), argc, argv, devices_unbind);
}
