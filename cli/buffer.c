// SPDX-License-Identifier: GPL-2.0-or-later
/* A device that is opened and exported for as long as a subcommand needs it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "message.h"

static int fail_export(const struct tphbuf_probe *why, struct tphbuf_device *dev,
		       const struct buffer_args *args, const struct verb *verb, int err)
{
	struct tphbuf_bar bar;

	if (why->reason == TPHBUF_REASON_BAD_RANGE && !tphbuf_device_bar(dev, args->bar, &bar))
		return usage_error(verb, "--range 0x%" PRIx64 ":0x%" PRIx64 " does not lie within "
				   "BAR %u of %s, which has 0x%" PRIx64 " bytes",
				   args->ranges[why->range].offset, args->ranges[why->range].length,
				   args->bar, args->device, bar.size);
	if (why->reason != TPHBUF_REASON_SYSTEM)
		return reason_error(why->reason, why);
	error_line("cannot export BAR %u of %s: %s", args->bar, args->device, strerror(-err));
	return err == -EOPNOTSUPP || err == -ENOTTY ? EXIT_UNSUPPORTED : EXIT_FAILED;
}

/* Turns "the whole BAR" into a range, and checks that there is such a BAR. */
static int complete_ranges(struct tphbuf_device *dev, struct buffer_args *args)
{
	struct tphbuf_bar bar;

	tphbuf_device_bar(dev, args->bar, &bar);
	if (!bar.size || bar.flags & TPHBUF_BAR_IO) {
		error_line("cannot export BAR %u of %s: the device does not implement it as "
			   "memory; \"lspci -v\" lists its BARs", args->bar,
			   args->device);
		return EXIT_NO_DEVICE;
	}
	if (args->nr_ranges)
		return EXIT_OK;
	if (bar.size < (uint64_t)sysconf(_SC_PAGESIZE)) {
		error_line("cannot export BAR %u of %s: it is smaller than a page", args->bar,
			   args->device);
		return EXIT_UNSUPPORTED;
	}
	args->ranges[0] = (struct tphbuf_range) { .offset = 0, .length = bar.size };
	args->nr_ranges = 1;
	return EXIT_OK;
}

int buffer_export(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		  const struct verb *verb)
{
	struct tphbuf_probe why;
	int code, ret;

	code = complete_ranges(buffer->dev, args);
	if (code)
		return code;
	ret = tphbuf_device_enable_memory(buffer->dev);
	if (ret) {
		error_line("cannot enable memory decoding of %s: %s", args->device,
			   strerror(-ret));
		return EXIT_FAILED;
	}
	ret = tphbuf_export(buffer->dev, args->bar, args->ranges, args->nr_ranges, tag,
			    args->flags, &why);
	if (ret < 0)
		return fail_export(&why, buffer->dev, args, verb, ret);
	buffer->fd = ret;
	buffer->size = 0;
	for (size_t i = 0; i < args->nr_ranges; i++)
		buffer->size += args->ranges[i].length;
	return EXIT_OK;
}

int buffer_open_device(const struct buffer_args *args, const struct verb *verb,
		       struct tphbuf_device **dev)
{
	struct tphbuf_probe why;
	int ret;

	ret = tphbuf_device_open(args->device, &args->options, dev, &why);
	if (!ret)
		return EXIT_OK;
	if (why.open == TPHBUF_REASON_BAD_NAME)
		return usage_error(verb, "-d \"%s\" is neither a PCI address such as 0000:00:03.0 "
				   "nor the path of a VFIO device file", args->device);
	if (why.open == TPHBUF_REASON_NOT_BOUND) {
		error_line("cannot open %s through VFIO: it is bound to %s; --bind binds it to "
			   "vfio-pci while the command runs", why.bdf,
			   why.driver[0] ? why.driver : "no driver");
		return EXIT_NO_DEVICE;
	}
	return reason_error(why.open, &why);
}

int buffer_open(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		const struct verb *verb)
{
	int code;

	buffer->fd = -1;
	code = buffer_open_device(args, verb, &buffer->dev);
	if (code)
		return code;
	code = buffer_export(buffer, args, tag, verb);
	if (code)
		buffer_close(buffer, args);
	return code;
}

void buffer_close(struct buffer *buffer, const struct buffer_args *args)
{
	if (buffer->fd >= 0)
		close(buffer->fd);
	buffer_close_device(buffer->dev, args);
}

void buffer_close_device(struct tphbuf_device *dev, const struct buffer_args *args)
{
	int ret = tphbuf_device_restore_driver(dev);

	if (ret)
		error_line("cannot bind %s to its previous driver: %s; bind it manually "
			   "(driverctl)", args->device, strerror(-ret));
}
