/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers and descriptors of the DMA engine, the lab's requester with TLP Processing Hints.
 * Shared by the device model and its Linux driver.
 *
 * BAR0 holds the registers, BAR4 the MSI-X table and pending bits. Little-endian; aligned 4-byte
 * accesses, 64-bit registers as two 4-byte accesses or one of 8 bytes. Anything else reads as all
 * ones and is dropped as a write.
 */
#ifndef TPHBUF_DMA_ENGINE_REGS_H
#define TPHBUF_DMA_ENGINE_REGS_H

#define DMA_ENGINE_VENDOR_ID	0x1b36
#define DMA_ENGINE_DEVICE_ID	0x11a1
#define DMA_ENGINE_BAR_REGS	0
#define DMA_ENGINE_BAR_MSIX	4
#define DMA_ENGINE_BAR_REGS_SIZE 0x1000
#define DMA_ENGINE_MSIX_VECTORS	8
/* ST table in the TPH capability; an option of the device makes it smaller or leaves it out */
#define DMA_ENGINE_ST_ENTRIES	64

#define DMA_ENGINE_REG_ID	0x00	/* ro: DMA_ENGINE_ID */
#define DMA_ENGINE_ID		0x44485054	/* "TPHD" */
#define DMA_ENGINE_REG_VERSION	0x04	/* ro: 1 */
#define DMA_ENGINE_REG_CONTROL	0x08	/* rw */
/* 0 -> 1: head and tail restart at 0; 1 -> 0: stops after the current descriptor */
#define DMA_ENGINE_CONTROL_RUN	(1u << 0)
#define DMA_ENGINE_CONTROL_RESET (1u << 1)	/* all registers to their reset value; reads as 0 */
#define DMA_ENGINE_REG_STATUS	0x0c	/* ro */
#define DMA_ENGINE_STATUS_RUNNING (1u << 0)	/* a write of RUN = 0 is complete when this is 0 */
/* ring not readable or writable, or TAIL out of range; cleared by RUN 0 -> 1 */
#define DMA_ENGINE_STATUS_RING_ERROR (1u << 1)
#define DMA_ENGINE_REG_RING_BASE 0x10	/* rw, 64 bit: bus address of the ring, 32-byte aligned */
/* rw: descriptors, a power of two, 2..DMA_ENGINE_RING_MAX */
#define DMA_ENGINE_REG_RING_SIZE 0x18
#define DMA_ENGINE_RING_MAX	4096
/* rw: index after the last descriptor handed over, 0..RING_SIZE-1; the write is the doorbell */
#define DMA_ENGINE_REG_TAIL	0x1c
#define DMA_ENGINE_REG_HEAD	0x20	/* ro: index of the next descriptor to work on */
/* ro, 64 bit: memory write TLPs sent for descriptors' destinations */
#define DMA_ENGINE_REG_SENT	0x28
#define DMA_ENGINE_REG_FAILED	0x30	/* ro, 64 bit: descriptors that ended in an error */

/*
 * A descriptor; the engine copies @length bytes from @src to @dst. It writes @status back as its
 * last act, then sends the interrupt. @length 1..DMA_ENGINE_LENGTH_MAX.
 */
struct dma_engine_desc {
	__le64 src;
	__le64 dst;
	__le32 length;
	__le32 flags;		/* DMA_ENGINE_DESC_* */
	/*
	 * Used with DMA_ENGINE_DESC_TH in Device Specific Mode: entry of the ST table; the tag
	 * itself where there is no table. Interrupt Vector Mode uses @vector, No ST Mode neither.
	 */
	__le16 st_index;
	__le16 vector;		/* MSI-X vector, used with DMA_ENGINE_DESC_IRQ */
	__le32 status;		/* DMA_ENGINE_DONE_* ; the driver writes 0 */
};

#define DMA_ENGINE_LENGTH_MAX	(16u << 20)
/* writes to dst carry a hint, when the TPH capability enables it */
#define DMA_ENGINE_DESC_TH	(1u << 0)
#define DMA_ENGINE_DESC_PH_SHIFT 1		/* [2:1] processing hint */
#define DMA_ENGINE_DESC_PH_MASK	(3u << 1)
#define DMA_ENGINE_DESC_IRQ	(1u << 3)	/* interrupt when done, in error or not */
/* reads of src carry a hint too; only those of whole DWs */
#define DMA_ENGINE_DESC_READ_TH	(1u << 4)
/* attributes of both, where Device Control enables them */
#define DMA_ENGINE_DESC_RO	(1u << 5)	/* Relaxed Ordering */
#define DMA_ENGINE_DESC_IDO	(1u << 6)	/* ID-Based Ordering */
/* the address is a translated one; a bad descriptor while ATS is not enabled */
#define DMA_ENGINE_DESC_SRC_TRANSLATED (1u << 7)
#define DMA_ENGINE_DESC_DST_TRANSLATED (1u << 8)
#define DMA_ENGINE_DESC_TRANSLATED (3u << 7)
#define DMA_ENGINE_DESC_VALID	0x1ffu		/* all of these */

#define DMA_ENGINE_DONE_OK		1
/* unknown flag, length 0 or too long, st_index or vector out of range */
#define DMA_ENGINE_DONE_BAD_DESC	2
/* src: unsupported request or refused by the IOMMU */
#define DMA_ENGINE_DONE_READ_ERROR	3
/* dst: likewise; some of the bytes may have been written */
#define DMA_ENGINE_DONE_WRITE_ERROR	4

#endif
