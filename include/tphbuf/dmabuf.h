/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_DMABUF_H
#define TPHBUF_DMABUF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sizes of the texts in struct tphbuf_dmabuf_info, with the terminating zero */
#define TPHBUF_EXPORTER_SIZE	64
#define TPHBUF_DMABUF_NAME_SIZE	32

/**
 * struct tphbuf_dmabuf_info - what the kernel reports of a dma-buf
 * @size: bytes
 * @exporter: kernel module that exported it, "vfio_pci_core" for example; "" when
 *	/proc is not mounted
 * @name: "vfio:0000:41:00.0:BAR2" from a kernel with the series, unless somebody
 *	has given it another name; "" for none
 * @reserved: zero
 *
 * The kernel does not report the tag.
 */
struct tphbuf_dmabuf_info {
	uint64_t size;
	char exporter[TPHBUF_EXPORTER_SIZE];
	char name[TPHBUF_DMABUF_NAME_SIZE];
	uint32_t reserved[8];
};

/**
 * enum tphbuf_state - whether the memory of a dma-buf can be accessed
 * @TPHBUF_STATE_USABLE: it can
 * @TPHBUF_STATE_REVOKED: it is revoked; whether for good is not known
 * @TPHBUF_STATE_CLOSED: revoked for good, because the device has been closed
 */
enum tphbuf_state {
	TPHBUF_STATE_USABLE	= 0,
	TPHBUF_STATE_REVOKED	= 1,
	TPHBUF_STATE_CLOSED	= 2,
};

/**
 * tphbuf_dmabuf_info - query what the kernel reports of a dma-buf
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @info: the answer
 *
 * For a process that was given the file descriptor alone. Thread-safe.
 *
 * Return: 0; -EINVAL when @dmabuf_fd is not a dma-buf; -EBADF when it is not open.
 */
int tphbuf_dmabuf_info(int dmabuf_fd, struct tphbuf_dmabuf_info *info);

/**
 * tphbuf_dmabuf_state - query whether a dma-buf is revoked
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @offset: byte of the dma-buf that may be read
 * @state: the answer, which may be old when it arrives
 *
 * The kernel has no call for this. The library maps a page and lets the kernel
 * read one byte of the device at @offset, which fails without a signal while the
 * dma-buf is revoked: choose a byte that has no side effect when it is read.
 * Thread-safe.
 *
 * Return: 0, or
 * -ERANGE	@offset does not lie within the dma-buf
 * -EOPNOTSUPP	the kernel, or the driver that exported the dma-buf, does not let
 *		the CPU map it
 * -EINVAL, -EBADF, -EACCES, -ENOMEM	as tphbuf_mmap()
 * -EMFILE, -ENFILE	there is no file descriptor left
 */
int tphbuf_dmabuf_state(int dmabuf_fd, uint64_t offset, enum tphbuf_state *state);

/**
 * tphbuf_dmabuf_wait - wait until a dma-buf leaves a state
 * @dmabuf_fd: the dma-buf; stays the caller's
 * @offset: as for tphbuf_dmabuf_state()
 * @state: the state to leave; set to the new one on success
 * @timeout_ms: how long; -1 for ever
 *
 * The kernel does not notify a process of a revocation, so the library calls
 * tphbuf_dmabuf_state() at first after a millisecond, later ten times per second; a
 * revocation that is shorter is missed. A server that withdraws a buffer notifies
 * its clients, see tphbuf_connection_wait(). Thread-safe.
 *
 * Return: 0; -ETIMEDOUT; or an error of tphbuf_dmabuf_state().
 */
int tphbuf_dmabuf_wait(int dmabuf_fd, uint64_t offset, enum tphbuf_state *state,
		       int timeout_ms);

/**
 * tphbuf_state_name - a state as a word for programs
 * @state: the state
 *
 * Return: "usable", "revoked" or "closed"; "unknown" for a value that this version
 * does not know. Static storage.
 */
const char *tphbuf_state_name(enum tphbuf_state state);

#ifdef __cplusplus
}
#endif

#endif
