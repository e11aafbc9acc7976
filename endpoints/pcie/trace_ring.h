/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of records of different sizes between one writer and one reader, which need no lock
 * between them.
 */
#ifndef TPHBUF_TRACE_RING_H
#define TPHBUF_TRACE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct trace_ring - the ring
 * @data: @size bytes
 * @size: a power of two
 * @head: bytes ever put in, by the writer
 * @tail: bytes ever taken out, by the reader
 * @ready: bytes put in that the reader may see
 */
struct trace_ring {
	uint8_t *data;
	size_t size;
	uint64_t head;
	_Atomic uint64_t ready;
	_Atomic uint64_t tail;
};

/* Returns 0 or -ENOMEM. Memory is taken when it is first used. */
int trace_ring_init(struct trace_ring *ring, size_t size);
void trace_ring_free(struct trace_ring *ring);

/*
 * Writer: room for a record of @bytes, aligned to 8, or NULL when the ring has none. It becomes
 * visible with trace_ring_commit().
 */
void *trace_ring_reserve(struct trace_ring *ring, size_t bytes);
void trace_ring_commit(struct trace_ring *ring);

/* Reader: the oldest record, or NULL when there is none; it stays until trace_ring_release(). */
const void *trace_ring_peek(struct trace_ring *ring);
void trace_ring_release(struct trace_ring *ring);

#endif
