/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of a client, mapped from the files that it hands over.
 *
 * A page fault on a file is served by its file system, and some ask a process of the client: only
 * files of tmpfs (memfd among them) and hugetlbfs are accepted, where nobody is asked.
 *
 * A client may truncate a file that it has handed over, and a file may have no memory left for a
 * hole: both show only when a page is touched, as SIGBUS. Size checks and seals cannot rule that
 * out, so each copy is guarded and gives an error instead. That needs a signal handler for SIGBUS,
 * which the first dma_files_init() installs for the process; a SIGBUS from anywhere else ends the
 * process as before.
 *
 * No function here takes a lock: the fabric's guards a function's files.
 */
#ifndef TPHBUF_DMA_FILE_H
#define TPHBUF_DMA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMA_FILE_PAGE		4096ull

/*
 * What one function may take of what the process has once: mappings (vm.max_map_count is 65530)
 * and addresses (2^47 on x86). FABRIC_FUNCTIONS_MAX functions at their limits fit both.
 */
#define DMA_PIECES_MAX		512u
#define DMA_BYTES_MAX		(1ull << 40)

struct dma_piece;
struct tlp;

/**
 * struct dma_files - pieces of files that a function may use
 * @pieces: list
 * @count: of @pieces
 * @bytes: of address space that they take
 */
struct dma_files {
	struct dma_piece *pieces;
	unsigned int count;
	uint64_t bytes;
};

/**
 * struct dma_memory - a range of a file
 * @piece: what holds the mapping; NULL: none
 * @base: where the range begins in this process
 */
struct dma_memory {
	struct dma_piece *piece;
	uint8_t *base;
};

void dma_files_init(struct dma_files *files);

/**
 * dma_files_get() - map a range of a file, or find where it is mapped already
 * @files: of the function
 * @fd: stays the caller's, and may be closed after the call
 * @offset: of the range, a multiple of DMA_FILE_PAGE
 * @size: of the range, which must lie in the file as it is now
 * @writable: the function may write
 * @memory: out: the range, to be given back with dma_files_put()
 *
 * What is mapped is the range and at most a window around it that others of the same file share: a
 * client with an IOMMU in between announces guest memory page by page.
 *
 * Return: 0, -EMEDIUMTYPE for a file that is not on tmpfs or hugetlbfs, -ERANGE for a range outside
 * of it, -EACCES when it is not open for what the range allows, -ENOSPC at the limits of the
 * function, -ENOMEM, or an error of mmap().
 */
int dma_files_get(struct dma_files *files, int fd, uint64_t offset, uint64_t size, bool writable,
		  struct dma_memory *memory);

/* Gives a range back. */
void dma_files_put(struct dma_files *files, const struct dma_memory *memory);

/*
 * Copies where @memory is a range of a file. Return: 0, -EFAULT when the file has no memory there
 * any more.
 */
int dma_memory_read(const uint8_t *memory, void *buf, size_t len);
int dma_memory_write(uint8_t *memory, const void *buf, size_t len);

/* Executes an AtomicOp there; @before: out: what was there before. Same errors. */
int dma_memory_atomic(uint8_t *memory, const struct tlp *tlp, uint64_t *before);

#endif
