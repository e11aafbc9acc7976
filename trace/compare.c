// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace compare */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "text.h"

#define SHOWN	10

/* What two runs of the same thing should have in common: everything but number, time and bytes. */
static bool records_same(const struct record *a, const struct record *b)
{
	return a->requester == b->requester && a->completer == b->completer && a->type == b->type &&
	       a->address == b->address && a->bytes == b->bytes && a->hint == b->hint &&
	       a->first_be == b->first_be && a->last_be == b->last_be &&
	       a->result == b->result && a->status == b->status &&
	       a->attributes == b->attributes && a->address_type == b->address_type &&
	       a->vector == b->vector && a->byte_count == b->byte_count &&
	       !strcmp(a->mark, b->mark) &&
	       (!a->hint || (a->extended == b->extended && a->ph == b->ph && a->st == b->st));
}

static void show(char side, const struct record *record)
{
	char line[TEXT_LINE_MAX];

	printf("%c ", side);
	fwrite(line, 1, text_format(record, line), stdout);
}

static int next(struct input *input, const struct filter *filter, struct record *record)
{
	int ret;

	while ((ret = input_next(input, record)) > 0)
		if (filter_match(filter, record, input_phase(input), input->start))
			break;
	return ret;
}

static int compare(struct input input[2], const struct filter *filter)
{
	uint64_t equal = 0, different = 0, only[2] = { 0 };
	struct record record[2];
	int ret[2];

	for (;;) {
		ret[0] = next(&input[0], filter, &record[0]);
		ret[1] = next(&input[1], filter, &record[1]);
		if (ret[0] < 0 || ret[1] < 0)
			return EXIT_FAILED;
		if (!ret[0] && !ret[1])
			break;
		if (ret[0] && ret[1] && records_same(&record[0], &record[1])) {
			equal++;
			continue;
		}
		if (ret[0] && ret[1])
			different++;
		else
			only[ret[0] ? 0 : 1]++;
		if (different + only[0] + only[1] > SHOWN)
			continue;
		if (ret[0])
			show('<', &record[0]);
		if (ret[1])
			show('>', &record[1]);
	}
	printf("%" PRIu64 " TLPs equal, %" PRIu64 " differ, %" PRIu64 " only in %s, %" PRIu64
	       " only in %s\n", equal, different, only[0], input[0].path, only[1], input[1].path);
	return different || only[0] || only[1] ? EXIT_FAILED : EXIT_OK;
}

static int compare_run(int argc, char **argv)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct filter filter = FILTER_ALL;
	struct input input[2];
	int c, code, end[2];

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		int ret = filter_option(&filter, c, optarg);

		if (ret < 0)
			return filter_error(&command_compare, c, optarg);
		if (!ret)
			return option_other(&command_compare, c, argv);
	}
	if (optind != argc - 2)
		return usage_error(&command_compare, "two FILEs are required");
	code = input_open(&input[0], argv[optind], false);
	if (code)
		return code;
	code = input_open(&input[1], argv[optind + 1], false);
	if (code) {
		reader_close(input[0].reader);
		return code;
	}
	code = compare(input, &filter);
	end[0] = input_close(&input[0]);
	end[1] = input_close(&input[1]);
	return code ? code : end[0] ? end[0] : end[1];
}

const struct command command_compare = {
	.name = "compare",
	.usage = "usage: tphbuf-trace compare [OPTION...] FILE FILE\n"
		 "\n"
		 "Compare two traces TLP by TLP, in order: everything but number, time and "
		 "payload. The\n"
		 "exit code is 1 when they differ.\n"
		 "\n" FILTER_HELP,
	.run = compare_run,
};
