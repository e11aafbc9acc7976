/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves bytes between a dma-buf and a file. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

enum transfer_end {
	TRANSFER_UNFINISHED = 0,	/* it did not get to say */
	TRANSFER_DONE,
	TRANSFER_CANNOT_MAP,	/* struct transfer_state.error tells */
	TRANSFER_CANNOT_OPEN,	/* struct transfer_state.error tells */
	TRANSFER_REVOKED,
	TRANSFER_FILE_ERROR,	/* struct transfer_state.error tells */
	TRANSFER_INPUT_SHORT,
	TRANSFER_INPUT_LONG,
};

/**
 * struct transfer - what to move
 * @store: into the dma-buf, not out of it
 * @exact: all of @length, or the input is too short; else up to it, or the
 *	input is too long. Only for @store.
 * @dmabuf: the dma-buf
 * @file: the other end, at its file position, unless @path is given
 * @path: NULL, or file to make and write to, when not @store. It is opened here,
 *	because that takes as long as nobody reads from a FIFO.
 * @offset: first byte in the dma-buf
 * @length: bytes, not 0
 */
struct transfer {
	bool store;
	bool exact;
	int dmabuf;
	int file;
	const char *path;
	uint64_t offset;
	uint64_t length;
};

/**
 * struct transfer_state - how far it is
 * @done: bytes that have arrived, in the dma-buf or in the file; grows while
 *	it runs
 * @end: how it ended
 * @error: positive errno value
 *
 * In memory that the process that moves shares with the one that waits.
 */
struct transfer_state {
	uint64_t done;
	enum transfer_end end;
	int error;
};

uint64_t transfer_done(const struct transfer_state *state);

/**
 * transfer_run - move the bytes
 * @transfer: what
 * @state: zero; filled
 *
 * Only for a process that does nothing else: it handles SIGBUS, and ends the
 * process where the dma-buf is revoked.
 */
void transfer_run(const struct transfer *transfer, struct transfer_state *state);

#endif
