// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which completions a request gets, and from whom.
 */
#include <stdbool.h>
#include <string.h>

#include "completion.h"
#include "completions.h"
#include "fabric_state.h"
#include "trace.h"

/* Return: whether a completion comes back, and what it says (sections 2.3.1 and 6.12.1.1). */
static bool status_of(const struct tlp *request, enum tlp_result result, enum tlp_status *status)
{
	switch (result) {
	case TLP_OK:
	case TLP_HINT_DROPPED:
		*status = TLP_STATUS_SUCCESS;
		return true;
	case TLP_UNSUPPORTED:
	case TLP_FAULT:
		*status = TLP_STATUS_UNSUPPORTED;
		return true;
	case TLP_REJECTED:
	case TLP_BLOCKED:
		*status = TLP_STATUS_ABORT;
		return true;
	case TLP_POISONED:
		/* Of a read the completion is poisoned, of an AtomicOp the request. */
		*status = request->type == TLP_MRD ? TLP_STATUS_SUCCESS : TLP_STATUS_UNSUPPORTED;
		return true;
	case TLP_MALFORMED:
	case TLP_ABORT:
	case TLP_DROPPED:
	case TLP_RESULTS:
		break;
	}
	return false;
}

/* A request that ends at a port is completed by the port. */
static uint16_t completer_id(const struct fabric *fabric, const struct tlp_outcome *outcome)
{
	const struct pcie_port *port = NULL;

	if (!outcome->at || outcome->result == TLP_HINT_DROPPED)
		return outcome->completer;
	for (unsigned int i = 0; i < fabric->port_count && !port; i++)
		if (!strcmp(fabric->ports[i]->name, outcome->at))
			port = fabric->ports[i];
	return port ? port->bdf : TRACE_RC;
}

void completions_record(const struct fabric *fabric, const struct tlp *request,
			const struct tlp_outcome *outcome, const uint8_t *data,
			unsigned int max_payload)
{
	/* What was poisoned was not read. */
	static const uint8_t nothing[TLP_PAYLOAD_MAX];
	struct tlp_completion completion;
	enum tlp_status status;

	if (request->type == TLP_MWR || !trace_shows_completions(fabric->trace) ||
	    !status_of(request, outcome->result, &status))
		return;
	tlp_completion_begin(&completion, request, status, completer_id(fabric, outcome));
	if (status != TLP_STATUS_SUCCESS) {
		trace_record_completion(fabric->trace, &completion, TLP_OK);
		return;
	}
	completion.poisoned = outcome->result == TLP_POISONED;
	while (tlp_completion_next(&completion, completion.poisoned ? nothing : data, max_payload))
		trace_record_completion(fabric->trace, &completion,
					completion.poisoned ? TLP_POISONED : TLP_OK);
}
