// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Reasons: the table of all of them, and what is made of its rows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reason.h"

/* What the kernel's own sources return here and there; the C library has no text for it. */
#define KERNEL_ENOTSUPP		524

/**
 * struct row - all that is known of a reason
 * @name: word for programs
 * @error: positive errno value of calls
 * @text: line for people; {device} and other names of place() stand for what the
 *	line is about
 */
struct row {
	const char *name;
	int error;
	const char *text;
};

static const struct row rows[] = {
	[TPHBUF_REASON_NONE] = { "none", 0, "{device}: nothing prevents it" },
	[TPHBUF_REASON_NOT_ASKED] = { "not-asked", 0,
		"not known for {device}: only the kernel has the answer, and only while the device "
		"is open" },

	[TPHBUF_REASON_BAD_NAME] = { "bad-name", EINVAL,
		"cannot find {device}: the name is neither a PCI address such as 0000:00:03.0 nor "
		"the path of a VFIO device file such as /dev/vfio/devices/vfio0" },
	[TPHBUF_REASON_NOT_FOUND] = { "not-found", ENODEV,
		"cannot find {device}: no PCI device has this name; \"lspci -D\" lists the PCI "
		"addresses" },
	[TPHBUF_REASON_NOT_VFIO] = { "not-vfio", ENODEV,
		"cannot use {device}: it is not a PCI device opened through VFIO" },

	[TPHBUF_REASON_NO_IOMMU] = { "no-iommu", EOPNOTSUPP,
		"cannot open {device} through VFIO: it has no IOMMU group; enable the IOMMU in the "
		"firmware and on the kernel command line (intel_iommu=on for Intel)" },
	[TPHBUF_REASON_NO_VFIO] = { "no-vfio", EOPNOTSUPP,
		"cannot open {device} through VFIO: the vfio-pci driver is not loaded; run "
		"\"modprobe vfio-pci\", or use a kernel with CONFIG_VFIO_PCI" },

	[TPHBUF_REASON_NOT_BOUND] = { "not-bound", ENODEV,
		"cannot open {device} through VFIO: {driver}; bind it to vfio-pci, with driverctl "
		"for example" },
	[TPHBUF_REASON_BIND_FAILED] = { "bind-failed", ENODEV,
		"cannot bind {device} to vfio-pci: {error}; see the kernel log (dmesg)" },

	[TPHBUF_REASON_GROUP_NOT_VIABLE] = { "group-not-viable", EBUSY,
		"cannot open {device}: a kernel driver uses {blocker} in {group}; unbind it or bind "
		"it to vfio-pci too" },
	[TPHBUF_REASON_GROUP_REFUSED] = { "group-refused", EBUSY,
		"cannot open {device}: the kernel refused {group}, because another process uses a "
		"device in it or because interrupts cannot be isolated; the kernel log may say "
		"which" },
	[TPHBUF_REASON_NO_CDEV] = { "no-cdev", EOPNOTSUPP,
		"cannot open {device}: it has a file neither in /dev/vfio/devices nor, for {group}, "
		"in /dev/vfio; use a kernel with CONFIG_VFIO_DEVICE_CDEV or CONFIG_VFIO_GROUP, and "
		"check that /dev is complete" },
	[TPHBUF_REASON_NO_IOMMUFD] = { "no-iommufd", EOPNOTSUPP,
		"cannot open {device}: /dev/iommu and /dev/vfio/vfio are both missing; run "
		"\"modprobe iommufd\", or use a kernel with CONFIG_IOMMUFD or "
		"CONFIG_VFIO_CONTAINER" },
	[TPHBUF_REASON_NO_PERMISSION] = { "no-permission", EACCES,
		"cannot open {device}: permission denied for {denied}; this requires root, or read "
		"and write access to it" },
	[TPHBUF_REASON_VF_TOKEN] = { "vf-token", EACCES,
		"cannot open {device}: its physical function belongs to vfio-pci, and the VF token "
		"is missing or wrong; pass the UUID that the owner of the physical function has "
		"set" },
	[TPHBUF_REASON_BUSY] = { "busy", EBUSY,
		"cannot open {device}: another process has it open or is binding it to a driver" },

	[TPHBUF_REASON_NO_DMABUF] = { "no-dmabuf", EOPNOTSUPP,
		"cannot export memory of {device}: the kernel or the driver of the device does not "
		"export dma-bufs; use Linux 6.19 or later with CONFIG_VFIO_PCI_DMABUF and the "
		"vfio-pci driver" },
	[TPHBUF_REASON_NO_BAR] = { "no-bar", ENXIO,
		"cannot export memory of {device}: it does not implement the BAR as memory of at "
		"least a page; \"lspci -v\" lists its BARs" },
	[TPHBUF_REASON_BAD_RANGE] = { "bad-range", EINVAL,
		"cannot export memory of {device}: range {range} is empty, not page aligned or not "
		"within the BAR" },
	[TPHBUF_REASON_BAD_TAG] = { "bad-tag", EINVAL,
		"cannot tag a dma-buf of {device}: the tag has no valid namespace, an unknown bit or "
		"a Processing Hint above 3" },
	[TPHBUF_REASON_BAD_BUFFER] = { "bad-buffer", EINVAL,
		"cannot change a dma-buf of {device}: the file descriptor is not a dma-buf of "
		"this device" },

	[TPHBUF_REASON_NO_TPH_FEATURE] = { "no-tph-feature", ENOTTY,
		"cannot tag dma-bufs of {device}: the kernel has no VFIO_DEVICE_FEATURE_DMA_BUF_TPH, "
		"which no released kernel has; use a kernel with the tphbuf series and "
		"CONFIG_VFIO_PCI_DMABUF" },
	[TPHBUF_REASON_OTHER_FEATURE] = { "other-feature", ENOTTY,
		"cannot tag dma-bufs of {device}: the kernel has a different feature under the "
		"number of VFIO_DEVICE_FEATURE_DMA_BUF_TPH; build libtphbuf for this kernel (option "
		"vfio_feature_tph)" },
	[TPHBUF_REASON_TPH_NOT_BUILT] = { "tph-not-built", EOPNOTSUPP,
		"cannot tag dma-bufs of {device}: the device completes TPH requests, but the kernel "
		"was built without CONFIG_PCIE_TPH" },
	[TPHBUF_REASON_TPH_OFF] = { "tph-off", EOPNOTSUPP,
		"cannot tag dma-bufs of {device}: the kernel command line disables TPH; boot "
		"without \"pci=notph\"" },
	[TPHBUF_REASON_NO_COMPLETER] = { "no-completer", EOPNOTSUPP,
		"cannot tag dma-bufs of {device}: the device does not complete TPH requests (DEVCAP2 "
		"bits 13:12); its memory can be exported without a tag" },
	[TPHBUF_REASON_ST_8BIT_ONLY] = { "st-8bit-only", EOPNOTSUPP,
		"cannot set an Extended Steering Tag for {device}: the device completes only "
		"requests with 8-bit Steering Tags (DEVCAP2 bits 13:12)" },

	[TPHBUF_REASON_NO_MMAP] = { "no-mmap", EOPNOTSUPP,
		"cannot map dma-bufs of {device}: the kernel or the driver of the device does not "
		"support CPU access; use a kernel with the tphbuf series and the vfio-pci "
		"driver" },
	[TPHBUF_REASON_NO_WC_FEATURE] = { "no-wc-feature", ENOTTY,
		"cannot make memory of {device} write-combining: the kernel has no "
		"VFIO_DEVICE_FEATURE_DMA_BUF_WC; use a kernel with the tphbuf series and "
		"CONFIG_VFIO_PCI_DMABUF" },
	[TPHBUF_REASON_NO_WC] = { "no-wc", EOPNOTSUPP,
		"cannot make memory of {device} write-combining: it is not in a prefetchable BAR, or "
		"this CPU cannot map PCI memory write-combining (x86 requires PAT, which \"nopat\" "
		"disables)" },
	[TPHBUF_REASON_WC_BUSY] = { "wc-busy", EBUSY,
		"cannot make memory of {device} write-combining: a process maps it, or the kernel "
		"requires it uncached (MSI-X table, ioeventfd); unmap it first, also in sysfs" },

	[TPHBUF_REASON_REVOKED] = { "revoked", ENODEV,
		"cannot access memory of {device}: it is revoked (memory decoding is off, or the "
		"device is in reset, in a low-power state or closed)" },
	[TPHBUF_REASON_NO_REVOKE_FEATURE] = { "no-revoke-feature", ENOTTY,
		"cannot revoke a dma-buf of {device}: the kernel has no "
		"VFIO_DEVICE_FEATURE_DMA_BUF_REVOKE; disabled memory decoding revokes all of "
		"them for a time" },

	[TPHBUF_REASON_SYSTEM] = { "system", EIO, "cannot use {device}: {error}" },
};

