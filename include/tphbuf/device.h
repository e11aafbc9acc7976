/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_DEVICE_H
#define TPHBUF_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/options.h>
#include <tphbuf/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A PCI device that is open through VFIO. It does not change after it was
 * opened: any number of threads may use it, until a thread calls
 * tphbuf_device_close() or tphbuf_device_restore_driver().
 */
struct tphbuf_device;

#define TPHBUF_NR_BARS		6

/*
 * tphbuf_device_open(): if the device is not bound to a VFIO driver, unbind it
 * and bind it to vfio-pci. Requires write access to the PCI files in sysfs, which
 * usually only root has.
 */
#define TPHBUF_OPEN_BIND	(1u << 0)

/* tphbuf_device_adopt(): the file descriptors now belong to the device */
#define TPHBUF_ADOPT_CLOSE	(1u << 0)

/* Bits of struct tphbuf_bar.flags */
#define TPHBUF_BAR_READ		(1u << 0)	/* tphbuf_device_bar_read() works */
#define TPHBUF_BAR_WRITE	(1u << 1)	/* tphbuf_device_bar_write() works */
#define TPHBUF_BAR_MMAP		(1u << 2)	/* tphbuf_device_bar_map() works */
#define TPHBUF_BAR_IO		(1u << 3)	/* I/O ports, not memory */
#define TPHBUF_BAR_64BIT	(1u << 4)	/* 64-bit; the next index is its upper half */
#define TPHBUF_BAR_PREFETCH	(1u << 5)	/* prefetchable memory */

/**
 * struct tphbuf_bar - a base address register
 * @size: bytes; 0 when the device does not implement it
 * @offset: where it starts in the device file, for pread(2) and mmap(2)
 * @flags: TPHBUF_BAR_*
 * @reserved: zero
 */
struct tphbuf_bar {
	uint64_t size;
	uint64_t offset;
	uint32_t flags;
	uint32_t reserved[3];
};

/**
 * tphbuf_device_open - open a device through VFIO
 * @name: BDF ("0000:00:03.0", or "00:03.0" in domain 0000) or path of a VFIO
 *	device file ("/dev/vfio/devices/vfio0")
 * @options: TPHBUF_OPEN_BIND or no flag; NULL for none
 * @dev: set to the device; the caller ends it with tphbuf_device_close() or
 *	tphbuf_device_restore_driver()
 * @why: NULL, or filled on failure: @why->reason is the reason
 *
 * For a program that has not opened the device; otherwise, see
 * tphbuf_device_adopt().
 *
 * Opens the device file and an iommufd, and binds the device to the iommufd. In a
 * kernel that has no device files, it opens the file of the IOMMU group, puts the
 * group into a container and gets the device from it. Either is enough to export
 * and tag dma-bufs: importers use their own domain. A device that is to do DMA
 * itself needs an address space too: see tphbuf_device_iommufd().
 *
 * With TPHBUF_OPEN_BIND a device without a VFIO driver is unbound from its driver
 * and bound to vfio-pci first; if a later step fails, it is bound to its previous
 * driver. Processes that do this to the same device wait for
 * each other, by a lock on the file "rescan" of the device in sysfs, for ten
 * seconds at most. Thread-safe.
 *
 * The kernel resets the device when it is opened. Whether it decodes memory
 * afterwards is not defined: see tphbuf_device_enable_memory().
 *
 * Return: 0, or
 * -EINVAL	@name is neither form (TPHBUF_REASON_BAD_NAME), or @options are
 *		wrong
 * -ENODEV	no such device, it is not bound to a VFIO driver, vfio-pci did
 *		not bind it, or the file is not a PCI device opened through VFIO
 * -EOPNOTSUPP	no IOMMU, no vfio-pci, or nothing to open the device with
 * -EACCES	no permission for @why->denied, or a VF token that is missing or
 *		wrong
 * -EBUSY	the device is open already, or its IOMMU group is not viable
 * -ENAMETOOLONG, -ENOMEM, -EMFILE and other errors of the system.
 */
int tphbuf_device_open(const char *name, const struct tphbuf_options *options,
		       struct tphbuf_device **dev, struct tphbuf_probe *why);

