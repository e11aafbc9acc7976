/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerator as its owner sees it: registers through the VFIO device file,
 * memory mapped.
 *
 * All functions return 0 or a negative errno value.
 */
#ifndef TPHBUF_GUEST_ACCELERATOR_OWNER_H
#define TPHBUF_GUEST_ACCELERATOR_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tphbuf/tphbuf.h>

/**
 * struct accelerator - an open accelerator
 * @dev: the VFIO device
 * @mem: BAR2 as mapped by accelerator_map(), or NULL
 * @mem_size: bytes in BAR2
 * @completer: TPH completer field, 0 to 3
 */
struct accelerator {
	struct tphbuf_device *dev;
	volatile uint8_t *mem;
	uint64_t mem_size;
	unsigned int completer;
};

/**
 * struct accelerator_counters - what the accelerator has counted
 * @with_tag: accepted writes with the tag that was asked for
 * @in_partition: accepted tagged writes to the partition of that tag
 *
 * The others have the meaning of the registers of the same name.
 */
struct accelerator_counters {
	uint64_t writes;
	uint64_t bytes;
	uint64_t untagged;
	uint64_t tagged;
	uint64_t tagged_ext;
	uint64_t malformed;
	uint64_t reads;
	uint64_t ph[4];
	uint64_t with_tag;
	uint64_t in_partition;
};

/*
 * @flags: TPHBUF_OPEN_*. Memory decoding is on afterwards. -ENXIO: it is
 * something else.
 */
int accelerator_open(struct accelerator *acc, const char *name, uint32_t flags);

/* Closes the device; its driver stays. */
void accelerator_close(struct accelerator *acc);

/* Undoes accelerator_map(), so that the device can be closed or restored. */
void accelerator_unmap(struct accelerator *acc);

/* Maps the whole of BAR2. Access is SIGBUS while memory decoding is off. */
int accelerator_map(struct accelerator *acc);

int accelerator_read32(struct accelerator *acc, uint64_t reg, uint32_t *value);
int accelerator_read64(struct accelerator *acc, uint64_t reg, uint64_t *value);
int accelerator_write32(struct accelerator *acc, uint64_t reg, uint32_t value);

/* Divides the trace of TLPs here, with a text as docs/reference/trace-format.md describes. */
int accelerator_mark(struct accelerator *acc, uint32_t value, const char *text);

/* @extended and @tag choose what with_tag and in_partition count. */
int accelerator_count(struct accelerator *acc, bool extended, uint16_t tag,
		      struct accelerator_counters *counters);

/* @counters -= @before */
void accelerator_subtract(struct accelerator_counters *counters,
			  const struct accelerator_counters *before);

/*
 * Exports [offset, offset + length) of BAR2; returns the file descriptor. @tag
 * may be NULL.
 */
int accelerator_export(struct accelerator *acc, uint64_t offset, uint64_t length,
		       const struct tphbuf_tag *tag);

#endif
