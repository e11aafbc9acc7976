/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's RDMA interface can do with a DMAH, for which the guest's
 * libibverbs is too old. Each returns 0 or a negative errno value.
 */
#ifndef TPHBUF_TESTS_NIC_IOCTL_H
#define TPHBUF_TESTS_NIC_IOCTL_H

#include <stdint.h>

int nic_ioctl_alloc_dmah(int cmd_fd, uint8_t ph, uint32_t *handle);

/* The whole dma-buf from its start, at I/O virtual address 0. */
int nic_ioctl_register(int cmd_fd, uint32_t pd, int dmabuf, uint64_t length, uint32_t access,
		       uint32_t dmah, uint32_t *handle, uint32_t *lkey, uint32_t *rkey);

int nic_ioctl_deregister(int cmd_fd, uint32_t handle);

#endif
