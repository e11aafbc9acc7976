/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A struct tphbuf_probe in words and in JSON. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <tphbuf/probe.h>

#include "json.h"

/* "none", "tph", "ext-tph", "unknown" */
const char *completer_name(enum tphbuf_completer completer);

/* "yes", or the name of the reason */
const char *answer_name(enum tphbuf_reason reason);

/* An object with the members possible, reason and text. */
void answer_json(struct json *json, const char *name, enum tphbuf_reason reason,
		 const struct tphbuf_probe *about);

void probe_json(struct json *json, const char *name, const struct tphbuf_probe *probe);

#endif
