/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The completions of a request, in the trace. Data and errors do not travel in them: a request is
 * completed where it arrives. The fabric's lock is held.
 */
#ifndef TPHBUF_PCIE_COMPLETIONS_H
#define TPHBUF_PCIE_COMPLETIONS_H

#include <stdint.h>

struct fabric;
struct tlp;
struct tlp_outcome;

/**
 * completions_record() - record what comes back for a request
 * @fabric: whose trace
 * @request: a request that has been recorded; for a posted one nothing comes back
 * @outcome: what became of it
 * @data: what it has read, tlp_enabled_bytes() of them; of an AtomicOp the value before, as 8
 *	bytes, little-endian
 * @max_payload: the smallest Max_Payload_Size on the way
 */
void completions_record(const struct fabric *fabric, const struct tlp *request,
			const struct tlp_outcome *outcome, const uint8_t *data,
			unsigned int max_payload);

#endif
