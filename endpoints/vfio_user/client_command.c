// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the client. A handler returns 0 after it has replied, or -errno with a reason for the
 * log: then the error reply is sent here, in one place.
 */
#include <errno.h>
#include <stddef.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capabilities.h"
#include "client_command.h"
#include "connection.h"

__attribute__((format(printf, 3, 4)))
static int refuse(struct vfio_user_connection *connection, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(connection->reason, sizeof(connection->reason), fmt, ap);
	va_end(ap);
	return error;
}

static size_t payload_size(const struct vfio_user_connection *connection)
{
	return connection->stream.in.header.size - sizeof(connection->stream.in.header);
}

/*
 * Answers the command in @in, unless its sender wants no answer. An error has ended the connection
 * and needs no other.
 */
static void send_reply(struct vfio_user_connection *connection, uint32_t flags, uint32_t error,
		       const void *part, size_t part_size, const void *data, size_t data_size,
		       int fd)
{
	struct vfio_user_header header = connection->stream.in.header;

	if (header.flags & VFIO_USER_FLAG_NO_REPLY)
		return;
	header.size = (uint32_t)(sizeof(header) + part_size + data_size);
	header.flags = VFIO_USER_TYPE_REPLY | flags;
	header.error = error;
	pthread_mutex_lock(&connection->stream.lock);
	vfio_user_stream_send(&connection->stream, &header, part, part_size, data, data_size, fd);
	pthread_mutex_unlock(&connection->stream.lock);
}

static int reply(struct vfio_user_connection *connection, const void *part, size_t size)
{
	send_reply(connection, 0, 0, part, size, NULL, 0, -1);
	return 0;
}

static int start_device(struct vfio_user_connection *connection)
{
	unsigned int count[VFIO_USER_IRQ_TYPES];
	int ret;

	for (unsigned int type = 0; type < VFIO_USER_IRQ_TYPES; type++)
		count[type] = connection->ops->irq_count(connection->device, type);
	ret = vfio_user_irqs_init(&connection->irqs, count);
	if (ret)
		return refuse(connection, ret, "interrupt vectors");
	connection->negotiated = true;
	connection->ops->connect(connection->device, connection);
	return 0;
}

static int negotiate(struct vfio_user_connection *connection, struct vfio_user_capabilities *caps)
{
	const uint8_t *payload = connection->stream.in.payload;
	struct vfio_user_version version;
	const char *why;
	int ret;

	memcpy(&version, payload, sizeof(version));
	if (version.major != VFIO_USER_VERSION_MAJOR)
		return refuse(connection, -EPROTONOSUPPORT,
			      "version %u.%u, this server speaks %u.%u", version.major,
			      version.minor, VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR);
	ret = vfio_user_capabilities_parse(caps, (const char *)payload + sizeof(version),
					   payload_size(connection) - sizeof(version), &why);
	if (ret)
		return refuse(connection, ret, "capabilities: %s", why);
	connection->max_data_xfer = caps->max_data_xfer_size < VFIO_USER_MAX_DATA_XFER ?
		(uint32_t)caps->max_data_xfer_size : VFIO_USER_MAX_DATA_XFER;
	connection->takes_fds = caps->max_msg_fds > 0;
	connection->write_multiple = caps->write_multiple;
	return start_device(connection);
}

static int handle_version(struct vfio_user_connection *connection)
{
	struct {
		struct vfio_user_version version;
		char text[VFIO_USER_CAPABILITIES_REPLY_MAX];
	} answer = { .version = { VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR } };
	struct vfio_user_capabilities caps;
	size_t size;
	int ret;

	if (connection->negotiated)
		return refuse(connection, -EINVAL, "the version is agreed upon already");
	ret = negotiate(connection, &caps);
	if (ret) {
		connection->closing = true;
		return ret;
	}
	size = vfio_user_capabilities_reply(&caps, answer.text, sizeof(answer.text));
	return reply(connection, &answer, sizeof(answer.version) + size);
}

