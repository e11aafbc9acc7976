// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A request: routed, judged by the ports on its way, completed.
 */
#include <errno.h>
#include <time.h>

#include "byteorder.h"
#include "cap_pcie.h"
#include "completions.h"
#include "error.h"
#include "fabric_state.h"
#include "function_state.h"
#include "request.h"
#include "trace.h"

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
 * A switch routes by the address, before an IOMMU sees the request (section 2.2.4.1): the map of
 * the requester has no say in it, unless @path leads to the root complex.
 */
static bool is_switched(const struct pci_function *from, const struct pci_function *to,
			const struct pcie_path *path)
{
	return from->port && to->port && !path->through_root;
}

/* @entry: what the requester's map has at the address of the request, NULL for nothing. */
static bool reaches_bar(const struct pci_function *from, const struct dma_entry *entry,
			const struct pci_function *to, unsigned int bar, bool translated)
{
	struct pcie_path path;

	/* An IOMMU lets a translated request pass. */
	if (translated)
		return true;
	if (entry)
		return entry_holds_bar(entry, to, bar);
	pcie_path_find(&path, from->port, to->port, false, &from->fabric->root);
	return is_switched(from, to, &path);
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
			if (!bar_covers(fn, i, request->address) ||
			    !reaches_bar(request->requester, entry, fn, i,
					 request->tlp.translated))
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
	bool translated = request->tlp.translated;

	*target = (struct target){ fn, requester->last_bar };
	if (fn && translated == requester->last_translated && fn->memory_enabled &&
	    bar_covers(fn, target->bar, request->address) &&
	    (translated || (entry ? entry_holds_bar(entry, fn, target->bar)
				  : is_switched(requester, fn, &requester->last_path))))
		return true;
	if (!search_target(request, entry, target))
		return false;
	if (requester->last_target != target->fn || requester->last_translated != translated)
		pcie_path_find(&requester->last_path, requester->port, target->fn->port,
			       translated, &requester->fabric->root);
	requester->last_target = target->fn;
	requester->last_translated = translated;
	requester->last_bar = target->bar;
	return true;
}

/* The checks of a receiver, then the completer itself, which receives @tlp. */
static enum tlp_result check_and_complete(const struct request *request, const struct tlp *tlp,
					  const struct target *target, enum tlp_result forced)
{
	struct pci_function *fn = target->fn;
	const struct pci_device_ops *ops = fn->ops;
	uint64_t offset = tlp->address - fn->bar_address[target->bar];
	uint64_t size = fn->config.bars[target->bar].size;

	/*
	 * A prefix is an error for whoever does not support prefixes, whatever it says (section
	 * 2.2.10.4).
	 */
	if (tlp_check(tlp, fn->max_payload) || forced == TLP_MALFORMED ||
	    (tlp->hint.present && tlp->hint.extended && !pcie_cap_end_end_prefix(&fn->config))) {
		if (ops->malformed)
			ops->malformed(fn);
		return TLP_MALFORMED;
	}
	if (!fn->memory_enabled || span(tlp) > size - offset)
		return TLP_UNSUPPORTED;
	return forced == TLP_OK ? hand_over(request, tlp, target, offset) : forced;
}

/* What the completer notes of a request that it has received (section 6.2.3). */
static void note_at_completer(struct pci_function *fn, const struct tlp *tlp,
			      enum tlp_result result)
{
	bool posted = tlp->type == TLP_MWR;

	if (result == TLP_UNSUPPORTED)
		pci_error_detected(fn, PCI_ERROR_UNSUPPORTED, tlp, !posted);
	else if (result == TLP_MALFORMED)
		pci_error_detected(fn, PCI_ERROR_MALFORMED, tlp, false);
	else if (result == TLP_REJECTED && !posted)
		pci_error_detected(fn, PCI_ERROR_COMPLETER_ABORT, tlp, true);
	else if (result == TLP_POISONED && tlp->type != TLP_MRD)
		pci_error_detected(fn, PCI_ERROR_POISONED, tlp, !posted);
}

