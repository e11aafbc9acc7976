/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command lines of read and write. */
#ifndef CLI_ACCESS_ARGS_H
#define CLI_ACCESS_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer_args.h"

/**
 * struct access_args - what to read or write
 * @buffer: dma-buf to export, when @fd is -1
 * @fd: dma-buf that this process inherited, or -1
 * @fd_size: its size in bytes
 * @offset: first byte in the dma-buf
 * @length: bytes, when @length_given
 * @file: the other end; NULL for standard input or output
 */
struct access_args {
	struct buffer_args buffer;
	int fd;
	uint64_t fd_size;
	uint64_t offset;
	uint64_t length;
	bool length_given;
	const char *file;
	bool json;
	bool help;
};

/* EXIT_OK, or EXIT_USAGE after a line that says why. */
int access_args_parse(struct access_args *args, const struct verb *verb, int argc, char **argv);

#endif
