/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPB_FEATURE_H
#define TPB_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include <tphbuf/device.h>

/*
 * Whether the kernel and the device know a feature with @how,
 * VFIO_DEVICE_FEATURE_GET or _SET: 0 or a negative errno value.
 */
int tpb_feature_probe(struct tphbuf_device *dev, uint32_t feature, uint32_t how);

/*
 * Whether the kernel has something else under the number of one of the features
 * that no released kernel has: those can be set and not read.
 */
bool tpb_feature_is_other(struct tphbuf_device *dev, uint32_t feature);

#endif
