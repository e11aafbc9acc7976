// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of exec. */
#include <stdlib.h>

#include "exec_args.h"
#include "message.h"
#include "option.h"

static const struct option long_options[] = {
	BUFFER_LONG_OPTIONS,
	{ "help", no_argument, NULL, 'h' },
	TAG_LONG_OPTIONS,
	{ NULL, 0, NULL, 0 },
};

static int exec_args_option(struct exec_args *args, const struct verb *verb, int c, char **argv)
{
	int code = buffer_args_option(&args->buffer, verb, c, optarg);

	if (code < 0)
		code = tag_args_option(&args->tag, verb, c, optarg);
	if (code >= 0)
		return code;
	if (c != 'h')
		return option_error(verb, c, argv);
	args->help = true;
	return EXIT_OK;
}

static int exec_args_check(struct exec_args *args, const struct verb *verb)
{
	int code = buffer_args_complete(&args->buffer, verb);

	if (!code)
		code = tag_args_complete(&args->tag, verb);
	if (code)
		return code;
	if (!args->command[0])
		return usage_error(verb, "no command: a command is required after \"--\"");
	return EXIT_OK;
}

int exec_args_parse(struct exec_args *args, const struct verb *verb, int argc, char **argv)
{
	int c, code;

	*args = (struct exec_args) { .buffer.options.vf_token = getenv(VF_TOKEN_VARIABLE) };
	/* Options end where the command begins: its own are not for this verb. */
	while ((c = option_next(argc, argv, "+:h" BUFFER_SHORT_OPTIONS, long_options)) >= 0) {
		code = exec_args_option(args, verb, c, argv);
		if (code || args->help)
			return code;
	}
	args->command = argv + optind;
	return exec_args_check(args, verb);
}
