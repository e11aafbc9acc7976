/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_EXPORT_H
#define TPHBUF_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/probe.h>
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
 * tphbuf_export - export ranges of a BAR as a dma-buf with a tag
 * @dev: device that owns the BAR
 * @bar: BAR index, 0 to 5; a memory BAR
 * @ranges: the ranges, which follow one another in the dma-buf in this order
 * @nr_ranges: how many, at least one
 * @tag: tag that the dma-buf carries from the start, with at least one
 *	namespace valid; NULL for a dma-buf without a tag
 * @flags: TPHBUF_EXPORT_WC or 0
 * @why: NULL, or filled on failure: @why->reason is the reason, which separates
 *	causes with the same errno value; @why->range is the index of a range that is
 *	wrong
 *
 * Either all of it happens or nothing: when the tag cannot be set or the memory
 * not be made write-combining, the dma-buf is closed again and an error
 * returned, so the caller never gets a dma-buf that lacks part of the request.
 * Write-combining comes last, because it is what cannot be undone: see
 * tphbuf_set_wc(). The memory of a device whose memory decoding is
 * off can be exported, but no importer can map it before
 * tphbuf_device_enable_memory().
 *
 * Closing the device revokes the dma-buf permanently; a reset and disabled memory
 * decoding revoke it until they end. Thread-safe.
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
 *		Steering Tags, or the kernel is without TPH; or the memory
 *		cannot be write-combining here: @why->reason is the cause
 * -ENODEV	the kernel could not claim the BAR, or the device is going away
 * -EINTR	as tphbuf_set_tag() and tphbuf_set_wc()
 * -EBUSY, -ENOSPC	as tphbuf_set_wc()
 * and the errors of limits on files and memory: -EMFILE, -ENFILE, -ENOMEM.
 */
int tphbuf_export(struct tphbuf_device *dev, unsigned int bar, const struct tphbuf_range *ranges,
		  size_t nr_ranges, const struct tphbuf_tag *tag, unsigned int flags,
		  struct tphbuf_probe *why);

/**
 * tphbuf_set_tag - set the tag of a dma-buf
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @tag: replaces both namespaces together: a namespace that is not valid in @tag
 *	is invalid afterwards; at least one must be valid
 * @why: NULL, or filled on failure as by tphbuf_export()
 *
 * Importers query the tag when they map the buffer, so existing mappings
 * keep the old tag. To have a tag withdrawn from those too, revoke them:
 * tphbuf_device_disable_memory() and tphbuf_device_enable_memory(). Set the
 * tag before handing the dma-buf to an importer. Thread-safe; the
 * result of two concurrent calls is the complete tag of either.
 *
 * Return: 0, or
 * -EINVAL	@tag is wrong as in tphbuf_export(); @dmabuf_fd is not a dma-buf,
 *		is not from this device, or this device has been closed since
 * -EBADF	@dmabuf_fd is not open
 * -ENOTTY	the kernel cannot tag dma-bufs
 * -EOPNOTSUPP	the device does not complete TPH requests, or not those with
 *		Extended Steering Tags, or the kernel is without TPH:
 *		@why->reason is the cause
 * -EINTR	a signal came while waiting for the buffer; nothing changed
 */
int tphbuf_set_tag(struct tphbuf_device *dev, int dmabuf_fd, const struct tphbuf_tag *tag,
		   struct tphbuf_probe *why);

/**
 * tphbuf_clear_tag - clear the tag of a dma-buf
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @why: NULL, or filled on failure as by tphbuf_export()
 *
 * New mappings are without a tag; see tphbuf_set_tag() for those that exist.
 * The call succeeds for a dma-buf without a tag. Thread-safe.
 *
 * Return: 0, or an error of tphbuf_set_tag().
 */
int tphbuf_clear_tag(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why);

/**
 * tphbuf_set_wc - make the memory of a dma-buf write-combining for the CPU
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @why: NULL, or filled on failure as by tphbuf_export()
 *
 * The memory type belongs to the pages of the device: afterwards every CPU
 * mapping of them is write-combining, through any file and in any process. While
 * a process maps one of the pages the call fails with -EBUSY, so make it before
 * the dma-buf is mapped or passed on, or let tphbuf_export() do it with
 * TPHBUF_EXPORT_WC. There is no way back before the device is closed. The call
 * succeeds for pages that are write-combining already.
 *
 * A mapping has one type: tphbuf_mmap() of a range that has both
 * write-combining and uncached pages fails with -EBUSY.
 *
 * The CPU may merge, reorder and delay the stores; a store fence (SFENCE on x86,
 * DSB ST on Arm) drains them, for example before a doorbell. Loads may be
 * speculative. The caller must know that the device tolerates this. Thread-safe.
 *
 * Return: 0, or, with nothing changed,
 * -EINVAL	@dmabuf_fd is not a dma-buf
 * -EBADF	@dmabuf_fd is not open
 * -ENXIO	another driver than vfio-pci exported it
 * -EXDEV	another device exported it
 * -ENODEV	its device has been closed since
 * -ENOTTY	the kernel cannot do it
 * -EOPNOTSUPP	the CPU cannot map PCI memory write-combining, or the memory is
 *		not in a prefetchable BAR: @why->reason is the cause
 * -EBUSY	something needs the memory uncached: a process maps it through a
 *		dma-buf, the device file or sysfs, the MSI-X table or the target
 *		of an ioeventfd is in it, or the kernel driver uses the BAR
 * -ENOSPC	too many separate ranges of the BAR are write-combining
 * -EINTR	a signal came while waiting for the device
 * -ENOMEM
 */
int tphbuf_set_wc(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why);

/**
 * tphbuf_revoke - revoke a dma-buf permanently
 * @dev: device that exported the dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @why: NULL, or filled on failure as by tphbuf_export()
 *
 * For a dma-buf that was given to another process. When this returns, no
 * importer and no CPU has access to the memory through it, and none can get it
 * again; other dma-bufs of the device are not affected. It waits until importers
 * have stopped using the memory. The call succeeds for a
 * dma-buf that is already revoked permanently. Thread-safe.
 *
 * Return: 0, or, with nothing changed,
 * -EINVAL	@dmabuf_fd is not a dma-buf
 * -EBADF	@dmabuf_fd is not open
 * -ENXIO	another driver than vfio-pci exported it
 * -EXDEV	another device exported it
 * -ENOTTY	the kernel cannot do it: tphbuf_device_disable_memory() revokes all
 *		dma-bufs of the device for a while
 * -EOPNOTSUPP	this device cannot export
 * -EINTR	a signal came while waiting for the buffer
 */
int tphbuf_revoke(struct tphbuf_device *dev, int dmabuf_fd, struct tphbuf_probe *why);

#ifdef __cplusplus
}
#endif

#endif
