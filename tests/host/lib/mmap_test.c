// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: the CPU gets at a dma-buf, within its bounds, and a reason when it does not. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define BDF	"0000:00:03.0"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_device *dev;
static uint64_t page;

static int export(unsigned int flags)
{
	const struct tphbuf_range ranges[] = { { 4 * page, page }, { page, 2 * page } };
	int fd = tphbuf_export(dev, 2, ranges, 2, NULL, flags, NULL);

	if (fd < 0)
		bail_out("cannot export");
	return fd;
}

static bool is_wc(int fd)
{
	char wc = 0;

	return pread(fd, &wc, 1, FAKE_DMABUF_WC) == 1 && wc;
}

static void maps(void)
{
	int fd = export(0);
	uint32_t value = 0x11223344, back = 0;
	uint64_t size = 0;
	void *addr = NULL;

	is_int(tphbuf_dmabuf_size(fd, &size), 0, "has a size");
	is_int(size, 3 * page, "that of both ranges");
	is_int(tphbuf_mmap(fd, 0, 3 * page, PROT_READ | PROT_WRITE, &addr), 0, "maps all of it");
	if (!addr)
		return;
	memcpy((char *)addr + page + 8, &value, 4);
	tphbuf_device_bar_read(dev, 2, page + 8, &back, 4);
	is_hex(back, value, "the second range follows the first");
	is_int(tphbuf_munmap(addr, 3 * page), 0, "unmaps it");
	is_int(fake_sys.mappings, 0, "and it is gone");

	is_int(tphbuf_mmap(fd, page, 2 * page, PROT_READ, &addr), 0, "maps the second range");
	memcpy(&back, (char *)addr + 8, 4);
	is_hex(back, value, "and reads what was written");
	tphbuf_munmap(addr, 2 * page);
	is_int(tphbuf_mmap(fd, 2 * page, 1, PROT_WRITE, &addr), 0, "maps a byte of the last page");
	tphbuf_munmap(addr, 1);
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "the dma-buf stays the caller's");
	close(fd);
}

static void bad_arguments(void)
{
	const struct {
		uint64_t offset, length;
		int prot, ret;
		const char *what;
	} rows[] = {
		{ 0, 0, PROT_READ, -EINVAL, "no length" },
		{ 1, page, PROT_READ, -EINVAL, "an offset within a page" },
		{ page / 2, page, PROT_READ, -EINVAL, "half a page" },
		{ 0, page, PROT_NONE, -EINVAL, "no protection" },
		{ 0, page, PROT_READ | PROT_EXEC, -EINVAL, "executable" },
		{ 0, 3 * page + 1, PROT_READ, -ERANGE, "a byte more than there is" },
		{ 3 * page, 1, PROT_READ, -ERANGE, "behind the end" },
		{ 4 * page, page, PROT_READ, -ERANGE, "far behind the end" },
		{ 2 * page, 2 * page, PROT_READ, -ERANGE, "across the end" },
		{ -page, 2 * page, PROT_READ, -ERANGE, "offset and length wrap" },
		{ page, SIZE_MAX, PROT_READ, -ERANGE, "a length that wraps" },
	};
	int fd = export(0), null = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t size = 7;
	void *addr = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(tphbuf_mmap(fd, rows[i].offset, rows[i].length, rows[i].prot, &addr),
		       rows[i].ret, "%s", rows[i].what);
	is_int(tphbuf_mmap(null, 0, page, PROT_READ, &addr), -EINVAL, "a file that is no dma-buf");
	is_int(tphbuf_dmabuf_size(null, &size), -EINVAL, "which has no size");
	close(null);
	is_int(tphbuf_dmabuf_size(null, &size), -EBADF, "nor has a closed file");
	is_int(tphbuf_mmap(null, 0, page, PROT_READ, &addr), -EBADF, "a closed file");
	ok(!addr, "no address came out of it");
	is_int(fake_sys.mmaps, 0, "none of them reached the kernel");
	close(fd);
}

