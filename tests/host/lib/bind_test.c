// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: TPHBUF_OPEN_BIND takes a device from its driver and gives it back. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define BDF		"0000:00:03.0"
#define NEIGHBOUR	"0000:00:03.1"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_options options = { .flags = TPHBUF_OPEN_BIND };

static void start(const char *driver, const char *neighbour_driver)
{
	struct fake_function function = {
		.bdf = BDF, .driver = driver, .group = 3, .class_code = 0x120000, .completer = 3,
	};

	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_driver(root, "accel");
	fake_tree_driver(root, "pci-stub");
	fake_tree_driver(root, "pcieport");
	fake_tree_driver(root, "mlx5-vfio-pci");
	fake_tree_function(root, &function);
	if (neighbour_driver) {
		function.bdf = NEIGHBOUR;
		function.driver = neighbour_driver;
		fake_tree_function(root, &function);
	}
	options.sysroot = root;
	fake_sys_reset(root);
}

static void take_and_restore(const char *driver)
{
	struct tphbuf_device *dev = NULL;
	int ret;

	start(driver, NULL);
	ret = tphbuf_device_open(BDF, &options, &dev, NULL);
	is_int(ret, 0, "takes a device of %s", driver ? driver : "no driver");
	if (!ret) {
		is_str(fake_tree_driver_of(root, BDF), "vfio-pci", "vfio-pci has it");
		is_str(fake_tree_override_of(root, BDF), "(null)", "driver_override is as before");
		is_str(tphbuf_device_previous_driver(dev), driver ? driver : "", "remembers");
		is_int(tphbuf_device_restore_driver(dev), 0, "gives it back");
		is_str(fake_tree_driver_of(root, BDF), driver, "the old driver has it");
		is_str(fake_tree_override_of(root, BDF), "(null)", "driver_override is as before");
	}
	fake_tree_remove(root);
}

static void close_keeps(void)
{
	struct tphbuf_device *dev = NULL;

	start("accel", NULL);
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "takes a device");
	tphbuf_device_close(dev);
	is_str(fake_tree_driver_of(root, BDF), "vfio-pci", "a plain close leaves it to vfio-pci");
	fake_sys_reset(root);
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "opens it again");
	is_int(fake_sys.sysfs_writes, 0, "without binding what is bound");
	is_str(tphbuf_device_previous_driver(dev), NULL, "and was not the one who took it");
	is_int(tphbuf_device_restore_driver(dev), 0, "so there is nothing to give back");
	is_str(fake_tree_driver_of(root, BDF), "vfio-pci", "and vfio-pci keeps it");
	fake_tree_remove(root);
}

static void not_without_asking(void)
{
	struct tphbuf_options quiet = { .sysroot = root };
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("accel", NULL);
	is_int(tphbuf_device_open(BDF, &quiet, &dev, &why), -ENODEV, "does not bind unless asked");
	is_int(why.open, TPHBUF_REASON_NOT_BOUND, "and says so");
	is_str(why.driver, "accel", "and who has it");
	is_int(fake_sys.sysfs_writes, 0, "nothing was written");
	fake_tree_remove(root);
}

static void override_of_the_user(void)
{
	struct tphbuf_device *dev = NULL;

	start("accel", NULL);
	fake_tree_write(root, "mine\n", "sys/bus/pci/devices/" BDF "/driver_override");
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "takes a device with an override");
	is_str(fake_tree_override_of(root, BDF), "mine", "which is back at once");
	is_int(tphbuf_device_restore_driver(dev), 0, "gives it back");
	is_str(fake_tree_driver_of(root, BDF), "accel", "to its driver, not that of the override");
	is_str(fake_tree_override_of(root, BDF), "mine", "and the override is still there");
	fake_tree_remove(root);
}

