// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of the command in the played system, linked in the place of the C
 * library's calls: TPHBUF_FAKE_EINTR makes every other read and write end early
 * by a signal, TPHBUF_FAKE_CLOSE is the errno value of closing a file that was
 * written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __real_write(int fd, const void *buf, size_t size);
int __real_close(int fd);

ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
int __wrap_close(int fd);

/* Whether this call is one that a signal interrupts. */
static int is_interrupted(void)
{
	static unsigned int calls;

	return getenv("TPHBUF_FAKE_EINTR") && calls++ % 2;
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	if (is_interrupted()) {
		errno = EINTR;
		return -1;
	}
	/* Not all at once, so that the interruption comes in the middle. */
	return __real_read(fd, buf, getenv("TPHBUF_FAKE_EINTR") && size > 1000 ? 1000 : size);
}

ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
	if (is_interrupted()) {
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, buf, getenv("TPHBUF_FAKE_EINTR") && size > 1000 ? 1000 : size);
}

int __wrap_close(int fd)
{
	const char *error = getenv("TPHBUF_FAKE_CLOSE");
	int flags = fcntl(fd, F_GETFL);
	struct stat status;
	bool written = flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && !fstat(fd, &status) &&
		       S_ISREG(status.st_mode);
	int ret = __real_close(fd);

	if (error && written) {
		errno = atoi(error);
		return -1;
	}
	return ret;
}
