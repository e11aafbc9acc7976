/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_REASON_H
#define TPHBUF_REASON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tphbuf_probe;

/**
 * enum tphbuf_reason - why something cannot be done
 * @TPHBUF_REASON_NONE: it can be done
 * @TPHBUF_REASON_NOT_ASKED: only the kernel knows, and it answers only for an
 *	open device, which this one was not
 *
 * @TPHBUF_REASON_BAD_NAME: the text is neither a PCI address nor the path of a
 *	VFIO device file
 * @TPHBUF_REASON_NOT_FOUND: no such device
 * @TPHBUF_REASON_NOT_VFIO: the file is not a PCI device opened through VFIO
 *
 * @TPHBUF_REASON_NO_IOMMU: no IOMMU translates for the device
 * @TPHBUF_REASON_NO_VFIO: the vfio-pci driver is not built or not loaded
 *
 * @TPHBUF_REASON_NOT_BOUND: the device has no driver, or one that is not a VFIO
 *	driver
 * @TPHBUF_REASON_BIND_FAILED: vfio-pci did not bind the device; struct
 *	tphbuf_probe.error has the errno
 *
 * @TPHBUF_REASON_GROUP_NOT_VIABLE: a kernel driver uses another device of the
 *	IOMMU group
 * @TPHBUF_REASON_GROUP_REFUSED: another process owns the IOMMU group, or the
 *	platform cannot isolate its interrupts
 * @TPHBUF_REASON_NO_CDEV: the device has neither a device file nor a group file
 * @TPHBUF_REASON_NO_IOMMUFD: neither iommufd nor the type1 container is built or
 *	loaded
 * @TPHBUF_REASON_NO_PERMISSION: this user may not do it; struct
 *	tphbuf_probe.denied names the file
 * @TPHBUF_REASON_VF_TOKEN: the physical function of this virtual function belongs
 *	to vfio-pci, and the VF token was not given or is wrong
 * @TPHBUF_REASON_BUSY: the device is open already
 *
 * @TPHBUF_REASON_NO_DMABUF: the kernel, or the driver of this device, cannot
 *	export dma-bufs
 * @TPHBUF_REASON_NO_BAR: the device does not implement the BAR as memory of at
 *	least a page
 * @TPHBUF_REASON_BAD_RANGE: a range is empty, not page aligned or not within its
 *	BAR; struct tphbuf_probe.range is its index
 * @TPHBUF_REASON_BAD_TAG: the tag has no valid namespace, or an unknown bit, or a
 *	Processing Hint above 3
 * @TPHBUF_REASON_BAD_BUFFER: the file descriptor is not a dma-buf of this device
 *
 * @TPHBUF_REASON_NO_TPH_FEATURE: the kernel cannot tag dma-bufs
 * @TPHBUF_REASON_OTHER_FEATURE: the kernel has another feature under the number
 *	with which this library was built
 * @TPHBUF_REASON_TPH_NOT_BUILT: the device completes TPH requests, but the kernel
 *	was built without CONFIG_PCIE_TPH
 * @TPHBUF_REASON_TPH_OFF: the kernel command line turns TPH off (pci=notph)
 * @TPHBUF_REASON_NO_COMPLETER: the device does not complete TPH requests
 * @TPHBUF_REASON_ST_8BIT_ONLY: the device completes TPH requests with 8-bit
 *	Steering Tags only
 *
 * @TPHBUF_REASON_NO_MMAP: the kernel, or the driver of this device, does not let
 *	the CPU map dma-bufs
 * @TPHBUF_REASON_NO_WC_FEATURE: the kernel cannot make dma-bufs write-combining
 * @TPHBUF_REASON_NO_WC: this CPU cannot map PCI memory write-combining, on x86
 *	because it has no PAT
 * @TPHBUF_REASON_WC_BUSY: something needs the memory uncached
 *
 * @TPHBUF_REASON_REVOKED: the dma-buf is revoked
 * @TPHBUF_REASON_NO_REVOKE_FEATURE: the kernel cannot revoke a single dma-buf
 *
 * @TPHBUF_REASON_SYSTEM: none of these; struct tphbuf_probe.error has the errno
 *
 * A block of 16 numbers per subject: a reason that a later version adds does not
 * move another.
 */
