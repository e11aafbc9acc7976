// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of every subcommand that gives a dma-buf a tag. */
#include <errno.h>
#include <stdint.h>

#include "buffer_args.h"
#include "message.h"
#include "number.h"
#include "tag_args.h"

static int parse_st(struct tag_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--st", text);
	if (ret || tphbuf_tag_set_st(&args->tag, value))
		return usage_error(verb, "--st %s is out of range: expected 0 to 0xff; --st-ext "
				   "accepts a 16-bit tag", text);
	return EXIT_OK;
}

static int parse_st_ext(struct tag_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--st-ext", text);
	if (ret || tphbuf_tag_set_st_ext(&args->tag, value))
		return usage_error(verb, "--st-ext %s is out of range: expected 0 to 0xffff", text);
	return EXIT_OK;
}

static int parse_ph(struct tag_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--ph", text);
	if (ret || tphbuf_tag_set_ph(&args->tag, value))
		return usage_error(verb, "--ph %s is out of range: expected 0 to 3", text);
	return EXIT_OK;
}

int tag_args_option(struct tag_args *args, const struct verb *verb, int c, const char *value)
{
	switch (c) {
	case OPT_PH:
		args->ph_given = true;
		return parse_ph(args, verb, value);
	case OPT_ST:
		return parse_st(args, verb, value);
	case OPT_ST_EXT:
		return parse_st_ext(args, verb, value);
	default:
		return -1;
	}
}

int tag_args_complete(const struct tag_args *args, const struct verb *verb)
{
	if (args->ph_given && !args->tag.valid)
		return usage_error(verb, "--ph requires --st or --st-ext");
	return EXIT_OK;
}
