/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All objects of a function together: the tables that they are in, and their end.
 */
#ifndef TPHBUF_MLX5_OBJECTS_H
#define TPHBUF_MLX5_OBJECTS_H

struct mlx5;

/* Makes the tables, empty. Takes no lock. Return: 0 or -ENOMEM; the tables are to be freed also
 * then. */
int mlx5_objects_init(struct mlx5 *dev);

/* Destroys all objects that commands after INIT_HCA made. */
void mlx5_objects_destroy(struct mlx5 *dev);

/* Frees the tables, in which nothing is left. Takes no lock. */
void mlx5_objects_free(struct mlx5 *dev);

#endif
