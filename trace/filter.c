// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing TLPs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

/* Decimal or 0x, perhaps K, M or G behind it. */
static int filter_parse_size(const char *text, char **end, uint64_t *value)
{
	static const char units[] = "KMG";
	const char *unit;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
	if (errno)
		return -EINVAL;
	unit = **end ? strchr(units, **end) : NULL;
	if (unit) {
		*value <<= 10 * (unit - units + 1);
		(*end)++;
	}
	return 0;
}

static int parse_range(const char *text, uint64_t *first, uint64_t *second, bool required)
{
	char *end;

	if (filter_parse_size(text, &end, first))
		return -EINVAL;
	if (!*end && !required)
		return 0;
	if (*end != ':' || filter_parse_size(end + 1, &end, second) || *end)
		return -EINVAL;
	return 0;
}

static int parse_tag(struct filter *filter, const char *text)
{
	unsigned long st;
	char *end;

	filter->extended = !strncmp(text, "st-ext=", 7);
	if (!filter->extended && strncmp(text, "st=", 3))
		return -EINVAL;
	text += filter->extended ? 7 : 3;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	st = strtoul(text, &end, 0);
	if (*end || st > (filter->extended ? 0xffffu : 0xffu))
		return -EINVAL;
	filter->st = st;
	filter->has_tag = true;
	return 0;
}

static int parse_choice(const char *text, const char *a, int when_a, const char *b, int when_b,
			int *value)
{
	if (!strcmp(text, a))
		*value = when_a;
	else if (!strcmp(text, b))
		*value = when_b;
	else
		return -EINVAL;
	return 0;
}

static int parse_names(struct filter *filter, int c, const char *value)
{
	if (c == 'Y') {
		filter->type = record_type_find(value, strlen(value));
		filter->has_type = true;
		return filter->type == RECORD_TYPES ? -EINVAL : 0;
	}
	filter->result = record_result_find(value, strlen(value));
	filter->has_result = true;
	return filter->result == RESULTS ? -EINVAL : 0;
}

static int add_range(struct filter *filter, const char *value)
{
	struct filter_range *range = &filter->range[filter->ranges];
	uint64_t last;

	if (filter->ranges == FILTER_RANGES_MAX)
		return -EINVAL;
	range->length = 1;
	if (parse_range(value, &range->address, &range->length, false) || !range->length ||
	    __builtin_add_overflow(range->address, range->length - 1, &last))
		return -EINVAL;
	filter->ranges++;
	return 0;
}

static int parse_fault(struct filter *filter, const char *value)
{
	if (!parse_choice(value, "yes", 1, "no", -1, &filter->fault))
		return 0;
	filter->fault = 2;
	filter->injected = record_injection_find(value, strlen(value));
	return filter->injected == INJECTIONS || filter->injected == INJECTED_NONE ? -EINVAL : 0;
}

static int parse_option(struct filter *filter, int c, const char *value)
{
	switch (c) {
	case 'T':
		return parse_tag(filter, value);
	case 'H':
		return parse_choice(value, "yes", 1, "no", -1, &filter->hint);
	case 'N':
		return parse_choice(value, "8", 8, "16", 16, &filter->name_space);
	case 'P':
		filter->ph = *value - '0';
		return filter->ph < 0 || filter->ph > 3 || value[1] ? -EINVAL : 0;
	case 'R':
		filter->has_requester = true;
		return party_parse(value, strlen(value), &filter->requester);
	case 'C':
		filter->has_completer = true;
		return party_parse(value, strlen(value), &filter->completer);
	case 'Y':
	case 'S':
		return parse_names(filter, c, value);
	case 'L':
		filter->at = value;
		return 0;
	case 'J':
		return parse_fault(filter, value);
	case 'A':
		return add_range(filter, value);
	case 'I':
		return parse_range(value, &filter->since, &filter->until, true);
	default:
		filter->phase = value;
		return 0;
	}
}

int filter_option(struct filter *filter, int c, const char *value)
{
	if (c <= 0 || !strchr("THPNRCYSLJAIF", c))
		return 0;
	return parse_option(filter, c, value) ? -EINVAL : 1;
}

static bool match_hint(const struct filter *filter, const struct record *record)
{
	if (filter->hint && (!record_is_request(record->type) ||
			     (filter->hint > 0) != record->hint))
		return false;
	if (filter->ph >= 0 && (!record->hint || record->ph != filter->ph))
		return false;
	if (filter->name_space && (!record->hint || record->extended != (filter->name_space == 16)))
		return false;
	return !filter->has_tag || (record->hint && record->st == filter->st &&
				    record->extended == filter->extended);
}

/* A completion has no address. */
static bool match_address(const struct filter *filter, const struct record *record)
{
	if (!filter->ranges)
		return true;
	if (record_is_completion(record->type))
		return false;
	for (unsigned int i = 0; i < filter->ranges; i++) {
		const struct filter_range *range = &filter->range[i];

		if (record->address < range->address ?
			    range->address - record->address < record->bytes :
			    record->address - range->address < range->length)
			return true;
	}
	return false;
}

/* What became of it on the way. */
static bool match_fate(const struct filter *filter, const struct record *record)
{
	if (filter->at && strcmp(filter->at, record->at))
		return false;
	if (filter->fault == 2)
		return record->injected == filter->injected;
	return !filter->fault || (filter->fault > 0) == (record->injected != INJECTED_NONE);
}

static bool match_time(const struct filter *filter, const struct record *record, uint64_t start)
{
	uint64_t time = record->time > start ? record->time - start : 0;

	return time >= filter->since && time <= filter->until;
}

bool filter_match(const struct filter *filter, const struct record *record, const char *phase,
		  uint64_t start)
{
	if ((filter->has_requester && record->requester != filter->requester) ||
	    (filter->has_completer && record->completer != filter->completer) ||
	    (filter->has_type && record->type != filter->type) ||
	    (filter->has_result && record->result != filter->result))
		return false;
	if (filter->phase && (!phase || strcmp(filter->phase, phase)))
		return false;
	return match_hint(filter, record) && match_address(filter, record) &&
	       match_fate(filter, record) && match_time(filter, record, start);
}
