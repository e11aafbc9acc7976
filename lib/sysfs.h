/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_SYSFS_H
#define TPB_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A path in front of which the sysroot has been put. */
struct tpb_path {
	char text[PATH_MAX];
};

/*
 * All functions return 0 or a negative errno value: -ENAMETOOLONG when a path
 * or a text does not fit. @sysroot may be NULL.
 */
__attribute__((format(printf, 3, 4)))
int tpb_path(struct tpb_path *path, const char *sysroot, const char *format, ...);

/* -ENOENT when it is not there, also when a folder on the way is not. */
int tpb_path_exists(const struct tpb_path *path);

/* The first bytes of a file, as many as there are up to @size; returns how many. */
ssize_t tpb_sysfs_read_bytes(const struct tpb_path *path, void *bytes, size_t size);

/* A whole file; returns its length. */
ssize_t tpb_sysfs_read_text(const struct tpb_path *path, char *text, size_t size);

/* The first line of a file, without the newline. */
int tpb_sysfs_read(const struct tpb_path *path, char *text, size_t size);

/* A number of a file: decimal, or hex with 0x. -EINVAL when it is none. */
int tpb_sysfs_read_u32(const struct tpb_path *path, uint32_t *value);

int tpb_sysfs_write(const struct tpb_path *path, const char *text);

/* The last component of what a symbolic link points to. */
int tpb_sysfs_link_name(const struct tpb_path *path, char *name, size_t size);

/*
 * Calls @visit for each entry of a folder until it returns something else than
 * 0, and returns that.
 */
int tpb_sysfs_each(const struct tpb_path *path, int (*visit)(const char *name, void *arg),
		   void *arg);

#endif
