/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH as the kernel takes it, spelled out here a
 * second time and on purpose: a test that used the definitions of what it tests
 * would follow them into an error.
 */
#ifndef TPHBUF_TESTS_VFIO_TPH_H
#define TPHBUF_TESTS_VFIO_TPH_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define RAW_VFIO_DEVICE_FEATURE		_IO(';', 100 + 17)
#define RAW_FEATURE_GET			(1u << 16)
#define RAW_FEATURE_SET			(1u << 17)
#define RAW_FEATURE_PROBE		(1u << 18)
#define RAW_FEATURE_DMA_BUF_TPH		14u

#define RAW_TPH_ST			(1u << 0)
#define RAW_TPH_ST_EXT			(1u << 1)

struct raw_set_tph {
	uint32_t argsz;
	uint32_t feature;
	int32_t dmabuf_fd;
	uint32_t flags;
	uint16_t steering_tag_ext;
	uint8_t steering_tag;
	uint8_t ph;
};

_Static_assert(sizeof(struct raw_set_tph) == 20, "8 bytes of header, 12 of data");
_Static_assert(offsetof(struct raw_set_tph, steering_tag_ext) == 16, "behind fd and flags");
_Static_assert(offsetof(struct raw_set_tph, ph) == 19, "last");

/* VFIO_DEVICE_BIND_IOMMUFD, which older headers lack. */
struct raw_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};

#define RAW_VFIO_DEVICE_BIND_IOMMUFD	_IO(';', 100 + 18)

/* 0 or a negative errno value. */
static inline int raw_feature(int device_fd, void *arg)
{
	int ret = ioctl(device_fd, RAW_VFIO_DEVICE_FEATURE, arg);

	return ret < 0 ? -errno : ret;
}

/* A SET that is right in every respect: tests spoil one thing or two. */
static inline struct raw_set_tph raw_set(int dmabuf_fd)
{
	return (struct raw_set_tph){
		.argsz = sizeof(struct raw_set_tph),
		.feature = RAW_FEATURE_SET | RAW_FEATURE_DMA_BUF_TPH,
		.dmabuf_fd = dmabuf_fd,
		.flags = RAW_TPH_ST,
		.steering_tag = 0x01,
		.ph = 1,
	};
}

#endif
