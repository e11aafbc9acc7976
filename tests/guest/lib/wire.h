/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a copy looks like on the wire, told three times: by the accelerator's
 * counters, by the trace of the fabric, and by the bytes in the accelerator's
 * memory.
 */
#ifndef TPHBUF_TESTS_WIRE_H
#define TPHBUF_TESTS_WIRE_H

#include "guest.h"
#include "trace.h"

/**
 * struct wire_hint - hint that all writes of a copy have to carry
 * @tagged: false: none may carry any, and the rest is not looked at
 * @extended: 16-bit tag
 */
struct wire_hint {
	bool tagged;
	bool extended;
	uint16_t st;
	uint8_t ph;
};

struct wire_hint wire_none(void);
struct wire_hint wire_8bit(uint8_t st, uint8_t ph);
struct wire_hint wire_ext(uint16_t st, uint8_t ph);

struct nic;
struct nic_region;

/**
 * struct wire_path - from which requester to which buffer
 * @engine_name: "dma0"; "nic0"
 * @engine: its device file
 * @handle: the buffer there
 * @copy: another requester than a DMA engine: how it writes to the buffer; 0 or a negative errno
 * value
 * @nic: what @copy needs, see nic_path()
 * @region: the buffer there
 * @acc: accelerator that exported it
 * @bar_offset: where the buffer is in BAR2
 */
struct wire_path {
	const char *engine_name;
	int engine;
	uint32_t handle;
	int (*copy)(const struct wire_path *path, uint64_t offset, const void *data, size_t length);
	struct nic *nic;
	struct nic_region *region;
	struct accelerator *acc;
	uint64_t bar_offset;
};

/*
 * Opens @engine_name and imports the dma-buf, which starts at the beginning of
 * BAR2.
 */
struct wire_path wire_path(struct accelerator *acc, const char *engine_name, int dmabuf);

/**
 * expect_writes - copy bytes to the start of a buffer, and look at what was sent
 * @path: the way; the buffer has at least WIRE_LENGTH + 64 bytes
 * @hint: what all writes have to carry. The tag must mean a store.
 * @what: for the messages
 */
void expect_writes(const struct wire_path *path, struct wire_hint hint, const char *what);

/* Not a multiple of a page, of the payload size, or of a DW. */
#define WIRE_LENGTH	9001u

/*
 * A span of the trace that a test looks at itself: writes of an engine since
 * wire_begin() that the fabric or the completer refused, or that had a hint.
 */
void wire_begin(struct accelerator *acc);
void wire_end(struct accelerator *acc, const char *engine_name, uint64_t *refused,
	      uint64_t *tagged);

/* The same, each write by itself, of all devices. */
void wire_walk(struct accelerator *acc, trace_visit *visit, void *arg);

/* The same, when only the refused ones are of interest. */
uint64_t wire_refused(struct accelerator *acc, const char *engine_name);

#endif
