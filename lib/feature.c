// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Which features of a VFIO device the kernel has. */
#include "device.h"
#include "feature.h"
#include "sys.h"
#include "vfio_uapi.h"

int tpb_feature_probe(struct tphbuf_device *dev, uint32_t feature, uint32_t how)
{
	struct vfio_device_feature arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_FEATURE_PROBE | how | feature,
	};

	return tpb_ioctl(dev->files.device, VFIO_DEVICE_FEATURE, &arg);
}

bool tpb_feature_is_other(struct tphbuf_device *dev, uint32_t feature)
{
	return !tpb_feature_probe(dev, feature, VFIO_DEVICE_FEATURE_GET);
}
