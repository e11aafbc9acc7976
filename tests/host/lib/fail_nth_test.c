// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: each call to the system fails in turn, n = 1, 2, ... until the
 * operation gets through without meeting the one that fails. Whatever failed:
 * no file stays open, no memory is lost (the leak sanitizer says so), and the
 * machine is as it was.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"
#include "fake_sock.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define BDF		"0000:00:03.0"
#define MAX_CALLS	500

static const int failures[] = { EIO, ENOMEM, ENOENT, EACCES, EBUSY };

static char root[FAKE_ROOT_SIZE];
static struct tphbuf_options options;

static void make_tree(void)
{
	static const struct fake_function functions[] = {
		{ .bdf = BDF, .group = 3, .class_code = 0x120000, .completer = 3 },
		{ .bdf = "0000:00:03.1", .driver = "pci-stub", .group = 3,
		  .class_code = 0x120000 },
	};

	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_driver(root, "pci-stub");
	fake_tree_driver(root, "accel");
	fake_tree_function(root, &functions[0]);
	fake_tree_function(root, &functions[1]);
}

/* The device is with @driver, as if nothing had happened before. */
static void start(const char *driver)
{
	const char *now = fake_tree_driver_of(root, BDF);

	if (!now || strcmp(now, driver)) {
		if (now)
			fake_tree_unbind(root, BDF);
		fake_tree_bind(root, BDF, driver);
	}
	fake_tree_write(root, "(null)", "sys/bus/pci/devices/" BDF "/driver_override");
	options = (struct tphbuf_options) { .sysroot = root };
	fake_sys_reset(root);
}

static void fail_from_here(unsigned int n, int error)
{
	fake_sys.fail_at = n;
	fake_sys.fail_errno = error;
	fake_sys.calls = 0;
	fake_sys.failed_call = NULL;
}

/* Tells which call it was only when something is wrong, to keep the output short. */
static bool check(bool good, const char *what, unsigned int n, int error)
{
	if (!good)
		diag("%s, call %u (%s) failed with %s", what, n,
		     fake_sys.failed_call ? fake_sys.failed_call : "none", strerror(error));
	return good;
}

/* Each returns whether all was well with call @n failing. */
static bool try_open(unsigned int n, int error)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why = { .open = TPHBUF_REASON_NONE };
	bool good = true;
	int ret;

	start("vfio-pci");
	fail_from_here(n, error);
	ret = tphbuf_device_open(BDF, &options, &dev, &why);
	good &= check(!ret == !!dev, "a device exactly on success", n, error);
	good &= check(!ret == !why.open, "a reason exactly on failure", n, error);
	if (dev)
		tphbuf_device_close(dev);
	good &= check(!fake_sys.sysfs_writes, "nothing written", n, error);
	return good;
}

static bool try_bind(unsigned int n, int error)
{
	struct tphbuf_device *dev = NULL;
	struct tphbuf_probe why = { .open = TPHBUF_REASON_NONE };
	const char *driver;
	bool good = true;
	int ret;

	start("accel");
	options.flags = TPHBUF_OPEN_BIND;
	fail_from_here(n, error);
	ret = tphbuf_device_open(BDF, &options, &dev, &why);
	good &= check(!ret == !!dev, "a device exactly on success", n, error);
	good &= check(!ret == !why.open, "a reason exactly on failure", n, error);
	driver = fake_tree_driver_of(root, BDF);
	good &= check(driver && !strcmp(driver, ret ? "accel" : "vfio-pci"),
		      "the right driver has it", n, error);
	good &= check(!strcmp(fake_tree_override_of(root, BDF), "(null)"), "override as before", n,
		      error);
	if (dev)
		tphbuf_device_close(dev);
	return good;
}

static bool try_restore(unsigned int n, int error)
{
	struct tphbuf_device *dev = NULL;
	const char *driver;
	bool good = true;
	int ret;

	start("accel");
	options.flags = TPHBUF_OPEN_BIND;
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	fail_from_here(n, error);
	ret = tphbuf_device_restore_driver(dev);
	driver = fake_tree_driver_of(root, BDF);
	good &= check(driver && !strcmp(driver, ret ? "vfio-pci" : "accel"),
		      "the right driver has it", n, error);
	good &= check(!strcmp(fake_tree_override_of(root, BDF), "(null)"), "override as before", n,
		      error);
	return good;
}

