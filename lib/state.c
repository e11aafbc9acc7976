// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Whether a dma-buf is revoked, and waiting until that changes. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tphbuf/dmabuf.h>
#include <tphbuf/mmap.h>

#include "sys.h"

#define LONGEST_PAUSE_MS	100

int tphbuf_dmabuf_state(int dmabuf_fd, uint64_t offset, enum tphbuf_state *state)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), within = offset % page;
	void *addr;
	int ret;

	ret = tphbuf_mmap(dmabuf_fd, offset - within, within + 1, PROT_READ, &addr);
	if (ret == -ENODEV) {
		*state = TPHBUF_STATE_CLOSED;
		return 0;
	}
	if (ret)
		return ret;
	ret = tpb_sys.touch((const uint8_t *)addr + within);
	tphbuf_munmap(addr, within + 1);
	if (ret && ret != -EFAULT)
		return ret;
	*state = ret ? TPHBUF_STATE_REVOKED : TPHBUF_STATE_USABLE;
	return 0;
}

int tphbuf_dmabuf_wait(int dmabuf_fd, uint64_t offset, enum tphbuf_state *state, int timeout_ms)
{
	unsigned int pause = 1, left = timeout_ms < 0 ? 0 : (unsigned int)timeout_ms;
	enum tphbuf_state now;
	int ret;

	for (;;) {
		ret = tphbuf_dmabuf_state(dmabuf_fd, offset, &now);
		if (ret)
			return ret;
		if (now != *state) {
			*state = now;
			return 0;
		}
		if (timeout_ms >= 0) {
			if (!left)
				return -ETIMEDOUT;
			pause = pause < left ? pause : left;
			left -= pause;
		}
		tpb_sys.sleep_ms(pause);
		pause = 2 * pause < LONGEST_PAUSE_MS ? 2 * pause : LONGEST_PAUSE_MS;
	}
}

const char *tphbuf_state_name(enum tphbuf_state state)
{
	switch (state) {
	case TPHBUF_STATE_USABLE:
		return "usable";
	case TPHBUF_STATE_REVOKED:
		return "revoked";
	case TPHBUF_STATE_CLOSED:
		return "closed";
	default:
		return "unknown";
	}
}
