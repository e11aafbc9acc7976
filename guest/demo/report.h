/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that the demo prints, one JSON object a line; README.md describes
 * them. false: standard output took them not.
 */
#ifndef TPHBUF_DEMO_REPORT_H
#define TPHBUF_DEMO_REPORT_H

#include <stdbool.h>

#include "phase.h"

bool report_run(const struct demo *demo, const char *file);
bool report_phase(const struct demo *demo, const struct demo_result *result);
bool report_end(unsigned int phases, bool ok);
bool report_error(const char *text);

#endif
