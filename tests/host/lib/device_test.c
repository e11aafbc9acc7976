// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: opening, adopting and closing a device, and access to its regions. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sys.h"
#include "fake_tree.h"
#include "sys.h"

#define BDF	"0000:00:03.0"
#define CDEV	"/dev/vfio/devices/vfio24"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_options options;

static struct tphbuf_device *open_device(void)
{
	struct tphbuf_device *dev = NULL;

	fake_sys_reset(root);
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	return dev;
}

static void open_by(const char *name)
{
	unsigned int fds = fake_sys_open_fds();
	struct tphbuf_device *dev = NULL;
	int ret;

	fake_sys_reset(root);
	ret = tphbuf_device_open(name, &options, &dev, NULL);
	is_int(ret, 0, "opens by \"%s\"", name);
	if (ret)
		return;
	is_str(tphbuf_device_bdf(dev), BDF, "knows its address");
	is_str(tphbuf_device_previous_driver(dev), NULL, "was taken from nobody");
	ok(fcntl(tphbuf_device_fd(dev), F_GETFD) & FD_CLOEXEC, "device file is close-on-exec");
	ok(fcntl(tphbuf_device_iommufd(dev), F_GETFD) & FD_CLOEXEC, "iommufd is close-on-exec");
	is_int(fake_sys_open_fds(), fds + 2, "two files are open");
	tphbuf_device_close(dev);
	is_int(fake_sys_open_fds(), fds, "and none after the close");
	is_int(fake_sys.sysfs_writes, 0, "nothing was written to sysfs");
}

static void bad_names(void)
{
	static const char *const names[] = {
		"", "vfio24", "/dev/vfio/devices/", "/dev/vfio/devices/vfio", "/dev/vfio/24",
		"/dev/vfio/devices/vfio24x", "/dev/vfio/devices/../../iommu", "03.0",
	};
	struct tphbuf_options wrong = options;
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	fake_sys_reset(root);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_int(tphbuf_device_open(names[i], &options, &dev, &why), -EINVAL,
		       "\"%s\" is not a name", names[i]);
	is_int(why.reason, TPHBUF_REASON_BAD_NAME, "and the reason says so");
	wrong.flags = 1u << 7;
	is_int(tphbuf_device_open(BDF, &wrong, &dev, &why), -EINVAL, "an unknown flag is refused");
	is_int(why.reason, TPHBUF_REASON_SYSTEM, "the reason is the system's");
	is_int(why.error, EINVAL, "and the reason has the errno");
	wrong.flags = 0;
	wrong.reserved[4] = 1;
	is_int(tphbuf_device_open(BDF, &wrong, &dev, NULL), -EINVAL,
	       "a reserved field that is set is refused");
	ok(!dev, "no device came out of it");
}

static void adopting(void)
{
	struct tphbuf_device *owner = open_device(), *dev = NULL;
	unsigned int fds = fake_sys_open_fds();
	int fd = tphbuf_device_fd(owner), pipes[2];

	is_int(tphbuf_device_adopt(fd, -1, 2, &dev), -EINVAL, "unknown flag");
	is_int(tphbuf_device_adopt(-1, -1, 0, &dev), -EINVAL, "no file");
	is_int(tphbuf_device_adopt(1000, -1, TPHBUF_ADOPT_CLOSE, &dev), -EBADF, "a closed file");
	if (pipe(pipes))
		bail_out("no pipe");
	is_int(tphbuf_device_adopt(pipes[0], pipes[1], TPHBUF_ADOPT_CLOSE, &dev), -ENOTTY,
	       "a file that is no device");
	ok(fcntl(pipes[0], F_GETFD) >= 0 && fcntl(pipes[1], F_GETFD) >= 0,
	   "files of a failed adoption stay open");
	close(pipes[0]);
	close(pipes[1]);
	fake_sys.errors.not_pci = true;
	is_int(tphbuf_device_adopt(fd, -1, TPHBUF_ADOPT_CLOSE, &dev), -ENODEV,
	       "a device of another bus");
	fake_sys.errors.not_pci = false;
	ok(!dev, "no device came out of it");

	is_int(tphbuf_device_adopt(fd, -1, 0, &dev), 0, "adopts a device file");
	is_int(tphbuf_device_fd(dev), fd, "uses that very file");
	is_int(tphbuf_device_iommufd(dev), -1, "has no iommufd");
	is_str(tphbuf_device_bdf(dev), "", "does not know its address");
	is_int(tphbuf_device_restore_driver(dev), 0, "has nothing to give back");
	is_int(fake_sys_open_fds(), fds, "leaves the caller's files open");
	is_int(fake_sys.sysfs_writes, 0, "nothing was written to sysfs");

	is_int(tphbuf_device_adopt(fd, tphbuf_device_iommufd(owner), TPHBUF_ADOPT_CLOSE, &dev), 0,
	       "adopts and takes both files");
	tphbuf_device_close(dev);
	is_int(fake_sys_open_fds(), fds - 2, "both are closed with it");
	/* Its files are closed already. */
	free(owner);
}

