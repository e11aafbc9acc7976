// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capabilities.h"
#include "json_reader.h"
#include "message.h"

/* One member of the "capabilities" object. False on malformed text, which @json keeps. */
static bool read_capability(struct json *json, const char *key, struct vfio_user_capabilities *caps)
{
	if (!strcmp(key, "max_msg_fds")) {
		caps->proposed |= VFIO_USER_CAP_MAX_MSG_FDS;
		return json_u64(json, &caps->max_msg_fds);
	}
	if (!strcmp(key, "max_data_xfer_size")) {
		caps->proposed |= VFIO_USER_CAP_MAX_DATA_XFER;
		return json_u64(json, &caps->max_data_xfer_size);
	}
	if (!strcmp(key, "max_dma_maps")) {
		caps->proposed |= VFIO_USER_CAP_MAX_DMA_MAPS;
		return json_u64(json, &caps->max_dma_maps);
	}
	if (!strcmp(key, "pgsizes")) {
		caps->proposed |= VFIO_USER_CAP_PGSIZES;
		return json_u64(json, &caps->pgsizes);
	}
	if (!strcmp(key, "write_multiple")) {
		caps->proposed |= VFIO_USER_CAP_WRITE_MULTIPLE;
		return json_bool(json, &caps->write_multiple);
	}
	return json_skip(json);
}

static void read_capabilities(struct json *json, struct vfio_user_capabilities *caps)
{
	char key[32];

	if (!json_object_begin(json))
		return;
	while (json_object_next(json, key, sizeof(key)))
		if (!read_capability(json, key, caps))
			return;
}

static void read_version_data(struct json *json, struct vfio_user_capabilities *caps)
{
	char key[32];

	if (!json_object_begin(json))
		return;
	while (json_object_next(json, key, sizeof(key))) {
		if (!strcmp(key, "capabilities"))
			read_capabilities(json, caps);
		else
			json_skip(json);
	}
}

int vfio_user_capabilities_parse(struct vfio_user_capabilities *caps, const char *text, size_t size,
				 const char **why)
{
	struct json json;

	*caps = (struct vfio_user_capabilities){
		.max_msg_fds = 1,
		.max_data_xfer_size = VFIO_USER_MAX_DATA_XFER,
		.max_dma_maps = VFIO_USER_MAX_DMA_MAPS,
		.pgsizes = VFIO_USER_PAGE_SIZE,
	};
	if (!size)
		return 0;

	*why = "version data without NUL at its end";
	if (text[size - 1] != '\0')
		return -EINVAL;
	json_init(&json, text, size - 1);
	read_version_data(&json, caps);
	*why = json_finish(&json);
	if (*why)
		return -EINVAL;

	*why = "max_data_xfer_size 0";
	if (!caps->max_data_xfer_size)
		return -EINVAL;
	*why = "pgsizes without 4 KiB";
	if (!(caps->pgsizes & VFIO_USER_PAGE_SIZE))
		return -EINVAL;
	return 0;
}

/*
 * QEMU takes a number above the largest that it may have itself for malformed, so that a client
 * hears no more than it said, or the 16 that each can do.
 */
static unsigned int max_msg_fds(const struct vfio_user_capabilities *caps)
{
	if (caps->max_msg_fds <= VFIO_USER_COMMON_MSG_FDS)
		return VFIO_USER_COMMON_MSG_FDS;
	return caps->max_msg_fds < VFIO_USER_MAX_MSG_FDS ? (unsigned int)caps->max_msg_fds :
							   VFIO_USER_MAX_MSG_FDS;
}

size_t vfio_user_capabilities_reply(const struct vfio_user_capabilities *caps, char *text,
				    size_t size)
{
	const struct {
		unsigned int bit;
		const char *name;
		unsigned int value;
	} numbers[] = {
		{ VFIO_USER_CAP_MAX_MSG_FDS, "max_msg_fds", max_msg_fds(caps) },
		{ VFIO_USER_CAP_MAX_DATA_XFER, "max_data_xfer_size", VFIO_USER_MAX_DATA_XFER },
		{ VFIO_USER_CAP_MAX_DMA_MAPS, "max_dma_maps", VFIO_USER_MAX_DMA_MAPS },
		{ VFIO_USER_CAP_PGSIZES, "pgsizes", VFIO_USER_PAGE_SIZE },
	};
	const char *separator = "";
	int used;

	used = snprintf(text, size, "{\"capabilities\":{");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!(caps->proposed & numbers[i].bit))
			continue;
		used += snprintf(text + used, size - (size_t)used, "%s\"%s\":%u", separator,
				 numbers[i].name, numbers[i].value);
		separator = ",";
	}
	if (caps->write_multiple)
		used += snprintf(text + used, size - (size_t)used, "%s\"write_multiple\":true",
				 separator);
	used += snprintf(text + used, size - (size_t)used, "}}");
	return (size_t)used + 1;
}
