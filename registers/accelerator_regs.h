/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of the accelerator, the lab's completer with TLP Processing Hints.
 *
 * BAR0 holds the registers, BAR2 (64-bit, prefetchable) the memory, BAR4 the MSI-X table. All
 * registers are little-endian; 32-bit registers take aligned 4-byte accesses, 64-bit ones aligned
 * 8-byte accesses or two 4-byte ones, low half first (the read of the low half latches the high
 * half). Anything else reads as all ones, is dropped as a write, and counts in
 * ACC_REG_BAD_ACCESS.
 */
#ifndef TPHBUF_ACCELERATOR_REGS_H
#define TPHBUF_ACCELERATOR_REGS_H

/* Red Hat's id for emulated devices, as QEMU's own models use it */
#define ACC_VENDOR_ID		0x1b36
#define ACC_DEVICE_ID		0x11a0
#define ACC_BAR_REGS		0
#define ACC_BAR_MEM		2
#define ACC_BAR_MSIX		4	/* MSI-X table and pending bits */
#define ACC_MSIX_VECTORS	1
#define ACC_BAR_REGS_SIZE	0x1000

#define ACC_REG_ID		0x000	/* ro: ACC_ID */
#define ACC_ID			0x41485054	/* "TPHA" */
#define ACC_REG_VERSION		0x004	/* ro: 1 */
#define ACC_REG_CONTROL		0x008	/* wo */
#define ACC_CONTROL_CLEAR	(1u << 0)	/* all counters to 0 */
#define ACC_CONTROL_INTERRUPT	(1u << 1)	/* raise MSI-X vector 0 */
/* rw: no effect; the write is a TLP of its own in the trace and so divides it */
#define ACC_REG_MARK		0x00c
#define ACC_REG_MEM_SIZE	0x010	/* ro, 64 bit: bytes in BAR2 */
#define ACC_REG_COMPLETER	0x018	/* ro: DEVCAP2 TPH completer field, 0..3 */
#define ACC_REG_BAD_ACCESS	0x01c	/* ro: register accesses that were refused */

/*
 * 64-bit counters of memory writes that arrived as TLPs (not of the CPU's writes to the mapped
 * BAR2)
 */
#define ACC_REG_WRITES		0x020	/* accepted, tagged or not */
#define ACC_REG_BYTES		0x028	/* payload bytes accepted */
/* accepted without hint, or with one that this completer does not look at */
#define ACC_REG_UNTAGGED	0x030
#define ACC_REG_TAGGED		0x038	/* accepted with an 8-bit steering tag */
#define ACC_REG_TAGGED_EXT	0x040	/* accepted with a 16-bit steering tag */
/* refused, nothing written: unknown operation, part of a lane, prefix not supported */
#define ACC_REG_MALFORMED	0x048
#define ACC_REG_READS		0x050	/* memory reads completed */
#define ACC_REG_ATOMICS		0x058	/* AtomicOps completed */
/* tagged writes by processing hint, n = 0..3 */
#define ACC_REG_PH(n)		(0x060 + 8 * (n))

/* Tag statistics: write the selector, then read the 64-bit count. */
#define ACC_REG_SELECT		0x080	/* rw */
/* [15:0] names a 16-bit tag (or its partition), otherwise an 8-bit one */
#define ACC_SELECT_EXT		(1u << 16)
/* ro, 64 bit: accepted writes that carried exactly the selected tag */
#define ACC_REG_TAG_COUNT	0x088
/* ro, 64 bit: accepted tagged writes to the partition of the selected tag */
#define ACC_REG_PARTITION_COUNT	0x090

/*
 * wo: text for the next write to ACC_REG_MARK, four bytes at a time, low byte first; 0 bytes are
 * left out, and so is what goes beyond ACC_MARK_TEXT_MAX bytes
 */
#define ACC_REG_MARK_TEXT	0x0a0
#define ACC_MARK_TEXT_MAX	199

/*
 * What a steering tag tells the accelerator. The operation works on little-endian u32 lanes of the
 * memory: new = op(old, payload). Everything but a store needs whole lanes (DW aligned, all byte
 * enables set). The two namespaces use different codes, so that a tag taken for one of the other
 * namespace does something else, and not by luck the same.
 */
#define ACC_ST_PARTITION(st)	((st) & 0xf)
#define ACC_ST_OP(st)		(((st) >> 4) & 0xf)
#define ACC_ST_OP_STORE		0x0
#define ACC_ST_OP_ADD		0x1
#define ACC_ST_OP_MAX		0x2
#define ACC_ST_OP_XOR		0x3
#define ACC_ST_EXT_PARTITION(st) ((st) & 0xff)
#define ACC_ST_EXT_OP(st)	(((st) >> 8) & 0xff)
#define ACC_ST_EXT_OP_STORE	0x00
#define ACC_ST_EXT_OP_ADD	0x43
#define ACC_ST_EXT_OP_MAX	0x41
#define ACC_ST_EXT_OP_XOR	0x42

#endif
