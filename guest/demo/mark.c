// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts of the marks (docs/reference/trace-format.md). */
#include <stdio.h>
#include <string.h>

#include "accelerator_owner.h"
#include "mark.h"

/* The trace names a function without the domain of its bus. */
static const char *without_domain(const char *bdf)
{
	const char *colon = strchr(bdf, ':');

	return colon && strchr(colon + 1, ':') ? colon + 1 : bdf;
}

int mark_event(struct demo *demo, const char *text)
{
	return accelerator_mark(&demo->acc, 0, text);
}

int mark_set(struct demo *demo, const struct tphbuf_tag *tag)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "set");

	if (tag->valid & TPHBUF_TAG_ST)
		n += snprintf(text + n, sizeof(text) - n, " st=0x%02x", tag->st);
	if (tag->valid & TPHBUF_TAG_ST_EXT)
		n += snprintf(text + n, sizeof(text) - n, " st-ext=0x%04x", tag->st_ext);
	snprintf(text + n, sizeof(text) - n, " ph=%u", tag->ph);
	return mark_event(demo, text);
}

int mark_begin(struct demo *demo, const struct demo_result *result)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "phase %s from=%s to=%s expect=", result->name,
			 without_domain(demo->from),
			 demo->translated ? "rc" : without_domain(demo->to));

	if (result->tagged)
		snprintf(text + n, sizeof(text) - n, "%s=0x%0*x,ph=%u",
			 demo->name_space == DEMO_EXTENDED ? "st-ext" : "st",
			 demo->name_space == DEMO_EXTENDED ? 4 : 2, result->st, result->ph);
	else
		snprintf(text + n, sizeof(text) - n,
			 result->op == DEMO_OP_NONE ? "nothing" : "none");
	return accelerator_mark(&demo->acc, result->mark, text);
}

int mark_end(struct demo *demo, const struct demo_result *result)
{
	return accelerator_mark(&demo->acc, result->mark_end, "end");
}
