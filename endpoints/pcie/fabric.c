// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fabric_internal.h"
#include "trace.h"

struct fabric *fabric_create(struct trace *trace)
{
	struct fabric *fabric = calloc(1, sizeof(*fabric));

	if (!fabric)
		return NULL;
	pthread_mutex_init(&fabric->gate, NULL);
	pthread_mutex_init(&fabric->lock, NULL);
	fabric->trace = trace;
	return fabric;
}

void fabric_destroy(struct fabric *fabric)
{
	if (!fabric)
		return;
	for (unsigned int i = 0; i < fabric->count; i++)
		pci_function_destroy(fabric->functions[i]);
	pthread_mutex_destroy(&fabric->lock);
	pthread_mutex_destroy(&fabric->gate);
	free(fabric);
}

void fabric_lock(struct fabric *fabric)
{
	pthread_mutex_lock(&fabric->gate);
	pthread_mutex_lock(&fabric->lock);
	pthread_mutex_unlock(&fabric->gate);
}

void fabric_unlock(struct fabric *fabric)
{
	pthread_mutex_unlock(&fabric->lock);
}

static int check_and_add(struct fabric *fabric, struct pci_function *fn)
{
	if (fabric->count == FABRIC_FUNCTIONS_MAX)
		return -ENOSPC;
	for (unsigned int i = 0; i < fabric->count; i++) {
		const struct pci_function *other = fabric->functions[i];

		if (other->bdf == fn->bdf || !strcmp(other->name, fn->name))
			return -EEXIST;
	}
	fabric->functions[fabric->count++] = fn;
	return 0;
}

static void remove_function(struct fabric *fabric, struct pci_function *fn)
{
	unsigned int i = 0;

	while (fabric->functions[i] != fn)
		i++;
	fabric->functions[i] = fabric->functions[--fabric->count];
}

int fabric_attach(struct fabric *fabric, struct pci_function *fn)
{
	int ret;

	fabric_lock(fabric);
	ret = check_and_add(fabric, fn);
	if (!ret) {
		fn->fabric = fabric;
		ret = pci_function_start(fn);
		if (ret)
			remove_function(fabric, fn);
	}
	fabric_unlock(fabric);
	if (ret)
		pci_function_destroy(fn);
	return ret;
}

struct ib_port **fabric_ib_ports(struct fabric *fabric)
{
	return &fabric->ib_ports;
}

void fabric_get_counters(struct fabric *fabric, struct fabric_counters *counters)
{
	fabric_lock(fabric);
	*counters = fabric->counters;
	fabric_unlock(fabric);
}

void fabric_record(struct fabric *fabric, const struct tlp *tlp, int completer,
		   enum tlp_result result, const uint8_t *value)
{
	if (tlp->type == TLP_MWR)
		fabric->counters.writes++;
	else
		fabric->counters.reads++;
	fabric->counters.results[result]++;
	trace_record(fabric->trace, tlp, completer, result, value);
}

/* A BAR of another function, as a place that a TLP can go to. */
struct target {
	struct pci_function *fn;
	unsigned int bar;
};

static bool bar_covers(const struct pci_function *fn, unsigned int i, uint64_t address)
{
	const struct pci_bar *bar = &fn->config.bars[i];

	/* A BAR at 0 was never programmed. */
	return bar->type != PCI_BAR_NONE && bar->fd >= 0 && fn->bar_address[i] &&
	       address >= fn->bar_address[i] && address - fn->bar_address[i] < bar->size;
}

/*
 * The map of the requester says that bus addresses reach this BAR unchanged: one entry holds all
 * of it.
 */
static bool entry_holds_bar(const struct dma_entry *entry, const struct pci_function *fn,
			    unsigned int i)
{
	return entry->start <= fn->bar_address[i] &&
	       entry->last >= fn->bar_address[i] + (fn->config.bars[i].size - 1);
}

/*
 * Prefers a function that decodes the address now: the BAR of one that does not may be a leftover
 * of an earlier configuration. When there is only such a one, the request is for it and it does
 * not support it.
 */
static bool find_target(const struct pci_function *requester, const struct dma_entry *entry,
			uint64_t address, struct target *target)
{
	const struct fabric *fabric = requester->fabric;
	bool found = false;

	for (unsigned int f = 0; f < fabric->count; f++) {
		struct pci_function *fn = fabric->functions[f];

		if (fn == requester)
			continue;
		for (unsigned int i = 0; i < PCI_BARS; i++) {
			if (!bar_covers(fn, i, address) || !entry_holds_bar(entry, fn, i))
				continue;
			*target = (struct target){ fn, i };
			if (fn->memory_enabled)
				return true;
			found = true;
		}
	}
	return found;
}

