/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_EXPORT_H
#define TPHBUF_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tphbuf_device;

/* tphbuf_export(): CPU access to the memory is write-combining from the start */
#define TPHBUF_EXPORT_WC	(1u << 0)

/**
 * struct tphbuf_range - a part of a BAR
 * @offset: first byte, from the start of the BAR; a multiple of the page size
 * @length: bytes; a multiple of the page size, not zero
 */
struct tphbuf_range {
	uint64_t offset;
	uint64_t length;
};

/**
 * tphbuf_export - export ranges of a BAR as one dma-buf, set up as asked
 * @dev: device that owns the BAR
 * @bar: BAR index, 0 to 5; a memory BAR
 * @ranges: the ranges, which follow one another in the dma-buf in this order
 * @nr_ranges: how many, at least one
 * @tag: tag that the dma-buf carries from the start, with at least one
 *	namespace valid; NULL for a dma-buf without a tag
 * @flags: TPHBUF_EXPORT_WC or 0
 *
 * Either all of it happens or nothing: when the tag cannot be set or the memory
 * not be made write-combining, the dma-buf is closed again and an error
 * returned, so the caller never holds a dma-buf with less than it asked for.
 * Write-combining comes last, because it is what cannot be undone: see
 * tphbuf_set_wc(). The memory of a device whose memory decoding is
 * off can be exported, but no importer can map it before
 * tphbuf_device_enable_memory().
 *
 * Closing the device revokes the dma-buf for good; a reset, or memory decoding
 * turned off, revokes it for as long as that lasts. Thread-safe.
 *
 * Return: a close-on-exec file descriptor that the caller owns and closes
 * with close(2), or
 * -EINVAL	no range, or a range that is empty or not page aligned; @bar
 *		above 5; @tag without a valid namespace, with unknown bits in
 *		@valid, or with @ph above 3; an unknown flag
 * -ENXIO	the device does not implement @bar, or it is an I/O BAR
 * -ERANGE	a range does not lie within the BAR, or their sum overflows
 * -ENOTTY	the kernel cannot export dma-bufs from VFIO devices, or cannot
 *		tag them, or cannot make their memory write-combining
 * -EOPNOTSUPP	this device cannot export; or a tag was given and the device
 *		does not complete TPH requests, or not those with Extended
 *		Steering Tags; or the memory cannot be write-combining here:
 *		tphbuf_device_probe() tells which
 * -ENODEV	the kernel could not claim the BAR, or the device is going away
 * -EINTR	as tphbuf_set_tag() and tphbuf_set_wc()
 * -EBUSY, -ENOSPC	as tphbuf_set_wc()
 * and what open files and memory limits give: -EMFILE, -ENFILE, -ENOMEM.
 */
int tphbuf_export(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		  size_t nr_ranges, const struct tphbuf_tag *tag, unsigned int flags);

/**
 * tphbuf_set_tag - give a dma-buf a tag, or another one
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @tag: replaces both namespaces at once: one that is not valid in @tag is not
 *	valid afterwards; at least one has to be
 *
 * Importers ask for the tag when they map the buffer, so mappings that exist
 * keep the old tag. To have a tag withdrawn from those too, revoke them:
 * tphbuf_device_disable_memory() and tphbuf_device_enable_memory(). Set the
 * tag before handing the dma-buf to an importer. Thread-safe; of two
 * concurrent calls one comes last as a whole.
 *
 * Return: 0, or
 * -EINVAL	@tag is wrong as in tphbuf_export(); @dmabuf_fd is no dma-buf,
 *		is not from this device, or this device has been closed since
 * -EBADF	@dmabuf_fd is not open
 * -ENOTTY	the kernel cannot tag dma-bufs
 * -EOPNOTSUPP	the device does not complete TPH requests, or not those with
 *		Extended Steering Tags: tphbuf_device_probe() tells which
 * -EINTR	a signal came while waiting for the buffer; nothing changed
 */
int tphbuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag);

/**
 * tphbuf_clear_tag - take the tag from a dma-buf
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 *
 * New mappings are without a tag; see tphbuf_set_tag() for those that exist.
 * Clearing a dma-buf that has no tag is no error. Thread-safe.
 *
 * Return: 0, or an error of tphbuf_set_tag().
 */
int tphbuf_clear_tag(struct tphbuf_device *dev, int dmabuf_fd);

#ifdef __cplusplus
}
#endif

#endif
