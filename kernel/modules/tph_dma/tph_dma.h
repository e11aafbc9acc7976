/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * tph_dma: user interface of the reference importer.
 *
 * One character device /dev/tph_dma<n> for each DMA engine, n in the order of probing;
 * /sys/class/misc/tph_dma<n>/device names the PCI function. An open file has its own table of
 * imported buffers; closing the file releases them.
 *
 * Errors of all calls: -EFAULT when the argument cannot be read or written, -EINVAL for an unknown
 * flag or a pad that is not 0, -EBADF for a handle that the file does not have, -ENODEV when the
 * engine was unbound from its driver, -EINTR when a signal came while the engine was busy.
 */
#ifndef _UAPI_TPH_DMA_H
#define _UAPI_TPH_DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TPH_DMA_IOC_MAGIC	0xB7

/**
 * struct tph_dma_import - import a dma-buf
 * @dmabuf_fd: the dma-buf; the driver takes its own reference
 * @flags: must be 0
 * @handle: out: names the buffer in this file
 * @pad: must be 0
 * @size: out: size of the buffer in bytes
 *
 * -EBADF or -EINVAL when @dmabuf_fd is not open or no dma-buf, -ENODEV when the exporter has
 * revoked the buffer, and what else the exporter gives when a device is attached.
 */
struct tph_dma_import {
	__s32 dmabuf_fd;
	__u32 flags;
	__u32 handle;
	__u32 pad;
	__aligned_u64 size;
};

/**
 * struct tph_dma_copy - copy between user memory and an imported buffer, and wait for the end
 * @handle: from TPH_DMA_IMPORT
 * @flags: 0: user memory to buffer; TPH_DMA_COPY_FROM_BUFFER: buffer to user memory
 * @user_addr: any alignment
 * @offset: byte offset in the buffer
 * @length: bytes; 0 does nothing
 *
 * Long copies are sent in parts, in order. An error ends the copy: the bytes before may have been
 * copied, the bytes behind are not.
 *
 * -ENODEV when the exporter has revoked the buffer: nothing is sent, and the same call works again
 * after an un-revoke. -EINVAL when the range does not lie in the buffer, -EFAULT for user memory
 * that cannot be read or written, -EIO when the engine reports an error, and what the exporter
 * gives when the buffer is mapped. A copy that a signal ends before anything was sent is restarted
 * when the handler was installed with SA_RESTART; one that has sent something never is.
 */
struct tph_dma_copy {
	__u32 handle;
	__u32 flags;
	__aligned_u64 user_addr;
	__aligned_u64 offset;
	__aligned_u64 length;
};

#define TPH_DMA_COPY_FROM_BUFFER	0x1

/**
 * struct tph_dma_query - tell what is known of a buffer
 * @handle: from TPH_DMA_IMPORT
 * @state: out: TPH_DMA_STATE_* bits
 * @steering_tag: out: with TPH_DMA_STATE_TAGGED, the tag programmed for the present mapping
 * @ph: out: likewise the processing hint
 * @pad: out: 0
 * @st_index: out: likewise the entry of the engine's ST table, or the tag where there is no table
 * @mappings: out: how often the buffer has been mapped since the import
 */
struct tph_dma_query {
	__u32 handle;
	__u32 state;
	__u16 steering_tag;
	__u8 ph;
	__u8 pad;
	__u32 st_index;
	__aligned_u64 mappings;
};

/* mapped now; a copy maps when needed */
#define TPH_DMA_STATE_MAPPED		0x1
/* writes carry a hint: the exporter published a tag that this requester can send */
#define TPH_DMA_STATE_TAGGED		0x2
/* the requester is enabled for 16-bit tags and asks in that namespace */
#define TPH_DMA_STATE_EXTENDED		0x4
/* a tag was published, but the ST table has no free entry: mapped without */
#define TPH_DMA_STATE_TABLE_FULL	0x8

/**
 * struct tph_dma_release - undo an import
 * @handle: from TPH_DMA_IMPORT; free for another buffer afterwards
 * @flags: must be 0
 *
 * Waits for the part of a copy that is under way; the rest of it fails with -EBADF.
 */
struct tph_dma_release {
	__u32 handle;
	__u32 flags;
};

#define TPH_DMA_IMPORT	_IOWR(TPH_DMA_IOC_MAGIC, 0, struct tph_dma_import)
#define TPH_DMA_COPY	_IOW(TPH_DMA_IOC_MAGIC, 1, struct tph_dma_copy)
#define TPH_DMA_QUERY	_IOWR(TPH_DMA_IOC_MAGIC, 2, struct tph_dma_query)
#define TPH_DMA_RELEASE	_IOW(TPH_DMA_IOC_MAGIC, 3, struct tph_dma_release)

#endif /* _UAPI_TPH_DMA_H */
