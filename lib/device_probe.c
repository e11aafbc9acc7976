// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* What the kernel says about a device that is open. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tphbuf/mmap.h>

#include "command_line.h"
#include "config.h"
#include "device.h"
#include "device_probe.h"
#include "dmabuf.h"
#include "feature.h"
#include "sys.h"
#include "vfio_uapi.h"

static enum tphbuf_reason system_reason(struct tphbuf_probe *probe, int err)
{
	probe->error = -err;
	return TPHBUF_REASON_SYSTEM;
}

/* Why the kernel refuses a tag, although it has the feature and exports dma-bufs. */
static enum tphbuf_reason no_tag_reason(const struct tphbuf_device *dev,
					const struct tphbuf_probe *probe)
{
	if (probe->completer == TPHBUF_COMPLETER_NONE)
		return TPHBUF_REASON_NO_COMPLETER;
	/* The device could, so that it is the kernel that does not. */
	return tpb_command_line_has_notph(dev->sysroot) ? TPHBUF_REASON_TPH_OFF :
							  TPHBUF_REASON_TPH_NOT_BUILT;
}

static enum tphbuf_reason ask_dmabuf(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret = tpb_feature_probe(dev, TPB_VFIO_FEATURE_DMA_BUF, VFIO_DEVICE_FEATURE_GET);

	switch (ret) {
	case 0:
		return TPHBUF_REASON_NONE;
	case -ENOTTY:
	case -EOPNOTSUPP:
		return TPHBUF_REASON_NO_DMABUF;
	default:
		return system_reason(probe, ret);
	}
}

static enum tphbuf_reason ask_tag(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret = tpb_feature_probe(dev, TPB_VFIO_FEATURE_DMA_BUF_TPH, VFIO_DEVICE_FEATURE_SET);

	if (ret != -ENOTTY && tpb_feature_is_other(dev, TPB_VFIO_FEATURE_DMA_BUF_TPH))
		return TPHBUF_REASON_OTHER_FEATURE;
	switch (ret) {
	case 0:
		return TPHBUF_REASON_NONE;
	case -ENOTTY:
		return TPHBUF_REASON_NO_TPH_FEATURE;
	case -EOPNOTSUPP:
		return probe->dmabuf ? TPHBUF_REASON_NO_DMABUF : no_tag_reason(dev, probe);
	default:
		return system_reason(probe, ret);
	}
}

int tpb_device_probe_tags(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	uint8_t config[TPB_CONFIG_SIZE];
	int ret;

	*probe = dev->found;
	probe->open = TPHBUF_REASON_NONE;
	ret = tphbuf_device_config_read(dev, 0, config, sizeof(config));
	if (ret)
		return ret;
	probe->completer = tpb_config_completer(config, sizeof(config));
	probe->dmabuf = ask_dmabuf(dev, probe);
	probe->st = ask_tag(dev, probe);
	probe->st_ext = probe->st;
	if (!probe->st && probe->completer != TPHBUF_COMPLETER_EXT_TPH)
		probe->st_ext = TPHBUF_REASON_ST_8BIT_ONLY;
	return 0;
}

void tpb_device_probe_wc(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret = tpb_feature_probe(dev, TPB_VFIO_FEATURE_DMA_BUF_WC, VFIO_DEVICE_FEATURE_SET);

	if (ret != -ENOTTY && tpb_feature_is_other(dev, TPB_VFIO_FEATURE_DMA_BUF_WC))
		ret = -ENOTTY;
	switch (ret) {
	case 0:
		probe->wc = TPHBUF_REASON_NONE;
		break;
	case -ENOTTY:
		probe->wc = TPHBUF_REASON_NO_WC_FEATURE;
		break;
	case -EOPNOTSUPP:
		probe->wc = probe->dmabuf ? TPHBUF_REASON_NO_DMABUF : TPHBUF_REASON_NO_WC;
		break;
	default:
		probe->wc = system_reason(probe, ret);
	}
}

/* 0 when a page of a BAR can be exported and mapped; nothing of it stays. */
static int try_mmap(struct tphbuf_device *dev, unsigned int bar, size_t page)
{
	const struct tphbuf_range range = { .length = page };
	void *addr;
	int fd, ret;

	fd = tpb_dmabuf_get(dev, bar, &range, 1);
	if (fd < 0)
		return fd;
	/* No feature announces it, but it works on a revoked dma-buf too, so this always tells. */
	ret = tphbuf_mmap(fd, 0, page, PROT_READ, &addr);
	if (!ret)
		tphbuf_munmap(addr, page);
	tpb_sys.close(fd);
	return ret;
}

static enum tphbuf_reason ask_mmap(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ret = -ENXIO;

	/*
	 * Of several BARs any may be one that the driver of the device keeps for
	 * itself. I/O BARs are smaller than a page.
	 */
	for (unsigned int i = 0; i < TPHBUF_NR_BARS && ret; i++)
		if (dev->bars[i].size >= page && !(dev->bars[i].flags & TPHBUF_BAR_IO))
			ret = try_mmap(dev, i, page);
	switch (ret) {
	case 0:
		return TPHBUF_REASON_NONE;
	case -ENXIO:
		return TPHBUF_REASON_NO_BAR;
	case -EOPNOTSUPP:
		return TPHBUF_REASON_NO_MMAP;
	default:
		return system_reason(probe, ret);
	}
}

int tphbuf_device_probe(struct tphbuf_device *dev, struct tphbuf_probe *probe)
{
	int ret = tpb_device_probe_tags(dev, probe);

	if (ret)
		return ret;
	probe->mmap = probe->dmabuf ? probe->dmabuf : ask_mmap(dev, probe);
	tpb_device_probe_wc(dev, probe);
	return 0;
}
