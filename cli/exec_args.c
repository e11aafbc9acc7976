// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdint.h>

#include "exec_args.h"
#include "message.h"
#include "number.h"

enum { OPT_PH = OPT_OF_VERB, OPT_ST, OPT_ST_EXT };

static const struct option long_options[] = {
	BUFFER_LONG_OPTIONS,
	{ "help", no_argument, NULL, 'h' },
	{ "ph", required_argument, NULL, OPT_PH },
	{ "st", required_argument, NULL, OPT_ST },
	{ "st-ext", required_argument, NULL, OPT_ST_EXT },
	{ NULL, 0, NULL, 0 },
};

static int parse_st(struct exec_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(&verb_exec, "--st", text);
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
		return not_a_number(&verb_exec, "--st-ext", text);
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
		return not_a_number(&verb_exec, "--ph", text);
	if (ret || tphbuf_tag_set_ph(&args->tag, value))
		return usage_error(&verb_exec, "--ph %s is out of range: a processing hint has 2 "
				   "bits; give 0 to 3", text);
	return EXIT_OK;
}

static int parse_option(struct exec_args *args, bool *ph, int c, char **argv)
{
	int code = buffer_args_option(&args->buffer, &verb_exec, c, optarg);

	if (code >= 0)
		return code;
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_PH:
		*ph = true;
		return parse_ph(args, optarg);
	case OPT_ST:
		return parse_st(args, optarg);
	case OPT_ST_EXT:
		return parse_st_ext(args, optarg);
	default:
		return option_error(&verb_exec, c, argv);
	}
}

static int check_complete(struct exec_args *args, bool ph)
{
	int code = buffer_args_complete(&args->buffer, &verb_exec);

	if (code)
		return code;
	args->tagged = args->tag.valid;
	if (ph && !args->tagged)
		return usage_error(&verb_exec, "--ph without a tag: a hint goes with a Steering "
				   "Tag; give --st or --st-ext too");
	if (!args->command[0])
		return usage_error(&verb_exec, "no command given: the dma-buf is for a command; "
				   "give one after \"--\"");
	return EXIT_OK;
}

int exec_args_parse(struct exec_args *args, int argc, char **argv)
{
	bool ph = false;
	int c, code;

	*args = (struct exec_args) { .tagged = false };
	opterr = 0;
	/* Options end where the command begins: its own are not for this verb. */
	while ((c = getopt_long(argc, argv, "+:h" BUFFER_SHORT_OPTIONS, long_options, NULL)) >= 0) {
		code = parse_option(args, &ph, c, argv);
		if (code || args->help)
			return code;
	}
	args->command = argv + optind;
	return check_complete(args, ph);
}
