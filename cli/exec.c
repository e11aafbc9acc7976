// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "command.h"
#include "exec_args.h"
#include "message.h"
#include "verb.h"

/* What stands in the way of an export that the kernel or the device does not support. */
static int explain_unsupported(struct tphbuf_device *dev, const struct exec_args *args, int err)
{
	enum tphbuf_reason reason = TPHBUF_REASON_NONE;
	struct tphbuf_probe probe;

	if (!tphbuf_device_probe(dev, &probe)) {
		reason = probe.dmabuf;
		if (!reason && args->tagged)
			reason = probe.st;
		if (!reason && args->tag.valid & TPHBUF_TAG_ST_EXT)
			reason = probe.st_ext;
	}
	if (reason)
		return reason_error(reason, &probe);
	error_line("cannot export BAR %u of %s: %s, although the device seems able to; see the "
		   "kernel log (dmesg)", args->bar, args->device, strerror(-err));
	return EXIT_UNSUPPORTED;
}

static int explain_export(struct tphbuf_device *dev, const struct exec_args *args, int err)
{
	struct tphbuf_bar bar;

	if (err == -ENOTTY || err == -EOPNOTSUPP)
		return explain_unsupported(dev, args, err);
	if (err == -ERANGE && !tphbuf_device_bar(dev, args->bar, &bar))
		return usage_error(&verb_exec, "a range does not lie within BAR %u of %s: the BAR "
				   "has 0x%" PRIx64 " bytes; give ranges within it", args->bar,
				   args->device, bar.size);
	error_line("cannot export BAR %u of %s: %s; see the kernel log (dmesg)", args->bar,
		   args->device, strerror(-err));
	return EXIT_FAILED;
}

/* Turns "the whole BAR" into a range, and checks that there is such a BAR. */
static int complete_ranges(struct tphbuf_device *dev, struct exec_args *args)
{
	struct tphbuf_bar bar;

	tphbuf_device_bar(dev, args->bar, &bar);
	if (!bar.size || bar.flags & TPHBUF_BAR_IO) {
		error_line("cannot export BAR %u of %s: the device does not implement it as "
			   "memory; choose another BAR (lspci -v shows them)", args->bar,
			   args->device);
		return EXIT_NO_DEVICE;
	}
	if (args->nr_ranges)
		return EXIT_OK;
	if (bar.size < (uint64_t)sysconf(_SC_PAGESIZE)) {
		error_line("cannot export BAR %u of %s: it is smaller than a page; choose another "
			   "BAR", args->bar, args->device);
		return EXIT_UNSUPPORTED;
	}
	args->ranges[0] = (struct tphbuf_range) { .offset = 0, .length = bar.size };
	args->nr_ranges = 1;
	return EXIT_OK;
}

/* The dma-buf in @fd, or an exit code and -1 there. */
static int export(struct tphbuf_device *dev, struct exec_args *args, int *fd)
{
	int code, ret;

	*fd = -1;
	code = complete_ranges(dev, args);
	if (code)
		return code;
	ret = tphbuf_device_enable_memory(dev);
	if (ret) {
		error_line("cannot turn on memory decoding of %s: %s; see the kernel log (dmesg)",
			   args->device, strerror(-ret));
		return EXIT_FAILED;
	}
	ret = tphbuf_export(dev, args->bar, args->ranges, args->nr_ranges,
			    args->tagged ? &args->tag : NULL, 0);
	if (ret < 0)
		return explain_export(dev, args, ret);
	*fd = ret;
	return EXIT_OK;
}

static uint64_t total_size(const struct exec_args *args)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < args->nr_ranges; i++)
		size += args->ranges[i].length;
	return size;
}

/* An exit code, or EXIT_OK and the status of the command. */
static int run_with_buffer(struct tphbuf_device *dev, struct exec_args *args,
			   struct command *command, int *status)
{
	int code, fd;

	code = export(dev, args, &fd);
	if (code)
		return code;
	/* The command would not hear of it, and the device is to be given back. */
	if (command_interrupted()) {
		close(fd);
		return EXIT_FAILED;
	}
	*status = command_run(command, args->command, fd, total_size(args));
	close(fd);
	if (*status < 0) {
		error_line("cannot start a process for %s: %s; end other processes",
			   args->command[0], strerror(-*status));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int open_device(const struct exec_args *args, struct tphbuf_device **dev)
{
	struct tphbuf_probe why;
	int ret;

	ret = tphbuf_device_open(args->device, &args->options, dev, &why);
	if (!ret)
		return EXIT_OK;
	if (ret == -EINVAL && why.open == TPHBUF_REASON_SYSTEM && !why.bdf[0])
		return usage_error(&verb_exec, "-d \"%s\" is no device: it is neither a PCI "
				   "address nor the path of a VFIO device file; give one like "
				   "0000:00:03.0 or /dev/vfio/devices/vfio0", args->device);
	if (why.open == TPHBUF_REASON_NOT_BOUND) {
		error_line("cannot open %s through VFIO: %s%s has it; add --bind to have it taken "
			   "for as long as the command runs", why.bdf,
			   why.driver[0] ? "the driver " : "no driver",
			   why.driver[0] ? why.driver : "");
		return EXIT_NO_DEVICE;
	}
	return reason_error(why.open, &why);
}

static int run_exec(int argc, char **argv)
{
	struct tphbuf_device *dev;
	struct exec_args args;
	struct command command;
	int code, ret, status = 0;

	code = exec_args_parse(&args, argc, argv);
	if (code)
		return code;
	if (args.help) {
		fputs(verb_exec.usage, stdout);
		return EXIT_OK;
	}
	command_hold_signals(&command);
	code = open_device(&args, &dev);
	if (!code) {
		code = run_with_buffer(dev, &args, &command, &status);
		ret = tphbuf_device_restore_driver(dev);
		if (ret)
			error_line("cannot give %s back to its driver: %s; bind it by hand",
				   args.device, strerror(-ret));
	}
	command_release_signals(&command);
	return code ? code : command_exit_code(status);
}

const struct verb verb_exec = {
	.name = "exec",
	.summary = "export memory of a device, tag it, and run a command with the dma-buf",
	.usage =
		"Usage: tphbuf exec -d DEVICE --bar N [OPTION]... [--] COMMAND [ARGUMENT]...\n"
		"\n"
		"Export memory of DEVICE, a PCI address or the path of a VFIO device file, as a\n"
		"dma-buf, give it a tag, and run COMMAND, which inherits the file descriptor. Its\n"
		"number is in TPHBUF_FD, the size of the dma-buf in bytes in TPHBUF_SIZE.\n"
		"\n"
		"Options:\n"
		"  -d, --device DEVICE        device to export from\n"
		"      --bar N                BAR to export from, 0 to 5\n"
		"      --range OFFSET:LENGTH  part of the BAR; may be repeated; the whole BAR if not\n"
		"                             given; K, M, G and T may follow a number\n"
		"      --st TAG               8-bit Steering Tag, 0 to 0xff\n"
		"      --st-ext TAG           Extended Steering Tag, 0 to 0xffff\n"
		"      --ph HINT              processing hint, 0 to 3; 0 if not given\n"
		"      --bind                 take the device from its driver until COMMAND has ended\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"  -h, --help                 print this text\n"
		"\n"
		"Ends as COMMAND does; 126 when COMMAND cannot be run, 127 when it is not found.\n",
	.run = run_exec,
};
