// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BAR0: what its registers read as, and what writing them does.
 */
#include <errno.h>

#include <mlx5_state.h>

#include "bar.h"
#include "core.h"
#include "doorbell.h"
#include "pcie/device_model.h"
#include "timer.h"

#define FIRMWARE_MAJOR	      28u
#define FIRMWARE_MINOR	      99u
#define FIRMWARE_SUB	      1u
#define COMMAND_INTERFACE_REV 5u
#define QUEUE_ADDRESS_MASK    0xfffff000u
#define NIC_INTERFACE_SHIFT   8
#define NIC_INTERFACE_MASK    7u
#define RFR_SEVERITY	      0x80u	  /* request for reset */
#define HEALTH_TICK	      10000000ull /* ns between two values of the health counter */

#define SEGMENT(field)	      offsetof(struct mlx5_init_seg, field)
#define HEALTH(field)	      (SEGMENT(health) + offsetof(struct health_buffer, field))

_Static_assert(MLX5_STATE_PAGE == MLX5_STATE_OFFSET, "state page");

/* Never 0 and never all ones, which drivers take for a device that is not there. */
static uint32_t health_counter(void)
{
	return (uint32_t)(mlx5_time() / HEALTH_TICK) % 0x7fffffff + 1;
}

static uint32_t queue_low(const struct mlx5 *dev)
{
	return ((uint32_t)dev->command_queue & QUEUE_ADDRESS_MASK) |
	       (uint32_t)dev->nic_interface << NIC_INTERFACE_SHIFT | MLX5_LOG_COMMAND_SLOTS << 4 |
	       MLX5_LOG_COMMAND_STRIDE;
}

/* A word of the initialization segment; what has no value reads as 0. */
static uint32_t segment_word(const struct mlx5 *dev, uint64_t offset)
{
	switch (offset) {
	case SEGMENT(fw_rev):
		return FIRMWARE_MINOR << 16 | FIRMWARE_MAJOR;
	case SEGMENT(cmdif_rev_fw_sub):
		return COMMAND_INTERFACE_REV << 16 | FIRMWARE_SUB;
	case SEGMENT(cmdq_addr_h):
		return (uint32_t)(dev->command_queue >> 32);
	case SEGMENT(cmdq_addr_l_sz):
		return queue_low(dev);
	case SEGMENT(internal_timer_h):
		return (uint32_t)(mlx5_time() >> 32);
	case SEGMENT(internal_timer_l):
		return (uint32_t)mlx5_time();
	case SEGMENT(health_counter):
		return health_counter();
	case HEALTH(assert_var[0]):
		return dev->health_detail[0];
	case HEALTH(assert_var[1]):
		return dev->health_detail[1];
	case HEALTH(fw_ver):
		return FIRMWARE_MAJOR << 24 | FIRMWARE_MINOR << 16 | FIRMWARE_SUB;
	case HEALTH(rfr_severity):
		return dev->health_syndrome ? RFR_SEVERITY << 24 : 0;
	case HEALTH(irisc_index):
		return (uint32_t)dev->health_syndrome << 16;
	default:
		return 0;
	}
}

_Static_assert(HEALTH(irisc_index) % 4 == 0 && HEALTH(synd) == HEALTH(irisc_index) + 1, "syndrome");

