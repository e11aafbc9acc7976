/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the server asks of a client: DMA_READ and DMA_WRITE. The calls that send them are in
 * device_ops.h.
 */
#ifndef TPHBUF_VFIO_USER_DMA_MESSAGE_H
#define TPHBUF_VFIO_USER_DMA_MESSAGE_H

struct vfio_user_connection;

/* Hands the reply that the stream holds to the request that waits for it. Server's thread. */
void vfio_user_dma_reply(struct vfio_user_connection *connection);

#endif
