/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input and output of a command: 16 bytes in the queue entry, the rest in a chain of mailboxes of
 * 512 bytes.
 */
#ifndef TPHBUF_MLX5_MAILBOX_H
#define TPHBUF_MLX5_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

struct mlx5;
struct mlx5_cmd_layout;

/* How the transport of a command went; status_own of the entry carries it. The driver's names stand
 * in its cmd.c. */
enum mlx5_delivery {
	MLX5_DELIVERY_OK = 0x0,
	MLX5_DELIVERY_BAD_SIGNATURE = 0x1,
	MLX5_DELIVERY_BAD_TOKEN = 0x2,
	MLX5_DELIVERY_BAD_BLOCK = 0x3,
	MLX5_DELIVERY_OUTPUT_ALIGNMENT = 0x4,
	MLX5_DELIVERY_INPUT_ALIGNMENT = 0x5,
	MLX5_DELIVERY_DEVICE_ERROR = 0x6,
	MLX5_DELIVERY_INPUT_LENGTH = 0x7,
	MLX5_DELIVERY_OUTPUT_LENGTH = 0x8,
	MLX5_DELIVERY_RESERVED_SET = 0x9,
	MLX5_DELIVERY_BAD_DESCRIPTOR = 0x10,
};

enum mlx5_mailbox_direction {
	MLX5_MAILBOX_INPUT,
	MLX5_MAILBOX_OUTPUT,
};

/**
 * struct mlx5_mailboxes - one direction of a command
 * @data: all bytes joined; owned
 * @size: their number
 * @address: of each mailbox; owned
 * @count: mailboxes
 */
struct mlx5_mailboxes {
	uint8_t *data;
	size_t size;
	uint64_t *address;
	uint32_t count;
};

/**
 * mlx5_mailboxes_fetch() - walk a chain
 * @dev: the device
 * @boxes: zeroed; to be freed also after an error
 * @entry: the queue entry
 * @direction: of input the data is read, of output only that the chain is long enough
 *
 * Return: what is wrong with the chain; a chain that cannot be read is MLX5_DELIVERY_DEVICE_ERROR.
 */
enum mlx5_delivery mlx5_mailboxes_fetch(struct mlx5 *dev, struct mlx5_mailboxes *boxes,
					const struct mlx5_cmd_layout *entry,
					enum mlx5_mailbox_direction direction);

/* Writes @boxes->data behind the first 16 bytes to the mailboxes, signed. Return: OK or
 * MLX5_DELIVERY_DEVICE_ERROR. */
enum mlx5_delivery mlx5_mailboxes_deliver(struct mlx5 *dev, const struct mlx5_mailboxes *boxes,
					  uint8_t token);

void mlx5_mailboxes_free(struct mlx5_mailboxes *boxes);

/* Exclusive or of bytes: 0xff over a signed structure, the signature included. */
uint8_t mlx5_mailbox_xor(const void *bytes, size_t len);

#endif