static void group_members(void)
{
	static const char *const harmless[] = {
		"vfio-pci", "mlx5-vfio-pci", "pci-stub", "pcieport",
	};
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		start("accel", harmless[i]);
		is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "%s may share the group",
		       harmless[i]);
		is_int(tphbuf_device_restore_driver(dev), 0, "gives it back");
		fake_tree_remove(root);
	}
	start("accel", "accel");
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EBUSY, "a kernel driver may not");
	is_int(why.open, TPHBUF_REASON_GROUP_NOT_VIABLE, "the reason is the group");
	is_str(why.group_blocker, NEIGHBOUR, "and it names the device");
	is_int(fake_sys.sysfs_writes, 0, "nothing was written");
	fake_tree_remove(root);
}

static void failure(const char *what, const struct fake_errors *errors, int ret,
		    enum tphbuf_reason reason, int error)
{
	unsigned int fds = fake_sys_open_fds();
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("accel", NULL);
	fake_sys.errors = *errors;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), ret, "%s: error", what);
	is_int(why.open, reason, "%s: reason", what);
	is_int(why.error, error, "%s: errno", what);
	ok(!dev, "%s: no device", what);
	is_str(fake_tree_driver_of(root, BDF), "accel", "%s: the old driver has it", what);
	is_str(why.driver, "accel", "%s: and that is what is told", what);
	is_str(fake_tree_override_of(root, BDF), "(null)", "%s: override as before", what);
	is_int(fake_sys_open_fds(), fds, "%s: no file left open", what);
	fake_tree_remove(root);
}

/* Another process has the device in its hands. */
static void locked(void)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("accel", NULL);
	fake_sys.errors.flock = EWOULDBLOCK;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EBUSY, "another process binds it");
	is_int(why.reason, TPHBUF_REASON_BUSY, "the reason is that it is busy");
	ok(fake_sys.slept_ms >= 5000 && fake_sys.slept_ms <= 60000, "after %u ms",
	   fake_sys.slept_ms);
	is_int(fake_sys.sysfs_writes, 0, "nothing was written");
	fake_sys.errors.flock = 0;
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0,
	       "when it is done, it can be taken");
	is_int(tphbuf_device_restore_driver(dev), 0, "and given back");
	is_int(tphbuf_device_restore_driver(NULL), 0, "no device at all is ignored");
	fake_tree_remove(root);
}

static void move_device_files(const char *from, const char *to)
{
	char old[PATH_MAX], new[PATH_MAX];

	snprintf(old, sizeof(old), "%s/dev/%s", root, from);
	snprintf(new, sizeof(new), "%s/dev/%s", root, to);
	if (rename(old, new))
		bail_out("cannot move %s", old);
}

static void device_files_appear(void)
{
	move_device_files("vfio.away", "vfio");
	fake_sys.on_lock = NULL;
}

/* Another process binds the device: it has the driver and no file yet. */
static void half_bound(void)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("vfio-pci", NULL);
	move_device_files("vfio", "vfio.away");
	fake_sys.on_lock = device_files_appear;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), 0, "the file is waited for");
	tphbuf_device_close(dev);
	move_device_files("vfio", "vfio.away");
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EOPNOTSUPP, "it never comes");
	is_int(why.reason, TPHBUF_REASON_NO_CDEV, "the reason is the file");
	fake_sys.errors.flock = EACCES;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EOPNOTSUPP,
	       "nor for a user who may not bind");
	is_int(why.reason, TPHBUF_REASON_NO_CDEV, "for whom the reason is the same");
	fake_tree_remove(root);
}

/* What was not written whole was not written. */
static void short_write(void)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("accel", NULL);
	fake_sys.errors.short_sysfs = true;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -ENODEV,
	       "a short write is a failure");
	is_int(why.reason, TPHBUF_REASON_BIND_FAILED, "to bind");
	is_int(why.error, EIO, "with an errno value");
	fake_tree_remove(root);
}

/* The file that could not be written to. */
static void denied(const char *what, const struct fake_errors *errors, const char *file)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start("accel", NULL);
	fake_sys.errors = *errors;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EACCES, "%s", what);
	is_str(why.denied, file, "%s: the file", what);
	fake_tree_remove(root);
}

