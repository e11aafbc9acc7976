// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules and requests.
 */
#include <stddef.h>

#include "injection.h"

static bool is_for(const struct injection_rule *rule, const struct tlp *tlp, int completer)
{
	uint64_t last = tlp->address + tlp->length * 4u - 1;

	if ((rule->requester != INJECTION_ANY && rule->requester != tlp->requester) ||
	    (rule->completer != INJECTION_ANY && rule->completer != completer) ||
	    (rule->type != INJECTION_ANY && rule->type != (int)tlp->type))
		return false;
	if (rule->has_tag && (!tlp->hint.present || tlp->hint.extended != rule->hint.extended ||
			      tlp->hint.st != rule->hint.st))
		return false;
	return tlp->address <= rule->last && last >= rule->first;
}

const struct injection_rule *injection_find(struct injection *injection, const struct tlp *tlp,
					    int completer)
{
	const struct injection_rule *found = NULL;

	for (unsigned int i = 0; i < injection->count; i++) {
		struct injection_rule *rule = &injection->rules[i];

		if (!is_for(rule, tlp, completer))
			continue;
		rule->seen++;
		if (!found && rule->seen >= rule->from && rule->seen <= rule->to)
			found = rule;
	}
	return found;
}

void injection_change(const struct injection_rule *rule, struct tlp *tlp)
{
	struct tlp_hint *hint = &tlp->hint;

	switch (rule->action) {
	case INJECT_POISON:
		tlp->poisoned = tlp->type != TLP_MRD;
		break;
	case INJECT_STRIP_PREFIX:
		hint->extended = false;
		hint->st &= 0xff;
		break;
	case INJECT_CLEAR_TH:
		hint->present = false;
		break;
	case INJECT_CORRUPT_TAG:
		hint->st ^= hint->extended ? rule->flip : rule->flip & 0xff;
		break;
	case INJECT_SPOOF:
		tlp->requester = rule->as;
		break;
	case INJECT_NONE:
	case INJECT_UNSUPPORTED:
	case INJECT_MALFORMED:
	case INJECT_DROP:
	case INJECT_DELAY:
	case INJECT_ACTIONS:
		break;
	}
}
