// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The running system. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

static int linux_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int linux_close(int fd)
{
	return close(fd) ? -errno : 0;
}

static int linux_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static ssize_t linux_pread(int fd, void *buf, size_t size, uint64_t offset)
{
	ssize_t ret = pread(fd, buf, size, (off_t)offset);

	return ret < 0 ? -errno : ret;
}

static ssize_t linux_pwrite(int fd, const void *buf, size_t size, uint64_t offset)
{
	ssize_t ret = pwrite(fd, buf, size, (off_t)offset);

	return ret < 0 ? -errno : ret;
}

/* What a large entry of the page tables maps, on the architectures that matter. */
#define LARGE_ENTRY	(2u << 20)

/*
 * The kernel maps device memory with large entries where address and offset agree modulo their
 * size, but does not choose such an address. Reserve one, and map over it.
 */
static void *mmap_for_large_entries(int fd, size_t length, int prot, uint64_t offset)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (length + page - 1) & ~(page - 1);
	size_t room = whole + LARGE_ENTRY, before;
	uint8_t *start =
		mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *p;

	if (start == MAP_FAILED)
		return MAP_FAILED;
	before = (offset - (uintptr_t)start) % LARGE_ENTRY;
	p = mmap(start + before, length, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
	if (p == MAP_FAILED) {
		int err = errno;

		munmap(start, room);
		errno = err;
		return MAP_FAILED;
	}
	if (before)
		munmap(start, before);
	munmap(start + before + whole, room - before - whole);
	return p;
}

static int linux_mmap(int fd, size_t length, int prot, uint64_t offset, void **addr)
{
	void *p = length < LARGE_ENTRY || length > SIZE_MAX - 2 * LARGE_ENTRY ?
			  mmap(NULL, length, prot, MAP_SHARED, fd, (off_t)offset) :
			  mmap_for_large_entries(fd, length, prot, offset);

	if (p == MAP_FAILED)
		return -errno;
	*addr = p;
	return 0;
}

static int linux_munmap(void *addr, size_t length)
{
	return munmap(addr, length) ? -errno : 0;
}

/* write() copies the byte in the kernel, which answers a fault with an error. */
static int linux_touch(const void *addr)
{
	int ret = 0, ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (write(ends[1], addr, 1) != 1)
		ret = -errno;
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static int64_t linux_lseek(int fd, int64_t offset, int whence)
{
	int64_t ret = lseek(fd, (off_t)offset, whence);

	return ret < 0 ? -errno : ret;
}

static int linux_fstatfs(int fd, struct statfs *status)
{
	return fstatfs(fd, status) ? -errno : 0;
}

static int linux_fstat(int fd, struct stat *status)
{
	return fstat(fd, status) ? -errno : 0;
}

static int linux_flock(int fd, int operation)
{
	return flock(fd, operation) ? -errno : 0;
}

static void linux_sleep_ms(unsigned int milliseconds)
{
	struct timespec left = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int linux_access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) ? -errno : 0;
}

static ssize_t linux_readlink(const char *path, char *buf, size_t size)
{
	ssize_t ret = readlink(path, buf, size);

	return ret < 0 ? -errno : ret;
}

static int linux_opendir(const char *path, DIR **dir)
{
	*dir = opendir(path);
	return *dir ? 0 : -errno;
}

static int linux_readdir(DIR *dir, const char **name)
{
	struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	if (!entry)
		return -errno;
	*name = entry->d_name;
	return 1;
}

static void linux_closedir(DIR *dir)
{
	closedir(dir);
}

const struct tpb_sys tpb_sys = {
	.open = linux_open,
	.close = linux_close,
	.ioctl = linux_ioctl,
	.pread = linux_pread,
	.pwrite = linux_pwrite,
	.mmap = linux_mmap,
	.munmap = linux_munmap,
	.touch = linux_touch,
	.lseek = linux_lseek,
	.fstatfs = linux_fstatfs,
	.fstat = linux_fstat,
	.flock = linux_flock,
	.sleep_ms = linux_sleep_ms,
	.access = linux_access,
	.readlink = linux_readlink,
	.opendir = linux_opendir,
	.readdir = linux_readdir,
	.closedir = linux_closedir,
	.calloc = calloc,
};
