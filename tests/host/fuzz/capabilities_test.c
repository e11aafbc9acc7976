// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the capabilities of VERSION: JSON from outside. The input is the version data as
 * received.
 */
#include <stdlib.h>
#include <string.h>

#include "vfio_user/capabilities.h"
#include "vfio_user/json_reader.h"
#include "vfio_user/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reply[VFIO_USER_CAPABILITIES_REPLY_MAX];
	struct vfio_user_capabilities caps, again;
	const char *why = NULL;
	struct json json;
	size_t length;
	char *text;

	if (size > VFIO_USER_MAX_VERSION_DATA)
		return 0;
	/* A block of its own, so that one byte too far is seen. */
	text = malloc(size ? size : 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	if (vfio_user_capabilities_parse(&caps, text, size, &why)) {
		if (!why)
			abort();
	} else {
		length = vfio_user_capabilities_reply(&caps, reply, sizeof(reply));
		if (length > sizeof(reply) || strlen(reply) + 1 != length ||
		    vfio_user_capabilities_parse(&again, reply, length, &why) ||
		    again.proposed & ~caps.proposed)
			abort();
	}
	/* The reader itself takes text without NUL. */
	json_init(&json, text, size);
	json_skip(&json);
	json_finish(&json);
	free(text);
	return 0;
}
