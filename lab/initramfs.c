// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First process of a kernel that has what the guest needs as modules: loads those
 * that /modules lists, mounts the root file system and goes on with its init. When
 * anything fails it ends, and the kernel panics. Linked statically: it is all that
 * there is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_OPTIONS	"trans=virtio,version=9p2000.L,msize=262144,cache=loose"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		return fail(path);
	return close(fd);
}

int main(void)
{
	FILE *list = fopen("/modules", "r");
	char path[200];

	if (!list)
		return fail("/modules");
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		if (load(path))
			return 1;
	}
	if (mkdir("/new", 0755) || mount("rootfs", "/new", "9p", MS_RDONLY, ROOT_OPTIONS))
		return fail("/new");
	if (mount("dev", "/new/dev", "devtmpfs", 0, NULL))
		return fail("/new/dev");
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		return fail("chroot");
	execl("/usr/sbin/lab-init", "lab-init", NULL);
	return fail("/usr/sbin/lab-init");
}