/* VF tokens are given only where one is needed. */
static void vf_token(bool groups)
{
	static const uint8_t bytes[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const char *const wrong[] = {
		"x", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeeff0",
		"00112233 4455-6677-8899-aabbccddeeff", "0x112233-4455-6677-8899-aabbccddeeff",
	};
	const char *how = groups ? "group" : "device file";
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why;

	start(NULL, NULL);
	if (groups)
		fake_tree_groups_only(root);
	fake_tree_bind(root, BDF, "vfio-pci");
	fake_sys.errors.token = EACCES;
	is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EACCES, "%s: no token", how);
	is_int(why.reason, TPHBUF_REASON_VF_TOKEN, "%s: the reason is the token", how);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		options.vf_token = wrong[i];
		is_int(tphbuf_device_open(BDF, &options, &dev, &why), -EACCES, "%s: \"%s\"", how,
		       wrong[i]);
	}
	options.vf_token = "00112233-4455-6677-8899-AAbbccddeeff";
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "%s: a token", how);
	if (groups)
		is_str(fake_sys.opened, BDF " vf_token=00112233-4455-6677-8899-AAbbccddeeff",
		       "%s: behind the name", how);
	else
		ok(!memcmp(fake_sys.token, bytes, sizeof(bytes)), "%s: in the order of its text",
		   how);
	tphbuf_device_close(dev);
	fake_sys.errors.token = 0;
	is_int(tphbuf_device_open(BDF, &options, &dev, NULL), 0, "%s: a token that nobody needs",
	       how);
	tphbuf_device_close(dev);
	options.vf_token = NULL;
	fake_tree_remove(root);
}

int main(void)
{
	take_and_restore("accel");
	take_and_restore(NULL);
	close_keeps();
	not_without_asking();
	override_of_the_user();
	group_members();
	failure("override not writable", &(struct fake_errors) { .write_override = EACCES },
		-EACCES, TPHBUF_REASON_NO_PERMISSION, 0);
	failure("driver does not let go", &(struct fake_errors) { .write_unbind = EBUSY },
		-ENODEV, TPHBUF_REASON_BIND_FAILED, EBUSY);
	failure("vfio-pci refuses", &(struct fake_errors) { .vfio_pci_refuses = true },
		-ENODEV, TPHBUF_REASON_BIND_FAILED, ENODEV);
	failure("no iommufd permission", &(struct fake_errors) { .open_iommufd = EACCES },
		-EACCES, TPHBUF_REASON_NO_PERMISSION, 0);
	failure("device gone", &(struct fake_errors) { .open_cdev = ENODEV },
		-ENODEV, TPHBUF_REASON_NOT_FOUND, 0);
	failure("group refused", &(struct fake_errors) { .bind = EPERM },
		-EBUSY, TPHBUF_REASON_GROUP_REFUSED, 0);
	failure("open elsewhere", &(struct fake_errors) { .bind = EINVAL },
		-EBUSY, TPHBUF_REASON_BUSY, 0);
	failure("not a PCI device", &(struct fake_errors) { .not_pci = true },
		-ENODEV, TPHBUF_REASON_NOT_VFIO, 0);
	failure("no region", &(struct fake_errors) { .region = EFAULT },
		-EFAULT, TPHBUF_REASON_SYSTEM, EFAULT);
	locked();
	half_bound();
	short_write();
	denied("override", &(struct fake_errors) { .write_override = EACCES },
	       "/sys/bus/pci/devices/" BDF "/driver_override");
	denied("unbind", &(struct fake_errors) { .write_unbind = EPERM },
	       "/sys/bus/pci/devices/" BDF "/driver/unbind");
	denied("probe", &(struct fake_errors) { .write_probe = EROFS },
	       "/sys/bus/pci/drivers_probe");
	vf_token(false);
	vf_token(true);
	return done_testing();
}
