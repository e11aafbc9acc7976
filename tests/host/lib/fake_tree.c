// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "fake_tree.h"

#define DEVICES	"sys/bus/pci/devices"
#define DRIVERS	"sys/bus/pci/drivers"

/* Where the capability list puts the PCI Express capability. */
#define EXPRESS_AT	0x60

__attribute__((noreturn))
static void die(const char *what, const char *path)
{
	printf("Bail out! cannot %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}

__attribute__((format(printf, 2, 3)))
static const char *at(char path[PATH_MAX], const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vsnprintf(path, PATH_MAX, format, ap);
	va_end(ap);
	if (ret < 0 || ret >= PATH_MAX)
		abort();
	return path;
}

static void make_folders(const char *path)
{
	char part[PATH_MAX];
	char *slash;

	at(part, "%s", path);
	for (slash = strchr(part + 1, '/'); ; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			die("make", part);
		if (!slash)
			return;
		*slash = '/';
	}
}

/* A file that is truncated and written again goes to the disk on some file systems: slow. */
static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		die("write", path);
	close(fd);
}

static void make_link(const char *target, const char *path)
{
	if (symlink(target, path))
		die("link", path);
}

void fake_tree_create(char root[FAKE_ROOT_SIZE])
{
	char path[PATH_MAX];

	snprintf(root, FAKE_ROOT_SIZE, "/tmp/tphbuf-tree-XXXXXX");
	if (!mkdtemp(root))
		die("make", root);
	make_folders(at(path, "%s/" DEVICES, root));
	make_folders(at(path, "%s/" DRIVERS, root));
	make_folders(at(path, "%s/sys/kernel/iommu_groups", root));
	make_folders(at(path, "%s/dev/vfio/devices", root));
	fake_tree_write(root, "", "sys/bus/pci/drivers_probe");
	make_folders(at(path, "%s/sys/dev/char", root));
	make_folders(at(path, "%s/proc", root));
	fake_tree_write(root, "root=/dev/sda1 quiet\n", "proc/cmdline");
	fake_tree_write(root, "", "dev/iommu");
}

void fake_tree_groups_only(const char *root)
{
	fake_tree_delete(root, "dev/iommu");
	fake_tree_delete(root, "dev/vfio/devices");
	fake_tree_write(root, "", "dev/vfio/vfio");
}

static bool has_device_files(const char *root)
{
	char path[PATH_MAX];

	return !access(at(path, "%s/dev/vfio/devices", root), F_OK);
}

/* The group of a function, -1 for none. */
static int group_of(const char *root, const char *bdf)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	length = readlink(at(path, "%s/" DEVICES "/%s/iommu_group", root, bdf), target,
			  sizeof(target) - 1);
	if (length < 0)
		return -1;
	target[length] = '\0';
	return atoi(strrchr(target, '/') + 1);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(const char *path)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS))
		die("remove", path);
}

void fake_tree_remove(const char *root)
{
	remove_all(root);
}

void fake_tree_make_folder(const char *root, const char *folder)
{
	char path[PATH_MAX];

	make_folders(at(path, "%s/%s", root, folder));
}

