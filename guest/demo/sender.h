/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sender: what writes into the buffer of the accelerator, through a kernel
 * driver that imports dma-bufs.
 */
#ifndef TPHBUF_DEMO_SENDER_H
#define TPHBUF_DEMO_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sender;

/**
 * struct sender_state - what the importer knows of its mapping of the buffer
 * @mapping_known: @mapped says something
 * @tagged: writes carry @st and @ph; @st_index is where the tag is kept
 * @extended: the requester sends 16-bit tags, and so asks for those
 */
struct sender_state {
	bool mapping_known;
	bool mapped;
	bool tagged;
	bool extended;
	bool table_full;
	uint16_t st;
	uint8_t ph;
	uint32_t st_index;
};

/**
 * struct sender_ops - a kind of sender; all calls return 0 or a negative errno value
 * @name: for the report
 * @imported: mark in the trace when @import is done
 * @revoked_error: what @send gives when the buffer has been revoked
 * @open: opens the sender at a PCI address
 * @close: closes it, and releases the buffer when there is one
 * @import: takes a dma-buf; it stays the caller's. One at a time.
 * @release: gives it back
 * @touch: makes the importer map the buffer without writing to it
 * @send: writes bytes to the buffer and waits until they are there
 * @state: what the importer knows; -EOPNOTSUPP when it does not tell
 */
struct sender_ops {
	const char *name;
	const char *imported;
	int revoked_error;
	int (*open)(struct sender **sender, const char *bdf);
	void (*close)(struct sender *sender);
	int (*import)(struct sender *sender, int dmabuf_fd);
	int (*release)(struct sender *sender);
	int (*touch)(struct sender *sender);
	int (*send)(struct sender *sender, uint64_t offset, const void *data, size_t length);
	int (*state)(struct sender *sender, struct sender_state *state);
};

extern const struct sender_ops sender_tph_dma;
extern const struct sender_ops sender_mlx5;

#endif
