/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_PROBE_H
#define TPHBUF_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/options.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tphbuf_device;

/**
 * enum tphbuf_reason - why something cannot be done
 * @TPHBUF_REASON_NONE: it can be done
 * @TPHBUF_REASON_NOT_ASKED: only the kernel knows, and it answers only for an
 *	open device, which this one was not
 * @TPHBUF_REASON_NOT_FOUND: no such device
 * @TPHBUF_REASON_NOT_VFIO: the file is not a PCI device opened through VFIO
 * @TPHBUF_REASON_NO_IOMMU: no IOMMU stands before the device
 * @TPHBUF_REASON_NO_VFIO: the kernel has no vfio-pci driver, or not loaded
 * @TPHBUF_REASON_NOT_BOUND: another driver than a VFIO one has the device, or
 *	none
 * @TPHBUF_REASON_BIND_FAILED: vfio-pci did not take the device
 * @TPHBUF_REASON_GROUP_NOT_VIABLE: a kernel driver uses another device of the
 *	IOMMU group
 * @TPHBUF_REASON_GROUP_REFUSED: another process owns the IOMMU group, or the
 *	platform cannot isolate its interrupts
 * @TPHBUF_REASON_NO_CDEV: the kernel offers VFIO devices through groups only,
 *	not as files of their own
 * @TPHBUF_REASON_NO_IOMMUFD: the kernel has no iommufd, or not loaded
 * @TPHBUF_REASON_NO_PERMISSION: this user may not do it
 * @TPHBUF_REASON_BUSY: the device is open already
 * @TPHBUF_REASON_NO_DMABUF: the kernel, or the driver of this device, cannot
 *	export dma-bufs
 * @TPHBUF_REASON_NO_TPH_FEATURE: the kernel cannot tag dma-bufs
 * @TPHBUF_REASON_NO_COMPLETER: the device does not complete TPH requests
 * @TPHBUF_REASON_ST_8BIT_ONLY: the device completes TPH requests with 8-bit
 *	Steering Tags only
 * @TPHBUF_REASON_SYSTEM: none of these; struct tphbuf_probe.error has the
 *	errno
 * @TPHBUF_REASON_NO_BAR: the device has no memory BAR of at least a page
 * @TPHBUF_REASON_NO_MMAP: the kernel, or the driver of this device, does not let
 *	the CPU map dma-bufs
 * @TPHBUF_REASON_NO_WC_FEATURE: the kernel cannot make dma-bufs write-combining
 * @TPHBUF_REASON_NO_WC: this CPU cannot map PCI memory write-combining, on x86
 *	for want of PAT
 * @TPHBUF_REASON_WC_BUSY: something needs the memory uncached; no probe gives
 *	it, it goes with -EBUSY from tphbuf_set_wc()
 * @TPHBUF_REASON_REVOKED: the dma-buf is revoked; no probe gives it, it goes
 *	with SIGBUS, and with -ENODEV from tphbuf_mmap()
 */
enum tphbuf_reason {
	TPHBUF_REASON_NONE = 0,
	TPHBUF_REASON_NOT_ASKED,
	TPHBUF_REASON_NOT_FOUND,
	TPHBUF_REASON_NOT_VFIO,
	TPHBUF_REASON_NO_IOMMU,
	TPHBUF_REASON_NO_VFIO,
	TPHBUF_REASON_NOT_BOUND,
	TPHBUF_REASON_BIND_FAILED,
	TPHBUF_REASON_GROUP_NOT_VIABLE,
	TPHBUF_REASON_GROUP_REFUSED,
	TPHBUF_REASON_NO_CDEV,
	TPHBUF_REASON_NO_IOMMUFD,
	TPHBUF_REASON_NO_PERMISSION,
	TPHBUF_REASON_BUSY,
	TPHBUF_REASON_NO_DMABUF,
	TPHBUF_REASON_NO_TPH_FEATURE,
	TPHBUF_REASON_NO_COMPLETER,
	TPHBUF_REASON_ST_8BIT_ONLY,
	TPHBUF_REASON_SYSTEM,
	TPHBUF_REASON_NO_BAR,
	TPHBUF_REASON_NO_MMAP,
	TPHBUF_REASON_NO_WC_FEATURE,
	TPHBUF_REASON_NO_WC,
	TPHBUF_REASON_WC_BUSY,
	TPHBUF_REASON_REVOKED,
};

