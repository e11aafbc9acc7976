// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: a dma-buf comes out with the tag that was asked for, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define BDF	"0000:00:03.0"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_device *dev;
static uint64_t page;

static const struct tphbuf_tag both = {
	.valid = TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT, .st = 0x12, .st_ext = 0x3456, .ph = 2,
};

static void untagged(void)
{
	const struct tphbuf_range ranges[] = { { 0, page }, { 4 * page, 2 * page } };
	int fd;

	fd = tphbuf_export(dev, 2, ranges, 2, NULL, 0, NULL);
	ok(fd >= 0, "exports two ranges");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the dma-buf is close-on-exec");
	is_int(fake_sys.exported.region_index, 2, "of BAR 2");
	is_int(fake_sys.exported.nr_ranges, 2, "two ranges reach the kernel");
	is_hex(fake_sys.exported.ranges[1].offset, 4 * page, "second offset");
	is_hex(fake_sys.exported.ranges[1].length, 2 * page, "second length");
	is_int(fake_sys.exported.open_flags & O_ACCMODE, O_RDWR, "for reading and writing");
	is_int(fake_sys.tag_sets, 0, "no tag was set");
	close(fd);
}

static void tagged(void)
{
	const struct tphbuf_range range = { 0, FAKE_BAR2_SIZE };
	const struct tphbuf_tag ext = {
		.valid = TPHBUF_TAG_ST_EXT, .st = 0x99, .st_ext = 0x1234, .ph = 1,
	};
	int fd;

	fd = tphbuf_export(dev, 2, &range, 1, &both, 0, NULL);
	ok(fd >= 0, "exports with both tags");
	is_int(fake_sys.tag_sets, 1, "the tag was set once");
	is_int(fake_sys.tag.dmabuf_fd, fd, "on the dma-buf that came out");
	is_hex(fake_sys.tag.flags, 3, "both namespaces are valid");
	is_hex(fake_sys.tag.steering_tag, 0x12, "ST");
	is_hex(fake_sys.tag.steering_tag_ext, 0x3456, "Extended ST");
	is_int(fake_sys.tag.ph, 2, "PH");

	is_int(tphbuf_set_tag(dev, fd, &ext, NULL), 0, "replaces the tag");
	is_hex(fake_sys.tag.flags, 2, "only the extended namespace is valid");
	is_hex(fake_sys.tag.steering_tag, 0, "a tag that is not valid does not leave the process");
	is_hex(fake_sys.tag.steering_tag_ext, 0x1234, "Extended ST");
	is_int(fake_sys.tag.ph, 1, "PH");

	is_int(tphbuf_clear_tag(dev, fd, NULL), 0, "clears the tag");
	is_hex(fake_sys.tag.flags, 0, "no namespace is valid");
	is_hex(fake_sys.tag.steering_tag_ext | fake_sys.tag.ph, 0, "and no value is left");
	close(fd);
	is_int(tphbuf_clear_tag(dev, fd, NULL), -EBADF, "a closed file");
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	is_int(tphbuf_set_tag(dev, fd, &both, NULL), -EINVAL, "a file that is no dma-buf");
	close(fd);
}

/* The layout that the kernel reads, spelled out once more and on purpose. */
static void wire_format(void)
{
	const struct tphbuf_range range = { 0, page };
	const struct {
		uint32_t argsz, flags;
		int32_t dmabuf_fd;
		uint32_t tag_flags;
		uint16_t st_ext;
		uint8_t st, ph;
	} *raw = (const void *)&fake_sys.set_argument;
	int fd = tphbuf_export(dev, 2, &range, 1, &both, 0, NULL);

	is_int(sizeof(*raw), 20, "SET takes 20 bytes");
	is_int(raw->argsz, 20, "which argsz says");
	is_hex(raw->flags, 1u << 17 | 14, "SET of feature 14");
	is_int(raw->dmabuf_fd, fd, "the dma-buf");
	is_hex(raw->tag_flags, 3, "bit 0 and bit 1: both tags are valid");
	is_hex(raw->st_ext, 0x3456, "16 bits of Extended ST");
	is_hex(raw->st, 0x12, "then 8 bits of ST");
	is_int(raw->ph, 2, "then PH");
	close(fd);
}

