/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A struct tphbuf_probe in words and in JSON. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <tphbuf/probe.h>

#include "json_writer.h"

/* "none", "tph", "ext-tph", "unknown" */
const char *completer_name(enum tphbuf_completer completer);

const char *requester_name(enum tphbuf_requester requester);

/* "cdev", "group", "none" */
const char *access_name(enum tphbuf_access access);

/* "yes", or the name of the reason */
const char *answer_name(enum tphbuf_reason reason);

/* An object with the members possible, reason and text. */
void answer_json(struct json_writer *json, const char *name, enum tphbuf_reason reason,
		 const struct tphbuf_probe *about);

/* Members of the object that is open. */
void probe_json_members(struct json_writer *json, const struct tphbuf_probe *probe);

#endif
