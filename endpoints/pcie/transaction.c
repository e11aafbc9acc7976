// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transactions of a function: cut into TLPs, routed, completed.
 */
#include <errno.h>
#include <string.h>

#include "byteorder.h"
#include "cap_pcie.h"
#include "fabric_state.h"
#include "function_state.h"
#include "trace.h"
#include "transaction.h"

/**
 * struct request - one TLP under way
 * @requester: the function that sends it; its fabric's lock is held
 * @tlp: the memory request
 * @address: of the first enabled byte
 * @buf: the enabled bytes; only a read changes them. Of an AtomicOp the operands
 * @len: of @buf
 * @before: of an AtomicOp: receives the value before it
 */
struct request {
	struct pci_function *requester;
	struct tlp tlp;
	uint64_t address;
	uint8_t *buf;
	size_t len;
	uint64_t *before;
};

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
static bool search_target(const struct request *request, const struct dma_entry *entry,
			  struct target *target)
{
	const struct fabric *fabric = request->requester->fabric;
	bool found = false;

	for (unsigned int f = 0; f < fabric->count; f++) {
		struct pci_function *fn = fabric->functions[f];

		if (fn == request->requester)
			continue;
		for (unsigned int i = 0; i < PCI_BARS; i++) {
			if (!bar_covers(fn, i, request->address) || !entry_holds_bar(entry, fn, i))
				continue;
			*target = (struct target){ fn, i };
			if (fn->memory_enabled)
				return true;
			found = true;
		}
	}
	return found;
}

/* Bytes of memory, from the first DW on, that a request is about. */
static uint64_t span(const struct tlp *tlp)
{
	return tlp_is_atomic(tlp->type) ? TLP_ATOMIC_SIZE : (uint64_t)tlp->length * 4;
}

static enum tlp_result hand_over(const struct request *request, const struct tlp *tlp,
				 const struct target *target, uint64_t offset)
{
	struct pci_function *fn = target->fn;
	const struct pci_device_ops *ops = fn->ops;
	int ret;

	if (tlp_is_atomic(tlp->type)) {
		if (!ops->mem_atomic || !pcie_cap_atomic_completer(&fn->config))
			return TLP_UNSUPPORTED;
		ret = ops->mem_atomic(fn, target->bar, offset, tlp, request->before);
	} else if (tlp->type == TLP_MWR) {
		if (!ops->mem_write)
			return TLP_UNSUPPORTED;
		ret = ops->mem_write(fn, target->bar, offset, tlp);
	} else {
		if (!ops->mem_read)
			return TLP_UNSUPPORTED;
		ret = ops->mem_read(fn, target->bar, offset + tlp_first_byte(tlp), request->buf,
				    request->len);
	}
	return ret ? TLP_REJECTED : TLP_OK;
}

/* The target of the request before is looked at first: most go where the last one went. */
static bool find_target(const struct request *request, const struct dma_entry *entry,
			struct target *target)
{
	struct pci_function *requester = request->requester, *fn = requester->last_target;

	*target = (struct target){ fn, requester->last_bar };
	if (fn && fn->memory_enabled && bar_covers(fn, target->bar, request->address) &&
	    entry_holds_bar(entry, fn, target->bar))
		return true;
	if (!search_target(request, entry, target))
		return false;
	if (requester->last_target != target->fn)
		pcie_path_find(&requester->last_path, requester->port, target->fn->port, false,
			       &requester->fabric->root);
	requester->last_target = target->fn;
	requester->last_bar = target->bar;
	return true;
}

/* The checks of a receiver, then the completer itself, which receives @tlp. */
static enum tlp_result request_complete(const struct request *request, const struct tlp *tlp,
					const struct target *target)
{
	struct pci_function *fn = target->fn;
	const struct pci_device_ops *ops = fn->ops;
	uint64_t offset = tlp->address - fn->bar_address[target->bar];
	uint64_t size = fn->config.bars[target->bar].size;

	/*
	 * A prefix is an error for whoever does not support prefixes, whatever it says (section
	 * 2.2.10.4).
	 */
	if (tlp_check(tlp, fn->max_payload) ||
	    (tlp->hint.present && tlp->hint.extended && !pcie_cap_end_end_prefix(&fn->config))) {
		if (ops->malformed)
			ops->malformed(fn);
		return TLP_MALFORMED;
	}
	if (!fn->memory_enabled || span(tlp) > size - offset)
		return TLP_UNSUPPORTED;
	return hand_over(request, tlp, target, offset);
}

