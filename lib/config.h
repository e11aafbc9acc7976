/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_CONFIG_H
#define TPB_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/probe.h>

/* The part of the config space in which the PCI Express capability lies. */
#define TPB_CONFIG_SIZE		256

/*
 * TPH completer type from the first @size bytes of a config space, which is as
 * many as this user may read; unknown when they do not hold the answer.
 */
enum tphbuf_completer tpb_config_completer(const uint8_t *config, size_t size);

#endif
