// SPDX-License-Identifier: GPL-2.0-or-later
/* Moving bytes between a dma-buf and a file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "device_memory.h"
#include "transfer.h"

/* Moved at once; a multiple of it is where all but the first chunk begin in the dma-buf. */
#define CHUNK	(64u << 10)

/* For the handler of SIGBUS, which has no argument of its own. */
static struct {
	const struct transfer *transfer;
	struct transfer_state *state;
	const char *start;	/* of what is mapped and to be moved */
	const char *end;
} guarded;

uint64_t transfer_done(const struct transfer_state *state)
{
	return __atomic_load_n(&state->done, __ATOMIC_RELAXED);
}

static void set_done(struct transfer_state *state, uint64_t done)
{
	__atomic_store_n(&state->done, done, __ATOMIC_RELAXED);
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;

	(void)context;
	if (at < guarded.start || at >= guarded.end) {
		/* A fault of this program: it comes again when this returns. */
		signal(number, SIG_DFL);
		return;
	}
	/* Stores go upwards, so that all below have been made. */
	if (guarded.transfer->store)
		set_done(guarded.state, (uint64_t)(at - guarded.start));
	guarded.state->end = TRANSFER_REVOKED;
	_exit(0);
}

static void finish(struct transfer_state *state, enum transfer_end end, int error)
{
	state->end = end;
	state->error = error;
}

/* Whoever shares the file may have made it non-blocking. */
static bool must_wait(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	return errno == EINTR || (errno == EAGAIN && poll(&poll_fd, 1, -1) > 0);
}

/* As much as there is, up to @size: less is the end of the input. */
static ssize_t read_full(int fd, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t got;

	while (have < size) {
		got = read(fd, buf + have, size - have);
		if (got < 0 && must_wait(fd, POLLIN))
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int write_full(int fd, const char *buf, size_t size)
{
	ssize_t put;

	while (size) {
		put = write(fd, buf, size);
		if (put < 0 && must_wait(fd, POLLOUT))
			continue;
		if (put < 0)
			return -errno;
		buf += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Up to the next place where a chunk begins. */
static size_t chunk_size(const struct transfer *transfer, uint64_t done)
{
	uint64_t size = CHUNK - (transfer->offset + done) % CHUNK;

	return size < transfer->length - done ? size : transfer->length - done;
}

static void load_all(const struct transfer *transfer, struct transfer_state *state,
		     const char *from, int file)
{
	static char chunk[CHUNK];
	uint64_t done = 0;
	size_t size;
	int ret;

	for (; done < transfer->length; done += size, set_done(state, done)) {
		size = chunk_size(transfer, done);
		device_memory_load(chunk, from + done, size);
		ret = write_full(file, chunk, size);
		if (ret) {
			finish(state, TRANSFER_FILE_ERROR, -ret);
			return;
		}
	}
	finish(state, TRANSFER_DONE, 0);
}

static void load_to_path(const struct transfer *transfer, struct transfer_state *state,
			 const char *from)
{
	int file = open(transfer->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (file < 0) {
		finish(state, TRANSFER_CANNOT_OPEN, errno);
		return;
	}
	load_all(transfer, state, from, file);
	/* Some file systems say only here that what was written did not fit. */
	if (close(file) && state->end == TRANSFER_DONE)
		finish(state, TRANSFER_FILE_ERROR, errno);
}

/* The input has been read up to what fits. */
static void end_of_room(const struct transfer *transfer, struct transfer_state *state)
{
	ssize_t got;
	char more;

	if (transfer->exact) {
		finish(state, TRANSFER_DONE, 0);
		return;
	}
	got = read_full(transfer->file, &more, 1);
	if (got < 0)
		finish(state, TRANSFER_FILE_ERROR, (int)-got);
	else
		finish(state, got ? TRANSFER_INPUT_LONG : TRANSFER_DONE, 0);
}

static void store_all(const struct transfer *transfer, struct transfer_state *state, char *to)
{
	static char chunk[CHUNK];
	uint64_t done = 0;
	ssize_t got;
	size_t size;

	while (done < transfer->length) {
		size = chunk_size(transfer, done);
		got = read_full(transfer->file, chunk, size);
		if (got < 0) {
			finish(state, TRANSFER_FILE_ERROR, (int)-got);
			return;
		}
		device_memory_store(to + done, chunk, (size_t)got);
		device_memory_fence();
		done += (uint64_t)got;
		set_done(state, done);
		if ((size_t)got < size) {
			finish(state, transfer->exact ? TRANSFER_INPUT_SHORT : TRANSFER_DONE, 0);
			return;
		}
	}
	end_of_room(transfer, state);
}

void transfer_run(const struct transfer *transfer, struct transfer_state *state)
{
	const struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	uint64_t before = transfer->offset % (uint64_t)sysconf(_SC_PAGESIZE);
	size_t length = (size_t)(before + transfer->length);
	int ret = -ENOMEM;
	void *map;

	/* Where addresses have 32 bits it may not fit. */
	if (length == before + transfer->length)
		ret = tphbuf_mmap(transfer->dmabuf, transfer->offset - before, length,
				  transfer->store ? PROT_READ | PROT_WRITE : PROT_READ, &map);
	if (ret) {
		finish(state, TRANSFER_CANNOT_MAP, -ret);
		return;
	}
	guarded.transfer = transfer;
	guarded.state = state;
	guarded.start = (char *)map + before;
	guarded.end = guarded.start + transfer->length;
	sigaction(SIGBUS, &action, NULL);
	if (transfer->store)
		store_all(transfer, state, (char *)map + before);
	else if (transfer->path)
		load_to_path(transfer, state, (char *)map + before);
	else
		load_all(transfer, state, (char *)map + before, transfer->file);
}
