/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the vfio-user protocol, version 0.0, as docs/interop/vfio-user.rst of QEMU specifies
 * them.
 *
 * Fields are in the byte order of the host, which is what the protocol asks for: both ends are on
 * one machine. That order is taken to be little-endian, as the PCI functions behind the messages
 * are. Payloads are copied into these structs before a field is looked at, because nothing aligns
 * them in a receive buffer. Flags, region and interrupt indexes are those of <linux/vfio.h>.
 */
#ifndef TPHBUF_VFIO_USER_MESSAGE_H
#define TPHBUF_VFIO_USER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "messages need a little-endian host");

#define VFIO_USER_PACKED	__attribute__((packed))
#define VFIO_USER_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), "size of struct " #type)
#define VFIO_USER_ASSERT_OFFSET(type, member, bytes) \
	_Static_assert(offsetof(struct type, member) == (bytes), "offset of " #type "." #member)

#define VFIO_USER_VERSION_MAJOR	0
#define VFIO_USER_VERSION_MINOR	0

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,	/* server to client */
	VFIO_USER_DMA_WRITE = 12,	/* server to client */
	VFIO_USER_DEVICE_RESET = 13,
	VFIO_USER_REGION_WRITE_MULTI = 15,
	VFIO_USER_DEVICE_FEATURE = 16,
	VFIO_USER_MIG_DATA_READ = 17,
	VFIO_USER_MIG_DATA_WRITE = 18,
};

/* Name of a command for messages; never NULL. */
const char *vfio_user_command_name(unsigned int command);

#define VFIO_USER_FLAG_TYPE	0xfu
#define VFIO_USER_TYPE_COMMAND	0x0u
#define VFIO_USER_TYPE_REPLY	0x1u
#define VFIO_USER_FLAG_NO_REPLY	(1u << 4)
#define VFIO_USER_FLAG_ERROR	(1u << 5)

struct vfio_user_header {
	uint16_t id;		/* the sender's, not necessarily unique; a reply repeats it */
	uint16_t command;
	uint32_t size;		/* of the whole message */
	uint32_t flags;		/* VFIO_USER_FLAG_* */
	uint32_t error;		/* errno, in a reply with VFIO_USER_FLAG_ERROR */
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_header, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_header, size, 4);
VFIO_USER_ASSERT_OFFSET(vfio_user_header, flags, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_header, error, 12);

/* Followed by the capabilities, JSON text with its NUL, or by nothing. */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_version, 4);

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DMA_MAP_FLAG_READ, _WRITE */
	uint64_t offset;	/* in the file that comes with the message, 0 without */
	uint64_t address;
	uint64_t size;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_dma_map, 32);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_map, offset, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_map, address, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_map, size, 24);

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DMA_UNMAP_FLAG_* */
	uint64_t address;
	uint64_t size;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_dma_unmap, 24);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_unmap, address, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_unmap, size, 16);

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_DEVICE_FLAGS_* */
	uint32_t num_regions;
	uint32_t num_irqs;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_device_info, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_device_info, num_regions, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_device_info, num_irqs, 12);

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_REGION_INFO_FLAG_* */
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;	/* for mmap() of the file that comes with the reply */
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_region_info, 32);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_info, index, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_info, cap_offset, 12);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_info, size, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_info, offset, 24);

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_IRQ_INFO_* */
	uint32_t index;
	uint32_t count;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_irq_info, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_irq_info, index, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_irq_info, count, 12);

/*
 * Followed by @count bytes when flags say VFIO_IRQ_SET_DATA_BOOL; event descriptors come as
 * ancillary data.
 */
struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags;		/* VFIO_IRQ_SET_* */
	uint32_t index;
	uint32_t start;
	uint32_t count;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_irq_set, 20);
VFIO_USER_ASSERT_OFFSET(vfio_user_irq_set, index, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_irq_set, start, 12);
VFIO_USER_ASSERT_OFFSET(vfio_user_irq_set, count, 16);

/* Followed by @count bytes in a write command and in the reply to a read. */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_region_access, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_access, region, 8);
VFIO_USER_ASSERT_OFFSET(vfio_user_region_access, count, 12);

#define VFIO_USER_MULTI_DATA	8	/* bytes that one write of REGION_WRITE_MULTI can hold */

struct vfio_user_multi_write {
	uint64_t offset;
	uint32_t region;
	uint32_t count;		/* 1..VFIO_USER_MULTI_DATA */
	uint8_t data[VFIO_USER_MULTI_DATA];
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_multi_write, 24);
VFIO_USER_ASSERT_OFFSET(vfio_user_multi_write, data, 16);

/* Followed by @wr_cnt struct vfio_user_multi_write in the command. */
struct vfio_user_multi {
	uint64_t wr_cnt;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_multi, 8);

/* Followed by @count bytes in a write command and in the reply to a read. */
struct vfio_user_dma_access {
	uint64_t address;
	uint64_t count;
} VFIO_USER_PACKED;
VFIO_USER_ASSERT_SIZE(vfio_user_dma_access, 16);
VFIO_USER_ASSERT_OFFSET(vfio_user_dma_access, count, 8);

/*
 * What this server takes, and proposes as far as the client does. Where the protocol has a default
 * it is the same.
 */
#define VFIO_USER_MAX_DATA_XFER	(1u << 20)
#define VFIO_USER_MAX_MSG_FDS	64u
#define VFIO_USER_COMMON_MSG_FDS 16u	/* what is said to a client that says no more */
#define VFIO_USER_MAX_DMA_MAPS	65535u
#define VFIO_USER_PAGE_SIZE	4096u
#define VFIO_USER_MAX_VERSION_DATA 4096u	/* capabilities text, NUL included */

/*
 * The longest payload that any message may have: a transfer of the full size behind its
 * description.
 */
#define VFIO_USER_MAX_PAYLOAD	(VFIO_USER_MAX_DATA_XFER + sizeof(struct vfio_user_region_access))

#endif
