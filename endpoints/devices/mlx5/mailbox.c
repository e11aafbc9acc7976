// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains of command mailboxes: walking, checking, writing.
 */
#include <errno.h>
#include <stdlib.h>

#include "core.h"
#include "dma.h"
#include "mailbox.h"

#define INLINE_SIZE    16u
#define SIZE_MIN       8u /* opcode and status must be there whatever the command is */
#define SIZE_MAX_BYTES (INLINE_SIZE + 4096 * MLX5_CMD_DATA_BLOCK_SIZE)

/* Control part of a mailbox, behind the data. */
#define CONTROL_OFFSET offsetof(struct mlx5_cmd_prot_block, rsvd0)
#define CONTROL_SIZE   (sizeof(struct mlx5_cmd_prot_block) - CONTROL_OFFSET)

uint8_t mlx5_mailbox_xor(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (len--)
		sum ^= *p++;
	return sum;
}

/* ctrl_sig covers the control part up to itself, sig the whole mailbox. */
static bool signed_right(const struct mlx5_cmd_prot_block *block,
			 enum mlx5_mailbox_direction direction)
{
	if (mlx5_mailbox_xor((const uint8_t *)block + CONTROL_OFFSET,
			     CONTROL_SIZE - sizeof(block->sig)) != 0xff)
		return false;
	return direction == MLX5_MAILBOX_OUTPUT || mlx5_mailbox_xor(block, sizeof(*block)) == 0xff;
}

static enum mlx5_delivery fetch_block(struct mlx5 *dev, struct mlx5_cmd_prot_block *block,
				      uint64_t address, enum mlx5_mailbox_direction direction)
{
	size_t skip = direction == MLX5_MAILBOX_OUTPUT ? CONTROL_OFFSET : 0;

	if (address % MLX5_CMD_DATA_BLOCK_SIZE)
		return direction == MLX5_MAILBOX_INPUT ? MLX5_DELIVERY_INPUT_ALIGNMENT
						       : MLX5_DELIVERY_OUTPUT_ALIGNMENT;
	if (mlx5_dma_read(dev, address + skip, (uint8_t *)block + skip, sizeof(*block) - skip,
			  NULL))
		return MLX5_DELIVERY_DEVICE_ERROR;
	return MLX5_DELIVERY_OK;
}

static enum mlx5_delivery walk(struct mlx5 *dev, struct mlx5_mailboxes *boxes, uint64_t address,
			       uint8_t token, enum mlx5_mailbox_direction direction)
{
	size_t done = INLINE_SIZE;

	for (uint32_t i = 0; i < boxes->count; i++) {
		size_t part = boxes->size - done;
		struct mlx5_cmd_prot_block block;
		enum mlx5_delivery delivery;

		delivery = fetch_block(dev, &block, address, direction);
		if (delivery)
			return delivery;
		if (dev->check_signatures && !signed_right(&block, direction))
			return MLX5_DELIVERY_BAD_SIGNATURE;
		if (block.token != token)
			return MLX5_DELIVERY_BAD_TOKEN;
		if (be32toh(block.block_num) != i)
			return MLX5_DELIVERY_BAD_BLOCK;
		if (part > sizeof(block.data))
			part = sizeof(block.data);
		if (direction == MLX5_MAILBOX_INPUT)
			memcpy(boxes->data + done, block.data, part);
		boxes->address[i] = address;
		done += part;
		address = be64toh(block.next);
	}
	return MLX5_DELIVERY_OK;
}

enum mlx5_delivery mlx5_mailboxes_fetch(struct mlx5 *dev, struct mlx5_mailboxes *boxes,
					const struct mlx5_cmd_layout *entry,
					enum mlx5_mailbox_direction direction)
{
	bool input = direction == MLX5_MAILBOX_INPUT;
	uint32_t size = be32toh(input ? entry->inlen : entry->outlen);

	if (size < SIZE_MIN || size > SIZE_MAX_BYTES)
		return input ? MLX5_DELIVERY_INPUT_LENGTH : MLX5_DELIVERY_OUTPUT_LENGTH;
	boxes->size = size;
	/* At least the part in the queue entry, so that it can be copied whole. */
	boxes->data = calloc(1, size < INLINE_SIZE ? INLINE_SIZE : size);
	if (size > INLINE_SIZE)
		boxes->count = (size - INLINE_SIZE + MLX5_CMD_DATA_BLOCK_SIZE - 1) /
			       MLX5_CMD_DATA_BLOCK_SIZE;
	boxes->address = calloc(boxes->count + 1, sizeof(*boxes->address));
	if (!boxes->data || !boxes->address)
		return MLX5_DELIVERY_DEVICE_ERROR;
	if (input)
		memcpy(boxes->data, entry->in, INLINE_SIZE);
	return walk(dev, boxes, be64toh(input ? entry->in_ptr : entry->out_ptr), entry->token,
		    direction);
}

enum mlx5_delivery mlx5_mailboxes_deliver(struct mlx5 *dev, const struct mlx5_mailboxes *boxes,
					  uint8_t token)
{
	size_t done = INLINE_SIZE;

	for (uint32_t i = 0; i < boxes->count; i++) {
		struct mlx5_cmd_prot_block block = { .block_num = htobe32(i), .token = token };
		size_t part = boxes->size - done;

		if (part > sizeof(block.data))
			part = sizeof(block.data);
		memcpy(block.data, boxes->data + done, part);
		if (i + 1 < boxes->count)
			block.next = htobe64(boxes->address[i + 1]);
		block.ctrl_sig = (uint8_t)~mlx5_mailbox_xor(
			(const uint8_t *)&block + CONTROL_OFFSET, CONTROL_SIZE);
		block.sig = (uint8_t)~mlx5_mailbox_xor(&block, sizeof(block));
		if (mlx5_dma_write(dev, boxes->address[i], &block, sizeof(block), NULL))
			return MLX5_DELIVERY_DEVICE_ERROR;
		done += part;
	}
	return MLX5_DELIVERY_OK;
}

void mlx5_mailboxes_free(struct mlx5_mailboxes *boxes)
{
	free(boxes->data);
	free(boxes->address);
}
