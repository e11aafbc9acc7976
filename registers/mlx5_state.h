/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state page: the last page of BAR0 shows what the model holds and what it has seen. No real
 * device has it; drivers leave it alone, tests read it.
 *
 * Big-endian 64-bit registers, read-only, accesses of 4 or 8 bytes. The counts of objects are 0
 * after a driver has left.
 */
#ifndef TPHBUF_MLX5_STATE_H
#define TPHBUF_MLX5_STATE_H

#define MLX5_STATE_PAGE	 0x1ff000 /* offset in BAR0 */
#define MLX5_STATE_MAGIC 0x54504842554635ull

enum mlx5_state_register {
	MLX5_STATE_ID,	  /* MLX5_STATE_MAGIC */
	MLX5_STATE_HCA,	  /* 0 disabled, 1 enabled, 2 initialized */
	MLX5_STATE_PAGES, /* lent by the driver */
	MLX5_STATE_UARS,
	MLX5_STATE_PDS,
	MLX5_STATE_XRCDS,
	MLX5_STATE_EQS,
	MLX5_STATE_CQS,
	MLX5_STATE_MKEYS,
	MLX5_STATE_SRQS,
	MLX5_STATE_QPS,
	MLX5_STATE_TRANSLATIONS, /* page entries of all memory keys */
	/* counters: see struct mlx5_counters */
	MLX5_STATE_COMMANDS = 32,
	MLX5_STATE_UNKNOWN_COMMANDS,
	MLX5_STATE_FAILED_COMMANDS,
	MLX5_STATE_BAD_REGISTERS,
	MLX5_STATE_BAD_DOORBELLS,
	MLX5_STATE_DMA_ERRORS,
	MLX5_STATE_FATAL_ERRORS,
	MLX5_STATE_PAGE_FAULTS,
	MLX5_STATE_PAGE_FAULT_ERRORS,
	MLX5_STATE_WORK_REQUESTS,
	MLX5_STATE_FAILED_WORK_REQUESTS,
	MLX5_STATE_SENT_PACKETS,
	MLX5_STATE_SENT_BYTES,
	MLX5_STATE_RECEIVED_PACKETS,
	MLX5_STATE_RECEIVED_BYTES,
	MLX5_STATE_DROPPED_PACKETS,
	MLX5_STATE_TAGGED_WRITES,
	MLX5_STATE_REGISTERS, /* number of registers; not one itself */
};

#endif
