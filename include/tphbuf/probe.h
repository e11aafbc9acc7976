/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_PROBE_H
#define TPHBUF_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/options.h>
#include <tphbuf/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tphbuf_device;

/*
 * tphbuf_probe() and tphbuf_probe_all(): open a device that is bound to a VFIO
 * driver and free, ask the kernel what it supports for it, and close it. The
 * kernel resets a device function whenever it is opened through VFIO; nothing
 * else about the machine changes.
 */
#define TPHBUF_PROBE_OPEN	(1u << 0)

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

/**
 * enum tphbuf_requester - TPH requests that a function can send
 * @TPHBUF_REQUESTER_UNKNOWN: not readable by this user
 * @TPHBUF_REQUESTER_NONE: none
 * @TPHBUF_REQUESTER_TPH: with 8-bit Steering Tags
 * @TPHBUF_REQUESTER_EXT_TPH: with 8-bit and Extended Steering Tags
 *
 * From the TPH Requester capability (PCIe r6.2, sec 7.9.13).
 */
enum tphbuf_requester {
	TPHBUF_REQUESTER_UNKNOWN = 0,
	TPHBUF_REQUESTER_NONE,
	TPHBUF_REQUESTER_TPH,
	TPHBUF_REQUESTER_EXT_TPH,
};

/**
 * enum tphbuf_access - how a VFIO device is opened
 * @TPHBUF_ACCESS_NONE: not at all
 * @TPHBUF_ACCESS_CDEV: by its device file and an iommufd
 * @TPHBUF_ACCESS_GROUP: by the file of its IOMMU group and a container, where
 *	the kernel has no more than these
 */
enum tphbuf_access {
	TPHBUF_ACCESS_NONE = 0,
	TPHBUF_ACCESS_CDEV,
	TPHBUF_ACCESS_GROUP,
};

/* Sizes with the terminating zero */
#define TPHBUF_BDF_SIZE		24
#define TPHBUF_DRIVER_SIZE	64
#define TPHBUF_CDEV_SIZE	64
#define TPHBUF_DENIED_SIZE	128

/**
 * struct tphbuf_probe - what can be done with a device, and why not
 * @bdf: PCI address, "0000:00:03.0"; "" when it is not known
 * @driver: driver that has the device; "" for none or not known
 * @cdev: VFIO device file, "/dev/vfio/devices/vfio0", without the sysroot; ""
 *	for none; behind TPHBUF_REASON_BAD_NAME the name, as far as it fits
 * @group_blocker: BDF of the device behind TPHBUF_REASON_GROUP_NOT_VIABLE
 * @denied: file behind TPHBUF_REASON_NO_PERMISSION, without the sysroot
 * @iommu_group: number of the IOMMU group, or -1
 * @vendor: PCI vendor id, or 0 when it is not known
 * @device: PCI device id, or 0 when it is not known
 * @completer: TPH requests that the device completes
 * @requester: TPH requests that the device can send itself
 * @access: how the device is opened
 * @open: whether the device can be opened
 * @dmabuf: whether ranges of its BARs can be exported
 * @st: whether a dma-buf can carry an 8-bit Steering Tag
 * @st_ext: whether a dma-buf can carry an Extended Steering Tag
 * @mmap: whether the CPU can map a dma-buf
 * @wc: whether CPU access to a dma-buf can be write-combining
 * @reason: why the call that filled this failed; TPHBUF_REASON_NONE after a probe
 * @error: positive errno value behind TPHBUF_REASON_SYSTEM and
 *	TPHBUF_REASON_BIND_FAILED, or 0
 * @range: index of the range behind TPHBUF_REASON_BAD_RANGE, or 0
 * @reserved: zero
 */
struct tphbuf_probe {
	char bdf[TPHBUF_BDF_SIZE];
	char driver[TPHBUF_DRIVER_SIZE];
	char cdev[TPHBUF_CDEV_SIZE];
	char group_blocker[TPHBUF_BDF_SIZE];
	char denied[TPHBUF_DENIED_SIZE];
	int32_t iommu_group;
	uint16_t vendor;
	uint16_t device;
	enum tphbuf_completer completer;
	enum tphbuf_requester requester;
	enum tphbuf_access access;
	enum tphbuf_reason open;
	enum tphbuf_reason dmabuf;
	enum tphbuf_reason st;
	enum tphbuf_reason st_ext;
	enum tphbuf_reason mmap;
	enum tphbuf_reason wc;
	enum tphbuf_reason reason;
	int32_t error;
	uint32_t range;
	uint32_t reserved[16];
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
 * @options are wrong; or what reading sysfs or the
 * config space gives.
 */
int tphbuf_probe(const char *name, const struct tphbuf_options *options,
		 struct tphbuf_probe *probe);

/**
 * tphbuf_probe_all - probe every PCI function that VFIO can open or bind
 * @options: as for tphbuf_probe()
 * @probes: set to an array, ordered by BDF; NULL when there is none
 * @count: set to its number of elements
 *
 * Those with a header of type 0: VFIO does not take others, which are bridges to
 * another bus. Functions without an IOMMU group are among them, and so is one
 * that cannot be read, with TPHBUF_REASON_SYSTEM. The caller frees @probes with
 * tphbuf_probe_free().
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
 * tphbuf_probe_host - query whether the machine supports VFIO
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
 *	found when the device was opened or adopted
 *
 * Asks the kernel through the open file. Whether the CPU can map a dma-buf is
 * found out by mapping one: a page is exported and mapped, not touched, and
 * given up again. Thread-safe.
 *
 * Return: 0 when @probe is filled, which includes every "no"; else the error
 * of reading the config space.
 */
int tphbuf_device_probe(struct tphbuf_device *dev, struct tphbuf_probe *probe);

#ifdef __cplusplus
}
#endif

#endif
