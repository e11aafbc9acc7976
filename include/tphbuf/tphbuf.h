/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libtphbuf: export the memory of a VFIO PCI device as a dma-buf that carries
 * the TPH Steering Tag that requesters send with their writes.
 *
 * Errors: a function that can fail returns a negative errno value and leaves
 * errno undefined. The library prints nothing, never ends the process, starts
 * no thread and keeps no state outside the objects that it hands out. Every
 * file descriptor that it opens is close-on-exec.
 */
#ifndef TPHBUF_TPHBUF_H
#define TPHBUF_TPHBUF_H

#include <tphbuf/connection.h>
#include <tphbuf/device.h>
#include <tphbuf/dmabuf.h>
#include <tphbuf/export.h>
#include <tphbuf/mmap.h>
#include <tphbuf/options.h>
#include <tphbuf/path.h>
#include <tphbuf/probe.h>
#include <tphbuf/reason.h>
#include <tphbuf/server.h>
#include <tphbuf/tag.h>
#include <tphbuf/version.h>

#endif
