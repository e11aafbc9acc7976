// SPDX-License-Identifier: GPL-2.0-or-later
/* The DMA engine as a sender. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dma_engine_user.h"
#include "sender.h"

struct sender {
	int fd;
	int64_t handle;		/* 0: none */
};

static int tph_dma_open(struct sender **sender, const char *bdf)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = dma_engine_open(bdf);
	if (s->fd < 0) {
		int ret = s->fd;

		free(s);
		return ret;
	}
	*sender = s;
	return 0;
}

static void tph_dma_close(struct sender *s)
{
	close(s->fd);
	free(s);
}

static int tph_dma_import(struct sender *s, int dmabuf_fd)
{
	int64_t handle = dma_engine_import(s->fd, dmabuf_fd);

	if (handle < 0)
		return handle;
	s->handle = handle;
	return 0;
}

static int tph_dma_release(struct sender *s)
{
	int ret = dma_engine_release(s->fd, s->handle);

	s->handle = 0;
	return ret;
}

static int tph_dma_touch(struct sender *s)
{
	uint32_t word;

	return dma_engine_read(s->fd, s->handle, 0, &word, sizeof(word));
}

static int tph_dma_send(struct sender *s, uint64_t offset, const void *data, size_t length)
{
	return dma_engine_write(s->fd, s->handle, offset, data, length);
}

static int tph_dma_state(struct sender *s, struct sender_state *state)
{
	struct tph_dma_query query;
	int ret = dma_engine_query(s->fd, s->handle, &query);

	if (ret)
		return ret;
	*state = (struct sender_state){
		.mapping_known = true,
		.mapped = query.state & TPH_DMA_STATE_MAPPED,
		.tagged = query.state & TPH_DMA_STATE_TAGGED,
		.extended = query.state & TPH_DMA_STATE_EXTENDED,
		.table_full = query.state & TPH_DMA_STATE_TABLE_FULL,
		.st = query.steering_tag,
		.ph = query.ph,
		.st_index = query.st_index,
	};
	return 0;
}

const struct sender_ops sender_tph_dma = {
	.name = "tph_dma",
	.imported = "dma-buf imported",
	.revoked_error = -ENODEV,
	.open = tph_dma_open,
	.close = tph_dma_close,
	.import = tph_dma_import,
	.release = tph_dma_release,
	.touch = tph_dma_touch,
	.send = tph_dma_send,
	.state = tph_dma_state,
};
