/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerator: a completer that takes the steering tag of a write as an instruction.
 * docs/reference/devices.md describes it.
 */
#ifndef TPHBUF_ACCELERATOR_H
#define TPHBUF_ACCELERATOR_H

#include "device_type.h"

extern const struct device_type accelerator_type;

#endif
