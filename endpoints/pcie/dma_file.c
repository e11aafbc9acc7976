// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces of clients' files: mapped, shared, counted, and copied from and to under a guard.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "atomic_op.h"
#include "dma_file.h"
#include "tlp.h"

/* Small ranges of a file share windows of this size, or of a 256th of a larger file. */
#define WINDOW_MIN		(64ull << 20)
#define WINDOWS_PER_FILE	256u

/**
 * struct dma_piece - a mapped part of a file
 * @next: in the function's list
 * @dev: device of the file
 * @ino: inode of the file
 * @writable: how it is mapped
 * @offset: in the file
 * @size: bytes
 * @base: where it is mapped
 * @users: ranges in it
 */
struct dma_piece {
	struct dma_piece *next;
	dev_t dev;
	ino_t ino;
	bool writable;
	uint64_t offset;
	uint64_t size;
	uint8_t *base;
	size_t users;
};

/* The file memory that a copy of this thread may touch. */
struct copy_guard {
	sigjmp_buf env;
	const uint8_t *start;
	size_t len;
};

static __thread struct copy_guard *volatile current_guard;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct copy_guard *guard = current_guard;
	const uint8_t *address = info->si_addr;
	sigset_t set;

	(void)context;
	/* The kernel reports the byte or the page that it lies in. */
	if (guard && address + DMA_FILE_PAGE > guard->start &&
	    address < guard->start + guard->len) {
		current_guard = NULL;
		/*
		 * The handler leaves by a jump, which would keep the signal blocked where a
		 * sanitizer has put a handler of its own around this one.
		 */
		sigemptyset(&set);
		sigaddset(&set, sig);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		siglongjmp(guard->env, 1);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void install_guard(void)
{
	struct sigaction action = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

/* @file_side is whichever of the two is in the file. */
static int guarded_copy(void *dst, const void *src, size_t len, const uint8_t *file_side)
{
	struct copy_guard guard = { .start = file_side, .len = len };

	if (sigsetjmp(guard.env, 0))
		return -EFAULT;
	current_guard = &guard;
	/* Keeps the copy between the two stores. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(dst, src, len);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	current_guard = NULL;
	return 0;
}

int dma_memory_read(const uint8_t *memory, void *buf, size_t len)
{
	return guarded_copy(buf, memory, len, memory);
}

int dma_memory_write(uint8_t *memory, const void *buf, size_t len)
{
	return guarded_copy(memory, buf, len, memory);
}

int dma_memory_atomic(uint8_t *memory, const struct tlp *tlp, uint64_t *before)
{
	struct copy_guard guard = { .start = memory, .len = TLP_ATOMIC_SIZE };

	if (sigsetjmp(guard.env, 0))
		return -EFAULT;
	current_guard = &guard;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*before = atomic_op_execute(memory, tlp);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	current_guard = NULL;
	return 0;
}

void dma_files_init(struct dma_files *files)
{
	*files = (struct dma_files){ 0 };
	pthread_once(&guard_once, install_guard);
}

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

/*
 * The piece to map for a range: the window of the file that has it, or the range itself when it
 * reaches across windows. Large pages want their own alignment.
 */
static void choose_piece(const struct stat *st, uint64_t offset, uint64_t size,
			 struct dma_piece *piece)
{
	uint64_t window = WINDOW_MIN, page = st->st_blksize, end;

	while (window < (uint64_t)st->st_size / WINDOWS_PER_FILE)
		window *= 2;
	if (page < DMA_FILE_PAGE || page & (page - 1))
		page = DMA_FILE_PAGE;
	if (window < page)
		window = page;
	end = round_up(offset + size, page);
	piece->offset = offset / page * page;
	if (offset / window == (offset + size - 1) / window) {
		piece->offset = offset / window * window;
		end = piece->offset + window;
		if (end > round_up(st->st_size, page))
			end = round_up(st->st_size, page);
	}
	piece->size = end - piece->offset;
}

/* Return: 0, -EMEDIUMTYPE, -ERANGE, -EACCES, another -errno. */
static int check_file(int fd, uint64_t offset, uint64_t size, bool writable, struct stat *st)
{
	int flags = fcntl(fd, F_GETFL), access = flags & O_ACCMODE;

	if (flags < 0)
		return -errno;
	/*
	 * Only files of tmpfs and hugetlbfs have seals, at least the one against seals. Every other
	 * question goes to the file system, which might not answer.
	 */
	if (fcntl(fd, F_GET_SEALS) < 0)
		return errno == EBADF ? -EBADF : -EMEDIUMTYPE;
	if (fstat(fd, st))
		return -errno;
	if (access == O_WRONLY || (writable && access != O_RDWR))
		return -EACCES;
	if (offset > (uint64_t)st->st_size || size > (uint64_t)st->st_size - offset)
		return -ERANGE;
	return 0;
}

static int map_piece(struct dma_piece *piece, int fd)
{
	int prot = piece->writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *base = mmap(NULL, piece->size, prot, MAP_SHARED | MAP_NORESERVE, fd, piece->offset);

	/*
	 * Kernels before 6.7 refuse a shared mapping of a file that is sealed against writing. What
	 * nobody writes to looks the same through a private one.
	 */
	if (base == MAP_FAILED && errno == EPERM && !piece->writable)
		base = mmap(NULL, piece->size, prot, MAP_PRIVATE | MAP_NORESERVE, fd,
			    piece->offset);
	if (base == MAP_FAILED)
		return errno == EPERM ? -EACCES : -errno;
	piece->base = base;
	return 0;
}

static struct dma_piece *find_piece(const struct dma_files *files, const struct stat *st,
				    uint64_t offset, uint64_t size, bool writable)
{
	struct dma_piece *piece = files->pieces;

	while (piece && !(piece->dev == st->st_dev && piece->ino == st->st_ino &&
			  piece->writable == writable && offset >= piece->offset &&
			  offset + size <= piece->offset + piece->size))
		piece = piece->next;
	return piece;
}

static int add_piece(struct dma_files *files, int fd, const struct stat *st, uint64_t offset,
		     uint64_t size, bool writable, struct dma_piece **result)
{
	struct dma_piece *piece;
	int ret;

	if (files->count == DMA_PIECES_MAX)
		return -ENOSPC;
	piece = malloc(sizeof(*piece));
	if (!piece)
		return -ENOMEM;
	*piece = (struct dma_piece){
		.next = files->pieces,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.writable = writable,
	};
	choose_piece(st, offset, size, piece);
	ret = piece->size > DMA_BYTES_MAX - files->bytes ? -ENOSPC : map_piece(piece, fd);
	if (ret) {
		free(piece);
		return ret;
	}
	files->pieces = piece;
	files->count++;
	files->bytes += piece->size;
	*result = piece;
	return 0;
}

int dma_files_get(struct dma_files *files, int fd, uint64_t offset, uint64_t size, bool writable,
		  struct dma_memory *memory)
{
	struct dma_piece *piece;
	struct stat st;
	int ret = check_file(fd, offset, size, writable, &st);

	if (ret)
		return ret;
	piece = find_piece(files, &st, offset, size, writable);
	if (!piece)
		ret = add_piece(files, fd, &st, offset, size, writable, &piece);
	if (ret)
		return ret;
	piece->users++;
	*memory = (struct dma_memory){ piece, piece->base + (offset - piece->offset) };
	return 0;
}

void dma_files_put(struct dma_files *files, const struct dma_memory *memory)
{
	struct dma_piece *piece = memory->piece, **link = &files->pieces;

	if (--piece->users)
		return;
	while (*link != piece)
		link = &(*link)->next;
	*link = piece->next;
	files->count--;
	files->bytes -= piece->size;
	munmap(piece->base, piece->size);
	free(piece);
}
