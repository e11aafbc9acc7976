// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of exec. */
#include <errno.h>
#include <stdlib.h>
#include <stdint.h>

#include "exec_args.h"
#include "message.h"
#include "option.h"
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

static int parse_st(struct exec_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--st", text);
	if (ret || tphbuf_tag_set_st(&args->tag, value))
		return usage_error(verb, "--st %s is out of range: expected 0 to 0xff; --st-ext "
				   "takes a 16-bit tag", text);
	return EXIT_OK;
}

static int parse_st_ext(struct exec_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--st-ext", text);
	if (ret || tphbuf_tag_set_st_ext(&args->tag, value))
		return usage_error(verb, "--st-ext %s is out of range: expected 0 to 0xffff", text);
	return EXIT_OK;
}

static int parse_ph(struct exec_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--ph", text);
	if (ret || tphbuf_tag_set_ph(&args->tag, value))
		return usage_error(verb, "--ph %s is out of range: expected 0 to 3", text);
	return EXIT_OK;
}

static int parse_option(struct exec_args *args, const struct verb *verb, bool *ph, int c,
			char **argv)
{
	int code = buffer_args_option(&args->buffer, verb, c, optarg);

	if (code >= 0)
		return code;
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_PH:
		*ph = true;
		return parse_ph(args, verb, optarg);
	case OPT_ST:
		return parse_st(args, verb, optarg);
	case OPT_ST_EXT:
		return parse_st_ext(args, verb, optarg);
	default:
		return option_error(verb, c, argv);
	}
}

static int check_complete(struct exec_args *args, const struct verb *verb, bool ph)
{
	int code = buffer_args_complete(&args->buffer, verb);

	if (code)
		return code;
	args->tagged = args->tag.valid;
	if (ph && !args->tagged)
		return usage_error(verb, "--ph requires --st or --st-ext");
	if (!args->command[0])
		return usage_error(verb, "no command: expected one after \"--\"");
	return EXIT_OK;
}

int exec_args_parse(struct exec_args *args, const struct verb *verb, int argc, char **argv)
{
	bool ph = false;
	int c, code;

	*args = (struct exec_args) { .buffer.options.vf_token = getenv(VF_TOKEN_VARIABLE) };
	/* Options end where the command begins: its own are not for this verb. */
	while ((c = option_next(argc, argv, "+:h" BUFFER_SHORT_OPTIONS, long_options)) >= 0) {
		code = parse_option(args, verb, &ph, c, argv);
		if (code || args->help)
			return code;
	}
	args->command = argv + optind;
	return check_complete(args, verb, ph);
}