static enum tlp_result request_complete(const struct request *request, const struct tlp *tlp,
					const struct target *target, enum tlp_result forced)
{
	enum tlp_result result = check_and_complete(request, tlp, target, forced);

	if (result != TLP_OK)
		note_at_completer(target->fn, tlp, result);
	return result;
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

/* What the requester notes: a posted request has no completion that could tell it. */
static void note_at_requester(const struct request *request, enum tlp_result result)
{
	struct pci_function *fn = request->requester;

	if (request->tlp.type == TLP_MWR)
		return;
	switch (result) {
	case TLP_UNSUPPORTED:
	case TLP_FAULT:
		pci_error_completed(fn, PCI_ABORT_UNSUPPORTED);
		break;
	case TLP_REJECTED:
	case TLP_BLOCKED:
		pci_error_completed(fn, PCI_ABORT_COMPLETER);
		break;
	case TLP_MALFORMED:
	case TLP_DROPPED:
		pci_error_detected(fn, PCI_ERROR_COMPLETION_TIMEOUT, NULL, false);
		break;
	case TLP_POISONED:
		if (request->tlp.type == TLP_MRD)
			pci_error_detected(fn, PCI_ERROR_POISONED, NULL, false);
		else
			pci_error_completed(fn, PCI_ABORT_UNSUPPORTED);
		break;
	default:
		break;
	}
}

/* The ports on the way of a request. */
static struct pcie_verdict travel(const struct request *request, const struct tlp *tlp,
				  const struct pcie_path *path)
{
	if (pcie_path_is_clear(path, tlp) && tlp->requester == request->requester->bdf)
		return (struct pcie_verdict){ TLP_OK, NULL };
	return pcie_path_judge(path, tlp);
}

/**
 * struct way - where a request goes
 * @entry: of the DMA map, or NULL
 * @refused: the map does not allow it
 * @peer: @target is where it goes, else memory behind the root complex
 * @target: BAR of a peer
 */
struct way {
	const struct dma_entry *entry;
	bool refused;
	bool peer;
	struct target target;
};

static struct way find_way(const struct request *request)
{
	struct pci_function *fn = request->requester;
	bool read = request->tlp.type != TLP_MWR, write = request->tlp.type != TLP_MRD;
	struct way way = { .entry = dma_map_find(&fn->dma, request->address) };
	const struct dma_entry *entry = way.entry;

	way.refused = entry ? (write && !entry->writable) || (read && !entry->readable) :
			      !fn->fabric->allow_unannounced;
	if (request->tlp.translated && find_target(request, entry, &way.target)) {
		way.refused = false;
		way.peer = true;
		return way;
	}
	way.peer = (entry ? !way.refused && !dma_entry_has_file(entry) : !!fn->port) &&
		   find_target(request, entry, &way.target);
	return way;
}

static int completer_of(const struct way *way)
{
	return way->peer ? way->target.fn->bdf : TRACE_RC;
}

/* @sent is what is under way, @forced what its end makes of it, TLP_OK for what it wants. */
static struct tlp_outcome to_memory(const struct request *request, const struct tlp *sent,
				    const struct way *way, enum tlp_result forced)
{
	struct pci_function *fn = request->requester;
	struct pcie_verdict verdict = travel(request, sent, &fn->memory_path);
	struct tlp_outcome outcome = { TRACE_RC, verdict.result, verdict.at, INJECT_NONE };

	if (outcome.result != TLP_OK)
		return outcome;
	if (way->refused)
		outcome.result = TLP_FAULT;
	else if (forced != TLP_OK)
		outcome.result = forced;
	else if (way->entry && dma_entry_has_file(way->entry))
		outcome.result = file_access(request, way->entry);
	else
		outcome.result = upstream_access(request);
	return outcome;
}

static struct tlp_outcome to_peer(const struct request *request, const struct tlp *sent,
				  const struct way *way, enum tlp_result forced)
{
	struct pcie_verdict verdict = travel(request, sent, &request->requester->last_path);
	struct tlp_outcome outcome = { way->target.fn->bdf, verdict.result, verdict.at,
				       INJECT_NONE };
	struct tlp bare;

	if (outcome.result == TLP_OK) {
		outcome.result = request_complete(request, sent, &way->target, forced);
	} else if (outcome.result == TLP_HINT_DROPPED) {
		bare = *sent;
		bare.hint.present = false;
		outcome.result = request_complete(request, &bare, &way->target, forced);
		if (outcome.result == TLP_OK)
			outcome.result = TLP_HINT_DROPPED;
		else
			outcome.at = NULL;
	}
	return outcome;
}

static struct tlp_outcome deliver(const struct request *request, const struct tlp *sent,
				  const struct way *way, enum tlp_result forced)
{
	return way->peer ? to_peer(request, sent, way, forced) :
			   to_memory(request, sent, way, forced);
}

/* A worker that sleeps holds nothing. */
static void sleep_unlocked(struct fabric *fabric, unsigned int us)
{
	const struct timespec time = { us / 1000000, us % 1000000 * 1000l };

	fabric_unlock(fabric);
	nanosleep(&time, NULL);
	fabric_lock(fabric);
}

/* What the end of a request is made to say by a fault. */
static enum tlp_result forced_result(enum injection_action action)
{
	switch (action) {
	case INJECT_UNSUPPORTED:
		return TLP_UNSUPPORTED;
	case INJECT_MALFORMED:
		return TLP_MALFORMED;
	case INJECT_POISON:
		return TLP_POISONED;
	default:
		return TLP_OK;
	}
}

/* A request on which a rule may be waiting; the same without rules, in a longer way. */
static struct tlp_outcome deliver_with_faults(const struct request *request, struct way *way)
{
	struct fabric *fabric = request->requester->fabric;
	const struct injection_rule *rule =
		injection_find(&fabric->injection, &request->tlp, completer_of(way));
	enum injection_action action = rule ? rule->action : INJECT_NONE;
	struct tlp sent = request->tlp;
	struct tlp_outcome outcome;

	if (rule)
		injection_change(rule, &sent);
	if (action == INJECT_DROP) {
		outcome = (struct tlp_outcome){ completer_of(way), TLP_DROPPED, NULL, action };
	} else {
		if (action == INJECT_DELAY) {
			sleep_unlocked(fabric, rule->delay_us);
			*way = find_way(request);
		}
		outcome = deliver(request, &sent, way, forced_result(action));
		outcome.injected = action;
	}
	return outcome;
}

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* No port and neither end could take a completion with more. */
static unsigned int completion_payload(const struct request *request, const struct way *way)
{
	const struct pci_function *fn = request->requester;

	if (!way->peer)
		return smaller(fn->max_payload, fn->memory_path.max_payload);
	return smaller(smaller(fn->max_payload, fn->last_path.max_payload),
		       way->target.fn->max_payload);
}

static void keep_answer(const struct request *request, const struct way *way,
			const struct tlp_outcome *outcome, struct request_answer *answer)
{
	answer->tlp = request->tlp;
	answer->outcome = *outcome;
	answer->data = request->buf;
	answer->max_payload = completion_payload(request, way);
	if (tlp_is_atomic(request->tlp.type)) {
		put_le64(answer->before, *request->before);
		answer->data = answer->before;
	}
}

void request_answered(const struct pci_function *fn, const struct request_answer *answer)
{
	completions_record(fn->fabric, &answer->tlp, &answer->outcome, answer->data,
			   answer->max_payload);
}

/*
 * ID-Based Ordering, Relaxed Ordering and the address type do not change what arrives here: the
 * fabric delivers requests in the order in which they were sent.
 */
enum tlp_result request_send(const struct request *request, struct request_answer *answer)
{
	struct pci_function *fn = request->requester;
	struct way way = find_way(request);
	struct tlp_outcome outcome;

	if (fn->fabric->injection.count)
		outcome = deliver_with_faults(request, &way);
	else
		outcome = deliver(request, &request->tlp, &way, TLP_OK);
	if (outcome.result != TLP_OK)
		note_at_requester(request, outcome.result);
	fabric_count(fn->fabric, request->tlp.type, outcome.result);
	trace_record(fn->fabric->trace, &request->tlp, &outcome, NULL);
	if (request->tlp.type != TLP_MWR)
		keep_answer(request, &way, &outcome, answer);
	return outcome.result;
}
