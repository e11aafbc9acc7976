/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF, VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE and
 * VFIO_DEVICE_FEATURE_DMA_BUF_WC as the kernel takes them, spelled out for the
 * reason that vfio_tph.h gives.
 */
#ifndef TPHBUF_TESTS_VFIO_DMA_BUF_H
#define TPHBUF_TESTS_VFIO_DMA_BUF_H

#include "vfio_tph.h"

#define RAW_VFIO_DEVICE_RESET	_IO(';', 100 + 11)

#define RAW_FEATURE_LOW_POWER_ENTRY	3u
#define RAW_FEATURE_LOW_POWER_WAKEUP	4u
#define RAW_FEATURE_LOW_POWER_EXIT	5u
#define RAW_FEATURE_DMA_BUF	11u
#define RAW_FEATURE_DMA_BUF_WC	15u
#define RAW_MEMATTR_WC 1u
#define RAW_FEATURE_DMA_BUF_REVOKE	16u

struct raw_range {
	uint64_t offset;
	uint64_t length;
};

struct raw_get_dma_buf {
	uint32_t argsz;
	uint32_t feature;
	uint32_t region_index;
	uint32_t open_flags;
	uint32_t flags;
	uint32_t nr_ranges;
};

struct raw_revoke {
	uint32_t argsz;
	uint32_t feature;
	int32_t dmabuf_fd;
	uint32_t flags;
};

struct raw_set_wc {
	uint32_t argsz;
	uint32_t feature;
	int32_t dmabuf_fd;
	uint32_t memattr;
};

struct raw_wakeup {
	uint32_t argsz;
	uint32_t feature;
	int32_t eventfd;
	uint32_t reserved;
};

_Static_assert(sizeof(struct raw_get_dma_buf) == 24, "8 bytes of header, 16 of data");
_Static_assert(sizeof(struct raw_revoke) == 16, "8 bytes of header, 8 of data");
_Static_assert(sizeof(struct raw_set_wc) == 16, "8 bytes of header, 8 of data");

/* The header of a GET; @nr_ranges struct raw_range follow it in memory. */
static inline struct raw_get_dma_buf raw_get(uint32_t bar, int open_flags, uint32_t nr_ranges)
{
	return (struct raw_get_dma_buf){
		.argsz = sizeof(struct raw_get_dma_buf) + nr_ranges * sizeof(struct raw_range),
		.feature = RAW_FEATURE_GET | RAW_FEATURE_DMA_BUF,
		.region_index = bar,
		.open_flags = (uint32_t)open_flags,
		.nr_ranges = nr_ranges,
	};
}

/* SETs that are right in every respect: tests spoil one thing or two. */
static inline struct raw_revoke raw_revoke(int dmabuf_fd)
{
	return (struct raw_revoke){
		.argsz = sizeof(struct raw_revoke),
		.feature = RAW_FEATURE_SET | RAW_FEATURE_DMA_BUF_REVOKE,
		.dmabuf_fd = dmabuf_fd,
	};
}

static inline struct raw_set_wc raw_wc(int dmabuf_fd)
{
	return (struct raw_set_wc){
		.argsz = sizeof(struct raw_set_wc),
		.feature = RAW_FEATURE_SET | RAW_FEATURE_DMA_BUF_WC,
		.dmabuf_fd = dmabuf_fd,
		.memattr = RAW_MEMATTR_WC,
	};
}

/* 0 or a negative errno value. */
static inline int raw_reset(int device_fd)
{
	return ioctl(device_fd, RAW_VFIO_DEVICE_RESET) ? -errno : 0;
}

#endif
