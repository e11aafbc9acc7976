/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion TLPs in non-flit mode (section 2.2.9): what comes back for a request that is not
 * posted.
 */
#ifndef TPHBUF_PCIE_COMPLETION_H
#define TPHBUF_PCIE_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlp.h"

#define TLP_COMPLETION_HEADER	12	/* bytes */

/* Completion Status (section 2.2.9.1) */
enum tlp_status {
	TLP_STATUS_SUCCESS = 0,
	TLP_STATUS_UNSUPPORTED = 1,
	TLP_STATUS_ABORT = 4,
};

/**
 * struct tlp_completion - a completion, with data or without
 * @completer: completer ID, 0 for the root complex
 * @requester: requester ID of the request, and so where the completion goes
 * @tag: of the request
 * @attributes: those of the request, bits of enum tlp_attribute
 * @status: successful, or why there is no data
 * @byte_count: bytes of the request that are still to come, @bytes included, 1..4096
 * @address: of the first byte of @data; the TLP has bits 6:0 of it. 0 for an AtomicOp
 * @bytes: bytes in @data that were asked for, 0: a completion without data
 * @poisoned: its data is known to be wrong: the EP bit
 * @data: @bytes of them, not owned
 */
struct tlp_completion {
	uint16_t completer;
	uint16_t requester;
	uint8_t tag;
	uint8_t attributes;
	enum tlp_status status;
	uint16_t byte_count;
	uint64_t address;
	uint16_t bytes;
	bool poisoned;
	const uint8_t *data;
};

/**
 * tlp_completion_begin() - a completion without data, and the state before the first one with
 * @completion: out
 * @request: a read or an AtomicOp
 * @status: what it says
 * @completer: who sends it
 *
 * Without data it is the only one, and says what is left as if it had succeeded (section 2.2.9).
 */
void tlp_completion_begin(struct tlp_completion *completion, const struct tlp *request,
			  enum tlp_status status, uint16_t completer);

/**
 * tlp_completion_next() - the next completion with data
 * @completion: of tlp_completion_begin() or of the call before
 * @data: all bytes that were asked for
 * @max_payload: a power of two, at least 128
 *
 * A read is cut at multiples of @max_payload, which are also multiples of every Read Completion
 * Boundary there is (section 2.3.1.1).
 *
 * Return: false behind the last one.
 */
bool tlp_completion_next(struct tlp_completion *completion, const uint8_t *data,
			 unsigned int max_payload);

/* DWs of payload: those that @data touches. */
unsigned int tlp_completion_length(const struct tlp_completion *completion);

/* Bytes of the payload before @data. */
unsigned int tlp_completion_skip(const struct tlp_completion *completion);

/* Writes the header into TLP_COMPLETION_HEADER bytes. */
void tlp_completion_encode_header(const struct tlp_completion *completion, void *buf);

#endif
