// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <string.h>

#include <tphbuf/probe.h>

static const char *const names[] = {
	[TPHBUF_REASON_NONE] = "none",
	[TPHBUF_REASON_NOT_ASKED] = "not-asked",
	[TPHBUF_REASON_NOT_FOUND] = "not-found",
	[TPHBUF_REASON_NOT_VFIO] = "not-vfio",
	[TPHBUF_REASON_NO_IOMMU] = "no-iommu",
	[TPHBUF_REASON_NO_VFIO] = "no-vfio",
	[TPHBUF_REASON_NOT_BOUND] = "not-bound",
	[TPHBUF_REASON_BIND_FAILED] = "bind-failed",
	[TPHBUF_REASON_GROUP_NOT_VIABLE] = "group-not-viable",
	[TPHBUF_REASON_GROUP_REFUSED] = "group-refused",
	[TPHBUF_REASON_NO_CDEV] = "no-cdev",
	[TPHBUF_REASON_NO_IOMMUFD] = "no-iommufd",
	[TPHBUF_REASON_NO_PERMISSION] = "no-permission",
	[TPHBUF_REASON_BUSY] = "busy",
	[TPHBUF_REASON_NO_DMABUF] = "no-dmabuf",
	[TPHBUF_REASON_NO_TPH_FEATURE] = "no-tph-feature",
	[TPHBUF_REASON_NO_COMPLETER] = "no-completer",
	[TPHBUF_REASON_ST_8BIT_ONLY] = "st-8bit-only",
	[TPHBUF_REASON_SYSTEM] = "system",
	[TPHBUF_REASON_NO_BAR] = "no-bar",
	[TPHBUF_REASON_NO_MMAP] = "no-mmap",
	[TPHBUF_REASON_NO_WC_FEATURE] = "no-wc-feature",
	[TPHBUF_REASON_NO_WC] = "no-wc",
	[TPHBUF_REASON_WC_BUSY] = "wc-busy",
	[TPHBUF_REASON_REVOKED] = "revoked",
};