/**
 * enum tphbuf_completer - TPH requests that a function completes
 * @TPHBUF_COMPLETER_UNKNOWN: not readable by this user
 * @TPHBUF_COMPLETER_NONE: none; also for the reserved value 10b
 * @TPHBUF_COMPLETER_TPH: with 8-bit Steering Tags
 * @TPHBUF_COMPLETER_EXT_TPH: with 8-bit and Extended Steering Tags
 *
 * From bits 13:12 of the Device Capabilities 2 register (PCIe 6.0, section
 * 7.5.3.15).
 */
enum tphbuf_completer {
	TPHBUF_COMPLETER_UNKNOWN = 0,
	TPHBUF_COMPLETER_NONE,
	TPHBUF_COMPLETER_TPH,
	TPHBUF_COMPLETER_EXT_TPH,
};

/* Sizes with the terminating zero */
#define TPHBUF_BDF_SIZE		24
#define TPHBUF_DRIVER_SIZE	64
#define TPHBUF_CDEV_SIZE	64

/**
 * struct tphbuf_probe - what can be done with a device, and why not
 * @bdf: PCI address, "0000:00:03.0"; "" when it is not known
 * @driver: driver that has the device; "" for none or not known
 * @cdev: VFIO device file, "/dev/vfio/devices/vfio0", without the sysroot; ""
 *	for none
 * @group_blocker: BDF of the device behind TPHBUF_REASON_GROUP_NOT_VIABLE
 * @iommu_group: number of the IOMMU group, or -1
 * @vendor: PCI vendor id, or 0 when it is not known
 * @device: PCI device id, or 0 when it is not known
 * @completer: TPH requests that the device completes
 * @open: whether the device can be opened
 * @dmabuf: whether ranges of its BARs can be exported
 * @st: whether a dma-buf can carry an 8-bit Steering Tag
 * @st_ext: whether a dma-buf can carry an Extended Steering Tag
 * @error: positive errno value behind TPHBUF_REASON_SYSTEM and
 *	TPHBUF_REASON_BIND_FAILED, or 0
 * @mmap: whether the CPU can map a dma-buf
 * @wc: whether CPU access to a dma-buf can be write-combining
 * @reserved: zero
 */
struct tphbuf_probe {
	char bdf[TPHBUF_BDF_SIZE];
	char driver[TPHBUF_DRIVER_SIZE];
	char cdev[TPHBUF_CDEV_SIZE];
	char group_blocker[TPHBUF_BDF_SIZE];
	int32_t iommu_group;
	uint16_t vendor;
	uint16_t device;
	enum tphbuf_completer completer;
	enum tphbuf_reason open;
	enum tphbuf_reason dmabuf;
	enum tphbuf_reason st;
	enum tphbuf_reason st_ext;
	int32_t error;
	enum tphbuf_reason mmap;
	enum tphbuf_reason wc;
	uint32_t reserved[6];
};

/**
 * tphbuf_probe - find out what can be done with a device
 * @name: BDF ("0000:00:03.0", or "00:03.0" in domain 0000) or path of a VFIO
 *	device file ("/dev/vfio/devices/vfio0")
 * @options: TPHBUF_PROBE_OPEN or no flag; NULL for none
 * @probe: the answer
 *
 * Reads sysfs. Without TPHBUF_PROBE_OPEN the device is not opened, and what
 * only the kernel can answer is TPHBUF_REASON_NOT_ASKED. No driver is bound or
 * unbound and nothing is written. The answer may be old when it arrives.
 * Thread-safe.
 *
 * Return: 0 when @probe is filled, which includes every "no"; -EINVAL when
 * @name is neither form or @options are wrong; or what reading sysfs or the
 * config space gives.
 */
