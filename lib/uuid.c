// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* UUIDs, the form of VF tokens. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "uuid.h"

int tpb_uuid_parse(const char *text, uint8_t uuid[TPB_UUID_SIZE])
{
	unsigned int value;

	for (unsigned int i = 0; i < TPB_UUID_SIZE; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -EINVAL;
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
		    sscanf(text, "%2x", &value) != 1)
			return -EINVAL;
		uuid[i] = (uint8_t)value;
		text += 2;
	}
	return *text ? -EINVAL : 0;
}