/* What the kernel says when the arguments are right. */
static void refusals(void)
{
	static const struct {
		int error, ret;
		const char *what;
	} rows[] = {
		{ EINVAL, -EOPNOTSUPP, "a kernel that does not map dma-bufs of VFIO" },
		{ EOPNOTSUPP, -EOPNOTSUPP, "memory that its driver maps by itself" },
		{ ENODEV, -ENODEV, "a device that is closed" },
		{ EACCES, -EACCES, "a file that is open for reading" },
		{ ENOMEM, -ENOMEM, "no room" },
	};
	int fd = export(0);
	void *addr = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_sys.errors.mmap = rows[i].error;
		is_int(tphbuf_mmap(fd, 0, page, PROT_READ, &addr), rows[i].ret, "%s", rows[i].what);
	}
	ok(!addr, "no address came out of it");
	close(fd);
}

static void write_combining(void)
{
	static const int errors[] = {
		EBADF, EINVAL, ENXIO, EXDEV, ENODEV, ENOTTY, EOPNOTSUPP, EBUSY, ENOSPC, EINTR,
	};
	const struct {
		uint32_t argsz, flags;
		int32_t dmabuf_fd;
		uint32_t memattr;
	} *raw = (const void *)&fake_sys.wc_argument;
	int fd = export(0), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ok(!is_wc(fd), "a dma-buf is not write-combining by itself");
	is_int(tphbuf_set_wc(dev, fd, NULL), 0, "makes it so");
	ok(is_wc(fd), "it is");
	is_int(tphbuf_set_wc(dev, fd, NULL), 0, "twice is no error");
	is_int(sizeof(*raw), 16, "SET takes 16 bytes");
	is_int(raw->argsz, 16, "which argsz says");
	is_hex(raw->flags, 1u << 17 | 15, "SET of feature 15");
	is_int(raw->dmabuf_fd, fd, "the dma-buf");
	is_int(raw->memattr, 1, "write-combining");
	is_int(tphbuf_set_wc(dev, null, NULL), -EINVAL, "a file that is no dma-buf");
	close(null);
	is_int(tphbuf_set_wc(dev, null, NULL), -EBADF, "a closed file");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake_sys.errors.wc_set = errors[i];
		is_int(tphbuf_set_wc(dev, fd, NULL), -errors[i], "the kernel's errno %d",
		       errors[i]);
	}
	close(fd);
}

static void exported_so(void)
{
	const struct tphbuf_tag tag = { .valid = TPHBUF_TAG_ST, .st = 7 };
	const struct tphbuf_range range = { 0, page };
	unsigned int fds = fake_sys_open_fds();
	int fd;

	fd = export(TPHBUF_EXPORT_WC);
	ok(is_wc(fd), "exports write-combining");
	is_int(fake_sys.wc_argument.wc.dmabuf_fd, fd, "that very dma-buf");
	close(fd);
	is_int(tphbuf_export(dev, 2, &range, 1, NULL, TPHBUF_EXPORT_WC << 1, NULL), -EINVAL,
	       "an unknown flag");
	is_int(fake_sys.exports, 1, "which does not reach the kernel");

	fake_sys.errors.tph_set = EOPNOTSUPP;
	is_int(tphbuf_export(dev, 2, &range, 1, &tag, TPHBUF_EXPORT_WC, NULL), -EOPNOTSUPP,
	       "a tag that cannot be set");
	is_int(fake_sys.wc_sets, 1, "before anything was done that stays");
	fake_sys.errors.tph_set = 0;
	fake_sys.errors.wc_set = EBUSY;
	is_int(tphbuf_export(dev, 2, &range, 1, &tag, TPHBUF_EXPORT_WC, NULL), -EBUSY,
	       "memory that has to be uncached");
	is_int(fake_sys_open_fds(), fds, "no file is left open");
	is_int(tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL) < 0, 0,
	       "which is none without the flag");
	close(fake_sys.tag.dmabuf_fd);
}

int main(void)
{
	static const struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3,
	};
	static void (*const cases[])(void) = {
		maps, bad_arguments, refusals, write_combining, exported_so,
	};

	page = FAKE_PAGE;
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
