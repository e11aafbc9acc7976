// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* CPU access to dma-bufs, in any process that has one. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/magic.h>

#include <tphbuf/mmap.h>

#include "sys.h"

int tphbuf_dmabuf_size(int dmabuf_fd, uint64_t *size)
{
	struct statfs status;
	int64_t end;
	int ret;

	ret = tpb_sys.fstatfs(dmabuf_fd, &status);
	if (ret)
		return ret;
	if (status.f_type != DMA_BUF_MAGIC)
		return -EINVAL;
	end = tpb_sys.lseek(dmabuf_fd, 0, SEEK_END);
	if (end < 0)
		return end;
	*size = end;
	return 0;
}

int tphbuf_mmap(int dmabuf_fd, uint64_t offset, size_t length, int prot, void **addr)
{
	uint64_t size;
	int ret;

	if (!length || offset % (uint64_t)sysconf(_SC_PAGESIZE) || !prot ||
	    prot & ~(PROT_READ | PROT_WRITE))
		return -EINVAL;
	ret = tphbuf_dmabuf_size(dmabuf_fd, &size);
	if (ret)
		return ret;
	if (offset > size || length > size - offset)
		return -ERANGE;
	ret = tpb_sys.mmap(dmabuf_fd, length, prot, offset, addr);
	/* The arguments are right: what is left is an exporter without an mmap operation. */
	return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

int tphbuf_munmap(void *addr, size_t length)
{
	return tpb_sys.munmap(addr, length);
}