const char *tphbuf_reason_name(enum tphbuf_reason reason)
{
	if ((unsigned int)reason >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[reason];
}

static int error_text(const char *what, const char *device, int error, const char *advice,
		      char *buf, size_t size)
{
	char text[128];

	/* The GNU form of strerror_r() may return another string than its argument. */
	return snprintf(buf, size, "%s %s: %s; %s", what, device,
			strerror_r(error, text, sizeof(text)), advice);
}

int tphbuf_reason_text(enum tphbuf_reason reason, const struct tphbuf_probe *about, char *buf,
		       size_t size)
{
	const char *device = "a device";
	const char *cdev = "/dev/vfio/devices/vfioN";
	const char *blocker = "another device", *driver = "a kernel driver";
	int group = about ? about->iommu_group : -1;
	char group_text[32] = "its IOMMU group";

	if (about && about->cdev[0]) {
		cdev = about->cdev;
		device = cdev;
	}
	if (about && about->bdf[0])
		device = about->bdf;
	if (about && about->driver[0])
		driver = about->driver;
	if (about && about->group_blocker[0])
		blocker = about->group_blocker;
	if (group >= 0)
		snprintf(group_text, sizeof(group_text), "IOMMU group %d", group);

	switch (reason) {
	case TPHBUF_REASON_NONE:
		return snprintf(buf, size, "%s: nothing stands in the way", device);
	case TPHBUF_REASON_NOT_ASKED:
		return snprintf(buf, size,
				"not known for %s: only the kernel can tell, and only while the "
				"device is open; open it", device);
	case TPHBUF_REASON_NOT_FOUND:
		return snprintf(buf, size,
				"no device %s: nothing in sysfs has this name; list the PCI "
				"addresses with \"lspci -D\"", device);
	case TPHBUF_REASON_NOT_VFIO:
		return snprintf(buf, size,
				"cannot use %s: it is not a PCI device opened through VFIO; name "
				"a PCI device that a VFIO driver has", device);
	case TPHBUF_REASON_NO_IOMMU:
		return snprintf(buf, size,
				"cannot open %s through VFIO: no IOMMU stands before it; turn the "
				"IOMMU on in the firmware and on the kernel command line "
				"(intel_iommu=on for Intel)", device);
	case TPHBUF_REASON_NO_VFIO:
		return snprintf(buf, size,
				"cannot open %s through VFIO: the vfio-pci driver is not there; "
				"run \"modprobe vfio-pci\", or use a kernel with CONFIG_VFIO_PCI",
				device);
	case TPHBUF_REASON_NOT_BOUND:
		if (about && about->driver[0])
			return snprintf(buf, size,
					"cannot open %s through VFIO: the driver %s has it; bind it "
					"to vfio-pci, with driverctl for example", device, driver);
		return snprintf(buf, size,
				"cannot open %s through VFIO: it has no driver; bind it to "
				"vfio-pci, with driverctl for example", device);
	case TPHBUF_REASON_BIND_FAILED:
		return error_text("cannot bind to vfio-pci", device, about ? about->error : 0,
				  "see the kernel log (dmesg)", buf, size);
	case TPHBUF_REASON_GROUP_NOT_VIABLE:
		return snprintf(buf, size,
				"cannot open %s: a kernel driver uses %s in %s; unbind it or bind "
				"it to vfio-pci too", device, blocker, group_text);
	case TPHBUF_REASON_GROUP_REFUSED:
		return snprintf(buf, size,
				"cannot open %s: the kernel refused %s, because another process "
				"has a device in it or because interrupts cannot be isolated; end "
				"that process, or turn interrupt remapping on", device,
				group_text);
	case TPHBUF_REASON_NO_CDEV:
		return snprintf(buf, size,
				"cannot open %s: there is no file for it in /dev/vfio/devices; use "
				"a kernel with CONFIG_VFIO_DEVICE_CDEV and check that /dev is "
				"complete", device);
	case TPHBUF_REASON_NO_IOMMUFD:
		return snprintf(buf, size,
				"cannot open %s: there is no /dev/iommu; run \"modprobe iommufd\", "
				"or use a kernel with CONFIG_IOMMUFD", device);
	case TPHBUF_REASON_NO_PERMISSION:
		return snprintf(buf, size,
				"cannot open %s: no permission; become root, or get read and write "
				"access to /dev/iommu and %s (binding a driver needs root)", device,
				cdev);
	case TPHBUF_REASON_BUSY:
		return snprintf(buf, size,
				"cannot open %s: it is open in another process; end that process",
				device);
	case TPHBUF_REASON_NO_DMABUF:
		return snprintf(buf, size,
				"cannot export memory of %s: the kernel or the driver of the device "
				"does not export dma-bufs; use Linux 6.19 or later with "
				"CONFIG_VFIO_PCI_DMABUF and the vfio-pci driver", device);
	case TPHBUF_REASON_NO_TPH_FEATURE:
		return snprintf(buf, size,
				"cannot tag dma-bufs of %s: the kernel has no "
				"VFIO_DEVICE_FEATURE_DMA_BUF_TPH; use a kernel with the tphbuf "
				"series and CONFIG_VFIO_PCI_DMABUF", device);
	case TPHBUF_REASON_NO_COMPLETER:
		return snprintf(buf, size,
				"cannot tag dma-bufs of %s: the device does not complete TPH "
				"requests (DEVCAP2 bits 13:12); export without a tag, or use "
				"another device", device);
	case TPHBUF_REASON_ST_8BIT_ONLY:
		return snprintf(buf, size,
				"no Extended Steering Tag for %s: the device takes 8-bit Steering "
				"Tags only (DEVCAP2 bits 13:12); give an 8-bit tag", device);
	case TPHBUF_REASON_SYSTEM:
		return error_text("cannot use", device, about ? about->error : 0,
				  "see the kernel log (dmesg)", buf, size);
	case TPHBUF_REASON_NO_BAR:
		return snprintf(buf, size,
				"cannot map memory of %s: it has no memory BAR of at least a page; "
				"read and write its BARs with system calls", device);
	case TPHBUF_REASON_NO_MMAP:
		return snprintf(buf, size,
				"cannot map dma-bufs of %s: the kernel or the driver of the device "
				"does not let the CPU map them; use a kernel with the tphbuf series "
				"and the vfio-pci driver", device);
	case TPHBUF_REASON_NO_WC_FEATURE:
		return snprintf(buf, size,
				"cannot make memory of %s write-combining: the kernel has no "
				"VFIO_DEVICE_FEATURE_DMA_BUF_WC; use a kernel with the tphbuf series "
				"and CONFIG_VFIO_PCI_DMABUF, or do without", device);
	case TPHBUF_REASON_NO_WC:
		return snprintf(buf, size,
				"cannot make memory of %s write-combining: this CPU cannot map PCI "
				"memory so (x86 needs PAT); do without, or boot without \"nopat\"",
				device);
	case TPHBUF_REASON_WC_BUSY:
		return snprintf(buf, size,
				"cannot make memory of %s write-combining: the kernel or another "
				"process needs it uncached (MSI-X table, ioeventfd, sysfs); leave "
				"that part out, or end the other use", device);
	case TPHBUF_REASON_REVOKED:
		return snprintf(buf, size,
				"cannot access memory of %s: it is revoked (memory decoding is off, "
				"or the device is in reset, asleep or closed); try again when its "
				"owner has turned it on", device);
	}
	return snprintf(buf, size, "cannot use %s: a reason that this version does not know",
			device);
}
