/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of one type by number, as the driver names them in commands and work requests. Takes no
 * lock.
 */
#ifndef TPHBUF_MLX5_TABLE_H
#define TPHBUF_MLX5_TABLE_H

#include <stdint.h>

/**
 * struct mlx5_table - numbers and their objects
 * @slot: object by number, NULL for a free number
 * @first: lowest number that is given out
 * @size: numbers are below
 * @next: where the search for a free number starts
 * @used: objects in the table
 */
struct mlx5_table {
	void **slot;
	uint32_t first;
	uint32_t size;
	uint32_t next;
	uint32_t used;
};

/* Makes an empty table of numbers @first..@size-1. Return: 0 or -ENOMEM. */
int mlx5_table_init(struct mlx5_table *table, uint32_t first, uint32_t size);

/* Frees the table, not the objects. */
void mlx5_table_free(struct mlx5_table *table);

/**
 * mlx5_table_add() - give an object a number
 * @table: the table
 * @object: not NULL
 * @number: out
 *
 * A number that was given back is not used again before all others were, so that a stale one is
 * noticed.
 *
 * Return: 0, -ENOSPC when all numbers are taken.
 */
int mlx5_table_add(struct mlx5_table *table, void *object, uint32_t *number);

/* The object, or NULL for a number that is free or out of range. */
void *mlx5_table_get(const struct mlx5_table *table, uint64_t number);

/* Gives a number back; it is in use. */
void mlx5_table_remove(struct mlx5_table *table, uint32_t number);

/* The object with the lowest number that is not below *@number, which becomes its number; NULL when
 * there is none. */
void *mlx5_table_from(const struct mlx5_table *table, uint32_t *number);

#endif
