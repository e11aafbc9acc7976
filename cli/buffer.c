// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "message.h"

/* What stands in the way of an export that the kernel or the device does not support. */
static int explain_unsupported(struct tphbuf_device *dev, const struct buffer_args *args,
			       const struct tphbuf_tag *tag, int err)
{
	enum tphbuf_reason reason = TPHBUF_REASON_NONE;
	struct tphbuf_probe probe;

	if (!tphbuf_device_probe(dev, &probe)) {
		reason = probe.dmabuf;
		if (!reason && tag)
			reason = probe.st;
		if (!reason && tag && tag->valid & TPHBUF_TAG_ST_EXT)
			reason = probe.st_ext;
		if (!reason && args->flags & TPHBUF_EXPORT_WC)
			reason = probe.wc;
	}
	if (reason)
		return reason_error(reason, &probe);
	error_line("cannot export BAR %u of %s: %s, although the device seems able to; see the "
		   "kernel log (dmesg)", args->bar, args->device, strerror(-err));
	return EXIT_UNSUPPORTED;
}

static int explain_export(struct tphbuf_device *dev, const struct buffer_args *args,
			  const struct tphbuf_tag *tag, const struct verb *verb, int err)
{
	struct tphbuf_probe probe;
	struct tphbuf_bar bar;

	if (err == -ENOTTY || err == -EOPNOTSUPP)
		return explain_unsupported(dev, args, tag, err);
	if (err == -ERANGE && !tphbuf_device_bar(dev, args->bar, &bar))
		return usage_error(verb, "a range does not lie within BAR %u of %s: the BAR has "
				   "0x%" PRIx64 " bytes; give ranges within it", args->bar,
				   args->device, bar.size);
	if (err == -EBUSY && args->flags & TPHBUF_EXPORT_WC && !tphbuf_device_probe(dev, &probe))
		return reason_error(TPHBUF_REASON_WC_BUSY, &probe);
	error_line("cannot export BAR %u of %s: %s; see the kernel log (dmesg)", args->bar,
		   args->device, strerror(-err));
	return EXIT_FAILED;
}

/* Turns "the whole BAR" into a range, and checks that there is such a BAR. */
static int complete_ranges(struct tphbuf_device *dev, struct buffer_args *args)
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

static int export(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		  const struct verb *verb)
{
	int code, ret;
	size_t i;

	code = complete_ranges(buffer->dev, args);
	if (code)
		return code;
	ret = tphbuf_device_enable_memory(buffer->dev);
	if (ret) {
		error_line("cannot turn on memory decoding of %s: %s; see the kernel log (dmesg)",
			   args->device, strerror(-ret));
		return EXIT_FAILED;
	}
	ret = tphbuf_export(buffer->dev, args->bar, args->ranges, args->nr_ranges, tag,
			    args->flags);
	if (ret < 0)
		return explain_export(buffer->dev, args, tag, verb, ret);
	buffer->fd = ret;
	buffer->size = 0;
	for (i = 0; i < args->nr_ranges; i++)
		buffer->size += args->ranges[i].length;
	return EXIT_OK;
}

static int open_device(const struct buffer_args *args, const struct verb *verb,
		       struct tphbuf_device **dev)
{
	struct tphbuf_probe why;
	int ret;

	ret = tphbuf_device_open(args->device, &args->options, dev, &why);
	if (!ret)
		return EXIT_OK;
	if (ret == -EINVAL && why.open == TPHBUF_REASON_SYSTEM && !why.bdf[0])
		return usage_error(verb, "-d \"%s\" is no device: it is neither a PCI address nor "
				   "the path of a VFIO device file; give one like 0000:00:03.0 or "
				   "/dev/vfio/devices/vfio0", args->device);
	if (why.open == TPHBUF_REASON_NOT_BOUND) {
		error_line("cannot open %s through VFIO: %s%s has it; add --bind to have it taken "
			   "for as long as it is needed", why.bdf,
			   why.driver[0] ? "the driver " : "no driver",
			   why.driver[0] ? why.driver : "");
		return EXIT_NO_DEVICE;
	}
	return reason_error(why.open, &why);
}

int buffer_open(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		const struct verb *verb)
{
	int code;

	buffer->fd = -1;
	code = open_device(args, verb, &buffer->dev);
	if (code)
		return code;
	code = export(buffer, args, tag, verb);
	if (code)
		buffer_close(buffer, args);
	return code;
}

void buffer_close(struct buffer *buffer, const struct buffer_args *args)
{
	int ret;

	if (buffer->fd >= 0)
		close(buffer->fd);
	ret = tphbuf_device_restore_driver(buffer->dev);
	if (ret)
		error_line("cannot give %s back to its driver: %s; bind it by hand", args->device,
			   strerror(-ret));
}
