/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dma-buf of a device, for as long as a verb needs it. */
#ifndef CLI_BUFFER_H
#define CLI_BUFFER_H

#include "buffer_args.h"

/**
 * struct buffer - a device that is open, and a dma-buf of it
 * @dev: the device
 * @fd: the dma-buf
 * @size: its size in bytes
 */
struct buffer {
	struct tphbuf_device *dev;
	int fd;
	uint64_t size;
};

/**
 * buffer_open - open a device, turn its memory on, and export it
 * @buffer: filled on success; the caller ends it with buffer_close()
 * @args: what to export; ranges are completed when none was given
 * @tag: NULL for none
 * @verb: whose command line it was
 *
 * Hold signals: a device that is taken from its driver has to be given back.
 *
 * Return: EXIT_OK; or another exit code, after a line that says why, and with
 * everything as before.
 */
int buffer_open(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		const struct verb *verb);

/* Closes both, and gives the device back; says so when it cannot. */
void buffer_close(struct buffer *buffer, const struct buffer_args *args);

/* The parts of these, for several buffers of a device. */
int buffer_open_device(const struct buffer_args *args, const struct verb *verb,
		       struct tphbuf_device **dev);
int buffer_export(struct buffer *buffer, struct buffer_args *args, const struct tphbuf_tag *tag,
		  const struct verb *verb);
void buffer_close_device(struct tphbuf_device *dev, const struct buffer_args *args);

#endif
