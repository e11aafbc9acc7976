/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One emulated ConnectX function: its state as a whole. What is modelled:
 * docs/reference/mlx5.md.
 *
 * Locking: the fabric's lock, which all functions of the model expect to be held, on the worker,
 * unless their description says otherwise. Registers and the doorbells that wait (struct
 * mlx5_doorbells) change on any thread. All else is touched by the function's worker alone, which
 * keeps it valid while a DMA access drops the lock: a reset only raises
 * @reset_pending, upon which every DMA access fails, and the worker empties the function when it
 * starts over.
 */
#ifndef TPHBUF_MLX5_CORE_H
#define TPHBUF_MLX5_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infiniband/subnet.h"
#include "layout.h"
#include "table.h"

#define MLX5_BAR_SIZE  (2u << 20)
#define MLX5_PAGE_SIZE 4096u
#define MLX5_STATE_OFFSET \
	(MLX5_BAR_SIZE - MLX5_PAGE_SIZE) /* see state.h; the last page, never a UAR */

/* Limits; the capabilities announce them. Numbers below the first one of a type are never given
 * out. */
#define MLX5_LOG_COMMAND_SLOTS	5
#define MLX5_LOG_COMMAND_STRIDE 6
#define MLX5_LOG_EQS		5
#define MLX5_LOG_CQS		12
#define MLX5_LOG_QPS		12
#define MLX5_LOG_SRQS		12
#define MLX5_LOG_MKEYS		17
#define MLX5_LOG_PDS		12
#define MLX5_LOG_XRCDS		8
#define MLX5_UAR_FIRST		4 /* pages before it hold the initialization segment */
#define MLX5_UARS		(MLX5_STATE_OFFSET / MLX5_PAGE_SIZE)
#define MLX5_QPN_FIRST		64
#define MLX5_MKEY_FIRST		16 /* index 1 is the key that ends a scatter list */
#define MLX5_LOG_QUEUE_ENTRIES	15 /* largest work queue */
#define MLX5_LOG_CQ_ENTRIES	18
#define MLX5_LOG_EQ_ENTRIES	14
#define MLX5_LOG_MESSAGE	30 /* largest message */
#define MLX5_TRANSLATIONS_MAX \
	(16u << 20) /* page entries of all memory keys of a function together */
#define MLX5_PKEYS	    128
#define MLX5_GIDS	    8
#define MLX5_NODE_DESC_SIZE 64

struct mlx5_qp;
struct pci_function;

enum mlx5_hca_state {
	MLX5_HCA_DISABLED,
	MLX5_HCA_ENABLED,     /* after ENABLE_HCA */
	MLX5_HCA_INITIALIZED, /* after INIT_HCA */
};

/**
 * struct mlx5_counters - what happened since the function was made
 *
 * Kept over a reset. state.h shows them to a driver, and those of the port with them.
 */
struct mlx5_counters {
	uint64_t commands;
	uint64_t unknown_commands; /* answered with "bad operation" */
	uint64_t failed_commands;  /* known, any status but OK, or not delivered */
	uint64_t bad_registers;	   /* accesses to BAR0 that mean nothing */
	uint64_t bad_doorbells;	   /* for an object that is not there */
	uint64_t dma_errors;
	uint64_t fatal_errors;
	uint64_t page_faults;
	uint64_t page_fault_errors; /* resumed with an error */
	uint64_t work_requests;
	uint64_t failed_work_requests; /* flushed ones not counted */
	uint64_t tagged_writes;	       /* TLPs sent with a processing hint */
};

/**
 * struct mlx5_doorbells - doorbells that the worker has not looked at yet
 *
 * One bit an object and the newest value where it counts, so that a storm takes no memory.
 */
struct mlx5_doorbells {
	uint32_t commands;
	uint32_t eqs;	 /* bit an EQ */
	uint32_t eq_arm; /* the newest doorbell of the EQ asks for an interrupt */
	uint32_t eq_consumer[1 << MLX5_LOG_EQS];
	uint64_t cqs[(1 << MLX5_LOG_CQS) / 64];
	uint32_t cq_value[1 << MLX5_LOG_CQS];
	uint64_t qps[(1 << MLX5_LOG_QPS) / 64];
	bool any_cq;
	bool any_qp;
	uint32_t last_cq; /* looked at */
	uint32_t last_qp;
};

/**
 * struct mlx5_timer - wakes the worker at a time
 * @deadline: CLOCK_MONOTONIC ns, 0 for none
 */
struct mlx5_timer {
	pthread_t thread;
	pthread_mutex_t mutex; /* taken under the fabric's lock; guards the members below */
	pthread_cond_t changed;
	uint64_t deadline;
	bool stop;
};

struct mlx5 {
	struct pci_function *fn;
	struct mlx5_counters counters;

	/* initialization segment */
	uint64_t command_queue;
	uint8_t nic_interface;
	uint8_t health_syndrome;
	uint32_t health_detail[2];
	struct mlx5_doorbells doorbells;
	bool reset_pending;

	enum mlx5_hca_state hca_state;
	uint16_t issi;
	bool check_signatures;
	uint8_t general_caps[256];
	uint8_t odp_caps[256];
	bool atomic_host_endian; /* results of atomics, for the requester's memory */

	uint64_t *given_page; /* pages that the driver lends, by MANAGE_PAGES */
	uint32_t given_pages;

	struct mlx5_table uars;
	struct mlx5_table pds;
	struct mlx5_table xrcds;
	struct mlx5_table eqs;
	struct mlx5_table cqs;
	struct mlx5_table mkeys;
	struct mlx5_table srqs;
	struct mlx5_table qps;
	uint64_t translations; /* page entries of all memory keys */
	struct mlx5_qp *special_qp[2];

	/* port */
	struct ib_port port;
	uint64_t guid;
	uint32_t port_capabilities;
	char node_desc[MLX5_NODE_DESC_SIZE];

	TAILQ_HEAD(, mlx5_qp) runnable;
	TAILQ_HEAD(, mlx5_qp) waiting;
	uint32_t fault_token;
	struct mlx5_timer timer;
};

/**
 * mlx5_fatal() - stop the function until the driver sets it up again
 * @dev: the device
 * @syndrome: MLX5_INITIAL_SEG_HEALTH_SYNDROME_*
 * @detail: for the health buffer, e.g. the address or number that was wrong
 *
 * The health buffer shows the syndrome and asks for a reset, the NIC interface reads as disabled,
 * no command or doorbell is looked at and no DMA is done until the command queue address is written
 * anew.
 */
void mlx5_fatal(struct mlx5 *dev, uint8_t syndrome, uint64_t detail);

/* Drops doorbells and fatal state, and has the worker drop everything else. On any thread. */
void mlx5_restart(struct mlx5 *dev);

/* Wakes the worker. On any thread. */
void mlx5_kick(struct mlx5 *dev);

#endif