/**
 * tphbuf_device_adopt - use a device that the caller has opened
 * @device_fd: VFIO device file, bound to an iommufd or from
 *	VFIO_GROUP_GET_DEVICE_FD
 * @iommufd: the iommufd that it is bound to, or -1
 * @flags: TPHBUF_ADOPT_CLOSE or 0
 * @dev: set to the device; the caller ends it with tphbuf_device_close()
 *
 * Without TPHBUF_ADOPT_CLOSE both file descriptors stay the caller's, who
 * keeps them open for as long as the device is in use. With it they belong to
 * the device once this call has returned 0, and are closed with it. When this
 * call fails they are the caller's in either case. Thread-safe.
 *
 * The address, driver and IDs are derived from the number of the device file, or,
 * for a file of a group, from /proc/self/fdinfo in recent kernels: see
 * tphbuf_device_bdf().
 *
 * Return: 0, or -EINVAL for an unknown flag, a negative @device_fd or a file
 * that is not bound, -EBADF, -ENODEV when it is not a PCI device, -ENOTTY when it
 * is not a VFIO device file, -ENOMEM.
 */
int tphbuf_device_adopt(int device_fd, int iommufd, unsigned int flags,
			struct tphbuf_device **dev);

/**
 * tphbuf_device_close - end the use of a device
 * @dev: the device, or NULL; invalid afterwards
 *
 * Closes the files that belong to the device. Once no duplicate of the device
 * file is open anywhere, all dma-bufs that were exported from it are revoked
 * permanently. A device that TPHBUF_OPEN_BIND bound to vfio-pci remains bound.
 */
void tphbuf_device_close(struct tphbuf_device *dev);

/**
 * tphbuf_device_restore_driver - close a device and bind its previous driver
 * @dev: the device, or NULL; invalid afterwards, for every return value
 *
 * As tphbuf_device_close(). If TPHBUF_OPEN_BIND unbound the device from a driver,
 * the call then binds it to that driver again, or unbinds it. Waits
 * until the last duplicate of the device file is closed, also those in other
 * processes.
 *
 * Return: 0, also when there is no previous driver; or the error of writing
 * to sysfs; -ENODEV when the driver did not bind the device.
 */
int tphbuf_device_restore_driver(struct tphbuf_device *dev);

/**
 * tphbuf_device_previous_driver - driver from which a device was unbound
 * @dev: the device
 *
 * Return: the name of the driver that TPHBUF_OPEN_BIND unbound, "" when the device
 * had no driver, NULL when it was not unbound. Valid as long as @dev is.
 */
const char *tphbuf_device_previous_driver(const struct tphbuf_device *dev);

/**
 * tphbuf_device_bdf - PCI address of a device
 * @dev: the device
 *
 * Return: "0000:00:03.0", or "" when it is not known: sysfs is not mounted, or the
 * device was adopted from a group in an older kernel. Valid as long as @dev is.
 */
const char *tphbuf_device_bdf(const struct tphbuf_device *dev);

/**
 * tphbuf_device_fd - VFIO device file of a device
 * @dev: the device
 *
 * For VFIO calls that this library does not cover.
 *
 * Return: the file descriptor, which the caller must not close.
 */
int tphbuf_device_fd(const struct tphbuf_device *dev);

/**
 * tphbuf_device_iommufd - iommufd that a device is bound to
 * @dev: the device
 *
 * For address spaces: IOMMU_IOAS_ALLOC on it, then
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT on tphbuf_device_fd().
 *
 * Return: the file descriptor, which the caller must not close; -1 when the device
 * was adopted without an iommufd or opened through its group.
 */
int tphbuf_device_iommufd(const struct tphbuf_device *dev);

/**
 * tphbuf_device_bar - describe a BAR
 * @dev: the device
 * @index: 0 to 5
 * @bar: the answer; all zero for a BAR that the device does not implement
 *
 * Return: 0; -EINVAL when @index is above 5.
 */
int tphbuf_device_bar(const struct tphbuf_device *dev, unsigned int index,
		      struct tphbuf_bar *bar);

/**
 * tphbuf_device_config_read - read from the config space
 * @dev: the device
 * @offset: first byte
 * @buf: where the bytes go, little-endian as the config space is
 * @length: bytes
 *
 * All of it or an error. Some fields are of VFIO's making, such as the BARs,
 * and hide what the device has there. Thread-safe.
 *
 * Return: 0; -ERANGE when it does not lie within the config space; -EIO when
 * the kernel gave fewer bytes; else the error of pread(2).
 */
