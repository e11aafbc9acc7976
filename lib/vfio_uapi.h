/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The part of the VFIO uAPI that is younger than the kernel headers which the
 * library may be built with. Where those headers have a definition, it is
 * compared with the one here when the library is compiled.
 */
#ifndef TPB_VFIO_UAPI_H
#define TPB_VFIO_UAPI_H

#include <stddef.h>
#include <stdint.h>

#include <linux/vfio.h>

/* VFIO_DEVICE_BIND_IOMMUFD, Linux 6.6 */
#define TPB_VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)

/* In earlier kernels the structure ends in front of the token. */
#define TPB_VFIO_BIND_TOKEN		(1u << 0)
#define TPB_VFIO_BIND_IOMMUFD_SIZE	16u

struct tpb_vfio_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};

_Static_assert(sizeof(struct tpb_vfio_bind_iommufd) == 24, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_bind_iommufd, iommufd) == 8, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_bind_iommufd, token_uuid_ptr) ==
	       TPB_VFIO_BIND_IOMMUFD_SIZE, "uAPI layout");

#ifdef VFIO_DEVICE_BIND_IOMMUFD
_Static_assert(TPB_VFIO_DEVICE_BIND_IOMMUFD == VFIO_DEVICE_BIND_IOMMUFD, "uAPI number");
_Static_assert(offsetof(struct vfio_device_bind_iommufd, iommufd) == 8, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_bind_iommufd, out_devid) == 12, "uAPI layout");
#endif

/* VFIO_DEVICE_FEATURE_DMA_BUF, GET: Linux 6.19 */
#define TPB_VFIO_FEATURE_DMA_BUF	11

struct tpb_vfio_range {
	uint64_t offset;
	uint64_t length;
};

struct tpb_vfio_dma_buf {
	uint32_t region_index;
	uint32_t open_flags;
	uint32_t flags;
	uint32_t nr_ranges;
	struct tpb_vfio_range ranges[];
};

_Static_assert(sizeof(struct tpb_vfio_range) == 16, "uAPI layout");
_Static_assert(sizeof(struct tpb_vfio_dma_buf) == 16, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf, nr_ranges) == 12, "uAPI layout");

#ifdef VFIO_DEVICE_FEATURE_DMA_BUF
_Static_assert(TPB_VFIO_FEATURE_DMA_BUF == VFIO_DEVICE_FEATURE_DMA_BUF, "uAPI number");
_Static_assert(sizeof(struct vfio_region_dma_range) == 16, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf, nr_ranges) == 12, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf, dma_ranges) == 16, "uAPI layout");
#endif

/*
 * VFIO_DEVICE_FEATURE_DMA_BUF_TPH, SET. No released kernel has it, and so its
 * number may yet change: the headers that the library is built with win, if they
 * have it; else whoever builds the library can give one.
 */
#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_TPH
#define TPB_VFIO_FEATURE_DMA_BUF_TPH	VFIO_DEVICE_FEATURE_DMA_BUF_TPH
#elif !defined(TPB_VFIO_FEATURE_DMA_BUF_TPH)
#define TPB_VFIO_FEATURE_DMA_BUF_TPH	14
#endif

#define TPB_VFIO_TPH_ST			(1u << 0)
#define TPB_VFIO_TPH_ST_EXT		(1u << 1)

struct tpb_vfio_dma_buf_tph {
	int32_t dmabuf_fd;
	uint32_t flags;
	uint16_t steering_tag_ext;
	uint8_t steering_tag;
	uint8_t ph;
};

_Static_assert(sizeof(struct tpb_vfio_dma_buf_tph) == 12, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_tph, dmabuf_fd) == 0, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_tph, flags) == 4, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_tph, steering_tag_ext) == 8, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_tph, steering_tag) == 10, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_tph, ph) == 11, "uAPI layout");

/* The argument of VFIO_DEVICE_FEATURE as a whole: struct vfio_device_feature, then its data. */
struct tpb_vfio_set_tph {
	uint32_t argsz;
	uint32_t flags;
	struct tpb_vfio_dma_buf_tph tph;
};