/* Through the client, without the lock. */
static enum tlp_result upstream_access(const struct request *request)
{
	struct pci_function *fn = request->requester;
	const struct pci_upstream_ops *ops = fn->upstream;
	void *opaque = fn->upstream_opaque;
	uint64_t epoch = fn->cancels;
	int ret;

	if (!ops)
		return TLP_ABORT;
	/* The client has no message for it. */
	if (tlp_is_atomic(request->tlp.type))
		return TLP_UNSUPPORTED;
	fn->upstream_users++;
	fabric_unlock(fn->fabric);
	if (request->tlp.type == TLP_MWR)
		ret = ops->write(opaque, epoch, request->address, request->buf, request->len);
	else
		ret = ops->read(opaque, epoch, request->address, request->buf, request->len);
	fabric_lock(fn->fabric);
	if (!--fn->upstream_users)
		pthread_cond_broadcast(&fn->upstream_idle);
	if (!ret)
		return TLP_OK;
	return ret == -ENOTCONN ? TLP_ABORT : TLP_FAULT;
}

static enum tlp_result file_access(const struct request *request, const struct dma_entry *entry)
{
	int ret;

	if (tlp_is_atomic(request->tlp.type))
		ret = dma_entry_atomic(entry, &request->tlp, request->before);
	else if (request->tlp.type == TLP_MWR)
		ret = dma_entry_write(entry, request->address, request->buf, request->len);
	else
		ret = dma_entry_read(entry, request->address, request->buf, request->len);
	return ret ? TLP_FAULT : TLP_OK;
}

/* The ports on the way of a request. */
static struct pcie_verdict travel(const struct request *request, const struct pcie_path *path)
{
	if (pcie_path_is_clear(path, &request->tlp))
		return (struct pcie_verdict){ TLP_OK, NULL };
	return pcie_path_judge(path, &request->tlp);
}

static struct tlp_outcome to_memory(const struct request *request, const struct dma_entry *entry,
				    bool refused)
{
	struct pci_function *fn = request->requester;
	struct pcie_verdict verdict = travel(request, &fn->memory_path);
	struct tlp_outcome outcome = { TRACE_RC, verdict.result, verdict.at };

	if (outcome.result != TLP_OK)
		return outcome;
	if (refused)
		outcome.result = TLP_FAULT;
	else if (entry && dma_entry_has_file(entry))
		outcome.result = file_access(request, entry);
	else
		outcome.result = upstream_access(request);
	return outcome;
}

static struct tlp_outcome to_peer(const struct request *request, const struct target *target)
{
	struct pcie_verdict verdict = travel(request, &request->requester->last_path);
	struct tlp_outcome outcome = { target->fn->bdf, verdict.result, verdict.at };
	struct tlp bare;

	if (outcome.result == TLP_OK) {
		outcome.result = request_complete(request, &request->tlp, target);
	} else if (outcome.result == TLP_HINT_DROPPED) {
		bare = request->tlp;
		bare.hint.present = false;
		outcome.result = request_complete(request, &bare, target);
		if (outcome.result == TLP_OK)
			outcome.result = TLP_HINT_DROPPED;
		else
			outcome.at = NULL;
	}
	return outcome;
}

static enum tlp_result route(const struct request *request)
{
	struct pci_function *fn = request->requester;
	const struct dma_entry *entry = dma_map_find(&fn->dma, request->address);
	bool read = request->tlp.type != TLP_MWR, write = request->tlp.type != TLP_MRD;
	bool refused = entry ? (write && !entry->writable) || (read && !entry->readable) :
			       !fn->fabric->allow_unannounced;
	struct tlp_outcome outcome;
	struct target target;

	if (entry && !refused && !dma_entry_has_file(entry) &&
	    find_target(request, entry, &target))
		outcome = to_peer(request, &target);
	else
		outcome = to_memory(request, entry, refused);
	fabric_count(fn->fabric, request->tlp.type, outcome.result);
	trace_record(fn->fabric->trace, &request->tlp, &outcome, NULL);
	return outcome.result;
}

