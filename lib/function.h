/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What sysfs tells about a PCI function. */
#ifndef TPB_FUNCTION_H
#define TPB_FUNCTION_H

#include <stdbool.h>

#include <tphbuf/probe.h>

#include "sysfs.h"

#define TPB_PCI_DEVICES		"/sys/bus/pci/devices"
#define TPB_PCI_DRIVERS		"/sys/bus/pci/drivers"
#define TPB_VFIO_CLASS		"/sys/class/vfio-dev"
#define TPB_IOMMU_GROUPS	"/sys/kernel/iommu_groups"
#define TPB_VFIO_CDEVS		"/dev/vfio/devices"
#define TPB_VFIO_GROUPS		"/dev/vfio"
#define TPB_VFIO_CONTAINER	"/dev/vfio/vfio"
#define TPB_IOMMUFD		"/dev/iommu"
#define TPB_VFIO_PCI		"vfio-pci"

/*
 * Starts @probe afresh with the address that @name, a BDF or the path of a VFIO
 * device file, stands for. @probe->open is NOT_FOUND, or NOT_VFIO for a device
 * file of something else than a PCI function, or NONE so far.
 */
int tpb_function_find(const char *sysroot, const char *name, struct tphbuf_probe *probe);

/* Fills the rest of @probe for the function at @probe->bdf. */
int tpb_function_inspect(const char *sysroot, struct tphbuf_probe *probe);

/* Name of the driver that has a function, "" for none. */
int tpb_function_driver(const char *sysroot, const char *bdf, char driver[TPHBUF_DRIVER_SIZE]);

/*
 * Name of a device in the IOMMU group of @bdf that a driver other than VFIO
 * uses for DMA, "" when there is none.
 */
int tpb_function_group_blocker(const char *sysroot, const char *bdf,
			       char blocker[TPHBUF_BDF_SIZE]);

/* Sets what a device that was not opened can tell about its dma-bufs. */
void tpb_function_not_asked(struct tphbuf_probe *probe);

#endif
