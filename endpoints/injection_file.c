// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults from a file.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "devices/device_options.h"
#include "injection_file.h"

#define RULES_MAX	1000
#define LINE_SIZE	(OPTIONS_TEXT_MAX + 3)	/* longest text, newline, one too many, 0 */
#define DELAY_US_MAX	10000000u

static const char *const action_words[] = {
	[INJECT_UNSUPPORTED] = "ur",
	[INJECT_MALFORMED] = "malformed",
	[INJECT_DROP] = "drop",
	[INJECT_DELAY] = "delay",
	[INJECT_POISON] = "poison",
	[INJECT_STRIP_PREFIX] = "strip-prefix",
	[INJECT_CLEAR_TH] = "clear-th",
	[INJECT_CORRUPT_TAG] = "corrupt-tag",
	[INJECT_SPOOF] = "spoof",
};

/* A number, decimal or with 0x, up to @max. */
static bool rule_number(const char **text, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*value = strtoull(*text, &end, **text == '0' && (*text)[1] == 'x' ? 16 : 10);
	*text = end;
	return !errno && *value <= max;
}

static int action_option(const struct options *options, struct injection_rule *rule)
{
	for (unsigned int i = INJECT_UNSUPPORTED; i < INJECT_ACTIONS; i++)
		if (!strcmp(action_words[i], options->type))
			rule->action = i;
	if (rule->action == INJECT_NONE)
		return options_error(options, "not an action: expected ur, malformed, drop, delay, "
					      "poison, strip-prefix, clear-th, corrupt-tag or "
					      "spoof");
	return 0;
}

static int party_option(struct options *options, const char *key, bool root_complex, int *party)
{
	const char *text = NULL;
	uint16_t bdf = 0;
	int ret;

	options_text(options, key, &text);
	if (!text)
		return 0;
	if (root_complex && !strcmp(text, "rc")) {
		*party = 0;
		return 0;
	}
	ret = options_bdf(options, key, &bdf);
	if (!ret)
		*party = bdf;
	return ret;
}

static int type_option(struct options *options, struct injection_rule *rule)
{
	static const char *const words[] = {
		[TLP_MRD] = "MRd", [TLP_MWR] = "MWr", [TLP_FETCH_ADD] = "FAdd", [TLP_CAS] = "CAS",
	};
	unsigned int type = TLP_CAS + 1;
	int ret = options_choice(options, "type", words, TLP_CAS + 1, &type);

	if (type <= TLP_CAS)
		rule->type = type;
	return ret;
}

static int tag_option(struct options *options, const char *key, bool extended,
		      struct injection_rule *rule)
{
	const char *text = NULL, *at;
	uint64_t st;

	options_text(options, key, &text);
	if (!text)
		return 0;
	if (rule->has_tag)
		return options_error(options, "st= and st-ext= exclude each other");
	at = text;
	if (!rule_number(&at, extended ? 0xffff : 0xff, &st) || *at)
		return options_error(options, "%s=%s: expected a Steering Tag up to %s", key, text,
				     extended ? "0xffff" : "0xff");
	rule->has_tag = true;
	rule->hint = (struct tlp_hint){ .present = true, .extended = extended, .st = st };
	return 0;
}

/* "A" or "A-B"; with @open_end also "A-". */
static int range_option(struct options *options, const char *key, uint64_t min, bool open_end,
			uint64_t *first, uint64_t *last)
{
	const char *text = NULL, *at;
	bool good;

	options_text(options, key, &text);
	if (!text)
		return 0;
	at = text;
	good = rule_number(&at, UINT64_MAX, first);
	*last = *first;
	if (good && *at == '-') {
		at++;
		if (open_end && !*at)
			*last = UINT64_MAX;
		else
			good = rule_number(&at, UINT64_MAX, last);
	}
	if (!good || *at || *first < min || *last < *first)
		return options_error(options, "%s=%s: expected a number or a range like %s", key,
				     text, open_end ? "3, 3-5 or 3-, from 1" : "0x1000-0x1fff");
	return 0;
}

static int delay_option(struct options *options, struct injection_rule *rule)
{
	if (rule->action != INJECT_DELAY)
		return 0;
	rule->delay_us = 0;
	if (options_number(options, "us", 1, DELAY_US_MAX, &rule->delay_us))
		return -EINVAL;
	return rule->delay_us ? 0 : options_error(options, "us= is missing: microseconds");
}

static int flip_option(struct options *options, struct injection_rule *rule)
{
	const char *text = NULL, *at;
	uint64_t flip = 1;

	if (rule->action != INJECT_CORRUPT_TAG)
		return 0;
	options_text(options, "xor", &text);
	at = text;
	if (text && (!rule_number(&at, 0xffff, &flip) || *at || !flip))
		return options_error(options, "xor=%s: expected the bits to flip, up to 0xffff",
				     text);
	rule->flip = flip;
	return 0;
}

