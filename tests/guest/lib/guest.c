// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "guest.h"

#define ENV_PREFIX	"TPHBUF_DEV_"

extern char **environ;

static const char *device_env(const char *name)
{
	char variable[80] = ENV_PREFIX;
	size_t i = strlen(variable);

	for (; *name && i < sizeof(variable) - 1; name++)
		variable[i++] = toupper((unsigned char)*name);
	variable[i] = 0;
	return getenv(variable);
}

bool device_exists(const char *name)
{
	return device_env(name);
}

const char *device_bdf(const char *name)
{
	const char *bdf = device_env(name);

	require_true(bdf, "the suite has a device named %s", name);
	return bdf;
}

bool domain_is_translated(void)
{
	const char *domain = getenv("TPHBUF_DOMAIN");

	return domain && !strcmp(domain, "translated");
}

int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void devices_unbind(void)
{
	char **env;

	for (env = environ; *env; env++) {
		const char *bdf = strchr(*env, '=');
		char path[200], target[200];
		ssize_t length;

		if (strncmp(*env, ENV_PREFIX, strlen(ENV_PREFIX)) || !bdf++)
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = 0;
		if (!strstr(target, "/vfio-pci"))
			continue;
		sysfs_write("/sys/bus/pci/drivers/vfio-pci/unbind", bdf);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
		sysfs_write(path, "\n");
	}
}

struct accelerator acc_open(const char *name)
{
	struct accelerator acc;

	require_error(accelerator_open(&acc, device_bdf(name), TPHBUF_OPEN_BIND), 0, "open %s",
		      name);
	require_error(accelerator_map(&acc), 0, "map BAR2 of %s", name);
	return acc;
}

int acc_export(struct accelerator *acc, uint64_t offset, uint64_t length,
	       const struct tphbuf_tag *tag)
{
	int fd = accelerator_export(acc, offset, length, tag);

	require_error(fd < 0 ? fd : 0, 0, "export 0x%llx bytes at 0x%llx",
		      (unsigned long long)length, (unsigned long long)offset);
	return fd;
}

void acc_set_tag(struct accelerator *acc, int dmabuf, const struct tphbuf_tag *tag)
{
	require_error(tphbuf_set_tag(acc->dev, dmabuf, tag, NULL), 0,
		      "set tag 0x%x/0x%x valid %u ph %u", tag->st, tag->st_ext, tag->valid,
		      tag->ph);
}

void acc_decode(struct accelerator *acc, bool on)
{
	int ret = on ? tphbuf_device_enable_memory(acc->dev) :
		       tphbuf_device_disable_memory(acc->dev);

	require_error(ret, 0, "turn memory decoding %s", on ? "on" : "off");
}

void acc_reset(struct accelerator *acc)
{
	int ret = ioctl(tphbuf_device_fd(acc->dev), VFIO_DEVICE_RESET);

	require_error(ret ? -errno : 0, 0, "reset the device");
}

struct accelerator_counters acc_count(struct accelerator *acc, bool extended, uint16_t tag)
{
	struct accelerator_counters counters = { 0 };

	require_error(accelerator_count(acc, extended, tag, &counters), 0, "read the counters");
	return counters;
}

struct accelerator_counters acc_count_since(struct accelerator *acc, bool extended, uint16_t tag,
					    const struct accelerator_counters *before)
{
	struct accelerator_counters counters = acc_count(acc, extended, tag);

	accelerator_subtract(&counters, before);
	return counters;
}

int engine_open(const char *name)
{
	int fd = dma_engine_open(device_bdf(name));

	require_error(fd < 0 ? fd : 0, 0, "open the device file of %s", name);
	return fd;
}

uint32_t engine_import(int engine, int dmabuf)
{
	int64_t handle = dma_engine_import(engine, dmabuf);

	require_error(handle < 0 ? handle : 0, 0, "import");
	require_true(handle > 0, "handles are positive");
	return handle;
}

struct tph_dma_query engine_query(int engine, uint32_t handle)
{
	struct tph_dma_query query;

	require_error(dma_engine_query(engine, handle, &query), 0, "query");
	return query;
}

struct tphbuf_tag tag_8bit(uint8_t st, uint8_t ph)
{
	return (struct tphbuf_tag){ .valid = TPHBUF_TAG_ST, .st = st, .ph = ph };
}

struct tphbuf_tag tag_ext(uint16_t st_ext, uint8_t ph)
{
	return (struct tphbuf_tag){ .valid = TPHBUF_TAG_ST_EXT, .st_ext = st_ext, .ph = ph };
}

struct tphbuf_tag tag_both(uint8_t st, uint16_t st_ext, uint8_t ph)
{
	return (struct tphbuf_tag){
		.valid = TPHBUF_TAG_ST | TPHBUF_TAG_ST_EXT,
		.st = st,
		.st_ext = st_ext,
		.ph = ph,
	};
}

void fill_bytes(void *buf, size_t length, uint32_t seed)
{
	uint8_t *bytes = buf;

	for (size_t i = 0; i < length; i++) {
		uint32_t x = ((uint32_t)i + 1) * 0x9e3779b1u + seed * 0x85ebca6bu;

		bytes[i] = x >> 24;
	}
}
