// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace convert */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "csv.h"
#include "dwords.h"
#include "links.h"
#include "pcapng.h"
#include "text.h"

/* Describes the next interface in the output, when there is a number for it. */
static int convert_add_link(struct links *links, int party, const char *place, FILE *out)
{
	uint8_t block[PCAPNG_INTERFACE_MAX];
	const char *name = links_add(links, party, place);

	if (name)
		fwrite(block, 1, pcapng_interface(block, name, 0), out);
	return links->count - 1;
}

static int convert_link(struct links *links, int party, FILE *out)
{
	int link = links_find_party(links, party);

	return link < 0 ? convert_add_link(links, party, NULL, out) : link;
}

/* -1 when the record names no place. */
static int convert_place(struct links *links, const struct record *record, FILE *out)
{
	int place = record->at[0] ? links_find_place(links, record->at) : 0;

	if (!record->at[0])
		return -1;
	return place < 0 ? convert_add_link(links, LINKS_PLACE, record->at, out) : place;
}

static int to_pcapng(struct input *input, const struct filter *filter, FILE *out)
{
	static uint8_t block[PCAPNG_BLOCK_MAX];
	static struct links links;
	struct record record;
	int ret;

	fwrite(block, 1, pcapng_section(block, "tphbuf-trace " TPHBUF_VERSION), out);
	while ((ret = input_next(input, &record)) > 0) {
		uint8_t made[DWORDS_MADE_MAX];
		const uint8_t *bytes;
		size_t full, kept;
		int link, place;

		if (!filter_match(filter, &record, input_phase(input), input->start))
			continue;
		link = convert_link(&links, record.requester, out);
		place = convert_place(&links, &record, out);
		kept = dwords_bytes(&record, made, &bytes, &full);
		fwrite(block, 1, pcapng_packet(block, &record, link, place, bytes, kept, full),
		       out);
		if (ferror(out))
			break;
	}
	return ret < 0 ? -ret : EXIT_OK;
}

static size_t format_hex(const struct record *record, char *line)
{
	size_t len = dwords_format(record, false, line);

	if (len)
		line[len++] = '\n';
	return len;
}

/* The forms that have a line for a TLP. */
static int to_lines(struct input *input, const struct filter *filter,
		    size_t (*format)(const struct record *record, char *line), FILE *out)
{
	static char line[CSV_LINE_MAX];
	struct record record;
	int ret;

	if (format == csv_format)
		fwrite(line, 1, csv_format_header(line), out);
	while ((ret = input_next(input, &record)) > 0) {
		if (!filter_match(filter, &record, input_phase(input), input->start))
			continue;
		fwrite(line, 1, format(&record, line), out);
		if (ferror(out))
			break;
	}
	return ret < 0 ? -ret : EXIT_OK;
}

/* @format writes the lines of a form; pcapng has none. */
static const struct form {
	const char *name;
	size_t (*format)(const struct record *record, char *line);
} forms[] = {
	{ "text", text_format }, { "pcapng", NULL }, { "csv", csv_format }, { "hex", format_hex },
};

static const struct form *form_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

static int convert(struct input *input, const struct filter *filter, const struct form *form,
		   const char *path)
{
	FILE *out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int code;

	if (!out) {
		error_line("cannot open %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	code = form->format ? to_lines(input, filter, form->format, out) :
			      to_pcapng(input, filter, out);
	if (out == stdout)
		return code;
	if (ferror(out) | fclose(out)) {
		error_line("cannot write %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}

static int convert_run(int argc, char **argv)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },
		{ "to", required_argument, NULL, 't' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	struct filter filter = FILTER_ALL;
	const char *to = NULL, *path = "-";
	const struct form *form;
	struct input input;
	int c, code, end;

	while ((c = getopt_long(argc, argv, ":ho:", options, NULL)) != -1) {
		int ret = filter_option(&filter, c, optarg);

		if (ret < 0)
			return filter_error(&command_convert, c, optarg);
		if (c == 't')
			to = optarg;
		else if (c == 'o')
			path = optarg;
		else if (!ret)
			return option_other(&command_convert, c, argv);
	}
	form = form_find(to);
	if (!form)
		return usage_error(&command_convert, "--to text, pcapng, csv or hex is required");
	if (optind != argc - 1)
		return usage_error(&command_convert, "one FILE is required");
	code = input_open(&input, argv[optind], false);
	if (code)
		return code;
	code = convert(&input, &filter, form, path);
	end = input_close(&input);
	return code ? code : end;
}

const struct command command_convert = {
	.name = "convert",
	.usage = "usage: tphbuf-trace convert --to text|pcapng|csv|hex [OPTION...] FILE\n"
		 "\n"
		 "Write the TLPs that match all options in another form. The text form has no "
		 "payload\n"
		 "of more than 8 bytes: what is made from it has headers only. The hex form is for\n"
		 "rtlp-tool, without TLP prefixes.\n"
		 "\n" FILTER_HELP
		 "  -o, --output FILE  file to write, instead of standard output\n",
	.run = convert_run,
};
