// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: what is known of a dma-buf, and whether it is revoked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "fake_sys.h"
#include "fake_tree.h"
#include "tap.h"

#define BDF	"0000:00:03.0"

static char root[FAKE_ROOT_SIZE];
static int dmabuf;

static void states(void)
{
	enum tphbuf_state state = 99;

	is_int(tphbuf_dmabuf_state(dmabuf, 0, &state), 0, "a state");
	is_int(state, TPHBUF_STATE_USABLE, "usable");
	is_int(fake_sys.mappings, 0, "nothing stays mapped");
	fake_sys.errors.revoked_from = (int)FAKE_PAGE + 1;
	is_int(tphbuf_dmabuf_state(dmabuf, FAKE_PAGE - 1, &state), 0, "the last byte of a page");
	is_int(state, TPHBUF_STATE_USABLE, "usable");
	is_int(tphbuf_dmabuf_state(dmabuf, FAKE_PAGE, &state), 0, "a byte that is revoked");
	is_int(state, TPHBUF_STATE_REVOKED, "revoked");
	is_int(fake_sys.mappings, 0, "nothing stays mapped");
	fake_sys.errors.revoked_from = 0;
	fake_sys.errors.mmap = ENODEV;
	is_int(tphbuf_dmabuf_state(dmabuf, 0, &state), 0, "of a device that was closed");
	is_int(state, TPHBUF_STATE_CLOSED, "closed");
	fake_sys.errors.mmap = EINVAL;
	is_int(tphbuf_dmabuf_state(dmabuf, 0, &state), -EOPNOTSUPP, "a kernel without mmap");
	fake_sys.errors.mmap = 0;
	is_int(tphbuf_dmabuf_state(dmabuf, 2 * FAKE_PAGE, &state), -ERANGE, "behind the end");
	is_int(tphbuf_dmabuf_state(dmabuf, UINT64_MAX, &state), -ERANGE, "far behind it");
	is_int(tphbuf_dmabuf_state(-1, 0, &state), -EBADF, "no file");
	is_str(tphbuf_state_name(TPHBUF_STATE_USABLE), "usable", "name");
	is_str(tphbuf_state_name(TPHBUF_STATE_REVOKED), "revoked", "name");
	is_str(tphbuf_state_name(TPHBUF_STATE_CLOSED), "closed", "name");
	is_str(tphbuf_state_name(99), "unknown", "name of another number");
}

static void waits(void)
{
	enum tphbuf_state state = TPHBUF_STATE_USABLE;

	fake_sys.slept_ms = 0;
	is_int(tphbuf_dmabuf_wait(dmabuf, 0, &state, 1000), -ETIMEDOUT, "nothing changes");
	is_int(fake_sys.slept_ms, 1000, "for as long as it was told to wait");
	is_int(tphbuf_dmabuf_wait(dmabuf, 0, &state, 0), -ETIMEDOUT, "without waiting");
	is_int(fake_sys.slept_ms, 1000, "it does not");
	state = TPHBUF_STATE_REVOKED;
	is_int(tphbuf_dmabuf_wait(dmabuf, 0, &state, -1), 0, "it has changed");
	is_int(state, TPHBUF_STATE_USABLE, "to usable");
	fake_sys.revoke_after_ms = 3000;
	is_int(tphbuf_dmabuf_wait(dmabuf, 0, &state, -1), 0, "it changes later");
	is_int(state, TPHBUF_STATE_REVOKED, "to revoked");
	ok(fake_sys.slept_ms >= 3000 && fake_sys.slept_ms <= 3000 + 100, "noticed after %u ms",
	   fake_sys.slept_ms - 3000);
	fake_sys.errors.revoked_from = 0;
	fake_sys.revoke_after_ms = 0;
	is_int(tphbuf_dmabuf_wait(-1, 0, &state, 1000), -EBADF, "no file");
}

/* As the kernel shows it. */
static void write_fdinfo(const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/self/fdinfo/%d", dmabuf);
	fake_tree_write(root, text, "%s", name);
}

static void infos(void)
{
	struct tphbuf_dmabuf_info info;

	fake_tree_make_folder(root, "proc/self/fdinfo");
	is_int(tphbuf_dmabuf_info(dmabuf, &info), 0, "where it cannot be found");
	is_int(info.size, 2 * FAKE_PAGE, "size");
	is_str(info.exporter, "", "exporter");
	is_str(info.name, "", "name");
	write_fdinfo("pos:\t0\nflags:\t02\nmnt_id:\t13\nino:\t5\nsize:\t8192\ncount:\t2\n"
		     "exp_name:\tvfio_pci_core\nname:\tvfio:0000:00:03.0:BAR2\n");
	is_int(tphbuf_dmabuf_info(dmabuf, &info), 0, "with it");
	is_str(info.exporter, "vfio_pci_core", "exporter");
	is_str(info.name, "vfio:0000:00:03.0:BAR2", "name");
	write_fdinfo("exp_name:\tsystem\n");
	is_int(tphbuf_dmabuf_info(dmabuf, &info), 0, "without a name");
	is_str(info.exporter, "system", "exporter");
	is_str(info.name, "", "name");
	write_fdinfo("name:\t0123456789012345678901234567890123456789\nexp_name");
	is_int(tphbuf_dmabuf_info(dmabuf, &info), 0, "with one that is too long");
	is_str(info.name, "0123456789012345678901234567890", "name");
	is_int(tphbuf_dmabuf_info(STDIN_FILENO, &info), -EINVAL, "another file");
	is_int(tphbuf_dmabuf_info(-1, &info), -EBADF, "no file");
}

int main(void)
{
	const struct tphbuf_range range = { .length = 2 * FAKE_PAGE };
	struct tphbuf_device *dev;
	unsigned int fds;

	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &(const struct fake_function) {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3 });
	fake_sys_reset(root);
	if (tphbuf_device_open(BDF, &(const struct tphbuf_options) { .sysroot = root }, &dev, NULL))
		bail_out("cannot open the device");
	dmabuf = tphbuf_export(dev, 2, &range, 1, NULL, 0, NULL);
	fds = fake_sys_open_fds();
	states();
	waits();
	infos();
	is_int(fake_sys_open_fds(), fds, "no file is left open");
	close(dmabuf);
	tphbuf_device_close(dev);
	fake_tree_remove(root);
	return done_testing();
}
