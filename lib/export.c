// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Exporting dma-bufs and changing them, and why that fails. */
#include <errno.h>
#include <unistd.h>

#include "device.h"
#include "device_probe.h"
#include "dmabuf.h"
#include "reason.h"
#include "sys.h"
#include "tag.h"

/* An error that more than one cause has, of a call that was given @tag and @flags. */
static enum tphbuf_reason find_reason(struct tphbuf_device *dev, const struct tphbuf_tag *tag,
				      bool wc, int err, struct tphbuf_probe *probe)
{
	if (err == -EBUSY && wc)
		return TPHBUF_REASON_WC_BUSY;
	if (err != -ENOTTY && err != -EOPNOTSUPP)
		return TPHBUF_REASON_SYSTEM;
	if (probe->dmabuf)
		return probe->dmabuf;
	if (tag && probe->st)
		return probe->st;
	if (tag && tag->valid & TPHBUF_TAG_ST_EXT && probe->st_ext)
		return probe->st_ext;
	if (wc) {
		tpb_device_probe_wc(dev, probe);
		if (probe->wc)
			return probe->wc;
	}
	return TPHBUF_REASON_SYSTEM;
}

/* @reason: NONE where it has to be found out. */
static int fail_call(struct tphbuf_device *dev, const struct tphbuf_tag *tag, bool wc,
		     enum tphbuf_reason reason, int err, struct tphbuf_probe *why)
{
	if (!why)
		return err;
	if (tpb_device_probe_tags(dev, why))
		*why = dev->found;
	if (!reason)
		reason = find_reason(dev, tag, wc, err, why);
	tpb_fail(why, reason, err);
	return err;
}

static int check_range(const struct tphbuf_bar *bar, const struct tphbuf_range *range,
		       uint64_t *sum)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!range->length || range->offset % page || range->length % page)
		return -EINVAL;
	if (range->offset > bar->size || range->length > bar->size - range->offset)
		return -ERANGE;
	/* Ranges may overlap: that each fits does not mean that the sum does. */
	if (__builtin_add_overflow(*sum, range->length, sum) || *sum > INT64_MAX)
		return -ERANGE;
	return 0;
}

/* @at: set to the range that is wrong. */
static int check_ranges(const struct tphbuf_bar *bar, const struct tphbuf_range *ranges,
			size_t nr_ranges, size_t *at)
{
	uint64_t sum = 0;
	int ret = 0;

	*at = 0;
	if (!nr_ranges || nr_ranges > UINT32_MAX)
		return -EINVAL;
	for (; *at < nr_ranges && !ret; ++*at)
		ret = check_range(bar, &ranges[*at], &sum);
	if (ret)
		--*at;
	return ret;
}

/* Closes @fd when it cannot be what was asked for. */
static int finish_export(struct tphbuf_device *dev, int fd, const struct tphbuf_tag *tag,
			 unsigned int flags, struct tphbuf_probe *why)
{
	bool wc = flags & TPHBUF_EXPORT_WC;
	int ret = 0;

	if (tag)
		ret = tpb_dmabuf_set_tag(dev, fd, tag);
	if (ret) {
		tpb_sys.close(fd);
		return fail_call(dev, tag, false, TPHBUF_REASON_NONE, ret, why);
	}
	/* Last, because nothing takes it back. */
	if (wc)
		ret = tpb_dmabuf_set_wc(dev, fd);
	if (ret) {
		tpb_sys.close(fd);
		return fail_call(dev, NULL, true, TPHBUF_REASON_NONE, ret, why);
	}
	return fd;
}

int tphbuf_export(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		  size_t nr_ranges, const struct tphbuf_tag *tag, unsigned int flags,
		  struct tphbuf_probe *why)
{
	struct tphbuf_bar info;
	size_t at;
	int ret;

	ret = flags & ~TPHBUF_EXPORT_WC ? -EINVAL : tphbuf_device_bar(dev, bar, &info);
	if (ret)
		return fail_call(dev, NULL, false, TPHBUF_REASON_SYSTEM, ret, why);
	if (!info.size || info.flags & TPHBUF_BAR_IO)
		return fail_call(dev, NULL, false, TPHBUF_REASON_NO_BAR, -ENXIO, why);
	ret = check_ranges(&info, ranges, nr_ranges, &at);
	if (ret) {
		fail_call(dev, NULL, false, TPHBUF_REASON_BAD_RANGE, ret, why);
		if (why)
			why->range = (uint32_t)at;
		return ret;
	}
	if (tag && tpb_tag_check(tag))
		return fail_call(dev, tag, false, TPHBUF_REASON_BAD_TAG, -EINVAL, why);
	ret = tpb_dmabuf_get(dev, bar, ranges, nr_ranges);
	if (ret < 0)
		return fail_call(dev, NULL, false, TPHBUF_REASON_NONE, ret, why);
	return finish_export(dev, ret, tag, flags, why);
}

/* The kernel's words for a file that is not a dma-buf of this device. */
static enum tphbuf_reason buffer_reason(int err)
{
	switch (err) {
	case -EBADF:
	case -EINVAL:
	case -ENXIO:
	case -EXDEV:
		return TPHBUF_REASON_BAD_BUFFER;
	case -ENODEV:
		return TPHBUF_REASON_REVOKED;
	default:
		return TPHBUF_REASON_NONE;
	}
}

int tphbuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag,
		   struct tphbuf_probe *why)
{
	int ret;

	if (tpb_tag_check(tag))
		return fail_call(dev, tag, false, TPHBUF_REASON_BAD_TAG, -EINVAL, why);
	ret = tpb_dmabuf_set_tag(dev, dmabuf_fd, tag);
	return ret ? fail_call(dev, tag, false, buffer_reason(ret), ret, why) : 0;
}

int tphbuf_clear_tag(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why)
{
	static const struct tphbuf_tag none;
	int ret = tpb_dmabuf_set_tag(dev, dmabuf_fd, NULL);

	return ret ? fail_call(dev, &none, false, buffer_reason(ret), ret, why) : 0;
}

int tphbuf_set_wc(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why)
{
	int ret = tpb_dmabuf_set_wc(dev, dmabuf_fd);

	return ret ? fail_call(dev, NULL, true, buffer_reason(ret), ret, why) : 0;
}

int tphbuf_revoke(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why)
{
	enum tphbuf_reason reason;
	int ret;

	ret = tpb_dmabuf_revoke(dev, dmabuf_fd);
	/* It has been done before, or its device has been closed: it is revoked. */
	if (!ret || ret == -EBADFD || ret == -ENODEV)
		return 0;
	reason = ret == -ENOTTY ? TPHBUF_REASON_NO_REVOKE_FEATURE : buffer_reason(ret);
	return fail_call(dev, NULL, false, reason, ret, why);
}