static uint64_t state_register(const struct mlx5 *dev, uint32_t number)
{
	const struct mlx5_counters *counters = &dev->counters;
	const uint64_t values[MLX5_STATE_REGISTERS] = {
		[MLX5_STATE_ID] = MLX5_STATE_MAGIC,
		[MLX5_STATE_HCA] = dev->hca_state,
		[MLX5_STATE_PAGES] = dev->given_pages,
		[MLX5_STATE_UARS] = dev->uars.used,
		[MLX5_STATE_PDS] = dev->pds.used,
		[MLX5_STATE_XRCDS] = dev->xrcds.used,
		[MLX5_STATE_EQS] = dev->eqs.used,
		[MLX5_STATE_CQS] = dev->cqs.used,
		[MLX5_STATE_MKEYS] = dev->mkeys.used,
		[MLX5_STATE_SRQS] = dev->srqs.used,
		[MLX5_STATE_QPS] = dev->qps.used,
		[MLX5_STATE_TRANSLATIONS] = dev->translations,
		[MLX5_STATE_COMMANDS] = counters->commands,
		[MLX5_STATE_UNKNOWN_COMMANDS] = counters->unknown_commands,
		[MLX5_STATE_FAILED_COMMANDS] = counters->failed_commands,
		[MLX5_STATE_BAD_REGISTERS] = counters->bad_registers,
		[MLX5_STATE_BAD_DOORBELLS] = counters->bad_doorbells,
		[MLX5_STATE_DMA_ERRORS] = counters->dma_errors,
		[MLX5_STATE_FATAL_ERRORS] = counters->fatal_errors,
		[MLX5_STATE_PAGE_FAULTS] = counters->page_faults,
		[MLX5_STATE_PAGE_FAULT_ERRORS] = counters->page_fault_errors,
		[MLX5_STATE_WORK_REQUESTS] = counters->work_requests,
		[MLX5_STATE_FAILED_WORK_REQUESTS] = counters->failed_work_requests,
		[MLX5_STATE_SENT_PACKETS] = dev->port.counters.sent_packets,
		[MLX5_STATE_SENT_BYTES] = dev->port.counters.sent_bytes,
		[MLX5_STATE_RECEIVED_PACKETS] = dev->port.counters.received_packets,
		[MLX5_STATE_RECEIVED_BYTES] = dev->port.counters.received_bytes,
		[MLX5_STATE_DROPPED_PACKETS] = dev->port.counters.dropped_packets,
		[MLX5_STATE_TAGGED_WRITES] = counters->tagged_writes,
	};

	return number < MLX5_STATE_REGISTERS ? values[number] : 0;
}

static uint32_t word_at(const struct mlx5 *dev, uint64_t offset)
{
	uint64_t value;

	if (offset < MLX5_UAR_FIRST * MLX5_PAGE_SIZE)
		return segment_word(dev, offset);
	/* Doorbells read as 0. */
	if (offset < MLX5_STATE_OFFSET)
		return 0;
	value = state_register(dev, (uint32_t)(offset - MLX5_STATE_OFFSET) / 8);
	return offset % 8 ? (uint32_t)value : (uint32_t)(value >> 32);
}

int mlx5_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf, size_t len)
{
	const struct mlx5 *dev = pci_function_device(fn);
	uint8_t words[8];

	if (bar) {
		memset(buf, 0, len);
		return 0;
	}
	put_be32(words, word_at(dev, offset & ~3ull));
	if (len == 8)
		put_be32(words + 4, word_at(dev, offset + 4));
	memcpy(buf, words + offset % 4, len);
	return 0;
}

/*
 * The address of the command queue starts the function anew: whatever a driver before has left is
 * dropped. Another interface than that of a full driver turns the function off.
 */
static void write_queue_low(struct mlx5 *dev, uint32_t value)
{
	dev->command_queue = (dev->command_queue >> 32 << 32) | (value & QUEUE_ADDRESS_MASK);
	dev->nic_interface = value >> NIC_INTERFACE_SHIFT & NIC_INTERFACE_MASK
				     ? MLX5_INITIAL_SEG_NIC_INTERFACE_DISABLED
				     : MLX5_INITIAL_SEG_NIC_INTERFACE_FULL_DRIVER;
	mlx5_restart(dev);
}

static bool write_segment(struct mlx5 *dev, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case SEGMENT(cmdq_addr_h):
		dev->command_queue = (uint64_t)value << 32 | (uint32_t)dev->command_queue;
		return true;
	case SEGMENT(cmdq_addr_l_sz):
		write_queue_low(dev, value);
		return true;
	case SEGMENT(cmd_dbell):
		dev->doorbells.commands |= value;
		mlx5_kick(dev);
		return true;
	default:
		return false;
	}
}

int mlx5_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset, const void *buf,
		   size_t len)
{
	struct mlx5 *dev = pci_function_device(fn);
	bool known = false;

	if (bar)
		return 0;
	if (len >= 4 && offset < MLX5_UAR_FIRST * MLX5_PAGE_SIZE)
		known = len == 4 && write_segment(dev, offset, get_be32(buf));
	else if (len >= 4 && mlx5_table_get(&dev->uars, offset / MLX5_PAGE_SIZE))
		known = mlx5_doorbell_write(dev, (uint32_t)(offset % MLX5_PAGE_SIZE), buf, len);
	if (!known)
		dev->counters.bad_registers++;
	return 0;
}
