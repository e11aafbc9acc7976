/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_UUID_H
#define TPB_UUID_H

#include <stdint.h>

#define TPB_UUID_SIZE	16

/* Reads a UUID (RFC 9562), in the order of its text. -EINVAL when @text is not one. */
int tpb_uuid_parse(const char *text, uint8_t uuid[TPB_UUID_SIZE]);

#endif
