// SPDX-License-Identifier: GPL-2.0-or-later
/* The command lines of read and write. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "access_args.h"
#include "message.h"
#include "option.h"
#include "number.h"

enum { OPT_FD = OPT_OF_VERB, OPT_JSON, OPT_LENGTH, OPT_OFFSET };

static const struct option long_options[] = {
	BUFFER_LONG_OPTIONS,
	{ "fd", required_argument, NULL, OPT_FD },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "length", required_argument, NULL, OPT_LENGTH },
	{ "offset", required_argument, NULL, OPT_OFFSET },
	{ NULL, 0, NULL, 0 },
};

static int parse_fd(struct access_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--fd", text);
	if (ret || value > INT_MAX ||
	    tphbuf_dmabuf_size((int)value, &args->fd_size))
		return usage_error(verb, "--fd %s is not a dma-buf that this process has "
				   "inherited; tphbuf exec passes its number in TPHBUF_FD", text);
	args->fd = (int)value;
	return EXIT_OK;
}

static int parse_size(const struct verb *verb, const char *option, const char *text,
		      uint64_t *value)
{
	int ret = size_parse(text, value);

	if (ret == -EINVAL)
		return not_a_number(verb, option, text);
	if (ret)
		return usage_error(verb, "%s %s is out of range: it has 64 bits", option, text);
	return EXIT_OK;
}

static int parse_length(struct access_args *args, const struct verb *verb, const char *text)
{
	args->length_given = true;
	if (parse_size(verb, "--length", text, &args->length))
		return EXIT_USAGE;
	if (!args->length)
		return usage_error(verb, "--length %s is out of range: it must be at least 1",
				   text);
	return EXIT_OK;
}

static int access_args_option(struct access_args *args, const struct verb *verb, int c, char **argv)
{
	int code = buffer_args_option(&args->buffer, verb, c, optarg);

	if (code >= 0)
		return code;
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_FD:
		return parse_fd(args, verb, optarg);
	case OPT_JSON:
		args->json = true;
		return EXIT_OK;
	case OPT_LENGTH:
		return parse_length(args, verb, optarg);
	case OPT_OFFSET:
		return parse_size(verb, "--offset", optarg, &args->offset);
	default:
		return option_error(verb, c, argv);
	}
}

static int access_args_check(const struct access_args *args, const struct verb *verb)
{
	const struct buffer_args *buffer = &args->buffer;

	if (args->fd < 0)
		return buffer_args_complete(buffer, verb);
	if (buffer->device || buffer->bar_given || buffer->nr_ranges)
		return usage_error(verb, "--fd cannot be combined with -d, --bar or --range: the "
				   "dma-buf has been exported already");
	if (buffer->flags || buffer->options.flags)
		return usage_error(verb, "--fd cannot be combined with --wc or --bind: pass them "
				   "to tphbuf exec, which opens the device");
	return EXIT_OK;
}

int access_args_parse(struct access_args *args, const struct verb *verb, int argc, char **argv)
{
	int c, code;

	*args = (struct access_args) {
		.fd = -1,
		.buffer.options.vf_token = getenv(VF_TOKEN_VARIABLE),
	};
	while ((c = option_next(argc, argv, ":h" BUFFER_SHORT_OPTIONS, long_options)) >= 0) {
		code = access_args_option(args, verb, c, argv);
		if (code || args->help)
			return code;
	}
	if (optind + 1 < argc)
		return usage_error(verb, "unexpected argument \"%s\": only one file is accepted",
				   argv[optind + 1]);
	if (optind < argc && strcmp(argv[optind], "-"))
		args->file = argv[optind];
	return access_args_check(args, verb);
}
