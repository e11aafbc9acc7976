/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_REASON_H
#define TPB_REASON_H

#include <tphbuf/probe.h>

/*
 * Notes in @probe why a call fails, with the errno value @err, 0 or negative,
 * where the reason has none of its own. Returns the errno value of the call.
 */
int tpb_fail(struct tphbuf_probe *probe, enum tphbuf_reason reason, int err);

/* The same, and @probe->open says so too. */
int tpb_fail_open(struct tphbuf_probe *probe, enum tphbuf_reason reason, int err);

/* For access that was denied to the file at @path, which is without the sysroot. */
int tpb_fail_denied(struct tphbuf_probe *probe, const char *path);

#endif
