// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: a probe tells what is possible and why not, and changes nothing. */
#include <errno.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define BDF		"0000:00:03.0"
#define NEIGHBOUR	"0000:00:03.1"
#define VFIO		"vfio24"

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_options look, ask;
static struct tphbuf_probe probe;

static void start(void)
{
	fake_tree_create(root);
	look = (struct tphbuf_options) { .sysroot = root };
	ask = (struct tphbuf_options) { .sysroot = root, .flags = TPHBUF_PROBE_OPEN };
	fake_sys_reset(root);
}

static void start_bound(unsigned int completer)
{
	struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = completer,
	};

	start();
	fake_tree_driver(root, "vfio-pci");
	fake_tree_driver(root, "accel");
	fake_tree_function(root, &function);
}

static void expect(const char *what, enum tphbuf_reason open, enum tphbuf_reason dmabuf,
		   enum tphbuf_reason st, enum tphbuf_reason st_ext)
{
	is_str(tphbuf_reason_name(probe.open), tphbuf_reason_name(open), "%s: open", what);
	is_str(tphbuf_reason_name(probe.dmabuf), tphbuf_reason_name(dmabuf), "%s: dma-buf", what);
	is_str(tphbuf_reason_name(probe.st), tphbuf_reason_name(st), "%s: ST", what);
	is_str(tphbuf_reason_name(probe.st_ext), tphbuf_reason_name(st_ext), "%s: ST-EXT", what);
}

static void end(const char *what, unsigned int fds)
{
	is_int(fake_sys.sysfs_writes, 0, "%s: nothing was written", what);
	is_int(fake_sys_open_fds(), fds, "%s: no file left open", what);
	fake_tree_remove(root);
}

#define NONE		TPHBUF_REASON_NONE
#define NOT_ASKED	TPHBUF_REASON_NOT_ASKED

/* Without opening: what sysfs tells. */
static void look_at_bound(unsigned int completer, enum tphbuf_reason st,
			  enum tphbuf_reason st_ext)
{
	unsigned int fds = fake_sys_open_fds();
	char what[32];

	snprintf(what, sizeof(what), "look, completer %u", completer);
	start_bound(completer);
	is_int(tphbuf_probe("00:03.0", &look, &probe), 0, "%s", what);
	expect(what, NONE, NOT_ASKED, st, st_ext);
	is_str(probe.bdf, BDF, "%s: address", what);
	is_str(probe.driver, "vfio-pci", "%s: driver", what);
	is_str(probe.cdev, "/dev/vfio/devices/" VFIO, "%s: device file", what);
	is_int(probe.iommu_group, 3, "%s: group", what);
	is_hex(probe.vendor, 0x1b36, "%s: vendor", what);
	is_hex(probe.device, 0x0001, "%s: device", what);
	is_int(fake_sys.device_opens, 0, "%s: the device was not opened", what);
	end(what, fds);
}

/* With opening: what the kernel tells. */
static void ask_bound(const char *what, unsigned int completer, const struct fake_errors *errors,
		      enum tphbuf_reason open, enum tphbuf_reason dmabuf, enum tphbuf_reason st,
		      enum tphbuf_reason st_ext)
{
	unsigned int fds = fake_sys_open_fds();

	start_bound(completer);
	fake_sys.errors = *errors;
	is_int(tphbuf_probe(BDF, &ask, &probe), 0, "%s", what);
	expect(what, open, dmabuf, st, st_ext);
	is_int(fake_sys.tag_sets + fake_sys.wc_sets, 0, "%s: nothing was set", what);
	is_int(fake_sys.mappings, 0, "%s: nothing stays mapped", what);
	end(what, fds);
}

