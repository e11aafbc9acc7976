// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_op.h"
#include "dma_map.h"
#include "tlp.h"

/*
 * A file that entries share. Each file is mapped whole and once: with an IOMMU in between, a
 * client announces guest memory page by page, and a mapping for each would soon meet the limit of
 * the kernel (vm.max_map_count).
 */
struct dma_file {
	struct dma_file *next;
	int fd;
	int access;
	dev_t dev;
	ino_t ino;
	uint8_t *base;
	uint64_t size;
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

	(void)context;
	/* The kernel reports the byte or the page that it lies in. */
	if (guard && address + DMA_MAP_PAGE > guard->start && address < guard->start + guard->len) {
		current_guard = NULL;
		siglongjmp(guard->env, 1);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void install_guard(void)
{
	struct sigaction action = {
		.sa_sigaction = on_sigbus,
		/* The handler leaves by a jump, which would keep the signal blocked. */
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

/* Executes an AtomicOp on memory of the file, which may lose its pages. */
static int guarded_atomic(uint8_t *memory, const struct tlp *tlp, uint64_t *before)
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

void dma_map_init(struct dma_map *map)
{
	memset(map, 0, sizeof(*map));
	pthread_once(&guard_once, install_guard);
}

/* Return: the mapping, NULL with errno set. */
static uint8_t *file_map(int fd, int access, uint64_t size)
{
	int prot = access == O_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
	void *base = mmap(NULL, size, prot, MAP_SHARED | MAP_NORESERVE, fd, 0);

	return base == MAP_FAILED ? NULL : base;
}

/*
 * Finds or makes the mapping of the file; a new one keeps @fd, otherwise the caller still owns it.
 */
static int file_get(struct dma_map *map, int fd, const struct stat *st, int access,
		    struct dma_file **result)
{
	struct dma_file *file;
	uint8_t *base;

	for (file = map->files; file; file = file->next)
		if (file->dev == st->st_dev && file->ino == st->st_ino && file->access == access)
			break;
	if (file && (uint64_t)st->st_size <= file->size) {
		*result = file;
		return 0;
	}

	base = file_map(fd, access, st->st_size);
	if (!base)
		return -errno;
	if (file) {
		munmap(file->base, file->size);
	} else {
		file = malloc(sizeof(*file));
		if (!file) {
			munmap(base, st->st_size);
			return -ENOMEM;
		}
		*file = (struct dma_file){
			.next = map->files,
			.fd = fd,
			.access = access,
			.dev = st->st_dev,
			.ino = st->st_ino,
		};
		map->files = file;
	}
	file->base = base;
	file->size = st->st_size;
	*result = file;
	return 0;
}

static void file_put(struct dma_map *map, struct dma_file *file)
{
	struct dma_file **link = &map->files;

	if (--file->users)
		return;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	munmap(file->base, file->size);
	close(file->fd);
	free(file);
}

static int file_open(struct dma_map *map, int fd, uint64_t fd_offset, uint64_t size, bool writable,
		     struct dma_file **result)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL), access = flags & O_ACCMODE;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (access == O_WRONLY || (writable && access != O_RDWR))
		return -EACCES;
	if (fd_offset > (uint64_t)st.st_size || size > (uint64_t)st.st_size - fd_offset)
		return -EINVAL;
	return file_get(map, fd, &st, access, result);
}

/* Index of the first entry that does not lie wholly below @address. */
static size_t lower_bound(const struct dma_map *map, uint64_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->entries[mid].last < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int reserve_entry(struct dma_map *map)
{
	size_t capacity = map->capacity ? map->capacity * 2 : 16;
	struct dma_entry *entries;

	if (map->count == DMA_MAP_ENTRIES_MAX)
		return -ENOSPC;
	if (map->count < map->capacity)
		return 0;
	entries = realloc(map->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	map->capacity = capacity;
	return 0;
}

static bool range_ok(uint64_t start, uint64_t size)
{
	return size && start + (size - 1) >= start;
}

int dma_map_add(struct dma_map *map, uint64_t start, uint64_t size, bool readable, bool writable,
		int fd, uint64_t fd_offset)
{
	struct dma_entry entry = {
		.start = start,
		.last = start + (size - 1),
		.readable = readable,
		.writable = writable,
		.offset = fd_offset,
	};
	size_t i;
	int ret;

	if (!range_ok(start, size) || start % DMA_MAP_PAGE || size % DMA_MAP_PAGE ||
	    (!readable && !writable))
		return -EINVAL;
	if (fd >= 0 && fd_offset % DMA_MAP_PAGE)
		return -EINVAL;
	i = lower_bound(map, start);
	if (i < map->count && map->entries[i].start <= entry.last)
		return -EEXIST;
	ret = reserve_entry(map);
	if (ret)
		return ret;
	if (fd >= 0) {
		ret = file_open(map, fd, fd_offset, size, writable, &entry.file);
		if (ret)
			return ret;
		entry.file->users++;
		if (entry.file->fd != fd)
			close(fd);
	}

	memmove(&map->entries[i + 1], &map->entries[i], (map->count - i) * sizeof(entry));
	map->entries[i] = entry;
	map->count++;
	return 0;
}

int dma_map_remove(struct dma_map *map, uint64_t start, uint64_t size)
{
	uint64_t last = start + (size - 1);
	size_t first, end;

	if (!range_ok(start, size))
		return -EINVAL;
	first = lower_bound(map, start);
	for (end = first; end < map->count && map->entries[end].start <= last; end++)
		if (map->entries[end].start < start || map->entries[end].last > last)
			return -EINVAL;
	if (end == first)
		return -ENOENT;

	for (size_t i = first; i < end; i++)
		if (map->entries[i].file)
			file_put(map, map->entries[i].file);
	memmove(&map->entries[first], &map->entries[end],
		(map->count - end) * sizeof(*map->entries));
	map->count -= end - first;
	return 0;
}

void dma_map_clear(struct dma_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].file)
			file_put(map, map->entries[i].file);
	free(map->entries);
	memset(map, 0, sizeof(*map));
}

const struct dma_entry *dma_map_find(struct dma_map *map, uint64_t address)
{
	size_t i = map->recent;

	if (i >= map->count || address < map->entries[i].start || address > map->entries[i].last)
		i = lower_bound(map, address);
	if (i >= map->count || address < map->entries[i].start)
		return NULL;
	map->recent = i;
	return &map->entries[i];
}

/* Where @len bytes, one at least, are in this process; NULL unless the entry has them all. */
static uint8_t *entry_memory(const struct dma_entry *entry, uint64_t address, size_t len)
{
	if (!entry->file || address < entry->start || address > entry->last ||
	    len - 1 > entry->last - address)
		return NULL;
	return entry->file->base + entry->offset + (address - entry->start);
}

int dma_entry_read(const struct dma_entry *entry, uint64_t address, void *buf, size_t len)
{
	const uint8_t *memory = entry_memory(entry, address, len);
	int ret;

	if (!memory || !entry->readable)
		return -EFAULT;
	ret = guarded_copy(buf, memory, len, memory);
	__sync_synchronize();
	return ret;
}

int dma_entry_write(const struct dma_entry *entry, uint64_t address, const void *buf, size_t len)
{
	uint8_t *memory = entry_memory(entry, address, len);

	if (!memory || !entry->writable)
		return -EFAULT;
	/* Posted writes do not pass each other: whoever sees this one sees the earlier ones. */
	__sync_synchronize();
	return guarded_copy(memory, buf, len, memory);
}

int dma_entry_atomic(const struct dma_entry *entry, const struct tlp *tlp, uint64_t *before)
{
	uint8_t *memory = entry_memory(entry, tlp->address, TLP_ATOMIC_SIZE);

	if (!memory || !entry->readable || !entry->writable)
		return -EFAULT;
	return guarded_atomic(memory, tlp, before);
}