/* Which device a file is of. */
static void identity(void)
{
	struct tphbuf_device *owner = open_device(), *dev = NULL;
	int fd = tphbuf_device_fd(owner);
	struct tphbuf_probe probe;

	fake_sys.device_number = makedev(511, 0);
	is_int(tphbuf_device_adopt(fd, -1, 0, &dev), 0, "adopts a device file with a number");
	is_str(tphbuf_device_bdf(dev), BDF, "knows its address by the number");
	is_int(tphbuf_device_probe(dev, &probe), 0, "tells more");
	is_str(probe.driver, "vfio-pci", "the driver");
	is_str(probe.cdev, CDEV, "the device file");
	is_int(probe.iommu_group, 3, "the IOMMU group");
	is_hex(probe.vendor, 0x1b36, "the vendor");
	is_int(probe.open, TPHBUF_REASON_NONE, "and that it can be opened, for it is");
	tphbuf_device_close(dev);

	fake_sys.device_number = makedev(511, 7);
	is_int(tphbuf_device_adopt(fd, -1, 0, &dev), 0, "adopts one that sysfs does not have");
	is_str(tphbuf_device_bdf(dev), "", "without an address");
	tphbuf_device_close(dev);

	fake_sys.device_number = 0;
	fake_tree_make_folder(root, "proc/self/fdinfo");
	fake_tree_write(root, "pos:\t0\nflags:\t02000002\nvfio-device-syspath: "
			"/sys/devices/pci0000:00/" BDF "\n", "proc/self/fdinfo/%d", fd);
	is_int(tphbuf_device_adopt(fd, -1, 0, &dev), 0, "adopts a file of a group");
	is_str(tphbuf_device_bdf(dev), BDF, "knows its address by what the file says");
	tphbuf_device_close(dev);
	fake_tree_write(root, "pos:\t0\n", "proc/self/fdinfo/%d", fd);
	is_int(tphbuf_device_adopt(fd, -1, 0, &dev), 0, "adopts a file of an older kernel");
	is_str(tphbuf_device_bdf(dev), "", "without an address");
	tphbuf_device_close(dev);
	tphbuf_device_close(owner);
}

static void bars(void)
{
	struct tphbuf_device *dev = open_device();
	struct tphbuf_bar bar;

	is_int(tphbuf_device_bar(dev, 0, &bar), 0, "BAR 0 is there");
	is_hex(bar.size, FAKE_BAR0_SIZE, "BAR 0 size");
	is_hex(bar.flags, TPHBUF_BAR_READ | TPHBUF_BAR_WRITE, "BAR 0 cannot be mapped");
	is_int(tphbuf_device_bar(dev, 2, &bar), 0, "BAR 2 is there");
	is_hex(bar.size, FAKE_BAR2_SIZE, "BAR 2 size");
	is_hex(bar.offset, FAKE_REGION(2), "BAR 2 offset");
	is_hex(bar.flags, TPHBUF_BAR_READ | TPHBUF_BAR_WRITE | TPHBUF_BAR_MMAP |
	       TPHBUF_BAR_64BIT | TPHBUF_BAR_PREFETCH, "BAR 2 is 64-bit prefetchable memory");
	is_int(tphbuf_device_bar(dev, 4, &bar), 0, "BAR 4 is there");
	is_hex(bar.flags, TPHBUF_BAR_READ | TPHBUF_BAR_WRITE | TPHBUF_BAR_IO, "BAR 4 is I/O");
	is_int(tphbuf_device_bar(dev, 3, &bar), 0, "BAR 3 can be asked about");
	is_hex(bar.size | bar.flags | bar.offset, 0, "and is not implemented");
	is_int(tphbuf_device_bar(dev, 6, &bar), -EINVAL, "BAR 6 does not exist");
	tphbuf_device_close(dev);
}

