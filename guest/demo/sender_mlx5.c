// SPDX-License-Identifier: GPL-2.0-or-later
/* An RDMA NIC as a sender: RDMA writes to a memory region of the buffer. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "rdma_nic.h"
#include "sender.h"

/* TPH Requester Control, of which bits 9:8 are what the function is enabled for. */
#define TPH_CONTROL		8
#define TPH_ENABLED(control)	((control) >> 8 & 3)
#define TPH_ENABLED_EXTENDED	3

struct sender {
	struct rdma_nic nic;
	struct ibv_mr *mr;	/* NULL: no buffer */
	bool extended;
};

/* A register of the function's config space, all ones when there is none. */
static uint32_t config_read(int fd, uint32_t offset)
{
	uint32_t value;

	return pread(fd, &value, sizeof(value), offset) == sizeof(value) ? le32toh(value) : ~0u;
}

/* Whether the function is enabled to send 16-bit tags. */
static int is_extended(const char *bdf, bool *extended)
{
	uint32_t at = PCI_CFG_SPACE_SIZE;
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (at) {
		uint32_t header = config_read(fd, at);

		if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_TPH)
			break;
		at = header == ~0u ? 0 : PCI_EXT_CAP_NEXT(header);
	}
	if (at)
		*extended = TPH_ENABLED(config_read(fd, at + TPH_CONTROL)) == TPH_ENABLED_EXTENDED;
	close(fd);
	return at ? 0 : -EOPNOTSUPP;
}

static int mlx5_open(struct sender **sender, const char *bdf)
{
	struct sender *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	ret = is_extended(bdf, &s->extended);
	if (!ret)
		ret = rdma_nic_open(&s->nic, bdf);
	if (ret) {
		free(s);
		return ret;
	}
	*sender = s;
	return 0;
}

static int mlx5_release(struct sender *s)
{
	int ret = -ibv_dereg_mr(s->mr);

	s->mr = NULL;
	return ret;
}

static void mlx5_close(struct sender *s)
{
	if (s->mr)
		mlx5_release(s);
	rdma_nic_close(&s->nic);
	free(s);
}

static int mlx5_import(struct sender *s, int dmabuf_fd)
{
	off_t size = lseek(dmabuf_fd, 0, SEEK_END);

	return size < 0 ? -errno : rdma_nic_register(&s->nic, dmabuf_fd, size, &s->mr);
}

/* To register a buffer maps it. */
static int mlx5_touch(struct sender *s)
{
	return s->mr ? 0 : -EINVAL;
}

static int mlx5_send(struct sender *s, uint64_t offset, const void *data, size_t length)
{
	return rdma_nic_write(&s->nic, s->mr, offset, data, length);
}

static int mlx5_state(struct sender *s, struct sender_state *state)
{
	struct rdma_nic_hints hints;
	int ret = rdma_nic_hints(&s->nic, s->mr->lkey, &hints);

	if (ret)
		return ret;
	*state = (struct sender_state){
		.tagged = hints.tagged,
		.extended = s->extended,
		.st = hints.st,
		.ph = hints.ph,
		.st_index = hints.st_index,
	};
	return 0;
}

const struct sender_ops sender_mlx5 = {
	.name = "mlx5",
	.imported = "MR registered",
	.revoked_error = -EREMOTEIO,
	.open = mlx5_open,
	.close = mlx5_close,
	.import = mlx5_import,
	.release = mlx5_release,
	.touch = mlx5_touch,
	.send = mlx5_send,
	.state = mlx5_state,
};