/* Payload in whole DWs; bytes that are not enabled are sent as 0. */
static const uint8_t *stage_payload(const struct request *request)
{
	uint8_t *staging = request->requester->staging;
	size_t size = (size_t)request->tlp.length * 4;

	if (request->len == size)
		return request->buf;
	memset(staging, 0, 4);
	memset(staging + size - 4, 0, 4);
	memcpy(staging + tlp_first_byte(&request->tlp), request->buf, request->len);
	return staging;
}

/*
 * Cuts the TLP for the first of @left bytes. Pieces end at multiples of a power of two up to 4096,
 * hence within a 4 KiB page.
 */
static void cut(struct request *request, size_t left)
{
	struct pci_function *fn = request->requester;
	struct tlp *tlp = &request->tlp;
	size_t limit = tlp->type == TLP_MWR ? fn->max_payload : fn->max_read_request;

	request->len = limit - request->address % limit;
	if (request->len > left)
		request->len = left;
	tlp_init_range(tlp, request->address, request->len);
	if (tlp->type == TLP_MWR)
		tlp->data = stage_payload(request);
	else
		tlp->tag = fn->tag++;
}

static int result_errno(enum tlp_result result)
{
	switch (result) {
	case TLP_OK:
	case TLP_HINT_DROPPED:
		return 0;
	case TLP_MALFORMED:
	case TLP_REJECTED:
		return -EBADMSG;
	case TLP_ABORT:
		return -ENOTCONN;
	case TLP_UNSUPPORTED:
	case TLP_FAULT:
	case TLP_BLOCKED:
	case TLP_RESULTS:
		break;
	}
	return -EFAULT;
}

static int request_transfer(struct request *request, size_t len, uint64_t *sent)
{
	struct pci_function *fn = request->requester;
	uint64_t cancels = fn->cancels;
	int ret = 0;

	if (!len || request->address + (len - 1) < request->address)
		return -EINVAL;
	while (len && !ret) {
		if (!fn->bus_master)
			return -EPERM;
		cut(request, len);
		if (sent)
			++*sent;
		ret = result_errno(route(request));
		if (fn->cancels != cancels)
			return -ECANCELED;
		request->address += request->len;
		request->buf += request->len;
		len -= request->len;
	}
	return ret;
}

int fabric_write(struct pci_function *fn, uint64_t address, const void *buf, size_t len,
		 const struct tlp_hint *hint, uint64_t *sent)
{
	struct request request = {
		.requester = fn,
		.tlp = { .type = TLP_MWR, .requester = fn->bdf },
		.address = address,
		.buf = (uint8_t *)buf,
	};

	if (hint)
		request.tlp.hint = *hint;
	return request_transfer(&request, len, sent);
}

int fabric_read(struct pci_function *fn, uint64_t address, void *buf, size_t len)
{
	struct request request = {
		.requester = fn,
		.tlp = { .type = TLP_MRD, .requester = fn->bdf },
		.address = address,
		.buf = buf,
	};

	return request_transfer(&request, len, NULL);
}

int fabric_atomic(struct pci_function *fn, enum tlp_type type, uint64_t address,
		  const uint64_t *operands, uint64_t *before)
{
	uint8_t data[2 * TLP_ATOMIC_SIZE];
	struct request request = {
		.requester = fn,
		.tlp = { .type = type,
			 .requester = fn->bdf,
			 .address = address,
			 .first_be = 0xf,
			 .last_be = 0xf,
			 .data = data },
		.address = address,
		.len = type == TLP_CAS ? sizeof(data) : TLP_ATOMIC_SIZE,
		.buf = data,
		.before = before,
	};
	uint64_t cancels = fn->cancels;
	int ret;

	if (address % TLP_ATOMIC_SIZE)
		return -EINVAL;
	if (!fn->bus_master)
		return -EPERM;
	if (!pcie_cap_atomic_requester(&fn->config))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < request.len / TLP_ATOMIC_SIZE; i++)
		put_le64(data + i * TLP_ATOMIC_SIZE, operands[i]);
	request.tlp.length = (uint16_t)(request.len / 4);
	request.tlp.tag = fn->tag++;
	ret = result_errno(route(&request));
	return fn->cancels != cancels ? -ECANCELED : ret;
}
