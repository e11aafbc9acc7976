/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to memory through memory keys.
 */
#ifndef TPHBUF_MLX5_MEMORY_H
#define TPHBUF_MLX5_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mlx5;

/* What an access wants; the bits need all be allowed. */
enum mlx5_access {
	MLX5_ACCESS_LOCAL_READ = 1 << 0,
	MLX5_ACCESS_LOCAL_WRITE = 1 << 1,
	MLX5_ACCESS_REMOTE_READ = 1 << 2,
	MLX5_ACCESS_REMOTE_WRITE = 1 << 3,
	MLX5_ACCESS_REMOTE_ATOMIC = 1 << 4,
};

#define MLX5_ACCESS_WRITES \
	(MLX5_ACCESS_LOCAL_WRITE | MLX5_ACCESS_REMOTE_WRITE | MLX5_ACCESS_REMOTE_ATOMIC)

enum mlx5_memory_result {
	MLX5_MEMORY_OK,
	MLX5_MEMORY_DENIED,    /* no such key, wrong protection domain, access or range */
	MLX5_MEMORY_ABSENT,    /* a page is not present: a page fault can help */
	MLX5_MEMORY_BUS_ERROR, /* the access failed on the bus */
	MLX5_MEMORY_STOPPED,   /* reset or fatal error: leave everything as it is */
};

/**
 * struct mlx5_region - memory that a work request or packet names
 * @key: lkey or rkey
 * @pd: protection domain of the QP
 * @access: what is wanted
 * @address: of the first byte, in the key's address space
 */
struct mlx5_region {
	uint32_t key;
	uint32_t pd;
	enum mlx5_access access;
	uint64_t address;
};

/* Whether key, protection domain, rights and range are right; pages need not be present. Always
 * true for @len 0. */
bool mlx5_memory_allowed(struct mlx5 *dev, const struct mlx5_region *region, uint64_t len);

/**
 * mlx5_memory_check() - what an access would give
 * @dev: the device
 * @region: the memory
 * @len: bytes, may be 0: then nothing is looked at
 *
 * Return: OK, DENIED or ABSENT.
 */
enum mlx5_memory_result mlx5_memory_check(struct mlx5 *dev, const struct mlx5_region *region,
					  uint64_t len);

/*
 * Read from or write to memory. Either nothing is accessed, when mlx5_memory_check() would not
 * return OK, or all of it until the bus reports an error. Writes carry the processing hint and
 * steering tag of the key.
 */
enum mlx5_memory_result mlx5_memory_read(struct mlx5 *dev, const struct mlx5_region *region,
					 void *to, size_t len);
enum mlx5_memory_result mlx5_memory_write(struct mlx5 *dev, const struct mlx5_region *region,
					  const void *from, size_t len);

/**
 * struct mlx5_atomic - an atomic operation on 8 bytes
 * @compare_swap: compare and swap; else fetch and add
 * @swap_add: what is swapped in or added
 * @compare: what the memory is compared with
 */
struct mlx5_atomic {
	bool compare_swap;
	uint64_t swap_add;
	uint64_t compare;
};

/**
 * mlx5_memory_atomic() - an atomic operation on memory
 * @dev: the device
 * @region: the memory, at an address that is a multiple of 8
 * @atomic: what is done
 * @before: receives the value before
 *
 * An AtomicOp on the bus where the function may send one; else a read and a write, between which no
 * other operation of this function comes.
 *
 * Return: as mlx5_memory_write().
 */
enum mlx5_memory_result mlx5_memory_atomic(struct mlx5 *dev, const struct mlx5_region *region,
					   const struct mlx5_atomic *atomic, uint64_t *before);

#endif
