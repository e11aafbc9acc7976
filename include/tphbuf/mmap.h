/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_MMAP_H
#define TPHBUF_MMAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tphbuf_device;

/**
 * tphbuf_dmabuf_size - size of a dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @size: set to the sum of the lengths of its ranges
 *
 * For a process that was given the file descriptor alone. Thread-safe.
 *
 * Return: 0; -EINVAL when @dmabuf_fd is not a dma-buf; -EBADF when it is not open.
 */
int tphbuf_dmabuf_size(int dmabuf_fd, uint64_t *size);

/**
 * tphbuf_mmap - give the CPU access to a dma-buf of a VFIO device
 * @dmabuf_fd: the dma-buf; stays the caller's, who may close it afterwards
 * @offset: first byte, from the start of the dma-buf; a multiple of the page size
 * @length: bytes, at least one
 * @prot: PROT_READ, PROT_WRITE or both, of <sys/mman.h>
 * @addr: set to the address
 *
 * Works in any process that holds the file descriptor; the device is not needed
 * for it. The mapping is shared, the ranges of the dma-buf follow one another in
 * it, and access is uncached, or write-combining where tphbuf_set_wc() made it
 * so. Access memory of a device with loads and stores of aligned words, as a
 * device expects them: memcpy() may choose any width and any order.
 *
 * Access the mapping with care, because the owner of the device can make the memory
 * inaccessible at any time. While the dma-buf is revoked (memory
 * decoding is off, the device is being reset, sleeps, or has been closed), an
 * access raises SIGBUS, with the address in siginfo_t.si_addr. Mapping works
 * all the same, and the access works again when the revocation ends; after the
 * device was closed it never does. A program that must survive this needs a
 * handler for SIGBUS that compares si_addr with its mappings and leaves the
 * access behind with siglongjmp(3); tphbuf_mmap(3) has an example. The signal
 * goes to the thread that made the access. A system call on the mapping, such
 * as write(2) from it, fails with EFAULT and raises no signal.
 *
 * End it with tphbuf_munmap(). It keeps the dma-buf alive, but not the device.
 * Thread-safe.
 *
 * Return: 0, or
 * -EINVAL	@length is 0, @offset is not a multiple of the page size, @prot
 *		is none of the above, or @dmabuf_fd is not a dma-buf
 * -EBADF	@dmabuf_fd is not open
 * -ERANGE	the bytes do not lie within the dma-buf
 * -EOPNOTSUPP	the kernel, or the driver that exported the dma-buf, does not
 *		support CPU access; see tphbuf_device_probe()
 * -EACCES	@dmabuf_fd is not open for this kind of access
 * -ENODEV	the device has been closed
 * and the errors of address space limits: -ENOMEM, -EAGAIN.
 */
int tphbuf_mmap(int dmabuf_fd, uint64_t offset, size_t length, int prot, void **addr);

/**
 * tphbuf_munmap - end what tphbuf_mmap() made
 * @addr: the address
 * @length: the same as for the mapping
 *
 * Return: 0, or the error of munmap(2).
 */
int tphbuf_munmap(void *addr, size_t length);

#ifdef __cplusplus
}
#endif

#endif
