// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Paths below the sysroot, and the files of sysfs and procfs at them. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"
#include "sysfs.h"

int tpb_path(struct tpb_path *path, const char *sysroot, const char *format, ...)
{
	size_t used = sysroot ? strlen(sysroot) : 0;
	va_list ap;
	int ret;

	if (used >= sizeof(path->text))
		return -ENAMETOOLONG;
	if (used)
		memcpy(path->text, sysroot, used);
	va_start(ap, format);
	ret = vsnprintf(path->text + used, sizeof(path->text) - used, format, ap);
	va_end(ap);
	if (ret < 0 || (size_t)ret >= sizeof(path->text) - used)
		return -ENAMETOOLONG;
	return 0;
}

int tpb_path_exists(const struct tpb_path *path)
{
	int ret = tpb_sys.access(path->text, F_OK);

	return ret == -ENOTDIR ? -ENOENT : ret;
}

ssize_t tpb_sysfs_read_bytes(const struct tpb_path *path, void *bytes, size_t size)
{
	ssize_t got;
	int fd;

	fd = tpb_sys.open(path->text, O_RDONLY);
	if (fd < 0)
		return fd;
	got = tpb_sys.pread(fd, bytes, size, 0);
	tpb_sys.close(fd);
	return got;
}

ssize_t tpb_sysfs_read_text(const struct tpb_path *path, char *text, size_t size)
{
	ssize_t got = tpb_sysfs_read_bytes(path, text, size);

	if (got < 0)
		return got;
	if ((size_t)got == size)
		return -ENAMETOOLONG;
	text[got] = '\0';
	return got;
}

int tpb_sysfs_read(const struct tpb_path *path, char *text, size_t size)
{
	ssize_t got = tpb_sysfs_read_text(path, text, size);

	if (got < 0)
		return (int)got;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int tpb_sysfs_read_u32(const struct tpb_path *path, uint32_t *value)
{
	unsigned long long number;
	char text[32], *end;
	int ret;

	ret = tpb_sysfs_read(path, text, sizeof(text));
	if (ret)
		return ret;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || number > UINT32_MAX)
		return -EINVAL;
	*value = number;
	return 0;
}

int tpb_sysfs_write(const struct tpb_path *path, const char *text)
{
	size_t length = strlen(text);
	ssize_t put;
	int fd;

	fd = tpb_sys.open(path->text, O_WRONLY);
	if (fd < 0)
		return fd;
	put = tpb_sys.pwrite(fd, text, length, 0);
	tpb_sys.close(fd);
	if (put < 0)
		return put;
	return (size_t)put == length ? 0 : -EIO;
}

int tpb_sysfs_link_name(const struct tpb_path *path, char *name, size_t size)
{
	char target[PATH_MAX];
	const char *last;
	ssize_t length;

	length = tpb_sys.readlink(path->text, target, sizeof(target));
	if (length < 0)
		return length;
	if ((size_t)length == sizeof(target))
		return -ENAMETOOLONG;
	target[length] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

int tpb_sysfs_each(const struct tpb_path *path, int (*visit)(const char *name, void *arg),
		   void *arg)
{
	const char *name;
	DIR *dir;
	int ret;

	ret = tpb_sys.opendir(path->text, &dir);
	if (ret)
		return ret;
	while ((ret = tpb_sys.readdir(dir, &name)) == 1) {
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		ret = visit(name, arg);
		if (ret)
			break;
	}
	tpb_sys.closedir(dir);
	return ret;
}
