// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the CPU reads and writes of a function: config space and BARs. None of it passes the
 * fabric; the trace records what reaches a trapped BAR.
 */
#include <errno.h>
#include <string.h>

#include "completions.h"
#include "fabric_state.h"
#include "function_state.h"
#include "trace.h"

#define CPU_ACCESS_MAX		8
#define CPU_ACCESS_MAX_PAYLOAD	128	/* more than enough for any */

static int config_write(struct pci_function *fn, uint64_t offset, const void *buf, size_t len)
{
	bool flr;
	int ret = pci_config_write(&fn->config, offset, buf, len, &flr);

	if (ret)
		return ret;
	if (flr) {
		pci_function_reset_locked(fn);
	} else {
		pci_function_update_decoding(fn);
		if (fn->ops->config_written)
			fn->ops->config_written(fn, offset, len);
	}
	pci_function_send_interrupts(fn);
	return 0;
}

/* One read or write by the CPU as the function sees it; a write does not change @buf. */
static enum tlp_result cpu_access(struct pci_function *fn, enum tlp_type type, unsigned int bar,
				  uint64_t offset, uint8_t *buf, size_t len)
{
	int ret;

	if (!fn->memory_enabled) {
		if (type == TLP_MRD)
			memset(buf, 0xff, len);
		return TLP_UNSUPPORTED;
	}
	if (msix_claims(&fn->msix, bar, offset, len)) {
		if (type == TLP_MRD)
			msix_read(&fn->msix, offset, buf, len);
		else
			msix_write(&fn->msix, offset, buf, len);
		return TLP_OK;
	}
	if (type == TLP_MRD)
		ret = fn->ops->bar_read(fn, bar, offset, buf, len);
	else
		ret = fn->ops->bar_write(fn, bar, offset, buf, len);
	if (ret && type == TLP_MRD)
		memset(buf, 0xff, len);
	return ret ? TLP_REJECTED : TLP_OK;
}

void pci_function_mark_trace(struct pci_function *fn, const char *text)
{
	trace_mark(fn->fabric->trace, text);
}

/* Largest naturally aligned access at @offset. */
static size_t cpu_access_size(uint64_t offset, size_t len)
{
	size_t size = CPU_ACCESS_MAX;

	while (size > len || offset % size)
		size /= 2;
	return size;
}

static void trapped_access(struct pci_function *fn, enum tlp_type type, unsigned int bar,
			   uint64_t offset, uint8_t *buf, size_t len)
{
	while (len) {
		size_t size = cpu_access_size(offset, len);
		struct tlp_outcome outcome = {
			.completer = fn->bdf,
			.result = cpu_access(fn, type, bar, offset, buf, size),
		};
		struct tlp tlp = { .type = type, .requester = TRACE_RC };

		tlp_init_range(&tlp, fn->bar_address[bar] + offset, size);
		trace_record(fn->fabric->trace, &tlp, &outcome, type == TLP_MWR ? buf : NULL);
		completions_record(fn->fabric, &tlp, &outcome, buf, CPU_ACCESS_MAX_PAYLOAD);
		offset += size;
		buf += size;
		len -= size;
	}
	pci_function_send_interrupts(fn);
}

static int bar_access(struct pci_function *fn, enum tlp_type type, unsigned int bar,
		      uint64_t offset, uint8_t *buf, size_t len)
{
	uint64_t size = pci_function_region_size(fn, bar, NULL);

	if (!len || offset >= size || len > size - offset)
		return -EINVAL;
	if (fn->config.bars[bar].fd >= 0)
		cpu_access(fn, type, bar, offset, buf, len);
	else
		trapped_access(fn, type, bar, offset, buf, len);
	return 0;
}

int pci_function_region_read(struct pci_function *fn, unsigned int region, uint64_t offset,
			     void *buf, size_t len)
{
	int ret;

	fabric_lock(fn->fabric);
	if (region == PCI_REGION_CONFIG)
		ret = pci_config_read(&fn->config, offset, buf, len);
	else
		ret = bar_access(fn, TLP_MRD, region, offset, buf, len);
	fabric_unlock(fn->fabric);
	return ret;
}

int pci_function_region_write(struct pci_function *fn, unsigned int region, uint64_t offset,
			      const void *buf, size_t len)
{
	int ret;

	fabric_lock(fn->fabric);
	if (region == PCI_REGION_CONFIG)
		ret = config_write(fn, offset, buf, len);
	else
		ret = bar_access(fn, TLP_MWR, region, offset, (uint8_t *)buf, len);
	fabric_unlock(fn->fabric);
	return ret;
}