/* The checks of a receiver, then the completer itself. */
static enum tlp_result complete(const struct target *target, const struct tlp *tlp, void *read_buf,
				size_t len)
{
	struct pci_function *fn = target->fn;
	const struct pci_device_ops *ops = fn->ops;
	uint64_t offset = tlp->address - fn->bar_address[target->bar];
	uint64_t size = fn->config.bars[target->bar].size;
	int ret;

	/*
	 * A prefix is an error for whoever does not support prefixes, whatever it says (section
	 * 2.2.10.4).
	 */
	if (tlp_check(tlp, pcie_cap_max_payload(&fn->config)) ||
	    (tlp->hint.present && tlp->hint.extended && !pcie_cap_end_end_prefix(&fn->config))) {
		if (ops->malformed)
			ops->malformed(fn);
		return TLP_MALFORMED;
	}
	if (!fn->memory_enabled || (uint64_t)tlp->length * 4 > size - offset)
		return TLP_UNSUPPORTED;
	if (tlp->type == TLP_MWR) {
		if (!ops->mem_write)
			return TLP_UNSUPPORTED;
		ret = ops->mem_write(fn, target->bar, offset, tlp);
	} else {
		if (!ops->mem_read)
			return TLP_UNSUPPORTED;
		ret = ops->mem_read(fn, target->bar, offset + tlp_first_byte(tlp), read_buf, len);
	}
	return ret ? TLP_REJECTED : TLP_OK;
}

/* Through the client, without the lock. */
static enum tlp_result upstream_access(struct pci_function *fn, enum tlp_type type,
				       uint64_t address, void *buf, size_t len)
{
	const struct pci_upstream_ops *ops = fn->upstream;
	void *opaque = fn->upstream_opaque;
	int ret;

	if (!ops)
		return TLP_ABORT;
	fn->upstream_users++;
	fabric_unlock(fn->fabric);
	if (type == TLP_MWR)
		ret = ops->write(opaque, address, buf, len);
	else
		ret = ops->read(opaque, address, buf, len);
	fabric_lock(fn->fabric);
	if (!--fn->upstream_users)
		pthread_cond_broadcast(&fn->upstream_idle);
	if (!ret)
		return TLP_OK;
	return ret == -ENOTCONN ? TLP_ABORT : TLP_FAULT;
}

/* Sends one TLP for @len bytes at @address on its way; @buf is theirs, only a read changes it. */
static enum tlp_result route(struct pci_function *fn, const struct tlp *tlp, uint64_t address,
			     void *buf, size_t len)
{
	const struct dma_entry *entry = dma_map_find(&fn->dma, address);
	bool write = tlp->type == TLP_MWR;
	int completer = TRACE_RC;
	enum tlp_result result;
	struct target target;

	if (entry && !(write ? entry->writable : entry->readable)) {
		result = TLP_FAULT;
	} else if (entry && entry->file) {
		int ret = write ? dma_entry_write(entry, address, buf, len) :
				  dma_entry_read(entry, address, buf, len);

		result = ret ? TLP_FAULT : TLP_OK;
	} else if (entry && find_target(fn, entry, address, &target)) {
		completer = target.fn->bdf;
		result = complete(&target, tlp, buf, len);
	} else {
		result = upstream_access(fn, tlp->type, address, buf, len);
	}
	fabric_record(fn->fabric, tlp, completer, result, NULL);
	return result;
}

/* Payload in whole DWs; bytes that are not enabled are sent as 0. */
static const uint8_t *stage_payload(struct pci_function *fn, const struct tlp *tlp, const void *buf,
				    size_t len)
{
	size_t size = (size_t)tlp->length * 4;

	if (len == size)
		return buf;
	memset(fn->staging, 0, 4);
	memset(fn->staging + size - 4, 0, 4);
	memcpy(fn->staging + tlp_first_byte(tlp), buf, len);
	return fn->staging;
}

static int result_errno(enum tlp_result result)
{
	switch (result) {
	case TLP_OK:
		return 0;
	case TLP_MALFORMED:
	case TLP_REJECTED:
		return -EBADMSG;
	case TLP_ABORT:
		return -ENOTCONN;
	case TLP_UNSUPPORTED:
	case TLP_FAULT:
		break;
	}
	return -EFAULT;
}

static int transfer(struct pci_function *fn, enum tlp_type type, uint64_t address, uint8_t *buf,
		    size_t len, const struct tlp_hint *hint, uint64_t *sent)
{
	uint64_t cancels = fn->cancels;
	int ret = 0;

	if (!len || address + (len - 1) < address)
		return -EINVAL;
	while (len && !ret) {
		size_t limit = type == TLP_MWR ? pcie_cap_max_payload(&fn->config) :
						 pcie_cap_max_read_request(&fn->config);
		size_t n = limit - address % limit;
		struct tlp tlp = { .type = type, .requester = fn->bdf };

		if (!pci_config_bus_master(&fn->config))
			return -EPERM;
		if (n > len)
			n = len;
		/*
		 * Pieces end at multiples of a power of two up to 4096, hence within a 4 KiB page.
		 */
		tlp_init_range(&tlp, address, n);
		if (hint)
			tlp.hint = *hint;
		if (type == TLP_MWR)
			tlp.data = stage_payload(fn, &tlp, buf, n);
		else
			tlp.tag = fn->tag++;
		if (sent)
			++*sent;
		ret = result_errno(route(fn, &tlp, address, buf, n));
		if (fn->cancels != cancels)
			return -ECANCELED;
		address += n;
		buf += n;
		len -= n;
	}
	return ret;
}

int fabric_write(struct pci_function *fn, uint64_t address, const void *buf, size_t len,
		 const struct tlp_hint *hint, uint64_t *sent)
{
	return transfer(fn, TLP_MWR, address, (uint8_t *)buf, len, hint, sent);
}

int fabric_read(struct pci_function *fn, uint64_t address, void *buf, size_t len)
{
	return transfer(fn, TLP_MRD, address, buf, len, NULL, NULL);
}
