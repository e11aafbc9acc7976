// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket that serve listens on. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "message.h"

/* The first that systemd passes on, see sd_listen_fds(3). */
#define FIRST_GIVEN	3
/* As many as the kernel lets wait by default. */
#define BACKLOG		4096

int listener_is_given(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && count && atol(pid) == getpid() && atoi(count) == 1;
}

/* Two servers that begin at once would delete each other's sockets: a lock on the directory. */
static int lock_directory(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;

	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether a server that has ended has left the socket. */
static bool is_left_over(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat status;
	bool refused;

	if (fd >= 0) {
		refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
			  errno == ECONNREFUSED;
		close(fd);
		if (refused && !lstat(address->sun_path, &status) && S_ISSOCK(status.st_mode))
			return true;
	}
	errno = EADDRINUSE;
	return false;
}

static int bind_locked(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *any = (const struct sockaddr *)address;

	if (bind(fd, any, sizeof(*address))) {
		if (errno != EADDRINUSE || !is_left_over(address))
			return -errno;
		if (unlink(address->sun_path) || bind(fd, any, sizeof(*address)))
			return -errno;
	}
	/* Each buffer says who may have it; the socket is for everyone. */
	if (chmod(address->sun_path, 0666) || listen(fd, BACKLOG)) {
		int err = errno;

		unlink(address->sun_path);
		return -err;
	}
	return 0;
}

static int bind_socket(int fd, const struct sockaddr_un *address)
{
	int ret, directory = lock_directory(address->sun_path);

	if (directory < 0)
		return -errno;
	ret = bind_locked(fd, address);
	close(directory);
	return ret;
}

static int fail(const char *path, int err)
{
	if (err == EADDRINUSE) {
		error_line("cannot listen on %s: another server does, or it is another file; end "
			   "that server, or choose another path", path);
		return EXIT_BUSY;
	}
	error_line("cannot listen on %s: %s", path, strerror(err));
	return err == EACCES ? EXIT_PERMISSION : EXIT_FAILED;
}

int listener_open(struct listener *listener, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	if (!path) {
		fcntl(FIRST_GIVEN, F_SETFD, FD_CLOEXEC);
		*listener = (struct listener) { .fd = FIRST_GIVEN };
		return EXIT_OK;
	}
	if (strlen(path) >= sizeof(address.sun_path)) {
		error_line("cannot listen on %s: the path of a socket has at most %zu bytes", path,
			   sizeof(address.sun_path) - 1);
		return EXIT_USAGE;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(path, errno);
	ret = bind_socket(fd, &address);
	if (ret) {
		close(fd);
		return fail(path, -ret);
	}
	*listener = (struct listener) { .fd = fd, .path = path };
	return EXIT_OK;
}

void listener_close(struct listener *listener)
{
	if (listener->path)
		unlink(listener->path);
	close(listener->fd);
}
