/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks that the demo puts into the trace of TLPs, for tphbuf-trace and its page. */
#ifndef TPHBUF_DEMO_MARK_H
#define TPHBUF_DEMO_MARK_H

#include "phase.h"

/* What the owner does between phases: "set st-ext=0x0021 ph=0", "clear", "revoke", ... */
int mark_event(struct demo *demo, const char *text);
int mark_set(struct demo *demo, const struct tphbuf_tag *tag);

/* The begin of a phase, with whose writes it is about and what they have to carry; and its end. */
int mark_begin(struct demo *demo, const struct demo_result *result);
int mark_end(struct demo *demo, const struct demo_result *result);

#endif
