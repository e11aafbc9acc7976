/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The files that are open while a device is in use. */
#ifndef TPB_VFIO_FILES_H
#define TPB_VFIO_FILES_H

#include <tphbuf/probe.h>

/**
 * struct tpb_vfio_files - files of a device, each -1 where there is none
 * @device: the device
 * @iommufd: iommufd that @device is bound to
 * @group: IOMMU group through which @device was opened
 * @container: what @group was put into
 */
struct tpb_vfio_files {
	int device;
	int iommufd;
	int group;
	int container;
};

#define TPB_NO_VFIO_FILES	((struct tpb_vfio_files) { -1, -1, -1, -1 })

/*
 * Opens the device that @probe describes in the way that @probe->access names.
 * On failure @probe->open is the reason, and @files holds what was open by then.
 */
int tpb_vfio_files_open(const char *sysroot, const char *vf_token, struct tphbuf_probe *probe,
			struct tpb_vfio_files *files);

void tpb_vfio_files_close(struct tpb_vfio_files *files);

#endif
