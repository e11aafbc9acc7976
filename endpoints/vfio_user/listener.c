// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"

/* One client at a time, and a few that are told so. */
#define BACKLOG		8

/*
 * Two servers that start at once must not both find a stale socket and remove each other's new one:
 * the folder is locked meanwhile.
 */
static int lock_folder(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int fd;

	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

/* Return: 0 when there was nothing, or a socket without listener, which is gone now. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, ret;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	/* A full backlog (-EAGAIN) has a listener too. */
	if (ret != -ECONNREFUSED)
		return ret == -EPERM || ret == -EACCES ? ret : -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_and_listen(struct vfio_user_listener *listener)
{
	const struct sockaddr_un *address = &listener->address;
	mode_t mask;
	int ret;

	/* The mode of a socket file is that of bind(): no moment in which others may connect. */
	mask = umask(0177);
	ret = bind(listener->fd, (const struct sockaddr *)address, sizeof(*address));
	ret = ret < 0 ? -errno : 0;
	umask(mask);
	if (ret)
		return ret;
	if (listen(listener->fd, BACKLOG) < 0 ||
	    lstat(address->sun_path, &listener->identity) < 0) {
		ret = -errno;
		unlink(address->sun_path);
	}
	return ret;
}

static int open_locked(struct vfio_user_listener *listener)
{
	int ret = remove_stale(&listener->address);

	if (ret)
		return ret;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	ret = bind_and_listen(listener);
	if (ret)
		close(listener->fd);
	return ret;
}

static void listener_explain(int ret, const char *path, char *error, size_t error_size)
{
	if (ret == -EADDRINUSE)
		snprintf(error, error_size, "%s: another server listens there", path);
	else if (ret == -EEXIST)
		snprintf(error, error_size, "%s: in the way and no socket; remove it", path);
	else if (ret == -ENAMETOOLONG)
		snprintf(error, error_size,
			 "%s: longer than the %zu bytes that a socket's path may have", path,
			 sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	else
		snprintf(error, error_size, "%s: %s", path, strerror(-ret));
}

int vfio_user_listener_open(struct vfio_user_listener *listener, const char *path, char *error,
			    size_t error_size)
{
	int folder, ret = -ENAMETOOLONG;

	memset(listener, 0, sizeof(*listener));
	listener->address.sun_family = AF_UNIX;
	if (strlen(path) < sizeof(listener->address.sun_path)) {
		strcpy(listener->address.sun_path, path);
		ret = folder = lock_folder(path);
		if (folder >= 0) {
			ret = open_locked(listener);
			close(folder);
		}
	}
	if (ret)
		listener_explain(ret, path, error, error_size);
	return ret;
}

void vfio_user_listener_close(struct vfio_user_listener *listener)
{
	const char *path = listener->address.sun_path;
	struct stat st;

	if (!lstat(path, &st) && st.st_ino == listener->identity.st_ino &&
	    st.st_dev == listener->identity.st_dev)
		unlink(path);
	close(listener->fd);
}