static bool try_export(unsigned int n, int error)
{
	const struct tphbuf_range range = { 0, (uint64_t)sysconf(_SC_PAGESIZE) };
	const struct tphbuf_tag tag = { .valid = TPHBUF_TAG_ST, .st = 7 };
	struct tphbuf_device *dev = NULL;
	unsigned int fds;
	bool good = true;
	int fd;

	start("vfio-pci");
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	fds = fake_sys_open_fds();
	fail_from_here(n, error);
	fd = tphbuf_export(dev, 2, &range, 1, &tag, TPHBUF_EXPORT_WC, NULL);
	good &= check(fake_sys_open_fds() == fds + (fd >= 0), "a dma-buf exactly on success", n,
		      error);
	good &= check(fd < 0 || fake_sys.tag.steering_tag == 7, "with its tag", n, error);
	good &= check((fd >= 0) == (fake_sys.wc_sets == 1), "write-combining exactly on success", n,
		      error);
	if (fd >= 0)
		close(fd);
	tphbuf_device_close(dev);
	return good;
}

static bool try_probe(unsigned int n, int error)
{
	struct tphbuf_probe probe;

	start("vfio-pci");
	options.flags = TPHBUF_PROBE_OPEN;
	fail_from_here(n, error);
	tphbuf_probe(BDF, &options, &probe);
	return check(!fake_sys.sysfs_writes && !fake_sys.mappings,
		     "nothing written, nothing mapped", n, error);
}

static bool try_list(unsigned int n, int error)
{
	struct tphbuf_probe *probes = NULL;
	size_t count = 0;
	bool good;
	int ret;

	start("vfio-pci");
	options.flags = TPHBUF_PROBE_OPEN;
	fail_from_here(n, error);
	ret = tphbuf_probe_all(&options, &probes, &count);
	good = check(!ret || (!probes && !count), "no list on failure", n, error);
	good &= check(!probes == !count, "an array exactly when it has elements", n, error);
	tphbuf_probe_free(probes);
	return good;
}

static bool try_host(unsigned int n, int error)
{
	enum tphbuf_reason reason = TPHBUF_REASON_NONE;

	start("vfio-pci");
	fail_from_here(n, error);
	tphbuf_probe_host(&options, &reason);
	return true;
}

static bool try_memory(unsigned int n, int error)
{
	struct tphbuf_device *dev = NULL;
	void *addr = NULL;
	bool good = true;
	int ret;

	start("vfio-pci");
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	fail_from_here(n, error);
	ret = tphbuf_device_enable_memory(dev);
	if (!ret)
		ret = tphbuf_device_bar_map(dev, 2, 0, 4096, &addr);
	good &= check(!ret == !!addr, "an address exactly on success", n, error);
	good &= check(!ret || ret == -error, "the error of the system", n, error);
	if (addr)
		tphbuf_device_bar_unmap(addr, 4096);
	tphbuf_device_close(dev);
	return good;
}

static bool try_mmap(unsigned int n, int error)
{
	const struct tphbuf_range range = { 0, FAKE_PAGE };
	struct tphbuf_device *dev = NULL;
	void *addr = NULL;
	bool good = true;
	int fd, ret;

	start("vfio-pci");
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	fd = tphbuf_export(dev, 2, &range, 1, NULL, 0, NULL);
	fail_from_here(n, error);
	ret = tphbuf_mmap(fd, 0, 1, PROT_READ, &addr);
	good &= check(!ret == !!addr, "an address exactly on success", n, error);
	good &= check(!ret == !fake_sys.failed_call, "success exactly without a failure", n, error);
	good &= check(!ret || ret == -error, "the error of the system", n, error);
	if (addr)
		tphbuf_munmap(addr, 1);
	good &= check(!fake_sys.mappings, "nothing stays mapped", n, error);
	close(fd);
	tphbuf_device_close(dev);
	return good;
}

static bool try_state(unsigned int n, int error)
{
	const struct tphbuf_range range = { 0, FAKE_PAGE };
	enum tphbuf_state state = TPHBUF_STATE_CLOSED;
	struct tphbuf_dmabuf_info info;
	struct tphbuf_device *dev = NULL;
	bool good = true;
	int fd, ret;

	start("vfio-pci");
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	fd = tphbuf_export(dev, 2, &range, 1, NULL, 0, NULL);
	fail_from_here(n, error);
	ret = tphbuf_dmabuf_wait(fd, 0, &state, 100);
	good &= check(!ret || ret == -error, "the error of the system", n, error);
	good &= check(!ret == (state == TPHBUF_STATE_USABLE), "a state exactly on success", n,
		      error);
	good &= check(!fake_sys.mappings, "nothing stays mapped", n, error);
	/* Of its calls only that for the size matters. */
	tphbuf_dmabuf_info(fd, &info);
	close(fd);
	tphbuf_device_close(dev);
	return good;
}

