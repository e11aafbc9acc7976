// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes one vfio-user connection: receiving, commands, replies to DMA requests, interrupts,
 * queueing. The other end of a socket pair is fed from the input; a device of a few lines stands
 * behind, with a thread that asks for DMA.
 *
 * Input: one byte, bit 0: VERSION is agreed upon before the rest; bit 1: packets are framed. Then
 * packets:
 *
 *	control		bits 0-4: descriptors to send along, bits 5-6: which, bit 7: replies wait
 *	length		2 bytes, little-endian, of data
 *	command, flags, id	one byte each, of the header put in front; framed packets only
 *	data
 *
 * Whatever comes: every message that the server sends has the right form, and in the end no
 * descriptor and no byte of memory is left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vfio_user/connection.h"
#include "vfio_user/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_SIZE	(2u << 20)
#define MAPS_MAX	8
#define VECTORS		8
#define DMA_ROUNDS	4

static const char version[] =
	"\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,\"write_multiple\":true}}";

/* In place of the log of the library: the format strings are tried out, nothing is printed. */
void vfio_user_log(struct vfio_user_log *log, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	(void)log;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

/* In place of the closer of the library: what is sent here is closed without waiting. */
void vfio_user_closer_close(struct vfio_user_closer *closer, int fd)
{
	(void)closer;
	close(fd);
}

bool vfio_user_closer_is_full(struct vfio_user_closer *closer)
{
	(void)closer;
	return false;
}

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/**
 * struct device - what the connection serves
 * @memory: regions 2 and 7, from their start
 * @memory_fd: file of @memory
 * @maps: ranges that are announced
 * @connection: the client
 * @worker: asks for DMA while the client is connected
 * @worker_done: it has ended
 */
struct device {
	uint8_t *memory;
	int memory_fd;
	unsigned int maps;
	struct vfio_user_connection *connection;
	pthread_t worker;
	bool worker_done;
};

static size_t region_size(unsigned int index)
{
	return index == VFIO_PCI_BAR2_REGION_INDEX ? MEMORY_SIZE :
	       index == VFIO_PCI_CONFIG_REGION_INDEX ? 4096 : 0;
}

static void device_region_info(void *opaque, unsigned int index, struct vfio_user_region *region)
{
	struct device *device = opaque;

	must(index < VFIO_PCI_NUM_REGIONS, "region index out of range");
	region->size = region_size(index);
	region->fd = index == VFIO_PCI_BAR2_REGION_INDEX ? device->memory_fd : -1;
}

static int check_access(unsigned int index, uint64_t offset, size_t len)
{
	size_t size = region_size(index);

	must(len && len <= VFIO_USER_MAX_DATA_XFER, "length of an access");
	return offset > size || len > size - offset ? -EINVAL : 0;
}

static int device_region_read(void *opaque, unsigned int index, uint64_t offset, void *buf,
			      size_t len)
{
	struct device *device = opaque;
	int ret = check_access(index, offset, len);

	if (!ret)
		memcpy(buf, device->memory + offset, len);
	return ret;
}

static int device_region_write(void *opaque, unsigned int index, uint64_t offset, const void *buf,
			       size_t len)
{
	struct device *device = opaque;
	int ret = check_access(index, offset, len);

	if (!ret)
		memcpy(device->memory + offset, buf, len);
	return ret;
}

static int device_dma_map(void *opaque, const struct vfio_user_mapping *mapping)
{
	struct device *device = opaque;

	if (mapping->size % VFIO_USER_PAGE_SIZE)
		return -EINVAL;
	if (device->maps == MAPS_MAX)
		return -ENOSPC;
	if (mapping->fd >= 0 && fcntl(mapping->fd, F_GET_SEALS) < 0)
		return -EMEDIUMTYPE;
	device->maps++;
	return 0;
}

static void device_dma_unmap_all(void *opaque)
{
	struct device *device = opaque;

	device->maps = 0;
}

static int device_dma_unmap(void *opaque, uint64_t address, uint64_t size)
{
	(void)size;
	if (address & 1)
		return -ENOENT;
	device_dma_unmap_all(opaque);
	return 0;
}

static void device_reset(void *opaque)
{
	struct device *device = opaque;

	device->memory[0] = 0;
	if (device->connection)
		vfio_user_dma_cancel(device->connection, 0);
}

static unsigned int device_irq_count(void *opaque, unsigned int type)
{
	(void)opaque;
	return type == VFIO_PCI_MSIX_IRQ_INDEX ? VECTORS : 0;
}

static void *work(void *opaque)
{
	struct device *device = opaque;
	uint8_t buf[48] = { 0 };

	for (unsigned int i = 0; i < DMA_ROUNDS; i++) {
		if (vfio_user_dma_read(device->connection, 0, 0x1000, buf, sizeof(buf)) ==
		    -ENOTCONN)
			break;
		vfio_user_trigger(device->connection, VFIO_PCI_MSIX_IRQ_INDEX, i);
		if (vfio_user_dma_write(device->connection, 0, 0x2000, buf, sizeof(buf)) ==
		    -ENOTCONN)
			break;
	}
	__atomic_store_n(&device->worker_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void device_connect(void *opaque, struct vfio_user_connection *connection)
{
	struct device *device = opaque;

	if (!connection) {
		pthread_join(device->worker, NULL);
		device_dma_unmap_all(device);
		return;
	}
	device->connection = connection;
	device->worker_done = false;
	must(!pthread_create(&device->worker, NULL, work, device), "no thread");
}

static const struct vfio_user_device_ops ops = {
	.region_info = device_region_info,
	.region_read = device_region_read,
	.region_write = device_region_write,
	.dma_map = device_dma_map,
	.dma_unmap = device_dma_unmap,
	.dma_unmap_all = device_dma_unmap_all,
	.reset = device_reset,
	.irq_count = device_irq_count,
	.connect = device_connect,
};

/* So that one input always does the same: the worker asks, or has ended, before the next packet. */
static void settle(struct device *device)
{
	struct vfio_user_connection *connection = device->connection;
	bool asked = false;

	while (connection && !asked && !__atomic_load_n(&device->worker_done, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&connection->stream.lock);
		asked = connection->requests;
		pthread_mutex_unlock(&connection->stream.lock);
		if (!asked)
			sched_yield();
	}
}

/**
 * struct harness - one run
 * @device: what is served
 * @epoll_fd: watches the server's end
 * @client: the other end, non-blocking
 * @connection: NULL once it has ended, and without memory
 * @sent: bytes of the message that is being received
 * @header: of that message
 */
struct harness {
	struct device device;
	int epoll_fd;
	int client;
	struct vfio_user_connection *connection;
	size_t sent;
	struct vfio_user_header header;
};

static void check_header(const struct vfio_user_header *header)
{
	bool reply = (header->flags & VFIO_USER_FLAG_TYPE) == VFIO_USER_TYPE_REPLY;
	bool error = header->flags & VFIO_USER_FLAG_ERROR;

	must(header->size >= sizeof(*header), "message shorter than its header");
	must(header->size <= sizeof(*header) + VFIO_USER_MAX_PAYLOAD, "message too long");
	must(!(header->flags & ~(VFIO_USER_TYPE_REPLY | VFIO_USER_FLAG_ERROR)), "flags");
	must(reply || header->command == VFIO_USER_DMA_READ ||
	     header->command == VFIO_USER_DMA_WRITE, "command of the server");
	must(error ? reply && header->error && header->size == sizeof(*header) : !header->error,
	     "error");
}

/* Reads what the server has sent, and checks its form. */
static void drain(struct harness *harness)
{
	static uint8_t bytes[65536];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 16)];
	} control;
	ssize_t n;

	for (;;) {
		size_t want = harness->sent < sizeof(harness->header) ?
			sizeof(harness->header) - harness->sent :
			harness->header.size - harness->sent;
		struct iovec iov = { bytes, want < sizeof(bytes) ? want : sizeof(bytes) };
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
		};
		struct cmsghdr *cmsg;
		int fd;

		n = recvmsg(harness->client, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return;
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg) {
			must(cmsg->cmsg_len == CMSG_LEN(sizeof(int)), "more than one descriptor");
			memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
			close(fd);
		}
		if (harness->sent < sizeof(harness->header))
			memcpy((uint8_t *)&harness->header + harness->sent, bytes, (size_t)n);
		harness->sent += (size_t)n;
		if (harness->sent == sizeof(harness->header))
			check_header(&harness->header);
		if (harness->sent >= sizeof(harness->header) &&
		    harness->sent == harness->header.size)
			harness->sent = 0;
	}
}

