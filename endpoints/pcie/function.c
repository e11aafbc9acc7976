// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cap_pm.h"
#include "fabric_internal.h"
#include "trace.h"

#define CPU_ACCESS_MAX	8

int pci_function_create(const struct pci_function_desc *desc, struct pci_function **result)
{
	struct pci_function *fn;
	int ret;

	if (!desc->name[0] || strlen(desc->name) > PCI_FUNCTION_NAME_MAX || !desc->bdf)
		return -EINVAL;
	fn = calloc(1, sizeof(*fn));
	if (!fn)
		return -ENOMEM;
	strcpy(fn->name, desc->name);
	fn->bdf = desc->bdf;
	fn->ops = desc->ops;
	fn->device = desc->device;
	ret = pci_config_init(&fn->config, &desc->ids, desc->bars);
	if (!ret)
		ret = pm_cap_add(&fn->config);
	if (!ret)
		ret = pcie_cap_add(&fn->config, &desc->pcie);
	if (!ret && desc->msix.vectors)
		ret = msix_add(&fn->msix, &fn->config, &desc->msix);
	if (!ret && desc->tph)
		ret = tph_cap_add(&fn->config, desc->tph);
	if (ret) {
		free(fn);
		return ret;
	}
	pci_config_seal(&fn->config);
	dma_map_init(&fn->dma);
	pthread_cond_init(&fn->upstream_idle, NULL);
	pthread_cond_init(&fn->wake, NULL);
	*result = fn;
	return 0;
}

static void *worker_main(void *arg)
{
	struct pci_function *fn = arg;
	struct fabric *fabric = fn->fabric;

	fabric_lock(fabric);
	while (!fn->stop) {
		if (!fn->kicked) {
			trace_flush(fabric->trace);
			pthread_cond_wait(&fn->wake, &fabric->lock);
			continue;
		}
		fn->kicked = false;
		if (fn->ops->work(fn)) {
			fn->kicked = true;
			fabric_unlock(fabric);
			fabric_lock(fabric);
		}
	}
	fabric_unlock(fabric);
	return NULL;
}

int pci_function_start(struct pci_function *fn)
{
	if (!fn->ops->work)
		return 0;
	if (pthread_create(&fn->worker, NULL, worker_main, fn))
		return -EAGAIN;
	fn->has_worker = true;
	return 0;
}

void pci_function_destroy(struct pci_function *fn)
{
	if (fn->has_worker) {
		fabric_lock(fn->fabric);
		fn->stop = true;
		pthread_cond_signal(&fn->wake);
		fabric_unlock(fn->fabric);
		pthread_join(fn->worker, NULL);
	}
	if (fn->ops->destroy)
		fn->ops->destroy(fn);
	dma_map_clear(&fn->dma);
	pthread_cond_destroy(&fn->upstream_idle);
	pthread_cond_destroy(&fn->wake);
	free(fn);
}

const char *pci_function_name(const struct pci_function *fn)
{
	return fn->name;
}

uint16_t pci_function_bdf(const struct pci_function *fn)
{
	return fn->bdf;
}

void *pci_function_device(const struct pci_function *fn)
{
	return fn->device;
}

struct fabric *pci_function_fabric(const struct pci_function *fn)
{
	return fn->fabric;
}

const struct pci_config *pci_function_config(const struct pci_function *fn)
{
	return &fn->config;
}

void pci_function_kick(struct pci_function *fn)
{
	fn->kicked = true;
	pthread_cond_signal(&fn->wake);
}

void pci_function_cancel(struct pci_function *fn)
{
	fn->cancels++;
}

uint64_t pci_function_region_size(struct pci_function *fn, unsigned int region,
				  struct pci_bar *bar)
{
	if (region == PCI_REGION_CONFIG)
		return PCI_CONFIG_SIZE;
	if (region >= PCI_BARS)
		return 0;
	if (bar)
		*bar = fn->config.bars[region];
	return fn->config.bars[region].type == PCI_BAR_NONE ? 0 : fn->config.bars[region].size;
}

unsigned int pci_function_msix_vectors(const struct pci_function *fn)
{
	return fn->msix.options.vectors;
}

static void send_interrupts(struct pci_function *fn)
{
	int vector;

	while ((vector = msix_next(&fn->msix, &fn->config)) >= 0)
		if (fn->upstream)
			fn->upstream->msix(fn->upstream_opaque, vector);
}

void pci_function_msix_raise(struct pci_function *fn, unsigned int vector)
{
	msix_raise(&fn->msix, &fn->config, vector);
	send_interrupts(fn);
}

static void update_decoding(struct pci_function *fn)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		fn->bar_address[i] = pci_config_bar_address(&fn->config, i);
	fn->memory_enabled = pci_config_memory_enabled(&fn->config);
}

/* What a reset does beside that of the config space. */
static void reset_device(struct pci_function *fn)
{
	fn->cancels++;
	msix_reset(&fn->msix);
	update_decoding(fn);
	if (fn->ops->reset)
		fn->ops->reset(fn);
}

static void function_level_reset(struct pci_function *fn)
{
	pci_config_flr(&fn->config);
	reset_device(fn);
}

void pci_function_reset(struct pci_function *fn)
{
	fabric_lock(fn->fabric);
	function_level_reset(fn);
	fabric_unlock(fn->fabric);
}

static int config_write(struct pci_function *fn, uint64_t offset, const void *buf, size_t len)
{
	bool flr;
	int ret = pci_config_write(&fn->config, offset, buf, len, &flr);

	if (ret)
		return ret;
	if (flr) {
		function_level_reset(fn);
	} else {
		update_decoding(fn);
		if (fn->ops->config_written)
			fn->ops->config_written(fn, offset, len);
	}
	send_interrupts(fn);
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
		enum tlp_result result = cpu_access(fn, type, bar, offset, buf, size);
		struct tlp tlp = { .type = type, .requester = TRACE_RC };

		tlp_init_range(&tlp, fn->bar_address[bar] + offset, size);
		fabric_record(fn->fabric, &tlp, fn->bdf, result, type == TLP_MWR ? buf : NULL);
		offset += size;
		buf += size;
		len -= size;
	}
	send_interrupts(fn);
	trace_flush(fn->fabric->trace);
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

int pci_function_dma_map(struct pci_function *fn, uint64_t iova, uint64_t size, bool readable,
			 bool writable, int fd, uint64_t fd_offset)
{
	int ret;

	fabric_lock(fn->fabric);
	ret = dma_map_add(&fn->dma, iova, size, readable, writable, fd, fd_offset);
	fabric_unlock(fn->fabric);
	return ret;
}

int pci_function_dma_unmap(struct pci_function *fn, uint64_t iova, uint64_t size)
{
	int ret;

	fabric_lock(fn->fabric);
	ret = dma_map_remove(&fn->dma, iova, size);
	fabric_unlock(fn->fabric);
	return ret;
}

void pci_function_dma_unmap_all(struct pci_function *fn)
{
	fabric_lock(fn->fabric);
	dma_map_clear(&fn->dma);
	fabric_unlock(fn->fabric);
}

void pci_function_connect(struct pci_function *fn, const struct pci_upstream_ops *ops, void *opaque)
{
	fabric_lock(fn->fabric);
	fn->upstream = ops;
	fn->upstream_opaque = opaque;
	if (!ops) {
		while (fn->upstream_users)
			pthread_cond_wait(&fn->upstream_idle, &fn->fabric->lock);
		pci_config_reset(&fn->config);
		reset_device(fn);
		dma_map_clear(&fn->dma);
		trace_flush(fn->fabric->trace);
	}
	fabric_unlock(fn->fabric);
}