enum tphbuf_reason {
	TPHBUF_REASON_NONE		= 0,
	TPHBUF_REASON_NOT_ASKED		= 1,

	/* which device */
	TPHBUF_REASON_BAD_NAME		= 16,
	TPHBUF_REASON_NOT_FOUND		= 17,
	TPHBUF_REASON_NOT_VFIO		= 18,

	/* the machine */
	TPHBUF_REASON_NO_IOMMU		= 32,
	TPHBUF_REASON_NO_VFIO		= 33,

	/* its driver */
	TPHBUF_REASON_NOT_BOUND		= 48,
	TPHBUF_REASON_BIND_FAILED	= 49,

	/* opening it */
	TPHBUF_REASON_GROUP_NOT_VIABLE	= 64,
	TPHBUF_REASON_GROUP_REFUSED	= 65,
	TPHBUF_REASON_NO_CDEV		= 66,
	TPHBUF_REASON_NO_IOMMUFD	= 67,
	TPHBUF_REASON_NO_PERMISSION	= 68,
	TPHBUF_REASON_VF_TOKEN		= 69,
	TPHBUF_REASON_BUSY		= 70,

	/* exporting a dma-buf */
	TPHBUF_REASON_NO_DMABUF		= 80,
	TPHBUF_REASON_NO_BAR		= 81,
	TPHBUF_REASON_BAD_RANGE		= 82,
	TPHBUF_REASON_BAD_TAG		= 83,
	TPHBUF_REASON_BAD_BUFFER	= 84,

	/* tagging it */
	TPHBUF_REASON_NO_TPH_FEATURE	= 96,
	TPHBUF_REASON_OTHER_FEATURE	= 97,
	TPHBUF_REASON_TPH_NOT_BUILT	= 98,
	TPHBUF_REASON_TPH_OFF		= 99,
	TPHBUF_REASON_NO_COMPLETER	= 100,
	TPHBUF_REASON_ST_8BIT_ONLY	= 101,

	/* the CPU and its memory */
	TPHBUF_REASON_NO_MMAP		= 112,
	TPHBUF_REASON_NO_WC_FEATURE	= 113,
	TPHBUF_REASON_NO_WC		= 114,
	TPHBUF_REASON_WC_BUSY		= 115,

	/* its life */
	TPHBUF_REASON_REVOKED		= 128,
	TPHBUF_REASON_NO_REVOKE_FEATURE	= 129,

	TPHBUF_REASON_SYSTEM		= 255,
};

/**
 * tphbuf_reason_name - a reason as a word for programs
 * @reason: the reason
 *
 * Any thread may call it at any time.
 *
 * Return: a lower-case word that stays the same in later versions, such as
 * "no-completer", "none" for TPHBUF_REASON_NONE; "unknown" for a value that
 * this version does not know. Static storage.
 */
const char *tphbuf_reason_name(enum tphbuf_reason reason);

/**
 * tphbuf_reason_errno - errno value of a reason
 * @reason: the reason
 *
 * Any thread may call it at any time.
 *
 * Return: a negative errno value; 0 for TPHBUF_REASON_NONE and
 * TPHBUF_REASON_NOT_ASKED; -EIO for TPHBUF_REASON_SYSTEM and for a value that
 * this version does not know. Calls can return a more specific value for the
 * same reason, as tphbuf_reason_text(3) lists.
 */
int tphbuf_reason_errno(enum tphbuf_reason reason);

/**
 * tphbuf_reason_text - describe a reason in a line
 * @reason: the reason
 * @about: the device that it is about, for the names in the text, or NULL
 * @buf: where the line goes; may be NULL when @size is 0
 * @size: size of @buf
 *
 * The line says what cannot be done, why, and, where that helps, what to do about
 * it; it has no newline. Thread-safe.
 *
 * Return: length of the whole line without the terminating zero, as
 * snprintf(3): a value of @size or more means that it was truncated.
 */
int tphbuf_reason_text(enum tphbuf_reason reason, const struct tphbuf_probe *about, char *buf,
		       size_t size);

#ifdef __cplusplus
}
#endif

#endif
