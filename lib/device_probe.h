/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_DEVICE_PROBE_H
#define TPB_DEVICE_PROBE_H

#include <tphbuf/probe.h>

/*
 * Starts @probe with what is known of an open device, and fills in its
 * completer, @dmabuf, @st and @st_ext, which takes no more than a few requests.
 */
int tpb_device_probe_tags(struct tphbuf_device *dev, struct tphbuf_probe *probe);

/* Whether memory can be write-combining; @probe->dmabuf is filled. */
void tpb_device_probe_wc(struct tphbuf_device *dev, struct tphbuf_probe *probe);

#endif
