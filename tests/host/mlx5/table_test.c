// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects by number.
 */
#include <errno.h>

#include "tap.h"
#include "devices/mlx5/table.h"

int main(void)
{
	struct mlx5_table table;
	char objects[8];
	uint32_t number;

	is_int(mlx5_table_init(&table, 3, 8), 0, "numbers 3 to 7");
	for (unsigned int i = 0; i < 5; i++) {
		is_int(mlx5_table_add(&table, &objects[i], &number), 0, "object %u", i);
		is_int(number, 3 + i, "gets the next number");
	}
	is_int(mlx5_table_add(&table, &objects[5], &number), -ENOSPC, "no more numbers");
	is_int(table.used, 5, "in use");
	ok(mlx5_table_get(&table, 4) == &objects[1], "by number");
	ok(!mlx5_table_get(&table, 2), "below the first");
	ok(!mlx5_table_get(&table, 8) && !mlx5_table_get(&table, UINT64_MAX), "beyond the last");
	mlx5_table_remove(&table, 4);
	mlx5_table_remove(&table, 6);
	ok(!mlx5_table_get(&table, 4), "gone");
	number = 0;
	ok(mlx5_table_from(&table, &number) == &objects[0] && number == 3, "the first one");
	number = 4;
	ok(mlx5_table_from(&table, &number) == &objects[2] && number == 5, "the next one");
	number = 8;
	ok(!mlx5_table_from(&table, &number), "none behind the last");
	is_int(mlx5_table_add(&table, &objects[5], &number), 0, "a number that was given back");
	is_int(number, 4, "the lowest, after all others");
	mlx5_table_remove(&table, 4);
	is_int(mlx5_table_add(&table, &objects[6], &number), 0, "once more");
	is_int(number, 6, "not the one that was used last");
	mlx5_table_free(&table);
	return done_testing();
}