static void ask_all(void)
{
	const struct fake_errors fine = { 0 };

	ask_bound("all is there", 3, &fine, NONE, NONE, NONE, NONE);
	ask_bound("8-bit completer", 1, &fine, NONE, NONE, NONE, TPHBUF_REASON_ST_8BIT_ONLY);
	ask_bound("no completer", 0, &(struct fake_errors) { .tph_probe = EOPNOTSUPP }, NONE, NONE,
		  TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER);
	ask_bound("reserved completer", 2, &(struct fake_errors) { .tph_probe = EOPNOTSUPP }, NONE,
		  NONE, TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER);
	ask_bound("kernel built without TPH", 3, &(struct fake_errors) { .tph_probe = EOPNOTSUPP },
		  NONE, NONE, TPHBUF_REASON_TPH_NOT_BUILT, TPHBUF_REASON_TPH_NOT_BUILT);
	ask_bound("another feature under the number", 3, &(struct fake_errors) { .tph_other = 1 },
		  NONE, NONE, TPHBUF_REASON_OTHER_FEATURE, TPHBUF_REASON_OTHER_FEATURE);
	ask_bound("an errno value without a name", 3, &(struct fake_errors) { .tph_probe = 524 },
		  NONE, NONE, TPHBUF_REASON_TPH_NOT_BUILT, TPHBUF_REASON_TPH_NOT_BUILT);
	ask_bound("kernel without TPH", 3, &(struct fake_errors) { .tph_probe = ENOTTY }, NONE,
		  NONE, TPHBUF_REASON_NO_TPH_FEATURE, TPHBUF_REASON_NO_TPH_FEATURE);
	ask_bound("kernel without dma-buf", 3,
		  &(struct fake_errors) { .dmabuf_probe = ENOTTY, .tph_probe = ENOTTY }, NONE,
		  TPHBUF_REASON_NO_DMABUF, TPHBUF_REASON_NO_TPH_FEATURE,
		  TPHBUF_REASON_NO_TPH_FEATURE);
	ask_bound("device without dma-buf", 3,
		  &(struct fake_errors) { .dmabuf_probe = EOPNOTSUPP, .tph_probe = EOPNOTSUPP },
		  NONE, TPHBUF_REASON_NO_DMABUF, TPHBUF_REASON_NO_DMABUF,
		  TPHBUF_REASON_NO_DMABUF);
	ask_bound("strange answer", 3, &(struct fake_errors) { .dmabuf_probe = EIO }, NONE,
		  TPHBUF_REASON_SYSTEM, NONE, NONE);
	is_int(probe.error, EIO, "strange answer: errno");
	ask_bound("open elsewhere", 3, &(struct fake_errors) { .bind = EINVAL },
		  TPHBUF_REASON_BUSY, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("group open elsewhere", 3, &(struct fake_errors) { .bind = EBUSY },
		  TPHBUF_REASON_BUSY, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("group refused", 3, &(struct fake_errors) { .bind = EPERM },
		  TPHBUF_REASON_GROUP_REFUSED, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("token wanted", 3, &(struct fake_errors) { .token = EACCES },
		  TPHBUF_REASON_VF_TOKEN, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("not VFIO", 3, &(struct fake_errors) { .bind = ENOTTY },
		  TPHBUF_REASON_NOT_VFIO, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("no permission for the device", 3,
		  &(struct fake_errors) { .access_cdev = EACCES },
		  TPHBUF_REASON_NO_PERMISSION, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("no permission for iommufd", 3,
		  &(struct fake_errors) { .access_iommufd = EACCES },
		  TPHBUF_REASON_NO_PERMISSION, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("permission seemed there", 3, &(struct fake_errors) { .open_cdev = EACCES },
		  TPHBUF_REASON_NO_PERMISSION, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	ask_bound("no descriptor left", 3, &(struct fake_errors) { .open_iommufd = EMFILE },
		  TPHBUF_REASON_SYSTEM, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	is_int(probe.error, EMFILE, "no descriptor left: errno");
}

static void look_at(const char *what, const char *name, enum tphbuf_reason open)
{
	is_int(tphbuf_probe(name, &ask, &probe), 0, "%s", what);
	is_str(tphbuf_reason_name(probe.open), tphbuf_reason_name(open), "%s: open", what);
	is_int(fake_sys.device_opens, 0, "%s: the device was not opened", what);
}

static void ask_cpu(const char *what, const struct fake_errors *errors, enum tphbuf_reason mmap,
		    enum tphbuf_reason wc)
{
	unsigned int fds = fake_sys_open_fds();

	start_bound(3);
	fake_sys.errors = *errors;
	is_int(tphbuf_probe(BDF, &ask, &probe), 0, "%s", what);
	is_str(tphbuf_reason_name(probe.mmap), tphbuf_reason_name(mmap), "%s: mmap", what);
	is_str(tphbuf_reason_name(probe.wc), tphbuf_reason_name(wc), "%s: wc", what);
	is_int(fake_sys.wc_sets, 0, "%s: nothing was made write-combining", what);
	is_int(fake_sys.mappings, 0, "%s: nothing stays mapped", what);
	end(what, fds);
}

/* What the CPU can do. */
static void ask_cpu_all(void)
{
	ask_cpu("CPU: all is there", &(struct fake_errors) { .mmap = 0 }, NONE, NONE);
	is_int(fake_sys.mmaps, 1, "CPU: a mapping was tried");
	is_int(fake_sys.exported.region_index, 0, "CPU: of the first BAR");
	is_hex(fake_sys.exported.ranges[0].length, FAKE_PAGE, "CPU: a page of it");
	ask_cpu("CPU: kernel without mmap", &(struct fake_errors) { .mmap = EINVAL },
		TPHBUF_REASON_NO_MMAP, NONE);
	is_int(fake_sys.exports, 2, "CPU: no BAR was left out, but the I/O BAR");
	is_int(fake_sys.exported.region_index, 2, "CPU: the last one is BAR 2");
	ask_cpu("CPU: revoked", &(struct fake_errors) { .revoked_from = 1 }, NONE, NONE);
	ask_cpu("CPU: small BARs", &(struct fake_errors) { .small_bars = true },
		TPHBUF_REASON_NO_BAR, NONE);
	is_int(fake_sys.exports, 0, "CPU: small BARs: nothing to export");
	ask_cpu("CPU: no memory", &(struct fake_errors) { .mmap = ENOMEM }, TPHBUF_REASON_SYSTEM,
		NONE);
	is_int(probe.error, ENOMEM, "CPU: no memory: errno");
	ask_cpu("CPU: kernel without WC", &(struct fake_errors) { .wc_probe = ENOTTY }, NONE,
		TPHBUF_REASON_NO_WC_FEATURE);
	ask_cpu("CPU: no PAT", &(struct fake_errors) { .wc_probe = EOPNOTSUPP }, NONE,
		TPHBUF_REASON_NO_WC);
	ask_cpu("CPU: no dma-buf", &(struct fake_errors) {
		.dmabuf_probe = EOPNOTSUPP, .wc_probe = EOPNOTSUPP }, TPHBUF_REASON_NO_DMABUF,
		TPHBUF_REASON_NO_DMABUF);
	is_int(fake_sys.exports, 0, "CPU: no dma-buf: no export was tried");
	ask_cpu("CPU: strange answer", &(struct fake_errors) { .wc_probe = EIO }, NONE,
		TPHBUF_REASON_SYSTEM);
	is_int(probe.error, EIO, "CPU: strange answer: errno");

	start_bound(3);
	is_int(tphbuf_probe(BDF, &look, &probe), 0, "CPU: not opened");
	is_str(tphbuf_reason_name(probe.mmap), "not-asked", "CPU: not opened: mmap");
	is_str(tphbuf_reason_name(probe.wc), "not-asked", "CPU: not opened: wc");
	fake_tree_remove(root);
}

/* Options of pci= on the kernel command line, among others. */
static void command_line(void)
{
	static const struct {
		const char *line;
		enum tphbuf_reason reason;
	} lines[] = {
		{ "quiet pci=notph\n", TPHBUF_REASON_TPH_OFF },
		{ "pci=nomsi,notph,noaer root=/dev/sda\n", TPHBUF_REASON_TPH_OFF },
		{ "pci=nomsi pci=notph", TPHBUF_REASON_TPH_OFF },
		{ "pci=notphoo xpci=notph notph\n", TPHBUF_REASON_TPH_NOT_BUILT },
		{ "", TPHBUF_REASON_TPH_NOT_BUILT },
	};
	unsigned int fds = fake_sys_open_fds();

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		start_bound(3);
		fake_tree_write(root, lines[i].line, "proc/cmdline");
		fake_sys.errors.tph_probe = EOPNOTSUPP;
		is_int(tphbuf_probe(BDF, &ask, &probe), 0, "command line %zu", i);
		is_str(tphbuf_reason_name(probe.st), tphbuf_reason_name(lines[i].reason),
		       "command line %zu: reason", i);
		end("command line", fds);
	}
	start_bound(0);
	fake_tree_write(root, "pci=notph", "proc/cmdline");
	fake_sys.errors.tph_probe = EOPNOTSUPP;
	tphbuf_probe(BDF, &ask, &probe);
	is_str(tphbuf_reason_name(probe.st), "no-completer", "a device that is not a completer");
	end("command line, no completer", fds);
}

/* A kernel whose VFIO has groups only, as that of Debian. */
static void groups(void)
{
	static const struct {
		const char *what;
		struct fake_errors errors;
		enum tphbuf_reason open;
	} cases[] = {
		{ "groups: all is there", { .tph_probe = ENOTTY, .wc_probe = ENOTTY }, NONE },
		{ "groups: not viable", { .not_viable = true }, TPHBUF_REASON_GROUP_REFUSED },
		{ "groups: interrupts", { .set_iommu = EPERM }, TPHBUF_REASON_GROUP_REFUSED },
		{ "groups: container", { .set_container = EIO }, TPHBUF_REASON_SYSTEM },
		{ "groups: in use", { .get_device = EBUSY }, TPHBUF_REASON_BUSY },
		{ "groups: token", { .token = EACCES }, TPHBUF_REASON_VF_TOKEN },
		{ "groups: gone", { .get_device = ENODEV }, TPHBUF_REASON_NOT_FOUND },
	};
	struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3,
	};
	unsigned int fds = fake_sys_open_fds();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *what = cases[i].what;

		start();
		fake_tree_groups_only(root);
		fake_tree_driver(root, "vfio-pci");
		fake_tree_function(root, &function);
		fake_sys.errors = cases[i].errors;
		is_int(tphbuf_probe(BDF, &ask, &probe), 0, "%s", what);
		is_int(probe.access, TPHBUF_ACCESS_GROUP, "%s: by its group", what);
		is_str(tphbuf_reason_name(probe.open), tphbuf_reason_name(cases[i].open),
		       "%s: open", what);
		if (!cases[i].open) {
			is_str(tphbuf_reason_name(probe.dmabuf), "none", "%s: dma-buf", what);
			is_str(tphbuf_reason_name(probe.st), "no-tph-feature", "%s: ST", what);
			is_str(tphbuf_reason_name(probe.mmap), "none", "%s: mmap", what);
		}
		end(what, fds);
	}
	start();
	fake_tree_groups_only(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &function);
	fake_tree_delete(root, "dev/vfio/vfio");
	look_at("groups: no container", BDF, TPHBUF_REASON_NO_IOMMUFD);
	fake_tree_write(root, "", "dev/iommu");
	is_int(tphbuf_probe(BDF, &ask, &probe), 0, "groups: an iommufd in its place");
	is_str(tphbuf_reason_name(probe.open), "none", "groups: an iommufd in its place: open");
	is_int(fake_sys.device_opens, 1, "groups: an iommufd in its place: it was opened");
	fake_sys.device_opens = 0;
	fake_tree_delete(root, "dev/vfio/3");
	look_at("groups: no file", BDF, TPHBUF_REASON_NO_CDEV);
	is_int(probe.access, TPHBUF_ACCESS_NONE, "groups: no file: no way");
	end("groups: missing parts", fds);
}

static void missing_parts(void)
{
	struct fake_function function = {
		.bdf = BDF, .driver = "accel", .group = 3, .class_code = 0x120000, .completer = 3,
	};
	unsigned int fds = fake_sys_open_fds();

	start();
	fake_tree_driver(root, "accel");
	look_at("unknown device", "0000:00:09.0", TPHBUF_REASON_NOT_FOUND);
	is_str(probe.bdf, "0000:00:09.0", "unknown device: has its address");
	look_at("unknown device file", "/dev/vfio/devices/vfio9", TPHBUF_REASON_NOT_FOUND);
	is_str(probe.cdev, "/dev/vfio/devices/vfio9", "unknown device file: has its path");
	fake_tree_function(root, &function);
	look_at("kernel without vfio-pci", BDF, TPHBUF_REASON_NO_VFIO);
	fake_tree_driver(root, "vfio-pci");
	look_at("bound elsewhere", BDF, TPHBUF_REASON_NOT_BOUND);
	is_int(probe.completer, TPHBUF_COMPLETER_EXT_TPH, "bound elsewhere: completer is known");
	fake_tree_unbind(root, BDF);
	look_at("no driver", BDF, TPHBUF_REASON_NOT_BOUND);
	is_str(probe.driver, "", "no driver: none is named");
	fake_tree_delete(root, "sys/bus/pci/devices/" BDF "/iommu_group");
	look_at("no IOMMU", BDF, TPHBUF_REASON_NO_IOMMU);
	is_int(probe.iommu_group, -1, "no IOMMU: no group");
	fake_tree_delete(root, "sys");
	look_at("no sysfs", BDF, TPHBUF_REASON_NOT_FOUND);
	end("missing parts", fds);

	start_bound(3);
	fake_tree_delete(root, "dev/vfio/devices/" VFIO);
	look_at("no device file", BDF, TPHBUF_REASON_NO_CDEV);
	fake_tree_delete(root, "dev/iommu");
	look_at("no iommufd", BDF, TPHBUF_REASON_NO_IOMMUFD);
	fake_tree_delete(root, "sys/bus/pci/devices/" BDF "/vfio-dev/" VFIO "/dev");
	look_at("kernel without device files", BDF, TPHBUF_REASON_NO_CDEV);
	is_str(probe.cdev, "", "kernel without device files: no path");
	fake_tree_delete(root, "sys/bus/pci/devices/" BDF "/vfio-dev");
	look_at("kernel before the VFIO class", BDF, TPHBUF_REASON_NO_CDEV);
	end("missing parts of VFIO", fds);

	start_bound(3);
	function.bdf = NEIGHBOUR;
	fake_tree_function(root, &function);
	look_at("group not viable", BDF, TPHBUF_REASON_GROUP_NOT_VIABLE);
	is_str(probe.group_blocker, NEIGHBOUR, "group not viable: names the device");
	end("group", fds);
}

static void short_config(void)
{
	struct fake_function function = {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 1, .short_config = true,
	};
	unsigned int fds = fake_sys_open_fds();

	start();
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &function);
	is_int(tphbuf_probe(BDF, &look, &probe), 0, "ordinary user");
	is_int(probe.completer, TPHBUF_COMPLETER_UNKNOWN, "ordinary user: completer not readable");
	expect("ordinary user", NONE, NOT_ASKED, NOT_ASKED, NOT_ASKED);
	is_int(tphbuf_probe("/dev/vfio/devices/" VFIO, &ask, &probe), 0, "who may open");
	is_int(probe.completer, TPHBUF_COMPLETER_TPH, "who may open: learns the completer");
	expect("who may open", NONE, NONE, NONE, TPHBUF_REASON_ST_8BIT_ONLY);
	end("short config", fds);
}

static void listing(void)
{
	static const struct fake_function functions[] = {
		{ "0000:01:00.0", "vfio-pci", 5, 0x120000, 3, false, 0 },
		{ "0000:00:04.0", NULL, 4, 0x068000, 0, false, 0 },
		{ "0000:00:00.0", NULL, 0, 0x060400, 0, false, 1 },
		{ "0000:00:02.0", NULL, -1, 0x030000, 0, false, 0 },
		{ "10000:00:00.0", "vfio-pci", 6, 0x120000, 1, false, 0 },
	};
	unsigned int fds = fake_sys_open_fds();
	struct tphbuf_probe *probes;
	size_t count;

	start();
	is_int(tphbuf_probe_all(&look, &probes, &count), 0, "lists an empty bus");
	ok(!probes && !count, "as nothing");
	fake_tree_driver(root, "vfio-pci");
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		fake_tree_function(root, &functions[i]);
	is_int(tphbuf_probe_all(&look, &probes, &count), 0, "lists");
	is_int(count, 4, "no bridge to another bus");
	if (count == 4) {
		is_str(probes[0].bdf, "0000:00:02.0", "in order: first");
		is_int(probes[0].open, TPHBUF_REASON_NO_IOMMU, "which has no group");
		is_str(probes[1].bdf, "0000:00:04.0", "in order: second, a bridge that VFIO takes");
		is_int(probes[1].open, TPHBUF_REASON_NOT_BOUND, "which is not bound");
		is_str(probes[2].bdf, "0000:01:00.0", "in order: third");
		is_str(probes[3].bdf, "10000:00:00.0", "in order: fourth");
		is_int(probes[3].st_ext, TPHBUF_REASON_ST_8BIT_ONLY, "each with its own answer");
	}
	is_int(fake_sys.device_opens, 0, "opens nothing");
	tphbuf_probe_free(probes);
	is_int(tphbuf_probe_all(&ask, &probes, &count), 0, "lists and asks");
	is_int(fake_sys.device_opens, 2, "opens what is bound");
	is_int(count == 4 ? (int)probes[2].dmabuf : -1, NONE, "and has the answer");
	tphbuf_probe_free(probes);
	fake_tree_write(root, "junk\n", "sys/bus/pci/devices/0000:01:00.0/vendor");
	is_int(tphbuf_probe_all(&look, &probes, &count), 0, "lists in spite of one that is broken");
	is_int(count, 4, "which is among them");
	if (count == 4) {
		is_str(probes[2].bdf, "0000:01:00.0", "in its place");
		is_int(probes[2].open, TPHBUF_REASON_SYSTEM, "with the reason");
		is_int(probes[2].error, EINVAL, "and the errno");
	}
	tphbuf_probe_free(probes);
	fake_tree_delete(root, "sys/bus/pci");
	is_int(tphbuf_probe_all(&look, &probes, &count), 0, "a machine without PCI is no error");
	ok(!probes && !count, "and has nothing");
	end("listing", fds);
}

static void expect_host(enum tphbuf_reason want, const char *what)
{
	enum tphbuf_reason reason = TPHBUF_REASON_SYSTEM;

	is_int(tphbuf_probe_host(&look, &reason), 0, "host: %s", what);
	is_str(tphbuf_reason_name(reason), tphbuf_reason_name(want), "host: %s: reason", what);
}

static void host(void)
{
	unsigned int fds = fake_sys_open_fds();
	enum tphbuf_reason reason;

	start_bound(3);
	expect_host(NONE, "all is there");
	fake_tree_write(root, "", "dev/vfio/vfio");
	fake_tree_delete(root, "dev/iommu");
	expect_host(NONE, "a container in place of the iommufd");
	fake_tree_delete(root, "dev/vfio/vfio");
	expect_host(TPHBUF_REASON_NO_IOMMUFD, "no iommufd");
	fake_tree_delete(root, "sys/bus/pci/drivers/vfio-pci");
	expect_host(TPHBUF_REASON_NO_IOMMUFD, "another VFIO driver");
	fake_tree_delete(root, "sys/class/vfio-dev");
	expect_host(TPHBUF_REASON_NO_VFIO, "no VFIO");
	fake_tree_delete(root, "sys/kernel/iommu_groups/3");
	expect_host(TPHBUF_REASON_NO_IOMMU, "no IOMMU group");
	fake_tree_delete(root, "sys/kernel");
	expect_host(TPHBUF_REASON_NO_IOMMU, "no IOMMU at all");
	is_int(tphbuf_probe_host(&ask, &reason), -EINVAL, "host: takes no flag");
	end("host", fds);
}

static void wrong_options(void)
{
	struct tphbuf_options wrong = { .flags = 1u << 7 };
	struct tphbuf_probe *probes;
	char deep[5000];
	size_t count;

	is_int(tphbuf_probe(BDF, &wrong, &probe), -EINVAL, "an unknown flag is refused");
	is_int(tphbuf_probe_all(&wrong, &probes, &count), -EINVAL, "by a list too");
	memset(deep, 'x', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	wrong = (struct tphbuf_options) { .sysroot = deep };
	is_int(tphbuf_probe(BDF, &wrong, &probe), -ENAMETOOLONG, "a sysroot that is too long");
	deep[4090] = '\0';
	is_int(tphbuf_probe(BDF, &wrong, &probe), -ENAMETOOLONG, "or leaves too little room");
	is_int(tphbuf_probe("nonsense", NULL, &probe), 0, "a name of neither form");
	is_str(tphbuf_reason_name(probe.open), "bad-name", "has a reason");
	is_str(probe.cdev, "nonsense", "and is kept");
}

int main(void)
{
	look_at_bound(0, TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER);
	look_at_bound(1, NOT_ASKED, TPHBUF_REASON_ST_8BIT_ONLY);
	look_at_bound(2, TPHBUF_REASON_NO_COMPLETER, TPHBUF_REASON_NO_COMPLETER);
	look_at_bound(3, NOT_ASKED, NOT_ASKED);
	ask_all();
	ask_cpu_all();
	command_line();
	groups();
	missing_parts();
	short_config();
	listing();
	host();
	wrong_options();
	return done_testing();
}