_Static_assert(offsetof(struct tpb_vfio_set_tph, flags) ==
	       offsetof(struct vfio_device_feature, flags), "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_set_tph, tph) ==
	       offsetof(struct vfio_device_feature, data), "uAPI layout");
_Static_assert(sizeof(struct tpb_vfio_set_tph) == 20, "uAPI layout");

#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_TPH
_Static_assert(TPB_VFIO_TPH_ST == VFIO_DMA_BUF_TPH_ST, "uAPI flag");
_Static_assert(TPB_VFIO_TPH_ST_EXT == VFIO_DMA_BUF_TPH_ST_EXT, "uAPI flag");
_Static_assert(sizeof(struct vfio_device_feature_dma_buf_tph) == 12, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_tph, dmabuf_fd) == 0, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_tph, flags) == 4, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_tph, steering_tag_ext) == 8,
	       "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_tph, steering_tag) == 10,
	       "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_tph, ph) == 11, "uAPI layout");
#endif

/* VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE, SET; its number is as provisional. */
#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE
#define TPB_VFIO_FEATURE_DMA_BUF_REVOKE	VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE
#elif !defined(TPB_VFIO_FEATURE_DMA_BUF_REVOKE)
#define TPB_VFIO_FEATURE_DMA_BUF_REVOKE	16
#endif

/* As struct tpb_vfio_set_tph. */
struct tpb_vfio_set_revoke {
	uint32_t argsz;
	uint32_t flags;
	int32_t dmabuf_fd;
	uint32_t revoke_flags;
};

_Static_assert(offsetof(struct tpb_vfio_set_revoke, dmabuf_fd) ==
	       offsetof(struct vfio_device_feature, data), "uAPI layout");
_Static_assert(sizeof(struct tpb_vfio_set_revoke) == 16, "uAPI layout");

#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE
_Static_assert(sizeof(struct vfio_device_feature_dma_buf_revoke) == 8, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_revoke, flags) == 4, "uAPI layout");
#endif

/* VFIO_DEVICE_FEATURE_DMA_BUF_WC, SET; its number is as provisional as that of the tag. */
#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_WC
#define TPB_VFIO_FEATURE_DMA_BUF_WC	VFIO_DEVICE_FEATURE_DMA_BUF_WC
#elif !defined(TPB_VFIO_FEATURE_DMA_BUF_WC)
#define TPB_VFIO_FEATURE_DMA_BUF_WC	15
#endif

/* The memory attribute of CPU mappings; 0 is uncached, which cannot be set. */
#define TPB_VFIO_MEMATTR_WC	1u

struct tpb_vfio_dma_buf_wc {
	int32_t dmabuf_fd;
	uint32_t memattr;
};

/* As struct tpb_vfio_set_tph. */
struct tpb_vfio_set_wc {
	uint32_t argsz;
	uint32_t flags;
	struct tpb_vfio_dma_buf_wc wc;
};

_Static_assert(sizeof(struct tpb_vfio_dma_buf_wc) == 8, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_dma_buf_wc, memattr) == 4, "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_set_wc, flags) ==
	       offsetof(struct vfio_device_feature, flags), "uAPI layout");
_Static_assert(offsetof(struct tpb_vfio_set_wc, wc) ==
	       offsetof(struct vfio_device_feature, data), "uAPI layout");
_Static_assert(sizeof(struct tpb_vfio_set_wc) == 16, "uAPI layout");

#ifdef VFIO_DEVICE_FEATURE_DMA_BUF_WC
_Static_assert(TPB_VFIO_MEMATTR_WC == VFIO_DMA_BUF_MEMATTR_WC, "uAPI value");
_Static_assert(sizeof(struct vfio_device_feature_dma_buf_wc) == 8, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_wc, dmabuf_fd) == 0, "uAPI layout");
_Static_assert(offsetof(struct vfio_device_feature_dma_buf_wc, memattr) == 4, "uAPI layout");
#endif

#endif
