// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "access_args.h"
#include "message.h"
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
	    tphbuf_size((int)value, &args->fd_size))
		return usage_error(verb, "--fd %s is no dma-buf: this process has not inherited "
				   "one of that number; run it with tphbuf exec and give "
				   "$TPHBUF_FD", text);
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
		return usage_error(verb, "%s %s is out of range: it has 64 bits; give a smaller "
				   "number", option, text);
	return EXIT_OK;
}

static int parse_length(struct access_args *args, const struct verb *verb, const char *text)
{
	args->length_given = true;
	if (parse_size(verb, "--length", text, &args->length))
		return EXIT_USAGE;
	if (!args->length)
		return usage_error(verb, "--length %s is nothing: at least one byte is moved; give "
				   "a number above 0, or leave the option out", text);
	return EXIT_OK;
}

static int parse_option(struct access_args *args, const struct verb *verb, int c, char **argv)
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

static int check_complete(const struct access_args *args, const struct verb *verb)
{
	const struct buffer_args *buffer = &args->buffer;

	if (args->fd < 0)
		return buffer_args_complete(buffer, verb);
	if (buffer->device || buffer->bar_given || buffer->nr_ranges)
		return usage_error(verb, "--fd and a device: the dma-buf is there already, and is "
				   "not exported again; leave -d, --bar and --range out");
	if (buffer->flags || buffer->options.flags)
		return usage_error(verb, "--fd with --wc or --bind: those are for who opens the "
				   "device; give them to tphbuf exec");
	return EXIT_OK;
}

int access_args_parse(struct access_args *args, const struct verb *verb, int argc, char **argv)
{
	int c, code;

	*args = (struct access_args) { .fd = -1 };
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h" BUFFER_SHORT_OPTIONS, long_options, NULL)) >= 0) {
		code = parse_option(args, verb, c, argv);
		if (code || args->help)
			return code;
	}
	if (optind + 1 < argc)
		return usage_error(verb, "unexpected \"%s\": there is one file at most; leave it "
				   "out", argv[optind + 1]);
	if (optind < argc && strcmp(argv[optind], "-"))
		args->file = argv[optind];
	return check_complete(args, verb);
}
