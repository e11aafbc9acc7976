// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf-trace page */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "page.h"

/**
 * struct page_options - the command line
 * @about: what the trace itself does not say
 * @ignore: writes that are not of a phase
 * @completions: completions and interrupts are shown
 */
struct page_options {
	struct page_about about;
	struct filter ignore;
	bool completions;
};

/* "00:10.0=accelerator:the accelerator", the role being optional */
static int parse_name(struct page_about *about, const char *text)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
	struct page_name *name = &about->names[about->count];

	if (!equals || about->count == PAGE_NAMES_MAX ||
	    party_parse(text, equals - text, &name->party))
		return -EINVAL;
	if (colon && (size_t)(colon - equals - 1) < sizeof(name->role))
		snprintf(name->role, sizeof(name->role), "%.*s", (int)(colon - equals - 1),
			 equals + 1);
	snprintf(name->name, sizeof(name->name), "%s", colon ? colon + 1 : equals + 1);
	about->count++;
	return 0;
}

/* Writes that the sender makes for itself, such as to its own rings, are not of a phase. */
static bool ignored(const struct filter *ignore, const struct record *record)
{
	return ignore->ranges && filter_match(ignore, record, NULL, 0);
}

/* Completions and interrupts carry no hint, and would count as TLPs without one. */
static bool is_shown(const struct record *record, bool completions)
{
	return completions ||
	       (!record_is_completion(record->type) && record->type != RECORD_MSIX);
}

static int write_page(struct input *input, const struct page_options *options, FILE *out)
{
	static struct summary summary;
	struct page *page = page_begin(out, &options->about);
	struct record record;
	int ret, err = page ? 0 : -ENOMEM;

	summary_init(&summary);
	while (!err && (ret = input_next(input, &record)) > 0) {
		if (!is_shown(&record, options->completions))
			continue;
		err = page_add(page, &record, summary_add(&summary, &record,
							  ignored(&options->ignore, &record)));
	}
	if (page && !err)
		err = page_end(page, &summary, reader_cut(input->reader) || ret < 0,
			       reader_lost(input->reader));
	if (err && !ferror(out))
		error_line("cannot make the page: %s", strerror(-err));
	if (err)
		return EXIT_FAILED;
	return ret < 0 ? -ret : EXIT_OK;
}

/* Part of a page is of no use to anyone, but what is no file has been there before. */
static void delete_file(const char *path)
{
	struct stat status;

	if (!lstat(path, &status) && S_ISREG(status.st_mode))
		unlink(path);
}

static int write_file(struct input *input, const struct page_options *options, const char *path)
{
	FILE *out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int code;

	if (!out) {
		error_line("cannot open %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	code = write_page(input, options, out);
	if (out != stdout && (ferror(out) | fclose(out))) {
		error_line("cannot write %s: %s", path, strerror(errno));
		delete_file(path);
		return EXIT_FAILED;
	}
	return code;
}

static int page_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "title", required_argument, NULL, 't' },
		{ "name", required_argument, NULL, 'n' },
		{ "ignore", required_argument, NULL, 'A' },
		{ "completions", no_argument, NULL, 'c' },
		{ "live", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct page_options page = {
		.about = { .title = "TLPs and their Steering Tags" },
		.ignore = FILTER_ALL,
	};
	const char *path = NULL, *slash;
	struct input input;
	int c, code, end;

	while ((c = getopt_long(argc, argv, ":ho:t:n:", options, NULL)) != -1) {
		if (c == 'o')
			path = optarg;
		else if (c == 't')
			page.about.title = optarg;
		else if (c == 'c')
			page.completions = true;
		else if (c == 'l')
			page.about.live = true;
		else if (c == 'n' && parse_name(&page.about, optarg))
			return usage_error(&command_page,
					   "--name \"%s\" is not valid: expected BDF=[ROLE:]NAME",
					   optarg);
		else if (c == 'A' && filter_option(&page.ignore, c, optarg) < 0)
			return usage_error(&command_page,
					   "--ignore \"%s\" is not valid: expected ADDRESS:LENGTH",
					   optarg);
		else if (c == '?' || c == ':' || c == 'h')
			return option_other(&command_page, c, argv);
	}
	if (!path)
		return usage_error(&command_page, "-o FILE is required");
	if (optind != argc - 1)
		return usage_error(&command_page, "one FILE is required");
	code = input_open(&input, argv[optind], false);
	if (code)
		return code;
	slash = strrchr(argv[optind], '/');
	page.about.source = slash ? slash + 1 : argv[optind];
	code = write_file(&input, &page, path);
	end = input_close(&input);
	return code ? code : end;
}

const struct command command_page = {
	.name = "page",
	.usage = "usage: tphbuf-trace page -o FILE [OPTION...] TRACE\n"
		 "\n"
		 "Write an HTML file that shows the trace in a browser. It holds all that it "
		 "needs.\n"
		 "\n"
		 "  -o, --output FILE      the page\n"
		 "  -t, --title TEXT       its headline\n"
		 "  -n, --name BDF=[ROLE:]NAME\n"
		 "                         what to call a function; ROLE is accelerator or "
		 "requester, for\n"
		 "                         its place in the drawing\n"
		 "  --ignore A:LEN         writes into this range are not what a phase is about, "
		 "such as\n"
		 "                         those into the sender's own ring\n"
		 "  --completions          completions and MSI-X interrupts too\n"
		 "  --live                 the page asks the server it came from for newer TLPs\n",
	.run = page_run,
};
