// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/ioctl.h>

#include <infiniband/verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include "nic_ioctl.h"

/* From ib_user_ioctl_cmds.h of Linux 7.3; that of the guest may be older. */
enum {
	OBJECT_MR = 7,
	OBJECT_DMAH = 17,
};

enum {
	METHOD_MR_DESTROY = 1,
	METHOD_REG_MR = 5,
	METHOD_DMAH_ALLOC = 0,
};

enum {
	REG_MR_HANDLE,
	REG_MR_PD_HANDLE,
	REG_MR_DMA_HANDLE,
	REG_MR_IOVA,
	REG_MR_ADDR,
	REG_MR_LENGTH,
	REG_MR_ACCESS_FLAGS,
	REG_MR_FD,
	REG_MR_FD_OFFSET,
	REG_MR_RESP_LKEY,
	REG_MR_RESP_RKEY,
};

enum {
	DESTROY_MR_HANDLE = 0,
	ALLOC_DMAH_HANDLE = 0,
	ALLOC_DMAH_PH = 3,
};

#define MAX_ATTRS 12

/* A header, in which the attributes begin, with room for them. */
union request {
	struct ib_uverbs_ioctl_hdr header;
	uint8_t room[sizeof(struct ib_uverbs_ioctl_hdr) +
		     MAX_ATTRS * sizeof(struct ib_uverbs_attr)];
};

static struct ib_uverbs_attr *add(union request *request, uint16_t id)
{
	struct ib_uverbs_attr *attr = &request->header.attrs[request->header.num_attrs++];

	*attr = (struct ib_uverbs_attr){ .attr_id = id, .flags = UVERBS_ATTR_F_MANDATORY };
	return attr;
}

/* Values of up to 8 bytes stand in the attribute itself. */
static void add_value(union request *request, uint16_t id, uint64_t value, uint16_t size)
{
	struct ib_uverbs_attr *attr = add(request, id);

	attr->len = size;
	attr->data = value;
}

static void add_object(union request *request, uint16_t id, uint32_t handle)
{
	add(request, id)->data = handle;
}

static void add_result(union request *request, uint16_t id, uint32_t *value)
{
	add_value(request, id, (uintptr_t)value, sizeof(*value));
}

static int call(int cmd_fd, union request *request, uint16_t object, uint16_t method)
{
	request->header.object_id = object;
	request->header.method_id = method;
	request->header.driver_id = RDMA_DRIVER_MLX5;
	request->header.length = sizeof(request->header) +
				 request->header.num_attrs * sizeof(request->header.attrs[0]);
	return ioctl(cmd_fd, RDMA_VERBS_IOCTL, request) ? -errno : 0;
}

int nic_ioctl_alloc_dmah(int cmd_fd, uint8_t ph, uint32_t *handle)
{
	union request request = { 0 };
	int ret;

	add_object(&request, ALLOC_DMAH_HANDLE, 0);
	add_value(&request, ALLOC_DMAH_PH, ph, sizeof(ph));
	ret = call(cmd_fd, &request, OBJECT_DMAH, METHOD_DMAH_ALLOC);
	*handle = request.header.attrs[0].data;
	return ret;
}

int nic_ioctl_register(int cmd_fd, uint32_t pd, int dmabuf, uint64_t length, uint32_t access,
		       uint32_t dmah, uint32_t *handle, uint32_t *lkey, uint32_t *rkey)
{
	union request request = { 0 };
	int ret;

	add_object(&request, REG_MR_HANDLE, 0);
	add_object(&request, REG_MR_PD_HANDLE, pd);
	add_object(&request, REG_MR_DMA_HANDLE, dmah);
	add_value(&request, REG_MR_IOVA, 0, 8);
	add_value(&request, REG_MR_LENGTH, length, 8);
	add_value(&request, REG_MR_ACCESS_FLAGS, access, 4);
	add(&request, REG_MR_FD)->data_s64 = dmabuf;
	add_value(&request, REG_MR_FD_OFFSET, 0, 8);
	add_result(&request, REG_MR_RESP_LKEY, lkey);
	add_result(&request, REG_MR_RESP_RKEY, rkey);
	ret = call(cmd_fd, &request, OBJECT_MR, METHOD_REG_MR);
	*handle = request.header.attrs[0].data;
	return ret;
}

int nic_ioctl_deregister(int cmd_fd, uint32_t handle)
{
	union request request = { 0 };

	add_object(&request, DESTROY_MR_HANDLE, handle);
	return call(cmd_fd, &request, OBJECT_MR, METHOD_MR_DESTROY);
}
