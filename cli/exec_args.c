// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <unistd.h>

#include "exec_args.h"
#include "message.h"
#include "number.h"
#include "verb.h"

enum { OPT_BAR = 256, OPT_BIND, OPT_PH, OPT_RANGE, OPT_ST, OPT_ST_EXT, OPT_SYSROOT };

static const struct option long_options[] = {
	{ "bar", required_argument, NULL, OPT_BAR },
	{ "bind", no_argument, NULL, OPT_BIND },
	{ "device", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "ph", required_argument, NULL, OPT_PH },
	{ "range", required_argument, NULL, OPT_RANGE },
	{ "st", required_argument, NULL, OPT_ST },
	{ "st-ext", required_argument, NULL, OPT_ST_EXT },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ NULL, 0, NULL, 0 },
};

struct seen {
	bool bar;
	bool ph;
};

static int not_a_number(const char *option, const char *text)
{
	return usage_error(&verb_exec, "%s \"%s\" is no number: digits are expected, or 0x and hex "
			   "digits; give such a number", option, text);
}

static int parse_bar(struct exec_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number("--bar", text);
	if (ret || value >= TPHBUF_NR_BARS)
		return usage_error(&verb_exec, "--bar %s is out of range: a function has BARs 0 to "
				   "5; give one of them", text);
	args->bar = value;
	return EXIT_OK;
}

static int parse_range(struct exec_args *args, const char *text)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct tphbuf_range *range;
	int ret;

	if (args->nr_ranges == EXEC_MAX_RANGES)
		return usage_error(&verb_exec, "too many ranges: at most %d fit on the command "
				   "line; join those that are neighbours", EXEC_MAX_RANGES);
	range = &args->ranges[args->nr_ranges];
	ret = range_parse(text, &range->offset, &range->length);
	if (ret == -EINVAL)
		return usage_error(&verb_exec, "--range \"%s\" is no range: OFFSET:LENGTH is "
				   "expected; give one such as 0:1M or 0x10000:64K", text);
	if (ret)
		return usage_error(&verb_exec, "--range %s is out of range: offset and length have "
				   "64 bits; give smaller numbers", text);
	if (!range->length || range->offset % page || range->length % page)
		return usage_error(&verb_exec, "--range %s cannot be exported: offset and length "
				   "have to be multiples of the page size, %llu, and the length "
				   "not zero; give such numbers", text, (unsigned long long)page);
	args->nr_ranges++;
	return EXIT_OK;
}

static int parse_st(struct exec_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number("--st", text);
	if (ret || tphbuf_tag_set_st(&args->tag, value))
		return usage_error(&verb_exec, "--st %s is out of range: a Steering Tag has 8 "
				   "bits; give 0 to 0xff, or a 16-bit tag with --st-ext", text);
	return EXIT_OK;
}

static int parse_st_ext(struct exec_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number("--st-ext", text);
	if (ret || tphbuf_tag_set_st_ext(&args->tag, value))
		return usage_error(&verb_exec, "--st-ext %s is out of range: an Extended Steering "
				   "Tag has 16 bits; give 0 to 0xffff", text);
	return EXIT_OK;
}

static int parse_ph(struct exec_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number("--ph", text);
	if (ret || tphbuf_tag_set_ph(&args->tag, value))
		return usage_error(&verb_exec, "--ph %s is out of range: a processing hint has 2 "
				   "bits; give 0 to 3", text);
	return EXIT_OK;
}

static int parse_option(struct exec_args *args, struct seen *seen, int c, char **argv)
{
	switch (c) {
	case 'd':
		args->device = optarg;
		return EXIT_OK;
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_BAR:
		seen->bar = true;
		return parse_bar(args, optarg);
	case OPT_BIND:
		args->options.flags |= TPHBUF_OPEN_BIND;
		return EXIT_OK;
	case OPT_PH:
		seen->ph = true;
		return parse_ph(args, optarg);
	case OPT_RANGE:
		return parse_range(args, optarg);
	case OPT_ST:
		return parse_st(args, optarg);
	case OPT_ST_EXT:
		return parse_st_ext(args, optarg);
	case OPT_SYSROOT:
		args->options.sysroot = optarg;
		return EXIT_OK;
	default:
		return option_error(&verb_exec, c, argv);
	}
}

static int check_complete(struct exec_args *args, const struct seen *seen)
{
	if (!args->device)
		return usage_error(&verb_exec, "no device given: there is nothing to export; give "
				   "-d and a PCI address such as 0000:00:03.0");
	if (!seen->bar)
		return usage_error(&verb_exec, "no BAR given: a device has several; give --bar and "
				   "its number");
	args->tagged = args->tag.valid;
	if (seen->ph && !args->tagged)
		return usage_error(&verb_exec, "--ph without a tag: a hint goes with a Steering "
				   "Tag; give --st or --st-ext too");
	if (!args->command[0])
		return usage_error(&verb_exec, "no command given: the dma-buf is for a command; "
				   "give one after \"--\"");
	return EXIT_OK;
}

int exec_args_parse(struct exec_args *args, int argc, char **argv)
{
	struct seen seen = { false, false };
	int c, code;

	*args = (struct exec_args) { .bar = 0 };
	opterr = 0;
	/* Options end where the command begins: its own are not for this verb. */
	while ((c = getopt_long(argc, argv, "+:d:h", long_options, NULL)) >= 0) {
		code = parse_option(args, &seen, c, argv);
		if (code || args->help)
			return code;
	}
	args->command = argv + optind;
	return check_complete(args, &seen);
}
