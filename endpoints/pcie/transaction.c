// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transactions of a function: cut into TLPs.
 */
#include <errno.h>
#include <string.h>

#include "byteorder.h"
#include "cap_ats.h"
#include "cap_pcie.h"
#include "function_state.h"
#include "request.h"
#include "transaction.h"

#define IN_FLIGHT_MAX	32u	/* read requests that wait for completions */

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

static uint8_t next_tag(struct pci_function *fn)
{
	return fn->tag++ & (fn->tags - 1);
}

/*
 * Cuts the TLP for the first of @left bytes. Pieces end at multiples of a power of two up to 4096,
 * hence within a 4 KiB page. A read with a @hint has whole DWs, other pieces go without.
 */
static void cut(struct request *request, size_t left, bool hint)
{
	struct pci_function *fn = request->requester;
	struct tlp *tlp = &request->tlp;
	size_t limit = tlp->type == TLP_MWR ? fn->max_payload : fn->max_read_request;

	request->len = limit - request->address % limit;
	if (request->len > left)
		request->len = left;
	tlp_init_range(tlp, request->address, request->len);
	if (tlp->type == TLP_MWR) {
		tlp->data = stage_payload(request);
		return;
	}
	tlp->tag = next_tag(fn);
	/* The steering tag takes the place of the byte enables (section 2.2.7.1.1). */
	tlp->hint.present = hint && request->len == tlp->length * 4u;
}

/* Whoever sends a posted request does not learn that it vanished or was poisoned on a link. */
static int result_errno(enum tlp_result result, enum tlp_type type)
{
	if (type == TLP_MWR && (result == TLP_DROPPED || result == TLP_POISONED))
		return 0;
	switch (result) {
	case TLP_OK:
	case TLP_HINT_DROPPED:
		return 0;
	case TLP_MALFORMED:
	case TLP_REJECTED:
	case TLP_POISONED:
		return -EBADMSG;
	case TLP_ABORT:
		return -ENOTCONN;
	case TLP_UNSUPPORTED:
	case TLP_FAULT:
	case TLP_BLOCKED:
	case TLP_DROPPED:
	case TLP_RESULTS:
		break;
	}
	return -EFAULT;
}

/* What the properties make of a request, at this moment. */
static int apply_properties(struct request *request, const struct tlp_properties *properties)
{
	struct pci_function *fn = request->requester;

	if (!properties)
		return 0;
	request->tlp.hint = properties->hint;
	request->tlp.attributes = properties->attributes & fn->attributes;
	request->tlp.translated = properties->translated;
	return properties->translated && !ats_cap_enabled(&fn->config) ? -EOPNOTSUPP : 0;
}

/**
 * struct flight - requests that are not posted, and wait for their completions
 * @count: of @answers
 * @answers: in the order in which they were sent
 */
struct flight {
	unsigned int count;
	struct request_answer answers[IN_FLIGHT_MAX];
};

static void flight_land(const struct pci_function *fn, struct flight *flight)
{
	for (unsigned int i = 0; i < flight->count; i++)
		request_answered(fn, &flight->answers[i]);
	flight->count = 0;
}

static enum tlp_result flight_send(const struct request *request, struct flight *flight)
{
	struct request_answer *answer = &flight->answers[flight->count];

	if (request->tlp.type != TLP_MWR)
		flight->count++;
	return request_send(request, answer);
}

static int request_transfer(struct request *request, size_t len, uint64_t *sent)
{
	struct pci_function *fn = request->requester;
	uint64_t cancels = fn->cancels;
	bool hint = request->tlp.hint.present;
	struct flight flight;
	int ret = 0;

	if (!len || request->address + (len - 1) < request->address)
		return -EINVAL;
	flight.count = 0;
	while (len && !ret) {
		if (!fn->bus_master) {
			ret = -EPERM;
			break;
		}
		cut(request, len, hint);
		if (sent)
			++*sent;
		ret = result_errno(flight_send(request, &flight), request->tlp.type);
		if (fn->cancels != cancels)
			ret = -ECANCELED;
		if (flight.count == IN_FLIGHT_MAX)
			flight_land(fn, &flight);
		request->address += request->len;
		request->buf += request->len;
		len -= request->len;
	}
	flight_land(fn, &flight);
	return ret;
}

int fabric_write(struct pci_function *fn, uint64_t address, const void *buf, size_t len,
		 const struct tlp_properties *properties, uint64_t *sent)
{
	struct request request = {
		.requester = fn,
		.tlp = { .type = TLP_MWR, .requester = fn->bdf },
		.address = address,
		.buf = (uint8_t *)buf,
	};
	int ret = apply_properties(&request, properties);

	return ret ? ret : request_transfer(&request, len, sent);
}

int fabric_read(struct pci_function *fn, uint64_t address, void *buf, size_t len,
		const struct tlp_properties *properties)
{
	struct request request = {
		.requester = fn,
		.tlp = { .type = TLP_MRD, .requester = fn->bdf },
		.address = address,
		.buf = buf,
	};
	int ret = apply_properties(&request, properties);

	return ret ? ret : request_transfer(&request, len, NULL);
}

int fabric_atomic(struct pci_function *fn, enum tlp_type type, uint64_t address,
		  const uint64_t *operands, uint64_t *before,
		  const struct tlp_properties *properties)
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
	struct request_answer answer;
	int ret;

	if (address % TLP_ATOMIC_SIZE)
		return -EINVAL;
	if (!fn->bus_master)
		return -EPERM;
	if (!pcie_cap_atomic_requester(&fn->config))
		return -EOPNOTSUPP;
	ret = apply_properties(&request, properties);
	if (ret)
		return ret;
	for (size_t i = 0; i < request.len / TLP_ATOMIC_SIZE; i++)
		put_le64(data + i * TLP_ATOMIC_SIZE, operands[i]);
	request.tlp.length = (uint16_t)(request.len / 4);
	request.tlp.tag = next_tag(fn);
	ret = result_errno(request_send(&request, &answer), type);
	request_answered(fn, &answer);
	return fn->cancels != cancels ? -ECANCELED : ret;
}