static void bad_ranges(void)
{
	const struct {
		struct tphbuf_range ranges[2];
		size_t count;
		unsigned int bar;
		int ret;
		const char *what;
	} rows[] = {
		{ { { 0, page } }, 0, 2, -EINVAL, "no range" },
		{ { { 0, 0 } }, 1, 2, -EINVAL, "empty range" },
		{ { { 1, page } }, 1, 2, -EINVAL, "unaligned offset" },
		{ { { 0, page + 1 } }, 1, 2, -EINVAL, "unaligned length" },
		{ { { 0, page }, { 0, 0 } }, 2, 2, -EINVAL, "second range empty" },
		{ { { FAKE_BAR2_SIZE, page } }, 1, 2, -ERANGE, "behind the BAR" },
		{ { { FAKE_BAR2_SIZE - page, 2 * page } }, 1, 2, -ERANGE, "across the end" },
		{ { { -page, page } }, 1, 2, -ERANGE, "an offset near the top" },
		{ { { page, -page } }, 1, 2, -ERANGE, "offset and length wrap" },
		{ { { 0, page } }, 1, 3, -ENXIO, "BAR that is not implemented" },
		{ { { 0, page } }, 1, 4, -ENXIO, "I/O BAR" },
		{ { { 0, page } }, 1, 6, -EINVAL, "BAR 6" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(tphbuf_export(dev, rows[i].bar, rows[i].ranges, rows[i].count, NULL, 0,
				     NULL),
		       rows[i].ret, "%s", rows[i].what);
	is_int(tphbuf_export(dev, 2, rows[1].ranges, SIZE_MAX, NULL, 0, NULL), -EINVAL,
	       "a count that no kernel takes");
	is_int(fake_sys.exports, 0, "none of them reached the kernel");
}

static void bad_tags(void)
{
	const struct tphbuf_range range = { 0, page };
	struct tphbuf_tag tag = { .valid = 0, .st = 1 };

	is_int(tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL), -EINVAL,
	       "a tag without a namespace");
	tag.valid = 4;
	is_int(tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL), -EINVAL, "an unknown namespace");
	tag.valid = TPHBUF_TAG_ST;
	tag.ph = 4;
	is_int(tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL), -EINVAL, "PH 4");
	is_int(tphbuf_set_tag(dev, 0, &tag, NULL), -EINVAL, "PH 4 in a SET");
	tag.ph = 0;
	tag.valid = 0;
	is_int(tphbuf_set_tag(dev, 0, &tag, NULL), -EINVAL, "a SET that would clear");
	is_int(fake_sys.exports + fake_sys.tag_sets, 0, "none of them reached the kernel");
}

static void failing_tag(void)
{
	static const int errors[] = { EOPNOTSUPP, ENOTTY, EINTR, EINVAL };
	const struct tphbuf_range range = { 0, page };
	unsigned int fds = fake_sys_open_fds();

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake_sys_reset(root);
		tphbuf_device_close(dev);
		if (tphbuf_device_open(BDF, &(struct tphbuf_options) { .sysroot = root }, &dev,
				       NULL))
			bail_out("cannot open the device");
		fake_sys.errors.tph_set = errors[i];
		is_int(tphbuf_export(dev, 2, &range, 1, &both, 0, NULL), -errors[i],
		       "a tag that cannot be set, errno %d", errors[i]);
		is_int(fake_sys.exports, 1, "the dma-buf was there");
		is_int(fake_sys_open_fds(), fds, "and is closed");
		is_int(tphbuf_set_tag(dev, 0, &both, NULL), -errors[i], "SET alone gives it too");
	}
	fake_sys.errors.dmabuf_get = ENOTTY;
	is_int(tphbuf_export(dev, 2, &range, 1, &both, 0, NULL), -ENOTTY, "no export");
	is_int(fake_sys_open_fds(), fds, "and nothing is open");
}

