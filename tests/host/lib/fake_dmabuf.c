// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_dmabuf.h"
#include "fake_sys.h"
#include "fake_tree.h"

#define MAX_MAPS	8
#define MAX_RANGES	64

/* No device file is as large: access there is SIGBUS. */
#define NOWHERE		((off_t)1 << 40)

static const void *maps[MAX_MAPS];

struct record {
	uint32_t bar;
	uint32_t nr_ranges;
	struct tpb_vfio_range ranges[MAX_RANGES];
};

static void put(int fd, const void *bytes, size_t size, off_t at)
{
	if (pwrite(fd, bytes, size, at) != (ssize_t)size)
		abort();
}

static void get(int fd, void *bytes, size_t size, off_t at)
{
	if (pread(fd, bytes, size, at) < 0)
		abort();
}

int fake_dmabuf_create(int device_fd, const struct tpb_vfio_dma_buf *arg, size_t size)
{
	char link[64], path[PATH_MAX];
	ssize_t length;
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", device_fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0 || arg->nr_ranges > MAX_RANGES)
		abort();
	path[length] = '\0';
	fd = memfd_create("dmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	put(fd, arg, size, FAKE_DMABUF_EXPORT);
	put(fd, path, (size_t)length + 1, FAKE_DMABUF_DEVICE);
	return fd;
}

int fake_dmabuf_check(int fd)
{
	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	/* Files of a tmpfs have seals too, but they are sealed against more. */
	return fcntl(fd, F_GET_SEALS) ? -EINVAL : 0;
}

bool fake_dmabuf_is(int fd)
{
	return !fake_dmabuf_check(fd);
}

static void read_record(int fd, struct record *record)
{
	struct tpb_vfio_dma_buf head;

	get(fd, &head, sizeof(head), FAKE_DMABUF_EXPORT);
	get(fd, record->ranges, sizeof(record->ranges), FAKE_DMABUF_EXPORT + sizeof(head));
	record->bar = head.region_index;
	record->nr_ranges = head.nr_ranges;
}

int64_t fake_dmabuf_size(int fd)
{
	struct record record;
	int64_t size = 0;

	read_record(fd, &record);
	for (uint32_t i = 0; i < record.nr_ranges; i++)
		size += record.ranges[i].length;
	return size;
}

void fake_dmabuf_set_tag(int fd, const struct tpb_vfio_dma_buf_tph *tag)
{
	put(fd, tag, sizeof(*tag), 0);
}

void fake_dmabuf_set_wc(int fd)
{
	put(fd, "\x01", 1, FAKE_DMABUF_WC);
}

static bool is_revoked(uint64_t offset)
{
	uint64_t from = (uint64_t)fake_sys.errors.revoked_from;

	return from && offset + FAKE_PAGE > from;
}

/* Where a byte of the dma-buf lies in the device file. */
static off_t place(const struct record *record, uint64_t offset)
{
	if (is_revoked(offset))
		return NOWHERE;
	for (uint32_t i = 0; i < record->nr_ranges; i++) {
		if (offset < record->ranges[i].length)
			return FAKE_REGION(record->bar) + record->ranges[i].offset +
			       offset;
		offset -= record->ranges[i].length;
	}
	return -1;
}

int fake_dmabuf_map(int fd, size_t length, int prot, uint64_t offset, void **addr)
{
	char path[PATH_MAX] = "", *start;
	struct record record;
	int device, i;

	/* What the dma-buf core and the exporter give; the library is to ask for nothing else. */
	if (fake_sys.errors.mmap)
		return -fake_sys.errors.mmap;
	if (offset % FAKE_PAGE || offset + length > (uint64_t)fake_dmabuf_size(fd))
		return -EINVAL;
	read_record(fd, &record);
	get(fd, path, sizeof(path) - 1, FAKE_DMABUF_DEVICE);
	start = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (start == MAP_FAILED || device < 0)
		abort();
	for (size_t at = 0; at < length; at += FAKE_PAGE)
		if (mmap(start + at, FAKE_PAGE, prot, MAP_SHARED | MAP_FIXED, device,
			 place(&record, offset + at)) == MAP_FAILED)
			abort();
	close(device);
	for (i = 0; maps[i]; i++)
		if (i == MAX_MAPS - 1)
			abort();
	maps[i] = start;
	fake_sys.mappings++;
	fake_sys.mmaps++;
	*addr = start;
	return 0;
}

void fake_dmabuf_forget(const void *addr)
{
	for (int i = 0; i < MAX_MAPS; i++) {
		if (maps[i] == addr) {
			maps[i] = NULL;
			fake_sys.mappings--;
		}
	}
}
