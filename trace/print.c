// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace print */
#include <getopt.h>
#include <stdio.h>

#include "command.h"
#include "dwords.h"
#include "text.h"

static size_t format_bytes(const struct record *record, char *line)
{
	size_t len = dwords_format(record, true, line);

	line[len++] = '\n';
	return len;
}

static int print(struct input *input, const struct filter *filter, bool hex, bool follow)
{
	static char line[DWORDS_TEXT_MAX + 1];
	struct record record;
	int ret;

	while ((ret = input_next(input, &record)) > 0) {
		if (!filter_match(filter, &record, input_phase(input), input->start))
			continue;
		fwrite(line, 1, hex ? format_bytes(&record, line) : text_format(&record, line),
		       stdout);
		if (follow)
			fflush(stdout);
		if (ferror(stdout))
			break;
	}
	return ret < 0 ? -ret : EXIT_OK;
}

static int print_run(int argc, char **argv)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },
		{ "hex", no_argument, NULL, 'x' },
		{ "follow", no_argument, NULL, 'f' },
		{ }
	};
	struct filter filter = FILTER_ALL;
	bool hex = false, follow = false;
	struct input input;
	int c, code, end;

	while ((c = getopt_long(argc, argv, ":hf", options, NULL)) != -1) {
		int ret = filter_option(&filter, c, optarg);

		if (ret < 0)
			return filter_error(&command_print, c, optarg);
		if (c == 'x')
			hex = true;
		else if (c == 'f')
			follow = true;
		else if (!ret)
			return option_other(&command_print, c, argv);
	}
	if (optind != argc - 1)
		return usage_error(&command_print, "one FILE is required");
	code = input_open(&input, argv[optind], follow);
	if (code)
		return code;
	code = print(&input, &filter, hex, follow);
	end = input_close(&input);
	return code ? code : end;
}

const struct command command_print = {
	.name = "print",
	.usage = "usage: tphbuf-trace print [OPTION...] FILE\n"
		 "\n"
		 "Print the TLPs of a trace that match all options, one per line.\n"
		 "\n"
		 FILTER_HELP
		 "  --hex              the bytes on the link instead, as DWs in hexadecimal\n"
		 "  -f, --follow       wait for more at the end of the file\n",
	.run = print_run,
};