static void config_space(void)
{
	struct tphbuf_device *dev = open_device();
	uint8_t bytes[4] = { 0 };

	is_int(tphbuf_device_config_read(dev, 0, bytes, 4), 0, "reads the ids");
	is_mem(bytes, "\x36\x1b\x01\x00", 4, "which are the device's");
	is_int(tphbuf_device_config_write(dev, 0x100, "\x01\x02\x03\x04", 4), 0, "writes");
	is_int(tphbuf_device_config_read(dev, 0x100, bytes, 4), 0, "reads back");
	is_mem(bytes, "\x01\x02\x03\x04", 4, "what was written");
	is_int(tphbuf_device_config_read(dev, FAKE_CONFIG_SIZE - 4, bytes, 4), 0, "the last bytes");
	is_int(tphbuf_device_config_read(dev, FAKE_CONFIG_SIZE - 3, bytes, 4), -ERANGE,
	       "one byte beyond the end");
	is_int(tphbuf_device_config_write(dev, UINT64_MAX, bytes, 4), -ERANGE,
	       "an offset that wraps");
	is_int(tphbuf_device_config_read(dev, 16, bytes, SIZE_MAX), -ERANGE, "a length that wraps");
	fake_sys.errors.short_io = true;
	is_int(tphbuf_device_config_read(dev, 0, bytes, 4), -EIO, "a short read is an error");
	is_int(tphbuf_device_config_write(dev, 0x100, bytes, 4), -EIO, "a short write is an error");
	tphbuf_device_close(dev);
}

static void bar_access(void)
{
	struct tphbuf_device *dev = open_device();
	uint32_t value = 0x11223344, back = 0;
	size_t page = sysconf(_SC_PAGESIZE);
	void *addr = NULL;

	is_int(tphbuf_device_bar_write(dev, 2, page + 8, &value, 4), 0, "writes to BAR 2");
	is_int(tphbuf_device_bar_read(dev, 2, page + 8, &back, 4), 0, "reads from BAR 2");
	is_hex(back, value, "the same value");
	is_int(tphbuf_device_bar_read(dev, 2, FAKE_BAR2_SIZE - 3, &back, 4), -ERANGE, "across");
	is_int(tphbuf_device_bar_read(dev, 2, 16, &back, SIZE_MAX), -ERANGE, "a length that wraps");
	is_int(tphbuf_device_bar_read(dev, 3, 0, &back, 4), -ENXIO, "a BAR that is not there");
	is_int(tphbuf_device_bar_write(dev, 6, 0, &back, 4), -EINVAL, "a BAR that cannot be");
	is_int(tphbuf_device_bar_map(dev, 2, page, page, &addr), 0, "maps a part");
	memcpy(&back, (char *)addr + 8, 4);
	is_hex(back, value, "and sees the value there");
	is_int(tphbuf_device_bar_unmap(addr, page), 0, "unmaps it");
	is_int(tphbuf_device_bar_map(dev, 2, 1, page, &addr), -EINVAL, "unaligned offset");
	is_int(tphbuf_device_bar_map(dev, 2, 0, 0, &addr), -EINVAL, "no length");
	is_int(tphbuf_device_bar_map(dev, 2, FAKE_BAR2_SIZE, page, &addr), -ERANGE, "beyond");
	is_int(tphbuf_device_bar_map(dev, 0, 0, page, &addr), -EOPNOTSUPP, "cannot be mapped");
	tphbuf_device_close(dev);
}

static void memory_enable(void)
{
	struct tphbuf_device *dev = open_device();
	uint8_t command[2] = { 0x45, 0x01 };

	tphbuf_device_config_write(dev, 4, command, 2);
	is_int(tphbuf_device_enable_memory(dev), 0, "enables memory decoding");
	tphbuf_device_config_read(dev, 4, command, 2);
	is_mem(command, "\x47\x01", 2, "and changes no other bit");
	is_int(tphbuf_device_disable_memory(dev), 0, "disables it");
	tphbuf_device_config_read(dev, 4, command, 2);
	is_mem(command, "\x45\x01", 2, "and changes no other bit");
	fake_sys.errors.short_io = true;
	is_int(tphbuf_device_enable_memory(dev), -EIO, "tells when it cannot");
	tphbuf_device_close(dev);
}

int main(void)
{
	static const struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3,
	};

	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &function);
	options.sysroot = root;

	open_by(BDF);
	open_by("00:03.0");
	open_by(CDEV);
	bad_names();
	adopting();
	identity();
	bars();
	config_space();
	bar_access();
	memory_enable();
	tphbuf_device_close(NULL);

	fake_tree_remove(root);
	return done_testing();
}
