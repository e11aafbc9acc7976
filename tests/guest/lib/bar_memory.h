/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR2 of a device of the suite, exported as dma-bufs and mapped by the CPU.
 *
 * Any device with memory behind a BAR2 that can be mapped will do. Functions
 * that do not return an error end the case when they fail.
 */
#ifndef TPHBUF_TESTS_BAR_MEMORY_H
#define TPHBUF_TESTS_BAR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tphbuf/tphbuf.h>

#define MIB			(1ul << 20)
#define MEMORY_BAR		2u
#define MEMORY_MAX_RANGES	64u

/**
 * struct bar_memory - a device that is open, memory decoding on
 * @dev: the device
 * @size: bytes in BAR2
 * @file_offset: where BAR2 starts in the device file
 */
struct bar_memory {
	struct tphbuf_device *dev;
	uint64_t size;
	uint64_t file_offset;
};

struct bar_memory memory_open(const char *name);

/* A dma-buf of one range, open for reading and writing. */
int memory_export(struct bar_memory *mem, uint64_t offset, uint64_t length);

/* The same of up to MEMORY_MAX_RANGES; @open_flags as for open(2). Or a negative errno value. */
int memory_export_ranges(struct bar_memory *mem, const struct tphbuf_range *ranges,
			 unsigned int count, int open_flags);

/* Memory decoding off: what this device exported is revoked. And on again. */
void memory_revoke(struct bar_memory *mem);
void memory_restore(struct bar_memory *mem);

/* Maps a file shared, for reading and writing, where 2 MiB can be one entry of the page tables. */
volatile uint8_t *map_shared(int fd, uint64_t offset, size_t length);

/* The same where @entry bytes can be, a power of two; as many are reserved behind the mapping. */
volatile uint8_t *map_shared_for(int fd, uint64_t offset, size_t length, size_t entry);

/* As mmap(2), but 0 or a negative errno value; what was mapped is gone again. */
int try_map(int fd, int prot, int flags, uint64_t offset, size_t length);

/* One access by the CPU: 0, or the signal that it got. Thread-safe. */
int touch_read(volatile void *addr, uint32_t *value);
int touch_write(volatile void *addr, uint32_t value);

/* The same, expected to get no signal; must_bus() reads and writes, and expects SIGBUS. */
uint32_t must_read(volatile void *addr, const char *what);
void must_write(volatile void *addr, uint32_t value, const char *what);
void must_bus(volatile void *addr, const char *what);

/* VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE: 0 or a negative errno value. */
int revoke_probe(struct bar_memory *mem);
int revoke_set(struct bar_memory *mem, int dmabuf);

/* VFIO_DEVICE_FEATURE_DMA_BUF_WC: 0 or a negative errno value. */
int wc_probe(struct bar_memory *mem);
int wc_set(struct bar_memory *mem, int dmabuf);

#endif
