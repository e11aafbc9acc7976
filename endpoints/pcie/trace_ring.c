// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ring between the fabric and the thread that writes a trace. Each record has its size in
 * front; one that would reach beyond the end of the memory begins at its start again.
 */
#include <errno.h>
#include <sys/mman.h>

#include "trace_ring.h"

#define ALIGNMENT	16u
#define SKIP		0u	/* size of what is left at the end of the memory */

struct record_head {
	uint64_t size;		/* with this head, a multiple of ALIGNMENT */
	uint64_t unused;
};

int trace_ring_init(struct trace_ring *ring, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (data == MAP_FAILED)
		return -ENOMEM;
	*ring = (struct trace_ring){ .data = data, .size = size };
	return 0;
}

void trace_ring_free(struct trace_ring *ring)
{
	munmap(ring->data, ring->size);
}

static struct record_head *head_at(const struct trace_ring *ring, uint64_t position)
{
	return (struct record_head *)(ring->data + (position & (ring->size - 1)));
}

void *trace_ring_reserve(struct trace_ring *ring, size_t bytes)
{
	size_t size = (sizeof(struct record_head) + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	size_t left = ring->size - (ring->head & (ring->size - 1));
	size_t skip = left < size ? left : 0;

	if (ring->head + skip + size - tail > ring->size)
		return NULL;
	if (skip) {
		head_at(ring, ring->head)->size = SKIP;
		ring->head += skip;
	}
	head_at(ring, ring->head)->size = size;
	ring->head += size;
	return head_at(ring, ring->head - size) + 1;
}

void trace_ring_commit(struct trace_ring *ring)
{
	/* In one order with the flag by which the reader says that it sleeps. */
	atomic_store(&ring->ready, ring->head);
}

const void *trace_ring_peek(struct trace_ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail == atomic_load(&ring->ready))
		return NULL;
	if (head_at(ring, tail)->size == SKIP) {
		tail = (tail | (ring->size - 1)) + 1;
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
	}
	return head_at(ring, tail) + 1;
}

void trace_ring_release(struct trace_ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + head_at(ring, tail)->size, memory_order_release);
}
