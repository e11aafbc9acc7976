/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system below libtphbuf in tests: files of a fake tree are real files,
 * VFIO and the binding of drivers are played. Any call can be made to fail.
 * One thread only.
 */
#ifndef TPHBUF_TESTS_FAKE_SYS_H
#define TPHBUF_TESTS_FAKE_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "vfio_uapi.h"

/*
 * What the file of a dma-buf says of it: the tag at 0, at these offsets struct
 * tpb_vfio_dma_buf, whether it is write-combining (a byte), and the path of the
 * device file, which holds the memory.
 */
#define FAKE_DMABUF_EXPORT	64
#define FAKE_DMABUF_WC		2048
#define FAKE_DMABUF_DEVICE	4096

/* What a played call gives instead of success: 0 or a positive errno value. */
struct fake_errors {
	int open_cdev;
	int open_iommufd;
	int access_cdev;
	int access_iommufd;
	int bind;		/* VFIO_DEVICE_BIND_IOMMUFD */
	int token;		/* the same without a token */
	int set_container;
	int set_iommu;
	int get_device;		/* VFIO_GROUP_GET_DEVICE_FD */
	int info;		/* VFIO_DEVICE_GET_INFO */
	int region;		/* VFIO_DEVICE_GET_REGION_INFO */
	int dmabuf_probe;
	int dmabuf_get;
	int tph_probe;
	int tph_other;		/* not 0: another feature has the number of the tag */
	int wc_other;		/* or that of write-combining */
	int tph_set;
	int revoke;
	int wc_probe;
	int wc_set;
	int mmap;
	int write_override;
	int write_unbind;
	int write_probe;
	int flock;
	bool short_sysfs;	/* writes to sysfs take one byte less */
	bool not_viable;	/* the group */
	bool vfio_pci_refuses;	/* its probe function fails */
	bool huge_bars;		/* each has half of all addresses that there are */
	bool small_bars;	/* none has a page */
	bool not_pci;		/* the device is of another bus */
	/* From this offset on a dma-buf is revoked; 0: it is not, 1: all of it is. */
	int revoked_from;
	bool short_io;		/* reads and writes of a device move one byte less */
};

#define FAKE_PAGE	((uint64_t)sysconf(_SC_PAGESIZE))

struct fake_sys {
	const char *root;
	dev_t device_number;	/* of an open device file; 0 for files that a group gave */
	struct fake_errors errors;

	/* The n-th call from here on, counted from 1, fails; 0 for none. */
	unsigned int fail_at;
	int fail_errno;
	unsigned int calls;
	const char *failed_call;

	/* What the library did */
	unsigned int device_opens;	/* successful VFIO_DEVICE_BIND_IOMMUFD or _GET_DEVICE_FD */
	char opened[96];		/* name that a device was asked for of its group */
	uint8_t token[16];		/* that came with VFIO_DEVICE_BIND_IOMMUFD */
	unsigned int slept_ms;
	unsigned int revoke_after_ms;	/* of sleep; 0 for never */
	void (*on_lock)(void);		/* what another process did by the time that it unlocked */
	unsigned int sysfs_writes;
	unsigned int exports;
	unsigned int tag_sets;
	unsigned int revokes;
	unsigned int wc_sets;
	unsigned int mappings;		/* of dma-bufs, that exist */
	unsigned int mmaps;		/* of dma-bufs, ever */
	struct tpb_vfio_dma_buf_tph tag;
	struct tpb_vfio_set_tph set_argument;	/* the last one, as it came */
	struct tpb_vfio_set_wc wc_argument;	/* the last one, as it came */
	struct {
		uint32_t region_index;
		uint32_t open_flags;
		uint32_t nr_ranges;
		struct tpb_vfio_range ranges[8];
	} exported;
};

extern struct fake_sys fake_sys;

/* All as at the start, on another tree. */
void fake_sys_reset(const char *root);
/* Counts a call; the errno value, negative, when it is the one to fail. */
int fake_sys_fault(const char *call);

/* Open file descriptors of this process. */
unsigned int fake_sys_open_fds(void);

#endif