/* A listening socket for each attempt: what an earlier attempt left in it does not count. */
static int listen_anew(struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "%s/socket", root);
	unlink(address->sun_path);
	if (bind(fd, (struct sockaddr *)address, sizeof(*address)) || listen(fd, 10))
		bail_out("cannot listen");
	return fd;
}

/* One client, from the connection to the news of the revocation. */
static int hand_over(const char *path, struct tphbuf_server *server)
{
	struct tphbuf_handover got = { .dmabuf_fd = -1 };
	struct tphbuf_connection *connection;
	char name[TPHBUF_NAME_SIZE];
	int ret;

	ret = tphbuf_connect(path, &connection);
	if (ret)
		return ret;
	ret = tphbuf_connection_get(connection, "frames", 1000, &got);
	if (!ret && got.tag.st != 7)
		ret = -EILSEQ;
	if (got.dmabuf_fd >= 0)
		close(got.dmabuf_fd);
	if (!ret)
		ret = tphbuf_server_withdraw(server, "frames");
	if (!ret)
		ret = tphbuf_connection_wait(connection, 1000, name);
	tphbuf_connection_close(connection);
	return ret;
}

static bool try_handover(unsigned int n, int error)
{
	const struct tphbuf_range range = { 0, FAKE_PAGE };
	const gid_t gid = 12345;
	struct tphbuf_offer offer = {
		.name = "frames",
		.tag = { .valid = TPHBUF_TAG_ST, .st = 7 },
		.gids = &gid,
		.nr_gids = 1,
	};
	/* So that the groups of the client are asked for. */
	const struct ucred peer = { .uid = 1002, .gid = 12345 };
	struct tphbuf_device *dev = NULL;
	struct sockaddr_un address;
	bool good = true;
	int fd, ret;

	start("vfio-pci");
	fake_sock = (struct fake_sock) { .now_ms = 1000, .peer = &peer };
	if (tphbuf_device_open(BDF, &options, &dev, NULL))
		bail_out("cannot open the device");
	offer.dmabuf_fd = tphbuf_export(dev, 2, &range, 1, NULL, 0, NULL);
	fd = listen_anew(&address);
	fail_from_here(n, error);
	ret = tphbuf_server_create(fd, NULL, &fake_sock.server);
	good &= check(!ret == !!fake_sock.server, "a server exactly on success", n, error);
	if (!ret)
		ret = tphbuf_server_offer(fake_sock.server, &offer);
	if (!ret)
		ret = hand_over(address.sun_path, fake_sock.server);
	good &= check(ret != -EILSEQ, "with its tag", n, error);
	/* Whatever happened to the first client, the next one is served. */
	fake_sys.fail_at = 0;
	if (fake_sock.server) {
		ret = tphbuf_server_offer(fake_sock.server, &offer);
		good &= check(!ret || ret == -EEXIST, "it can be offered", n, error);
		ret = hand_over(address.sun_path, fake_sock.server);
		/* Where accepting was put off, it is a timer that brings it back. */
		if (ret == -ETIMEDOUT) {
			usleep(120000);
			ret = hand_over(address.sun_path, fake_sock.server);
		}
		good &= check(!ret, "the next client is served", n, error);
	}
	tphbuf_server_close(fake_sock.server);
	fake_sock.server = NULL;
	close(fd);
	close(offer.dmabuf_fd);
	tphbuf_device_close(dev);
	return good;
}

static void run(const char *what, bool (*attempt)(unsigned int n, int error))
{
	unsigned int fds = fake_sys_open_fds(), n, tried = 0;
	bool good = true, done;

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		for (n = 1, done = false; !done && n < MAX_CALLS; n++) {
			good &= attempt(n, failures[i]);
			good &= check(fake_sys_open_fds() == fds, "no file left open", n,
				      failures[i]);
			done = !fake_sys.failed_call;
			tried += !done;
		}
		good &= check(done, "got through in the end", n, failures[i]);
	}
	ok(good && tried, "%s: %u failures", what, tried);
}

int main(void)
{
	make_tree();
	run("open", try_open);
	run("open and bind", try_bind);
	run("restore the driver", try_restore);
	run("export with a tag, write-combining", try_export);
	run("mmap", try_mmap);
	run("probe", try_probe);
	run("list", try_list);
	run("host", try_host);
	run("memory", try_memory);
	run("hand over", try_handover);
	run("state and information", try_state);
	fake_tree_remove(root);
	return done_testing();
}