/* One errno value, one cause each. */
static void reasons(void)
{
	const struct tphbuf_range good = { 0, page }, bad[] = { { 0, page }, { page, 0 } };
	const struct tphbuf_range over[] = { { 0, page }, { FAKE_BAR2_SIZE, page } };
	const struct tphbuf_tag none = { .ph = 1 };
	static const struct {
		const char *what;
		struct fake_errors errors;
		int ret;
		enum tphbuf_reason reason;
	} cases[] = {
		{ "no export", { .dmabuf_get = ENOTTY, .dmabuf_probe = ENOTTY }, -ENOTTY,
		  TPHBUF_REASON_NO_DMABUF },
		{ "no tag", { .tph_set = ENOTTY, .tph_probe = ENOTTY }, -ENOTTY,
		  TPHBUF_REASON_NO_TPH_FEATURE },
		{ "not built", { .tph_set = EOPNOTSUPP, .tph_probe = EOPNOTSUPP }, -EOPNOTSUPP,
		  TPHBUF_REASON_TPH_NOT_BUILT },
		{ "another feature", { .tph_other = 1 }, -ENOTTY, TPHBUF_REASON_OTHER_FEATURE },
		{ "no PAT", { .wc_set = EOPNOTSUPP, .wc_probe = EOPNOTSUPP }, -EOPNOTSUPP,
		  TPHBUF_REASON_NO_WC },
		{ "no WC", { .wc_set = ENOTTY, .wc_probe = ENOTTY }, -ENOTTY,
		  TPHBUF_REASON_NO_WC_FEATURE },
		{ "WC of another feature", { .wc_other = 1 }, -ENOTTY,
		  TPHBUF_REASON_NO_WC_FEATURE },
		{ "uncached", { .wc_set = EBUSY }, -EBUSY, TPHBUF_REASON_WC_BUSY },
		{ "no memory", { .dmabuf_get = ENOMEM }, -ENOMEM, TPHBUF_REASON_SYSTEM },
	};
	unsigned int fds = fake_sys_open_fds();
	struct tphbuf_probe why;
	int fd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_sys.errors = cases[i].errors;
		is_int(tphbuf_export(dev, 2, &good, 1, &both, TPHBUF_EXPORT_WC, &why),
		       cases[i].ret, "%s", cases[i].what);
		is_str(tphbuf_reason_name(why.reason), tphbuf_reason_name(cases[i].reason),
		       "%s: reason", cases[i].what);
		is_str(why.bdf, BDF, "%s: device", cases[i].what);
		is_int(fake_sys.tag_sets * cases[i].errors.tph_other, 0, "%s: nothing was set",
		       cases[i].what);
	}
	is_int(fake_sys_open_fds(), fds, "no dma-buf stays open");
	fake_sys.errors = (struct fake_errors) { 0 };
	is_int(tphbuf_export(dev, 2, bad, 2, NULL, 0, &why), -EINVAL, "an empty range");
	is_int(why.reason, TPHBUF_REASON_BAD_RANGE, "an empty range: reason");
	is_int(why.range, 1, "an empty range: which");
	is_int(tphbuf_export(dev, 2, over, 2, NULL, 0, &why), -ERANGE, "a range beyond the BAR");
	is_int(why.range, 1, "a range beyond the BAR: which");
	is_int(tphbuf_export(dev, 3, &good, 1, NULL, 0, &why), -ENXIO, "no BAR");
	is_int(why.reason, TPHBUF_REASON_NO_BAR, "no BAR: reason");
	is_int(tphbuf_export(dev, 2, &good, 1, &none, 0, &why), -EINVAL, "no tag in the tag");
	is_int(why.reason, TPHBUF_REASON_BAD_TAG, "no tag in the tag: reason");
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	is_int(tphbuf_set_tag(dev, fd, &both, &why), -EINVAL, "not a dma-buf");
	is_int(why.reason, TPHBUF_REASON_BAD_BUFFER, "not a dma-buf: reason");
	is_int(tphbuf_set_wc(dev, fd, &why), -EINVAL, "not a dma-buf, write-combining");
	is_int(why.reason, TPHBUF_REASON_BAD_BUFFER, "not a dma-buf, write-combining: reason");
	close(fd);
	fake_sys.errors.tph_set = fake_sys.errors.tph_probe = EOPNOTSUPP;
	is_int(tphbuf_clear_tag(dev, 0, &why), -EOPNOTSUPP, "clear where nothing can be tagged");
	is_int(why.reason, TPHBUF_REASON_TPH_NOT_BUILT, "clear: reason");
}