void fake_tree_write(const char *root, const char *text, const char *format, ...)
{
	char rest[PATH_MAX], path[PATH_MAX + FAKE_ROOT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(rest, sizeof(rest), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", root, rest);
	write_file(path, text, strlen(text));
}

void fake_tree_delete(const char *root, const char *format, ...)
{
	char rest[PATH_MAX], path[PATH_MAX + FAKE_ROOT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(rest, sizeof(rest), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", root, rest);
	remove_all(path);
}

/* Drivers that take part in VFIO have it in their names, as in the kernel. */
static bool is_vfio_driver(const char *driver)
{
	return strstr(driver, "vfio");
}

void fake_tree_driver(const char *root, const char *driver)
{
	char path[PATH_MAX];

	make_folders(at(path, "%s/" DRIVERS "/%s", root, driver));
	fake_tree_write(root, "", DRIVERS "/%s/unbind", driver);
	if (is_vfio_driver(driver))
		make_folders(at(path, "%s/sys/class/vfio-dev", root));
}

/* A header and a PCI Express capability, version 2, behind another one. */
static void fill_config(uint8_t config[256], unsigned int completer, uint8_t header)
{
	memset(config, 0, 256);
	config[PCI_VENDOR_ID] = 0x36;
	config[PCI_VENDOR_ID + 1] = 0x1b;
	config[PCI_DEVICE_ID] = 0x01;
	config[PCI_HEADER_TYPE] = header | 0x80;
	config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	config[PCI_BASE_ADDRESS_2] = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
	config[PCI_BASE_ADDRESS_4] = PCI_BASE_ADDRESS_SPACE_IO;
	config[PCI_CAPABILITY_LIST] = 0x40;
	config[0x40] = PCI_CAP_ID_PM;
	config[0x41] = EXPRESS_AT;
	config[EXPRESS_AT] = PCI_CAP_ID_EXP;
	config[EXPRESS_AT + PCI_EXP_FLAGS] = 2;
	config[EXPRESS_AT + PCI_EXP_DEVCAP2 + 1] = completer << 4;
}

/* The memory of a device, as its device file shows it and as a group gives it. */
static void make_memory(const char *root, const char *bdf, const char *vfio)
{
	char path[PATH_MAX], other[PATH_MAX];
	uint8_t config[256];
	unsigned int completer;
	FILE *file;
	int fd;

	/* Kept beside what sysfs shows, which may be the short form. */
	file = fopen(at(path, "%s/" DEVICES "/%s/completer", root, bdf), "re");
	if (!file || fscanf(file, "%u", &completer) != 1)
		die("read", path);
	fclose(file);
	fill_config(config, completer, PCI_HEADER_TYPE_NORMAL);
	fd = open(at(path, "%s/" DEVICES "/%s/memory", root, bdf),
		  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, FAKE_REGION(FAKE_REGION_CONFIG) + FAKE_CONFIG_SIZE) ||
	    pwrite(fd, config, sizeof(config), FAKE_REGION(FAKE_REGION_CONFIG)) < 0)
		die("write", path);
	close(fd);
	if (has_device_files(root) && link(path, at(other, "%s/dev/vfio/devices/%s", root, vfio)))
		die("link", other);
}

/* Named after the slot and function, so that a test can foresee it. */
static void vfio_name(const char *bdf, char vfio[32])
{
	unsigned int domain, bus, slot, function;

	if (sscanf(bdf, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		abort();
	snprintf(vfio, 32, "vfio%u", bus << 8 | slot << 3 | function);
}

void fake_tree_bind(const char *root, const char *bdf, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX], vfio[32];

	make_link(at(target, "../../drivers/%s", driver),
		  at(path, "%s/" DEVICES "/%s/driver", root, bdf));
	if (!is_vfio_driver(driver))
		return;
	vfio_name(bdf, vfio);
	make_folders(at(path, "%s/" DEVICES "/%s/vfio-dev/%s", root, bdf, vfio));
	if (has_device_files(root)) {
		fake_tree_write(root, "511:0\n", DEVICES "/%s/vfio-dev/%s/dev", bdf, vfio);
		unlink(at(path, "%s/sys/dev/char/511:0", root));
		make_link(at(target, "../../bus/pci/devices/%s/vfio-dev/%s", bdf, vfio), path);
	} else if (group_of(root, bdf) >= 0) {
		fake_tree_write(root, "", "dev/vfio/%d", group_of(root, bdf));
	}
	make_link(at(target, "../../../%s", bdf),
		  at(path, "%s/" DEVICES "/%s/vfio-dev/%s/device", root, bdf, vfio));
	make_link(at(target, "../../bus/pci/devices/%s/vfio-dev/%s", bdf, vfio),
		  at(path, "%s/sys/class/vfio-dev/%s", root, vfio));
	make_memory(root, bdf, vfio);
}

void fake_tree_unbind(const char *root, const char *bdf)
{
	char path[PATH_MAX], vfio[32];

	if (is_vfio_driver(fake_tree_driver_of(root, bdf))) {
		vfio_name(bdf, vfio);
		remove_all(at(path, "%s/" DEVICES "/%s/vfio-dev", root, bdf));
		remove_all(at(path, "%s/sys/class/vfio-dev/%s", root, vfio));
		remove_all(at(path, "%s/" DEVICES "/%s/memory", root, bdf));
		if (has_device_files(root))
			remove_all(at(path, "%s/dev/vfio/devices/%s", root, vfio));
		else
			unlink(at(path, "%s/dev/vfio/%d", root, group_of(root, bdf)));
	}
	remove_all(at(path, "%s/" DEVICES "/%s/driver", root, bdf));
}

void fake_tree_function(const char *root, const struct fake_function *function)
{
	char path[PATH_MAX], target[PATH_MAX], text[32];
	uint8_t config[256];

	make_folders(at(path, "%s/" DEVICES "/%s", root, function->bdf));
	fake_tree_write(root, "0x1b36\n", DEVICES "/%s/vendor", function->bdf);
	fake_tree_write(root, "0x0001\n", DEVICES "/%s/device", function->bdf);
	snprintf(text, sizeof(text), "0x%06x\n", function->class_code);
	fake_tree_write(root, text, DEVICES "/%s/class", function->bdf);
	snprintf(text, sizeof(text), "%u\n", function->completer);
	fake_tree_write(root, text, DEVICES "/%s/completer", function->bdf);
	fake_tree_write(root, "(null)\n", DEVICES "/%s/driver_override", function->bdf);
	fake_tree_write(root, "", DEVICES "/%s/rescan", function->bdf);
	fill_config(config, function->completer, function->header);
	write_file(at(path, "%s/" DEVICES "/%s/config", root, function->bdf), config,
		   function->short_config ? 64 : sizeof(config));
	if (function->group >= 0) {
		make_folders(at(path, "%s/sys/kernel/iommu_groups/%d/devices", root,
				function->group));
		make_link(at(target, "../../../../kernel/iommu_groups/%d", function->group),
			  at(path, "%s/" DEVICES "/%s/iommu_group", root, function->bdf));
		make_link(at(target, "../../../../bus/pci/devices/%s", function->bdf),
			  at(path, "%s/sys/kernel/iommu_groups/%d/devices/%s", root,
			     function->group, function->bdf));
	}
	if (function->driver)
		fake_tree_bind(root, function->bdf, function->driver);
}

const char *fake_tree_driver_of(const char *root, const char *bdf)
{
	static char driver[PATH_MAX];
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	length = readlink(at(path, "%s/" DEVICES "/%s/driver", root, bdf), target,
			  sizeof(target) - 1);
	if (length < 0)
		return NULL;
	target[length] = '\0';
	snprintf(driver, sizeof(driver), "%s", strrchr(target, '/') + 1);
	return driver;
}

const char *fake_tree_override_of(const char *root, const char *bdf)
{
	static char text[256];
	char path[PATH_MAX];
	FILE *file;

	file = fopen(at(path, "%s/" DEVICES "/%s/driver_override", root, bdf), "re");
	if (!file)
		return NULL;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return text;
}
