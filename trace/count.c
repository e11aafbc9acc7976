// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace count */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "summary.h"

/* A name comes from the trace and may hold anything. */
static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	putchar('"');
}

static void print_json(const struct summary *summary)
{
	unsigned int i;

	printf("{\"version\":1,\"tlps\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"other\":%" PRIu64
	       ",\"rows\":[", summary->tlps, summary->bytes, summary->other);
	for (i = 0; i < summary->rows; i++) {
		const struct summary_row *row = &summary->row[i];
		char from[8], to[8];

		party_format(row->requester, from);
		party_format(row->completer, to);
		printf("%s\n{\"phase\":", i ? "," : "");
		if (row->phase == PHASE_OUTSIDE)
			fputs("null", stdout);
		else
			print_json_string(summary_phase_name(summary, row->phase));
		printf(",\"requester\":\"%s\",\"completer\":\"%s\",\"type\":\"%s\",\"result\":\"%"
		       "s\"",
		       from, to, record_type_name(row->type), record_result_name(row->result));
		if (row->hint)
			printf(",\"extended\":%s,\"st\":%u,\"ph\":%u",
			       row->extended ? "true" : "false", row->st, row->ph);
		printf(",\"tlps\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", row->tlps, row->bytes);
	}
	puts("]}");
}

static int count(struct input *input, const struct filter *filter, bool filtered,
		 struct summary *summary)
{
	struct record record;
	int ret;

	while ((ret = input_next(input, &record)) > 0) {
		if (filtered &&
		    !filter_match(filter, &record, input_phase(input), input->start)) {
			phases_step(&summary->phases, &record);
			continue;
		}
		summary_add(summary, &record, false);
	}
	return ret < 0 ? -ret : EXIT_OK;
}

static int count_run(int argc, char **argv)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	static struct summary summary;
	struct filter filter = FILTER_ALL;
	bool json = false, filtered = false;
	struct input input;
	int c, code, end;

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		int ret = filter_option(&filter, c, optarg);

		if (ret < 0)
			return filter_error(&command_count, c, optarg);
		filtered |= ret;
		if (c == 'j')
			json = true;
		else if (!ret)
			return option_other(&command_count, c, argv);
	}
	if (optind != argc - 1)
		return usage_error(&command_count, "one FILE is required");
	code = input_open(&input, argv[optind], false);
	if (code)
		return code;
	summary_init(&summary);
	code = count(&input, &filter, filtered, &summary);
	end = input_close(&input);
	if (code)
		return code;
	summary_sort(&summary);
	if (json)
		print_json(&summary);
	else
		summary_print(&summary, stdout);
	return end;
}

const struct command command_count = {
	.name = "count",
	.usage = "usage: tphbuf-trace count [OPTION...] FILE\n"
		 "\n"
		 "Count the TLPs of a trace that match all options.\n"
		 "\n"
		 FILTER_HELP
		 "  --json             print a JSON object\n",
	.run = count_run,
};
