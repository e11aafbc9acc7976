/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capabilities that the two ends exchange in VFIO_USER_VERSION.
 */
#ifndef TPHBUF_VFIO_USER_CAPABILITIES_H
#define TPHBUF_VFIO_USER_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFIO_USER_CAP_MAX_MSG_FDS	(1u << 0)
#define VFIO_USER_CAP_MAX_DATA_XFER	(1u << 1)
#define VFIO_USER_CAP_MAX_DMA_MAPS	(1u << 2)
#define VFIO_USER_CAP_PGSIZES		(1u << 3)
#define VFIO_USER_CAP_WRITE_MULTIPLE	(1u << 4)

/**
 * struct vfio_user_capabilities - what a client proposed
 * @proposed: VFIO_USER_CAP_* that it named; the others hold the protocol's default
 * @max_msg_fds: file descriptors that it takes in one message
 * @max_data_xfer_size: bytes that it takes in one transfer, at least 1
 * @max_dma_maps: DMA maps that it wants to have at a time
 * @pgsizes: page sizes of DMA maps, one bit each
 * @write_multiple: it sends REGION_WRITE_MULTI
 */
struct vfio_user_capabilities {
	unsigned int proposed;
	uint64_t max_msg_fds;
	uint64_t max_data_xfer_size;
	uint64_t max_dma_maps;
	uint64_t pgsizes;
	bool write_multiple;
};

/**
 * vfio_user_capabilities_parse() - read a client's proposal
 * @caps: out
 * @text: version data as received, NUL included; may be empty
 * @size: of @text
 * @why: out, on error: the cause, for the log
 *
 * Names that are not known are skipped: a client may offer what a later version defines.
 *
 * Return: 0, or -EINVAL when the text is no JSON of the expected form or a value cannot be.
 */
int vfio_user_capabilities_parse(struct vfio_user_capabilities *caps, const char *text, size_t size,
				 const char **why);

/**
 * vfio_user_capabilities_reply() - write the answer: of what the client named, what this server has
 * @caps: the proposal
 * @text: receives JSON text with its NUL
 * @size: of @text, at least VFIO_USER_CAPABILITIES_REPLY_MAX
 *
 * Return: bytes written, NUL included.
 */
size_t vfio_user_capabilities_reply(const struct vfio_user_capabilities *caps, char *text,
				    size_t size);

#define VFIO_USER_CAPABILITIES_REPLY_MAX	256

#endif
