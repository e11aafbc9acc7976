/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of read or write, and what is said of how it ended. */
#ifndef CLI_ACCESS_END_H
#define CLI_ACCESS_END_H

#include "access_args.h"
#include "buffer.h"
#include "progress.h"
#include "transfer.h"

/**
 * struct access - a run of read or write
 * @verb: which of them
 * @store: write
 * @args: command line
 * @bdf: address of the device, "" when none was opened
 * @buffer: device and dma-buf, when one was opened
 * @file: the input of write
 * @length: bytes that may be moved
 * @total: bytes that will be, 0 when only the end of the input will tell
 * @state: memory that is shared with the child
 * @status: of the child, as waitpid() gives it
 * @signalled: it was ended by a signal, which is to end this process too
 * @done: bytes that were moved
 * @microseconds: how long it took
 */
struct access {
	const struct verb *verb;
	bool store;
	struct access_args args;
	char bdf[TPHBUF_BDF_SIZE];
	struct buffer buffer;
	int file;
	uint64_t length;
	uint64_t total;
	struct transfer_state *state;
	struct progress progress;
	int status;
	bool signalled;
	uint64_t done;
	uint64_t microseconds;
};

/* The line for a file that cannot be opened, and the exit code. */
int cannot_open(const char *file, int error);

/* The exit code, after a line where there is something to say. @file: the other end. */
int access_end(struct access *access, const char *file);

#endif