static const struct row *row_of(enum tphbuf_reason reason)
{
	if ((unsigned int)reason >= sizeof(rows) / sizeof(rows[0]) || !rows[reason].name)
		return NULL;
	return &rows[reason];
}

const char *tphbuf_reason_name(enum tphbuf_reason reason)
{
	const struct row *row = row_of(reason);

	return row ? row->name : "unknown";
}

int tphbuf_reason_errno(enum tphbuf_reason reason)
{
	const struct row *row = row_of(reason);

	return row ? -row->error : -EIO;
}

static const char *device_name(const struct tphbuf_probe *about)
{
	if (about && about->bdf[0])
		return about->bdf;
	return about && about->cdev[0] ? about->cdev : "the device";
}

static const char *error_name(int error, char *buf, size_t size)
{
	if (error == KERNEL_ENOTSUPP)
		error = EOPNOTSUPP;
	/* The GNU form of strerror_r() may return another string than its argument. */
	snprintf(buf, size, "%s", strerror(error));
	return buf;
}

/* The text that stands for {@name}; @buf is room for one that has to be made. */
static const char *place(const char *name, size_t length, const struct tphbuf_probe *about,
			 char *buf, size_t size)
{
#define IS(word)	(length == strlen(word) && !memcmp(name, word, length))
	if (IS("device"))
		return device_name(about);
	if (IS("driver")) {
		if (!about || !about->driver[0])
			return "it is bound to no driver";
		snprintf(buf, size, "it is bound to %s", about->driver);
		return buf;
	}
	if (IS("blocker"))
		return about && about->group_blocker[0] ? about->group_blocker : "another device";
	if (IS("denied"))
		return about && about->denied[0] ? about->denied : "its files";
	if (IS("error"))
		return error_name(about ? about->error : 0, buf, size);
	if (IS("range"))
		snprintf(buf, size, "%u", about ? (unsigned int)about->range : 0);
	else if (about && about->iommu_group >= 0)	/* group */
		snprintf(buf, size, "IOMMU group %d", (int)about->iommu_group);
	else
		return "its IOMMU group";
	return buf;
#undef IS
}