int tphbuf_device_config_read(struct tphbuf_device *dev, uint64_t offset, void *buf,
			      size_t length);

/**
 * tphbuf_device_config_write - write to the config space
 * @dev: the device
 * @offset: first byte
 * @buf: the bytes, little-endian as the config space is
 * @length: bytes
 *
 * VFIO leaves out fields that it does not let a process change, without an
 * error. Thread-safe.
 *
 * Return: as tphbuf_device_config_read(), of pwrite(2).
 */
int tphbuf_device_config_write(struct tphbuf_device *dev, uint64_t offset, const void *buf,
			       size_t length);

/**
 * tphbuf_device_bar_read - read from a BAR with system calls
 * @dev: the device
 * @bar: 0 to 5
 * @offset: first byte, from the start of the BAR
 * @buf: where the bytes go
 * @length: bytes
 *
 * The kernel reads in units of up to 8 bytes as alignment allows: a register is
 * read as a whole when @offset is a multiple of its size and @length is its
 * size. Memory decoding has to be on. Thread-safe.
 *
 * Return: 0; -EINVAL when @bar is above 5; -ENXIO when the device does not
 * implement it; -ERANGE when the bytes do not lie within it; -EIO when memory
 * decoding is off or the kernel gave fewer bytes; else the error of pread(2).
 */
int tphbuf_device_bar_read(struct tphbuf_device *dev, unsigned int bar, uint64_t offset, void *buf,
			   size_t length);

/**
 * tphbuf_device_bar_write - write to a BAR with system calls
 * @dev: the device
 * @bar: 0 to 5
 * @offset: first byte, from the start of the BAR
 * @buf: the bytes
 * @length: bytes
 *
 * See tphbuf_device_bar_read(). Thread-safe.
 *
 * Return: as tphbuf_device_bar_read(), of pwrite(2).
 */
int tphbuf_device_bar_write(struct tphbuf_device *dev, unsigned int bar, uint64_t offset,
			    const void *buf, size_t length);

/**
 * tphbuf_device_bar_map - map a part of a BAR of the device file
 * @dev: the device
 * @bar: 0 to 5
 * @offset: first byte, from the start of the BAR; a multiple of the page size
 * @length: bytes
 * @addr: set to the address
 *
 * Shared, readable and writable as the BAR is. Access while memory decoding is
 * off is SIGBUS. End it with tphbuf_device_bar_unmap(); it lives on when the
 * device is closed before that, and with it the open device.
 *
 * Return: 0; -EINVAL when @bar is above 5, @length is 0 or @offset is not a
 * multiple of the page size; -ENXIO when the device does not implement the
 * BAR; -ERANGE when the bytes do not lie within it; -EOPNOTSUPP when it cannot
 * be mapped; else the error of mmap(2).
 */
int tphbuf_device_bar_map(struct tphbuf_device *dev, unsigned int bar, uint64_t offset,
			  size_t length, void **addr);

/**
 * tphbuf_device_bar_unmap - end what tphbuf_device_bar_map() made
 * @addr: the address
 * @length: the same as for the mapping
 *
 * Return: 0, or the error of munmap(2).
 */
int tphbuf_device_bar_unmap(void *addr, size_t length);

/**
 * tphbuf_device_enable_memory - let the device answer to its memory BARs
 * @dev: the device
 *
 * Sets Memory Space Enable in the command register. The dma-bufs of a device
 * that does not decode memory are revoked; this brings them back. Reads and
 * writes the register, so it must not run at the same time as another write to
 * it.
 *
 * Return: 0, or the error of reading or writing the config space.
 */
int tphbuf_device_enable_memory(struct tphbuf_device *dev);

/**
 * tphbuf_device_disable_memory - stop the device from answering
 * @dev: the device
 *
 * Clears Memory Space Enable: this revokes all dma-bufs of the device until
 * tphbuf_device_enable_memory(), and has returned when no importer can reach
 * them any more. Their tags stay. See tphbuf_device_enable_memory() about
 * concurrent calls.
 *
 * Return: 0, or the error of reading or writing the config space.
 */
int tphbuf_device_disable_memory(struct tphbuf_device *dev);

#ifdef __cplusplus
}
#endif

#endif
