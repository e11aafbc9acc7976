/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_OPEN_H
#define TPB_OPEN_H

#include "device.h"

/*
 * Opens the function that @probe describes, whose @open is NONE. On failure
 * @probe->open is the reason.
 */
int tpb_open_function(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
		      struct tphbuf_device **dev);

#endif