/* The server's thread, as long as there is something for it to do. */
static void serve(struct harness *harness, bool read_replies)
{
	struct epoll_event event;

	for (;;) {
		if (read_replies)
			drain(harness);
		if (!harness->connection || epoll_wait(harness->epoll_fd, &event, 1, 0) != 1)
			return;
		if (!vfio_user_connection_handle(harness->connection, event.events)) {
			vfio_user_connection_destroy(harness->connection);
			harness->connection = NULL;
			harness->device.connection = NULL;
		}
		settle(&harness->device);
	}
}

static int open_kind(unsigned int kind)
{
	switch (kind) {
	case 0:
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	case 1:
		return memfd_create("fuzz", MFD_CLOEXEC);
	case 2:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	default:
		return epoll_create1(EPOLL_CLOEXEC);
	}
}

/*
 * Sends as much as fits; a server that is behind loses the rest, which is one more malformed
 * message.
 */
static void send_packet(struct harness *harness, const struct iovec *iov, size_t iovcnt,
			unsigned int nfds, unsigned int kind)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 32)];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = iovcnt };
	int fds[32];

	for (unsigned int i = 0; i < nfds; i++)
		fds[i] = open_kind(kind);
	if (nfds) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
	}
	(void)!sendmsg(harness->client, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (unsigned int i = 0; i < nfds; i++)
		close(fds[i]);
}

