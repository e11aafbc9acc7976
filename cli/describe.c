// SPDX-License-Identifier: GPL-2.0-or-later
/* A struct tphbuf_probe in words and in JSON. */
#include <stdio.h>

#include "describe.h"

const char *completer_name(enum tphbuf_completer completer)
{
	switch (completer) {
	case TPHBUF_COMPLETER_NONE:
		return "none";
	case TPHBUF_COMPLETER_TPH:
		return "tph";
	case TPHBUF_COMPLETER_EXT_TPH:
		return "ext-tph";
	case TPHBUF_COMPLETER_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *requester_name(enum tphbuf_requester requester)
{
	switch (requester) {
	case TPHBUF_REQUESTER_NONE:
		return "none";
	case TPHBUF_REQUESTER_TPH:
		return "tph";
	case TPHBUF_REQUESTER_EXT_TPH:
		return "ext-tph";
	case TPHBUF_REQUESTER_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *access_name(enum tphbuf_access access)
{
	switch (access) {
	case TPHBUF_ACCESS_CDEV:
		return "cdev";
	case TPHBUF_ACCESS_GROUP:
		return "group";
	case TPHBUF_ACCESS_NONE:
		break;
	}
	return "none";
}

const char *answer_name(enum tphbuf_reason reason)
{
	return reason == TPHBUF_REASON_NONE ? "yes" : tphbuf_reason_name(reason);
}

void answer_json(struct json_writer *json, const char *name, enum tphbuf_reason reason,
		 const struct tphbuf_probe *about)
{
	char line[512];

	json_object(json, name);
	if (reason == TPHBUF_REASON_NOT_ASKED)
		json_null(json, "possible");
	else
		json_bool(json, "possible", reason == TPHBUF_REASON_NONE);
	json_string(json, "reason", tphbuf_reason_name(reason));
	tphbuf_reason_text(reason, about, line, sizeof(line));
	json_string(json, "text", line);
	json_object_end(json);
}

static void string_or_null(struct json_writer *json, const char *name, const char *text)
{
	json_string(json, name, text[0] ? text : NULL);
}

void probe_json_members(struct json_writer *json, const struct tphbuf_probe *probe)
{
	char id[16];

	string_or_null(json, "device", probe->bdf);
	snprintf(id, sizeof(id), "%04x:%04x", probe->vendor, probe->device);
	string_or_null(json, "id", probe->vendor ? id : "");
	string_or_null(json, "driver", probe->driver);
	string_or_null(json, "cdev", probe->cdev);
	json_string(json, "access", access_name(probe->access));
	if (probe->iommu_group >= 0)
		json_int(json, "iommu_group", probe->iommu_group);
	else
		json_null(json, "iommu_group");
	json_string(json, "completer", completer_name(probe->completer));
	json_string(json, "requester", requester_name(probe->requester));
	answer_json(json, "open", probe->open, probe);
	answer_json(json, "dmabuf", probe->dmabuf, probe);
	answer_json(json, "st", probe->st, probe);
	answer_json(json, "st_ext", probe->st_ext, probe);
	answer_json(json, "mmap", probe->mmap, probe);
	answer_json(json, "wc", probe->wc, probe);
}