int tphbuf_reason_text(enum tphbuf_reason reason, const struct tphbuf_probe *about, char *buf,
		       size_t size)
{
	const struct row *row = row_of(reason);
	const char *at = row ? row->text : "cannot use {device}: this version does not know the "
					   "reason";
	char made[192];
	size_t used = 0;

	while (*at) {
		size_t length = strcspn(at, "{");
		const char *end = strchr(at + length, '}');
		int put = snprintf(used < size ? buf + used : NULL, used < size ? size - used : 0,
				   "%.*s%s", (int)length, at,
				   end ? place(at + length + 1, (size_t)(end - at) - length - 1,
					       about, made, sizeof(made)) : "");

		used += (size_t)put;
		at = end ? end + 1 : at + length;
	}
	return (int)used;
}

int tpb_fail(struct tphbuf_probe *probe, enum tphbuf_reason reason, int err)
{
	probe->reason = reason;
	probe->error = 0;
	if (reason == TPHBUF_REASON_SYSTEM || reason == TPHBUF_REASON_BIND_FAILED)
		probe->error = -err;
	if (reason == TPHBUF_REASON_SYSTEM && err)
		return err;
	return tphbuf_reason_errno(reason);
}

int tpb_fail_open(struct tphbuf_probe *probe, enum tphbuf_reason reason, int err)
{
	probe->open = reason;
	return tpb_fail(probe, reason, err);
}

int tpb_fail_denied(struct tphbuf_probe *probe, const char *path)
{
	snprintf(probe->denied, sizeof(probe->denied), "%s", path);
	return tpb_fail_open(probe, TPHBUF_REASON_NO_PERMISSION, -EACCES);
}
