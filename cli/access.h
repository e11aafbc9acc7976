/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What read and write have in common, which is all but the direction. */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include <stdbool.h>

#include "access_args.h"
#include "buffer.h"
#include "progress.h"
#include "transfer.h"
#include "verb.h"

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

/**
 * access_run - read or write device memory as the command line says
 * @verb: the verb
 * @store: write, not read
 *
 * The bytes are moved by a child, so that whatever signal comes ends it at once,
 * and this process can give the device back.
 *
 * Return: exit code of the verb.
 */
int access_run(const struct verb *verb, bool store, int argc, char **argv);

#endif
