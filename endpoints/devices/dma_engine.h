/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DMA engine: a requester that sends steering tags. docs/reference/devices.md describes it.
 */
#ifndef TPHBUF_DMA_ENGINE_H
#define TPHBUF_DMA_ENGINE_H

#include "device_type.h"

extern const struct device_type dma_engine_type;

#endif
