/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Everything that libtphbuf asks of the system goes through this table, so
 * that a test can stand in for the kernel and fail any single call. A test
 * links its own tpb_sys in place of sys_linux.c.
 */
#ifndef TPB_SYS_H
#define TPB_SYS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

/*
 * As the functions of the C library with these names, except that a failure is
 * the negative errno value.
 */
struct tpb_sys {
	/* Adds O_CLOEXEC. */
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	ssize_t (*pread)(int fd, void *buf, size_t size, uint64_t offset);
	ssize_t (*pwrite)(int fd, const void *buf, size_t size, uint64_t offset);
	/* Shared mapping. */
	int (*mmap)(int fd, size_t length, int prot, uint64_t offset, void **addr);
	int (*munmap)(void *addr, size_t length);
	/* Reads a byte without a signal: -EFAULT where an access would raise one. */
	int (*touch)(const void *addr);
	int64_t (*lseek)(int fd, int64_t offset, int whence);
	int (*fstatfs)(int fd, struct statfs *status);
	int (*fstat)(int fd, struct stat *status);
	/* -EWOULDBLOCK when the lock is taken and @operation has LOCK_NB. */
	int (*flock)(int fd, int operation);
	void (*sleep_ms)(unsigned int milliseconds);
	/* For the effective user. */
	int (*access)(const char *path, int mode);
	ssize_t (*readlink)(const char *path, char *buf, size_t size);
	int (*opendir)(const char *path, DIR **dir);
	/* 1 and the name, or 0 at the end. */
	int (*readdir)(DIR *dir, const char **name);
	void (*closedir)(DIR *dir);
	/* NULL on failure; freed with free(). */
	void *(*calloc)(size_t count, size_t size);
};

extern const struct tpb_sys tpb_sys;

/* tpb_sys.ioctl, without the errno value that only the kernel has a name for. */
int tpb_ioctl(int fd, unsigned long request, void *arg);

/* For a request whose argument is a number. */
int tpb_ioctl_value(int fd, unsigned long request, unsigned long value);

#endif