static int handle_dma_map(struct vfio_user_connection *connection)
{
	struct vfio_user_incoming *in = &connection->stream.in;
	struct vfio_user_mapping mapping;
	struct vfio_user_dma_map map;
	int ret;

	memcpy(&map, in->payload, sizeof(map));
	if (map.argsz != sizeof(map))
		return refuse(connection, -EINVAL, "argsz %u, not %zu", map.argsz, sizeof(map));
	if (!map.flags || map.flags & ~(uint32_t)(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		return refuse(connection, -EINVAL, "flags 0x%x", map.flags);
	if (!in->fds.count && map.offset)
		return refuse(connection, -EINVAL, "an offset, but no file");
	mapping = (struct vfio_user_mapping){
		.address = map.address,
		.size = map.size,
		.offset = map.offset,
		.readable = map.flags & VFIO_DMA_MAP_FLAG_READ,
		.writable = map.flags & VFIO_DMA_MAP_FLAG_WRITE,
		.fd = in->fds.count ? in->fds.fd[0] : -1,
	};
	ret = connection->ops->dma_map(connection->device, &mapping);
	if (ret == -EMEDIUMTYPE)
		return refuse(connection, ret,
			      "the file is neither on tmpfs (a memfd is) nor on hugetlbfs");
	if (ret == -ERANGE)
		return refuse(connection, -EINVAL,
			      "the file is shorter than its offset 0x%" PRIx64 " + 0x%" PRIx64,
			      map.offset, map.size);
	if (ret)
		return refuse(connection, ret, "0x%" PRIx64 "+0x%" PRIx64 ", %s offset 0x%" PRIx64,
			      map.address, map.size, in->fds.count ? "file" : "no file,",
			      map.offset);
	/* A file that was accepted can be closed without asking its owner. */
	if (in->fds.count) {
		close(in->fds.fd[0]);
		in->fds.fd[0] = -1;
	}
	return reply(connection, NULL, 0);
}

static int handle_dma_unmap(struct vfio_user_connection *connection)
{
	struct vfio_user_dma_unmap unmap;
	int ret;

	memcpy(&unmap, connection->stream.in.payload, sizeof(unmap));
	if (unmap.argsz < sizeof(unmap))
		return refuse(connection, -EINVAL, "argsz %u below %zu", unmap.argsz,
			      sizeof(unmap));
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		return refuse(connection, -EOPNOTSUPP, "no dirty page tracking");
	if (unmap.flags & ~(uint32_t)VFIO_DMA_UNMAP_FLAG_ALL)
		return refuse(connection, -EINVAL, "flags 0x%x", unmap.flags);
	if (payload_size(connection) != sizeof(unmap))
		return refuse(connection, -EINVAL, "payload of %zu bytes",
			      payload_size(connection));
	if (unmap.flags) {
		if (unmap.address || unmap.size)
			return refuse(connection, -EINVAL, "all, but with a range");
		connection->ops->dma_unmap_all(connection->device);
	} else {
		ret = connection->ops->dma_unmap(connection->device, unmap.address, unmap.size);
		/*
		 * The specification wants the range of a map. A client with a virtual IOMMU
		 * withdraws whole address ranges though, and VFIO itself takes that for success.
		 */
		if (ret && ret != -ENOENT)
			return refuse(connection, ret, "0x%" PRIx64 "+0x%" PRIx64, unmap.address,
				      unmap.size);
	}
	unmap.argsz = sizeof(unmap);
	return reply(connection, &unmap, sizeof(unmap));
}

static int handle_get_info(struct vfio_user_connection *connection)
{
	struct vfio_user_device_info info;

	memcpy(&info, connection->stream.in.payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return refuse(connection, -EINVAL, "argsz %u below %zu", info.argsz, sizeof(info));
	if (info.flags || info.num_regions || info.num_irqs)
		return refuse(connection, -EINVAL, "reserved fields are not 0");
	info = (struct vfio_user_device_info){
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = connection->irqs.types,
	};
	return reply(connection, &info, sizeof(info));
}

/*
 * What a client with room for it gets of a region that it can map: one area, all of it. The
 * members are those of struct vfio_region_info_cap_sparse_mmap, whose array has no size.
 */
struct region_areas {
	struct vfio_info_cap_header header;
	uint32_t nr_areas;
	uint32_t reserved;
	struct vfio_region_sparse_mmap_area area;
};

_Static_assert(offsetof(struct region_areas, nr_areas) ==
	       offsetof(struct vfio_region_info_cap_sparse_mmap, nr_areas), "as VFIO has it");
_Static_assert(offsetof(struct region_areas, area) ==
	       sizeof(struct vfio_region_info_cap_sparse_mmap), "as VFIO has it");

/* A region that the client may map: one area, all of it, and its file. */
static int reply_mappable(struct vfio_user_connection *connection,
			  struct vfio_user_region_info *info, size_t room, int fd)
{
	struct region_areas areas = {
		.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nr_areas = 1,
		.area.size = info->size,
	};

	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	info->argsz += sizeof(areas);
	/* As VFIO does it: the client learns how much room it takes, and asks again. */
	if (room < info->argsz)
		return reply(connection, info, sizeof(*info));
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	info->cap_offset = sizeof(*info);
	send_reply(connection, 0, 0, info, sizeof(*info), &areas, sizeof(areas), fd);
	return 0;
}

static int handle_get_region_info(struct vfio_user_connection *connection)
{
	struct vfio_user_region region = { .fd = -1 };
	struct vfio_user_region_info info;
	size_t room;

	memcpy(&info, connection->stream.in.payload, sizeof(info));
	room = info.argsz;
	if (room < sizeof(info))
		return refuse(connection, -EINVAL, "argsz %u below %zu", info.argsz, sizeof(info));
	if (info.flags || info.cap_offset || info.size || info.offset)
		return refuse(connection, -EINVAL, "reserved fields are not 0");
	if (info.index >= VFIO_PCI_NUM_REGIONS)
		return refuse(connection, -EINVAL, "no region %u", info.index);
	connection->ops->region_info(connection->device, info.index, &region);
	info.argsz = sizeof(info);
	info.size = region.size;
	if (region.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (region.fd < 0 || !connection->takes_fds)
		return reply(connection, &info, sizeof(info));
	return reply_mappable(connection, &info, room, region.fd);
}

static int handle_get_irq_info(struct vfio_user_connection *connection)
{
	struct vfio_user_irq_info info;

	memcpy(&info, connection->stream.in.payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return refuse(connection, -EINVAL, "argsz %u below %zu", info.argsz, sizeof(info));
	if (info.flags || info.count)
		return refuse(connection, -EINVAL, "reserved fields are not 0");
	if (info.index >= connection->irqs.types) {
		/*
		 * Clients probe for the error and request interrupts of VFIO like this: nothing to
		 * report.
		 */
		connection->reason[0] = '\0';
		return -EINVAL;
	}
	info.argsz = sizeof(info);
	info.count = connection->irqs.count[info.index];
	if (info.count)
		info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE;
	return reply(connection, &info, sizeof(info));
}

static int handle_set_irqs(struct vfio_user_connection *connection)
{
	struct vfio_user_incoming *in = &connection->stream.in;
	struct vfio_user_irq_set set;
	const char *why;
	int ret;

	memcpy(&set, in->payload, sizeof(set));
	ret = vfio_user_irqs_set(&connection->irqs, &set, in->payload + sizeof(set),
				 payload_size(connection) - sizeof(set), in->fds.fd, in->fds.count,
				 &why);
	if (ret)
		return refuse(connection, ret, "type %u, vectors %u+%u, flags 0x%x: %s", set.index,
			      set.start, set.count, set.flags, why);
	return reply(connection, NULL, 0);
}

static int region_refuse(struct vfio_user_connection *connection, int error,
			 const struct vfio_user_region_access *access)
{
	return refuse(connection, error, "region %u, 0x%" PRIx64 "+0x%x", access->region,
		      access->offset, access->count);
}

static int handle_region_read(struct vfio_user_connection *connection)
{
	struct vfio_user_region_access access;
	uint8_t *data;
	int ret;

	memcpy(&access, connection->stream.in.payload, sizeof(access));
	if (!access.count || access.count > VFIO_USER_MAX_DATA_XFER)
		return region_refuse(connection, -EINVAL, &access);
	data = vfio_user_stream_buffer(&connection->stream, access.count);
	if (!data)
		return region_refuse(connection, -ENOMEM, &access);
	ret = connection->ops->region_read(connection->device, access.region, access.offset, data,
					   access.count);
	if (ret)
		return region_refuse(connection, ret, &access);
	send_reply(connection, 0, 0, &access, sizeof(access), data, access.count, -1);
	return 0;
}

static int handle_region_write(struct vfio_user_connection *connection)
{
	struct vfio_user_region_access access;
	int ret;

	memcpy(&access, connection->stream.in.payload, sizeof(access));
	if (!access.count || access.count != payload_size(connection) - sizeof(access))
		return region_refuse(connection, -EINVAL, &access);
	ret = connection->ops->region_write(connection->device, access.region, access.offset,
					    connection->stream.in.payload + sizeof(access),
					    access.count);
	if (ret)
		return region_refuse(connection, ret, &access);
	return reply(connection, &access, sizeof(access));
}

static int handle_region_write_multi(struct vfio_user_connection *connection)
{
	const uint8_t *payload = connection->stream.in.payload;
	size_t size = payload_size(connection) - sizeof(struct vfio_user_multi);
	struct vfio_user_multi multi;

	memcpy(&multi, payload, sizeof(multi));
	if (!connection->write_multiple)
		return refuse(connection, -EOPNOTSUPP, "write_multiple was not agreed upon");
	if (!multi.wr_cnt || size % sizeof(struct vfio_user_multi_write) ||
	    multi.wr_cnt != size / sizeof(struct vfio_user_multi_write))
		return refuse(connection, -EINVAL, "%" PRIu64 " writes in %zu bytes", multi.wr_cnt,
			      size);
	for (uint64_t i = 0; i < multi.wr_cnt; i++) {
		struct vfio_user_multi_write one;
		struct vfio_user_region_access access;
		int ret = -EINVAL;

		memcpy(&one, payload + sizeof(multi) + i * sizeof(one), sizeof(one));
		access = (struct vfio_user_region_access){ one.offset, one.region, one.count };
		if (one.count && one.count <= sizeof(one.data))
			ret = connection->ops->region_write(connection->device, one.region,
							    one.offset, one.data, one.count);
		if (ret)
			return region_refuse(connection, ret, &access);
	}
	return reply(connection, &multi, sizeof(multi));
}

static int handle_reset(struct vfio_user_connection *connection)
{
	connection->ops->reset(connection->device);
	return reply(connection, NULL, 0);
}

/* What the protocol defines and this server does not offer. */
static int handle_unsupported(struct vfio_user_connection *connection)
{
	return refuse(connection, -EOPNOTSUPP, "not offered");
}

static int handle_device_feature(struct vfio_user_connection *connection)
{
	/* As the ioctl() of the same name answers for a feature that it does not know. */
	return refuse(connection, -ENOTTY, "no feature is offered");
}

/**
 * struct command - what is checked before a command is carried out
 * @handle: carries it out; NULL for one that a client does not send
 * @min: bytes of payload at least
 * @max: bytes of payload at most
 * @max_fds: descriptors that may come with it
 */
struct command {
	int (*handle)(struct vfio_user_connection *connection);
	size_t min;
	size_t max;
	unsigned int max_fds;
};

#define FIXED(type)	sizeof(struct type), sizeof(struct type)
/* Some clients send room for the whole reply along. */
#define AT_LEAST(type)	sizeof(struct type), VFIO_USER_MAX_PAYLOAD

static const struct command commands[] = {
	[VFIO_USER_VERSION] = {
		handle_version, sizeof(struct vfio_user_version),
		sizeof(struct vfio_user_version) + VFIO_USER_MAX_VERSION_DATA, 0 },
	[VFIO_USER_DMA_MAP] = { handle_dma_map, FIXED(vfio_user_dma_map), 1 },
	/* Some clients send the file along that they sent with DMA_MAP. */
	[VFIO_USER_DMA_UNMAP] = { handle_dma_unmap, AT_LEAST(vfio_user_dma_unmap), 1 },
	[VFIO_USER_DEVICE_GET_INFO] = {
		handle_get_info, AT_LEAST(vfio_user_device_info), 0 },
	[VFIO_USER_DEVICE_GET_REGION_INFO] = {
		handle_get_region_info, AT_LEAST(vfio_user_region_info), 0 },
	[VFIO_USER_DEVICE_GET_REGION_IO_FDS] = {
		handle_unsupported, 0, VFIO_USER_MAX_PAYLOAD, 0 },
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = {
		handle_get_irq_info, AT_LEAST(vfio_user_irq_info), 0 },
	[VFIO_USER_DEVICE_SET_IRQS] = {
		handle_set_irqs, sizeof(struct vfio_user_irq_set),
		VFIO_USER_MAX_PAYLOAD, VFIO_USER_MAX_MSG_FDS },
	[VFIO_USER_REGION_READ] = {
		handle_region_read, FIXED(vfio_user_region_access), 0 },
	[VFIO_USER_REGION_WRITE] = {
		handle_region_write, sizeof(struct vfio_user_region_access),
		VFIO_USER_MAX_PAYLOAD, 0 },
	[VFIO_USER_DEVICE_RESET] = { handle_reset, 0, 0, 0 },
	[VFIO_USER_REGION_WRITE_MULTI] = {
		handle_region_write_multi, sizeof(struct vfio_user_multi),
		VFIO_USER_MAX_PAYLOAD, 0 },
	[VFIO_USER_DEVICE_FEATURE] = {
		handle_device_feature, 0, VFIO_USER_MAX_PAYLOAD, 0 },
	[VFIO_USER_MIG_DATA_READ] = {
		handle_unsupported, 0, VFIO_USER_MAX_PAYLOAD, 0 },
	[VFIO_USER_MIG_DATA_WRITE] = {
		handle_unsupported, 0, VFIO_USER_MAX_PAYLOAD, 0 },
};

static const struct command *find_command(unsigned int number)
{
	if (number >= sizeof(commands) / sizeof(commands[0]) || !commands[number].handle)
		return NULL;
	return &commands[number];
}

static int check_and_handle(struct vfio_user_connection *connection)
{
	const struct vfio_user_incoming *in = &connection->stream.in;
	const struct command *command = find_command(in->header.command);
	size_t size = payload_size(connection);

	if (in->header.flags & VFIO_USER_FLAG_TYPE || in->header.flags & VFIO_USER_FLAG_ERROR)
		return refuse(connection, -EINVAL, "flags 0x%x are no command's", in->header.flags);
	if (!connection->negotiated && in->header.command != VFIO_USER_VERSION)
		return refuse(connection, -EINVAL, "before VERSION");
	if (!command)
		return refuse(connection, -EOPNOTSUPP, "command %u is no client's",
			      in->header.command);
	if (size < command->min || size > command->max)
		return refuse(connection, -EINVAL, "payload of %zu bytes, %zu to %zu can be", size,
			      command->min, command->max);
	if (in->fds.lost || in->fds.count > command->max_fds)
		return refuse(connection, -EINVAL, "%s%u descriptors, %u can be",
			      in->fds.lost ? "more than " : "", in->fds.count, command->max_fds);
	return command->handle(connection);
}

void vfio_user_command_handle(struct vfio_user_connection *connection)
{
	int ret = check_and_handle(connection);

	if (!ret)
		return;
	if (connection->reason[0])
		vfio_user_log(connection->log, "%s refused: %s: %s",
			      vfio_user_command_name(connection->stream.in.header.command),
			      connection->reason, strerror(-ret));
	send_reply(connection, VFIO_USER_FLAG_ERROR, (uint32_t)-ret, NULL, 0, NULL, 0, -1);
}
