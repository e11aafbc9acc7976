/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One memory request of a function: where it goes, what the ports and its completer make of it. The
 * rules are in transaction.h.
 */
#ifndef TPHBUF_PCIE_REQUEST_H
#define TPHBUF_PCIE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "tlp.h"
#include "trace.h"

struct pci_function;

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

/**
 * struct request_answer - what comes back for a request that is not posted
 * @tlp: the request
 * @outcome: what became of it
 * @data: what was read; stays where the request had it
 * @before: of an AtomicOp, where @data points
 * @max_payload: the smallest Max_Payload_Size on the way
 */
struct request_answer {
	struct tlp tlp;
	struct tlp_outcome outcome;
	const uint8_t *data;
	uint8_t before[TLP_ATOMIC_SIZE];
	unsigned int max_payload;
};

/**
 * request_send() - send a request, and wait for its end
 * @request: the request
 * @answer: out, of a request that is not posted: for request_answered()
 *
 * It is counted and traced, and both ends note the errors that they detect. The lock may be dropped
 * as fabric_write() says.
 *
 * Return: what became of it.
 */
enum tlp_result request_send(const struct request *request, struct request_answer *answer);

/* Records the completions of a request that @fn has sent. */
void request_answered(const struct pci_function *fn, const struct request_answer *answer);

#endif
