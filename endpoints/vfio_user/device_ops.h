/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between the protocol and what it serves. The protocol knows regions, interrupts and DMA
 * maps; what they mean is the device's business.
 */
#ifndef TPHBUF_VFIO_USER_DEVICE_OPS_H
#define TPHBUF_VFIO_USER_DEVICE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfio_user_connection;

/**
 * struct vfio_user_region - what a client may know of a region
 * @size: bytes, 0 for a region that the device does not have
 * @fd: file that the client may map from offset 0 for the whole region, or -1; stays the device's
 *	and open while a client is connected
 */
struct vfio_user_region {
	uint64_t size;
	int fd;
};

/**
 * struct vfio_user_mapping - bus addresses that the device may use from now on
 * @address: first one
 * @size: bytes
 * @offset: of @address in @fd, 0 without
 * @readable: by the device
 * @writable: by the device
 * @fd: file behind the addresses or -1; not needed after dma_map()
 */
struct vfio_user_mapping {
	uint64_t address;
	uint64_t size;
	uint64_t offset;
	bool readable;
	bool writable;
	int fd;
};

/**
 * struct vfio_user_device_ops - what a device answers for
 * @region_info: describe a region; any index
 * @region_read: access by the client; -EINVAL out of bounds, other -errno as the device likes
 * @region_write: access by the client, with the errors of a read
 * @dma_map: announce bus addresses; -EEXIST for an overlap, -EINVAL for a range that cannot be,
 *	-ERANGE for one outside of the file, -ENOSPC at a limit of the device, -EMEDIUMTYPE for a
 *	file of the wrong kind. A file that was accepted is one that can be closed without waiting
 *	for its owner.
 * @dma_unmap: -ENOENT when nothing was mapped there; after it returned the range is not used any
 *	more
 * @dma_unmap_all: withdraw all; after it returned none is used any more
 * @reset: function-level reset
 * @irq_count: vectors of an interrupt type
 * @connect: a client is there (its connection), or gone (NULL). Once it returned from the latter,
 *	no call of vfio_user_dma_*() or vfio_user_trigger() with the old connection is under way or
 *	will come.
 *
 * All are called on the server's thread, one at a time, and must not wait for the client.
 */
struct vfio_user_device_ops {
	void (*region_info)(void *device, unsigned int index, struct vfio_user_region *region);
	int (*region_read)(void *device, unsigned int index, uint64_t offset, void *buf,
			   size_t len);
	int (*region_write)(void *device, unsigned int index, uint64_t offset, const void *buf,
			    size_t len);
	int (*dma_map)(void *device, const struct vfio_user_mapping *mapping);
	int (*dma_unmap)(void *device, uint64_t address, uint64_t size);
	void (*dma_unmap_all)(void *device);
	void (*reset)(void *device);
	unsigned int (*irq_count)(void *device, unsigned int type);
	void (*connect)(void *device, struct vfio_user_connection *connection);
};

/**
 * vfio_user_dma_read() - read the client's memory by messages
 * @connection: as given to connect()
 * @epoch: for vfio_user_dma_cancel()
 * @address: bus address
 * @buf: receives the bytes
 * @len: split as the client's max_data_xfer_size asks
 *
 * Any thread but the server's; waits for the client as long as it is connected.
 *
 * Return: 0, -EFAULT when the client refuses or answers nonsense, -ENOTCONN when it is gone,
 * -ECANCELED after vfio_user_dma_cancel().
 */
int vfio_user_dma_read(struct vfio_user_connection *connection, uint64_t epoch, uint64_t address,
		       void *buf, size_t len);

/*
 * Writes the client's memory by messages, with the same errors. After one some of the bytes may
 * have been written.
 */
int vfio_user_dma_write(struct vfio_user_connection *connection, uint64_t epoch, uint64_t address,
			const void *buf, size_t len);

/*
 * Ends the calls above with an epoch below @epoch, those to come included. An answer that still
 * comes is ignored. Any thread; never blocks.
 */
void vfio_user_dma_cancel(struct vfio_user_connection *connection, uint64_t epoch);

/* Sends an interrupt to the client. Any thread; never blocks. */
void vfio_user_trigger(struct vfio_user_connection *connection, unsigned int type,
		       unsigned int vector);

#endif
