// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a function: made, attached, connected, reset, destroyed; its worker, its interrupts,
 * its DMA map.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "byteorder.h"
#include "cap_aer.h"
#include "cap_ats.h"
#include "cap_pm.h"
#include "fabric_state.h"
#include "function_state.h"
#include "trace.h"

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
	fn->port = desc->port;
	fn->ops = desc->ops;
	fn->device = desc->device;
	ret = pci_header_init(&fn->config, &desc->ids, desc->bars);
	if (!ret)
		ret = pm_cap_add(&fn->config);
	if (!ret)
		ret = pcie_cap_add(&fn->config, &desc->pcie);
	if (!ret && desc->msix.vectors)
		ret = msix_add(&fn->msix, &fn->config, &desc->msix);
	if (!ret && desc->tph)
		ret = tph_cap_add(&fn->config, desc->tph);
	if (!ret && desc->ats)
		ret = ats_cap_add(&fn->config);
	if (!ret)
		ret = aer_cap_add(&fn->config);
	if (ret) {
		free(fn);
		return ret;
	}
	pci_config_seal(&fn->config);
	pci_function_update_decoding(fn);
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

static int start_worker(struct pci_function *fn)
{
	if (!fn->ops->work)
		return 0;
	if (pthread_create(&fn->worker, NULL, worker_main, fn))
		return -EAGAIN;
	fn->has_worker = true;
	return 0;
}

static void destroy(struct pci_function *fn)
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

static bool is_taken(const struct fabric *fabric, const struct pci_function *fn)
{
	for (unsigned int i = 0; i < fabric->count; i++) {
		const struct pci_function *other = fabric->functions[i];

		if (other->bdf == fn->bdf || !strcmp(other->name, fn->name))
			return true;
	}
	return false;
}

int pci_function_attach(struct pci_function *fn, struct fabric *fabric)
{
	int ret;

	fabric_lock(fabric);
	ret = is_taken(fabric, fn) ? -EEXIST : 0;
	if (!ret && fn->port)
		ret = pcie_port_attach(fn->port, fn->bdf);
	if (!ret)
		ret = fabric_add(fabric, fn, destroy);
	if (!ret) {
		fn->fabric = fabric;
		pcie_path_find_memory(&fn->memory_path, fn->port);
		ret = start_worker(fn);
		if (ret)
			fabric_remove(fabric, fn);
	}
	fabric_unlock(fabric);
	if (ret)
		destroy(fn);
	return ret;
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

unsigned int pci_function_cap(const struct pci_function *fn, uint16_t id)
{
	return pci_config_cap(&fn->config, id);
}

unsigned int pci_function_ext_cap(const struct pci_function *fn, uint16_t id)
{
	return pci_config_ext_cap(&fn->config, id);
}

void pci_function_kick(struct pci_function *fn)
{
	fn->kicked = true;
	pthread_cond_signal(&fn->wake);
}

void pci_function_cancel(struct pci_function *fn)
{
	fn->cancels++;
	if (fn->upstream)
		fn->upstream->cancel(fn->upstream_opaque, fn->cancels);
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

/* The client is told by the socket; the trace has what a device would send (section 6.1.4). */
static void send_interrupt(struct pci_function *fn, unsigned int vector)
{
	uint8_t payload[4];
	struct tlp tlp = {
		.type = TLP_MWR,
		.requester = fn->bdf,
		.length = 1,
		.first_be = 0xf,
		.data = payload,
	};
	uint32_t data;

	msix_message(&fn->msix, vector, &tlp.address, &data);
	put_le32(payload, data);
	trace_record_interrupt(fn->fabric->trace, &tlp, vector);
	fn->upstream->msix(fn->upstream_opaque, vector);
}

void pci_function_send_interrupts(struct pci_function *fn)
{
	int vector;

	while ((vector = msix_next(&fn->msix, &fn->config)) >= 0)
		if (fn->upstream)
			send_interrupt(fn, vector);
}

void pci_function_msix_raise(struct pci_function *fn, unsigned int vector)
{
	msix_raise(&fn->msix, &fn->config, vector);
	pci_function_send_interrupts(fn);
}

void pci_function_update_decoding(struct pci_function *fn)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		fn->bar_address[i] = pci_header_bar_address(&fn->config, i);
	fn->memory_enabled = pci_header_memory_enabled(&fn->config);
	fn->bus_master = pci_header_bus_master(&fn->config);
	fn->max_payload = pcie_cap_max_payload(&fn->config);
	fn->max_read_request = pcie_cap_max_read_request(&fn->config);
	fn->attributes = pcie_cap_attributes(&fn->config);
	fn->tags = pcie_cap_tags(&fn->config);
}

/* What a reset does beside that of the config space. */
static void reset_device(struct pci_function *fn)
{
	pci_function_cancel(fn);
	msix_reset(&fn->msix);
	pci_function_update_decoding(fn);
	if (fn->ops->reset)
		fn->ops->reset(fn);
}

void pci_function_reset_locked(struct pci_function *fn)
{
	pci_config_flr(&fn->config);
	reset_device(fn);
}

void pci_function_reset(struct pci_function *fn)
{
	fabric_lock(fn->fabric);
	pci_function_reset_locked(fn);
	fabric_unlock(fn->fabric);
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
	}
	fabric_unlock(fn->fabric);
}