static void revoking(void)
{
	static const struct {
		int error, ret;
		enum tphbuf_reason reason;
	} cases[] = {
		{ EBADFD, 0, TPHBUF_REASON_NONE },
		{ ENODEV, 0, TPHBUF_REASON_NONE },
		{ ENOTTY, -ENOTTY, TPHBUF_REASON_NO_REVOKE_FEATURE },
		{ ENXIO, -ENXIO, TPHBUF_REASON_BAD_BUFFER },
		{ EXDEV, -EXDEV, TPHBUF_REASON_BAD_BUFFER },
		{ EINTR, -EINTR, TPHBUF_REASON_SYSTEM },
	};
	const struct tphbuf_range range = { 0, page };
	struct tphbuf_probe why;
	size_t i;
	int fd;

	fd = tphbuf_export(dev, 2, &range, 1, &both, 0, NULL);
	is_int(tphbuf_revoke(dev, fd, NULL), 0, "revokes");
	is_int(fake_sys.revokes, 1, "once");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_sys.errors.revoke = cases[i].error;
		why.reason = TPHBUF_REASON_NONE;
		is_int(tphbuf_revoke(dev, fd, &why), cases[i].ret, "revoke, %d", cases[i].error);
		is_str(tphbuf_reason_name(why.reason), tphbuf_reason_name(cases[i].reason),
		       "revoke, %d: reason", cases[i].error);
	}
	fake_sys.errors.revoke = 0;
	close(fd);
	is_int(tphbuf_revoke(dev, fd, &why), -EBADF, "revokes no closed file");
}

/* Ranges that overlap: each lies within its BAR, and their sum is beyond what a file can have. */
static void sums(void)
{
	const struct tphbuf_options in_tree = { .sysroot = root };
	const struct tphbuf_range range = { 0, 1ull << 62 };
	const struct tphbuf_range ranges[] = { range, range, range };
	struct tphbuf_device *huge = NULL;
	struct tphbuf_probe why;

	tphbuf_device_close(dev);
	fake_sys.errors.huge_bars = true;
	is_int(tphbuf_device_open(BDF, &in_tree, &huge, NULL), 0, "opens a device with huge BARs");
	is_int(tphbuf_export(huge, 2, ranges, 2, NULL, 0, &why), -ERANGE, "a sum beyond INT64_MAX");
	is_int(why.range, 1, "by the second range");
	is_int(tphbuf_export(huge, 2, ranges, 3, NULL, 0, &why), -ERANGE, "a larger one");
	is_int(fake_sys.exports, 0, "nothing was exported");
	tphbuf_device_close(huge);
	fake_sys.errors.huge_bars = false;
	is_int(tphbuf_device_open(BDF, &in_tree, &dev, NULL), 0, "opens it again");
}

int main(void)
{
	static const struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3,
	};
	static void (*const cases[])(void) = {
		untagged, tagged, wire_format, bad_ranges, bad_tags, failing_tag,
		reasons, revoking, sums,
	};

	page = sysconf(_SC_PAGESIZE);
	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &function);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_sys_reset(root);
		if (tphbuf_device_open(BDF, &(struct tphbuf_options) { .sysroot = root }, &dev,
				       NULL))
			bail_out("cannot open the device");
		cases[i]();
		tphbuf_device_close(dev);
	}
	fake_tree_remove(root);
	return done_testing();
}