static int spoof_option(struct options *options, struct injection_rule *rule)
{
	if (rule->action != INJECT_SPOOF)
		return 0;
	if (options_bdf(options, "as", &rule->as))
		return -EINVAL;
	return rule->as ? 0 : options_error(options, "as= is missing: the requester ID to show");
}

static int parse_rule(const char *line, struct injection_rule *rule, char *error,
		      size_t error_size)
{
	struct options options;
	int ret;

	*rule = (struct injection_rule){
		.requester = INJECTION_ANY, .completer = INJECTION_ANY, .type = INJECTION_ANY,
		.last = UINT64_MAX, .from = 1, .to = UINT64_MAX,
	};
	ret = options_parse(&options, line, error, error_size);
	if (!ret)
		ret = action_option(&options, rule);
	if (!ret)
		ret = party_option(&options, "requester", false, &rule->requester);
	if (!ret)
		ret = party_option(&options, "completer", true, &rule->completer);
	if (!ret)
		ret = type_option(&options, rule);
	if (!ret)
		ret = tag_option(&options, "st", false, rule);
	if (!ret)
		ret = tag_option(&options, "st-ext", true, rule);
	if (!ret)
		ret = range_option(&options, "address", 0, false, &rule->first, &rule->last);
	if (!ret)
		ret = range_option(&options, "nth", 1, true, &rule->from, &rule->to);
	if (!ret)
		ret = delay_option(&options, rule);
	if (!ret)
		ret = flip_option(&options, rule);
	if (!ret)
		ret = spoof_option(&options, rule);
	return ret ? ret : options_finish(&options);
}

/* Without comment and white space at its ends; "" when nothing is left. */
static char *trim(char *line)
{
	char *end;

	line[strcspn(line, "#\n")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return line;
}

static int add_rule(struct injection *injection, const char *line, char *error, size_t error_size)
{
	struct injection_rule *grown;

	if (injection->count == RULES_MAX) {
		snprintf(error, error_size, "more than %d rules", RULES_MAX);
		return -EINVAL;
	}
	grown = realloc(injection->rules, (injection->count + 1) * sizeof(*grown));
	if (!grown) {
		snprintf(error, error_size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	injection->rules = grown;
	return parse_rule(line, &grown[injection->count++], error, error_size);
}

static int read_lines(struct injection *injection, FILE *file, char *error, size_t error_size)
{
	char line[LINE_SIZE], why[256];
	int ret = 0;

	for (unsigned int number = 1; !ret && fgets(line, sizeof(line), file); number++) {
		char *text;

		if (!strchr(line, '\n') && strlen(line) == sizeof(line) - 1) {
			snprintf(error, error_size, "line %u is longer than %d bytes", number,
				 OPTIONS_TEXT_MAX);
			return -EINVAL;
		}
		text = trim(line);
		if (!*text)
			continue;
		ret = add_rule(injection, text, why, sizeof(why));
		if (ret)
			snprintf(error, error_size, "line %u: %s", number, why);
	}
	return ret;
}

int injection_file_read(struct injection *injection, const char *path, char *error,
			size_t error_size)
{
	FILE *file = fopen(path, "re");
	int ret;

	*injection = (struct injection){ 0 };
	if (!file) {
		ret = -errno;
		snprintf(error, error_size, "%s", strerror(errno));
		return ret;
	}
	ret = read_lines(injection, file, error, error_size);
	if (!ret && ferror(file)) {
		snprintf(error, error_size, "cannot be read");
		ret = -EIO;
	}
	fclose(file);
	return ret;
}

void injection_print_help(FILE *out)
{
	fputs("A rule of --inject is a line ACTION,key=value,... ('#' begins a comment). Actions:\n"
	      "    ur, malformed            the completer handles it as unsupported, as malformed\n"
	      "    drop                     it is lost\n"
	      "    delay,us=N               it is delayed by N microseconds\n"
	      "    poison                   its data, or its completion's data, is poisoned\n"
	      "    strip-prefix             it loses its TLP prefix\n"
	      "    clear-th                 it loses its hint\n"
	      "    corrupt-tag,xor=N        flip bits of its Steering Tag; default xor=1\n"
	      "    spoof,as=BDF             it has another requester ID\n"
	      "and the requests to which the rule applies; default all:\n"
	      "    requester=BDF, completer=BDF|rc, type=MRd|MWr|FAdd|CAS, st=0xNN, st-ext=0xNNNN,\n"
	      "    address=A or A-B         it accesses an address in this range\n"
	      "    nth=N, N-M or N-         only these matching requests, counted from 1\n",
	      out);
}