static void send_version(struct harness *harness)
{
	struct vfio_user_header header = {
		.command = VFIO_USER_VERSION,
		.size = sizeof(header) + sizeof(version),
	};
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)version, sizeof(version) } };

	send_packet(harness, iov, 2, 0, 0);
	serve(harness, true);
}

/* Return: bytes of the input that the packet took, 0 when there is none left. */
static size_t next_packet(struct harness *harness, const uint8_t *data, size_t size, bool framed)
{
	size_t head = framed ? 6 : 3;
	struct vfio_user_header header = { 0 };
	struct iovec iov[2] = { { &header, framed ? sizeof(header) : 0 } };
	size_t length;

	if (size < head)
		return 0;
	length = data[1] | (size_t)data[2] << 8;
	if (length > size - head)
		length = size - head;
	iov[1] = (struct iovec){ (void *)(data + head), length };
	if (framed) {
		header.command = data[3];
		header.flags = data[4];
		header.id = data[5];
		header.size = (uint32_t)(sizeof(header) + length);
	}
	send_packet(harness, iov, 2, data[0] & 0x1f, data[0] >> 5 & 3);
	serve(harness, !(data[0] & 0x80));
	return head + length;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	must(dir, "no /proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void start(struct harness *harness)
{
	int ends[2];

	harness->device.memory_fd = memfd_create("region", MFD_CLOEXEC);
	must(harness->device.memory_fd >= 0 && !ftruncate(harness->device.memory_fd, MEMORY_SIZE),
	     "no memory file");
	harness->device.memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				      harness->device.memory_fd, 0);
	must(harness->device.memory != MAP_FAILED, "no memory");
	harness->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
	     "no sockets");
	harness->client = ends[0];
	harness->connection = vfio_user_connection_create(ends[1], harness->epoll_fd, NULL, &ops,
							  &harness->device, NULL, NULL);
}

static void stop(struct harness *harness)
{
	if (harness->connection)
		vfio_user_connection_destroy(harness->connection);
	close(harness->client);
	close(harness->epoll_fd);
	munmap(harness->device.memory, MEMORY_SIZE);
	close(harness->device.memory_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds;
	struct harness harness = { 0 };
	size_t at = 1, taken;

	if (!size || vfio_user_event_init())
		return 0;
	fds = count_fds();
	start(&harness);
	if (harness.connection && data[0] & 1)
		send_version(&harness);
	while (harness.connection && at < size) {
		taken = next_packet(&harness, data + at, size - at, data[0] & 2);
		if (!taken)
			break;
		at += taken;
	}
	stop(&harness);
	must(count_fds() == fds, "descriptors are left open");
	return 0;
}