int tphbuf_probe(const char *name, const struct tphbuf_options *options,
		 struct tphbuf_probe *probe);

/**
 * tphbuf_probe_all - probe every PCI function that VFIO could take or has
 * @options: as for tphbuf_probe()
 * @probes: set to an array, ordered by BDF; NULL when there is none
 * @count: set to its number of elements
 *
 * Endpoints only, since VFIO takes no bridges: those with an IOMMU group and
 * those bound to a VFIO driver. One that cannot be read is among them, with
 * TPHBUF_REASON_SYSTEM. The caller frees @probes with tphbuf_probe_free().
 * Thread-safe.
 *
 * Return: 0; -EINVAL when @options are wrong; -ENOMEM; or what reading sysfs
 * gives. A machine without PCI is 0 with a @count of 0.
 */
int tphbuf_probe_all(const struct tphbuf_options *options, struct tphbuf_probe **probes,
		     size_t *count);

/**
 * tphbuf_probe_free - free what tphbuf_probe_all() returned
 * @probes: the array, or NULL
 */
void tphbuf_probe_free(struct tphbuf_probe *probes);

/**
 * tphbuf_probe_host - find out whether the machine can give devices to VFIO
 * @options: no flag; NULL for none
 * @reason: TPHBUF_REASON_NO_IOMMU, _NO_VFIO or _NO_IOMMUFD, the first of them
 *	that is so; TPHBUF_REASON_NONE otherwise
 *
 * Looks at what is there and opens no device. Thread-safe.
 *
 * Return: 0; -EINVAL when @options are wrong; or what reading sysfs gives.
 */
int tphbuf_probe_host(const struct tphbuf_options *options, enum tphbuf_reason *reason);

/**
 * tphbuf_device_probe - find out what can be done with an open device
 * @dev: the device
 * @probe: the answer; @bdf, @driver, @cdev, @iommu_group and the ids are those
 *	found when the device was opened, and empty for an adopted one
 *
 * Asks the kernel through the open file. Whether the CPU can map a dma-buf is
 * found out by mapping one: a page is exported and mapped, not touched, and
 * given up again. Use it to learn the cause of -EOPNOTSUPP and -ENOTTY from
 * tphbuf_export(), tphbuf_set_tag(), tphbuf_mmap() or tphbuf_set_wc().
 * Thread-safe.
 *
 * Return: 0 when @probe is filled, which includes every "no"; else the error
 * of reading the config space.
 */
int tphbuf_device_probe(struct tphbuf_device *dev, struct tphbuf_probe *probe);

/**
 * tphbuf_reason_name - a reason as a word for programs
 * @reason: the reason
 *
 * Any thread may call it at any time.
 *
 * Return: a lower-case word that stays the same in later versions, such as
 * "no-completer", "none" for TPHBUF_REASON_NONE; "unknown" for a value that
 * this version does not know. Static storage.
 */
const char *tphbuf_reason_name(enum tphbuf_reason reason);

/**
 * tphbuf_reason_text - a reason as one line for people
 * @reason: the reason
 * @about: the device that it is about, for the names in the text, or NULL
 * @buf: where the line goes; may be NULL when @size is 0
 * @size: size of @buf
 *
 * The line says what cannot be done, why, and what to do about it; it has no
 * newline. Thread-safe.
 *
 * Return: length of the whole line without the terminating zero, as
 * snprintf(3): a value of @size or more means that it was cut off.
 */
int tphbuf_reason_text(enum tphbuf_reason reason, const struct tphbuf_probe *about, char *buf,
		       size_t size);

#ifdef __cplusplus
}
#endif

#endif
