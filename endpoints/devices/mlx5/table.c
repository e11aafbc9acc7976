// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of objects by number.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "table.h"

int mlx5_table_init(struct mlx5_table *table, uint32_t first, uint32_t size)
{
	table->slot = calloc(size, sizeof(*table->slot));
	if (!table->slot)
		return -ENOMEM;
	table->first = first;
	table->size = size;
	table->next = first;
	table->used = 0;
	return 0;
}

void mlx5_table_free(struct mlx5_table *table)
{
	free(table->slot);
	table->slot = NULL;
}

int mlx5_table_add(struct mlx5_table *table, void *object, uint32_t *number)
{
	if (table->used == table->size - table->first)
		return -ENOSPC;
	while (table->slot[table->next]) {
		if (++table->next == table->size)
			table->next = table->first;
	}
	*number = table->next;
	table->slot[table->next] = object;
	table->used++;
	if (++table->next == table->size)
		table->next = table->first;
	return 0;
}

void *mlx5_table_get(const struct mlx5_table *table, uint64_t number)
{
	return number < table->size ? table->slot[number] : NULL;
}

void mlx5_table_remove(struct mlx5_table *table, uint32_t number)
{
	table->slot[number] = NULL;
	table->used--;
}

void *mlx5_table_from(const struct mlx5_table *table, uint32_t *number)
{
	if (!table->used)
		return NULL;
	for (; *number < table->size; ++*number) {
		if (table->slot[*number])
			return table->slot[*number];
	}
	return NULL;
}
