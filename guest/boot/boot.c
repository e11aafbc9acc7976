// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First process of the guest, in the initramfs: loads the modules that the root file
 * system needs, mounts what the guest sees, loads the modules of the job and hands
 * over to the job's init. One program, because under emulation each start of another
 * takes a tenth of a second; linked statically, because it is all that there is. When
 * a mount fails it ends, and the kernel panics.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT		"/new"
/* Initializers of struct place: a pseudo file system, and a folder of the host by its mount tag. */
#define PSEUDO(fs, at) .source = fs, .path = ROOT at, .type = fs
#define SHARED(tag, at, caching) .source = tag, .path = ROOT at, .type = "9p", \
	.options = "trans=virtio,version=9p2000.L,msize=262144,cache=" caching

struct place {
	const char *source;
	const char *path;
	const char *type;
	unsigned long flags;
	const char *options;
	/* A folder that a pseudo file system does not have by itself. */
	bool make;
	/* Not every kernel has it. */
	bool optional;
	/* Mounted where this is, or always. */
	const char *needs;
};

static const struct place places[] = {
	{ SHARED("rootfs", "", "loose"), .flags = MS_RDONLY, .make = true },
	{ PSEUDO("devtmpfs", "/dev") },
	{ PSEUDO("proc", "/proc") },
	{ PSEUDO("sysfs", "/sys") },
	{ PSEUDO("debugfs", "/sys/kernel/debug") },
	{ PSEUDO("tmpfs", "/run") },
	{ PSEUDO("tmpfs", "/tmp") },
	{ PSEUDO("tmpfs", "/var/tmp") },
	{ PSEUDO("tmpfs", "/dev/shm"), .make = true },
	{ PSEUDO("devpts", "/dev/pts"), .make = true, .optional = true },
	{ SHARED("src", "/src", "loose"), .flags = MS_RDONLY },
	{ SHARED("build", "/build", "loose"), .flags = MS_RDONLY },
	/* Host and guest see at once what the other writes. */
	{ SHARED("job", "/job", "none") },
	/* Without a cache 9p reads page by page: large files come from here. */
	{ SHARED("input", "/mnt", "loose"), .flags = MS_RDONLY, .needs = ROOT "/job/input" },
};

/* Names of open files, which udev would make; the kernel's selftests write to /dev/stdout. */
static const char *const links[][2] = {
	{ "/proc/self/fd", ROOT "/dev/fd" },
	{ "fd/0", ROOT "/dev/stdin" },
	{ "fd/1", ROOT "/dev/stdout" },
	{ "fd/2", ROOT "/dev/stderr" },
};

static int fail(const char *what)
{
	fprintf(stderr, "boot: %s: %m\n", what);
	return 1;
}

/* Each line of @list: a file in @folder and the parameters of the module, divided by a space. */
static void load_modules(const char *folder, const char *list)
{
	char line[4096], path[4200], *parameters;
	FILE *file = fopen(list, "re");
	int fd;

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		parameters = strchr(line, ' ');
		if (parameters)
			*parameters++ = '\0';
		snprintf(path, sizeof(path), "%s/%s", folder, line);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, parameters ? parameters : "", 0))
			fail(path);
		if (fd >= 0)
			close(fd);
	}
	if (file)
		fclose(file);
}

static int mount_places(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];

		if (place->needs && access(place->needs, F_OK))
			continue;
		if (place->make && mkdir(place->path, 0755) && errno != EEXIST)
			return fail(place->path);
		if (mount(place->source, place->path, place->type, place->flags, place->options) &&
		    !place->optional)
			return fail(place->path);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]))
			return fail(links[i][1]);
	return 0;
}

int main(void)
{
	load_modules("", "/modules");
	if (mount_places())
		return 1;
	load_modules(ROOT "/job", ROOT "/job/modules");
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/job"))
		return fail(ROOT);
	execl("/bin/sh", "sh", "/job/init", NULL);
	return fail("/bin/sh");
}
