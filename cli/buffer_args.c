// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of every subcommand that exports memory of a device. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "buffer_args.h"
#include "message.h"
#include "number.h"

int not_a_number(const struct verb *verb, const char *option, const char *text)
{
	return usage_error(verb, "%s \"%s\" is not a number: expected digits, or 0x and hex "
			   "digits", option, text);
}

int check_buffer_name(const struct verb *verb, const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t length = strlen(name);

	if (length && length < TPHBUF_NAME_SIZE && strspn(name, allowed) == length)
		return EXIT_OK;
	return usage_error(verb, "\"%s\" is not the name of a buffer: expected 1 to %d letters, "
			   "digits, \".\", \"_\" and \"-\"", name, TPHBUF_NAME_SIZE - 1);
}

static int parse_bar(struct buffer_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--bar", text);
	if (ret || value >= TPHBUF_NR_BARS)
		return usage_error(verb, "--bar %s is out of range: a function has BARs 0 to 5",
				   text);
	if (args->bar_given)
		return usage_error(verb, "--bar was given twice: a dma-buf has memory of one BAR");
	args->bar = value;
	args->bar_given = true;
	return EXIT_OK;
}

static int parse_range(struct buffer_args *args, const struct verb *verb, const char *text)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct tphbuf_range *range;
	int ret;

	if (args->nr_ranges == BUFFER_MAX_RANGES)
		return usage_error(verb, "too many ranges: at most %d are accepted",
				   BUFFER_MAX_RANGES);
	range = &args->ranges[args->nr_ranges];
	ret = range_parse(text, &range->offset, &range->length);
	if (ret == -EINVAL)
		return usage_error(verb, "--range \"%s\" is not a range: expected OFFSET:LENGTH, "
				   "such as 0:1M or 0x10000:64K", text);
	if (ret)
		return usage_error(verb, "--range %s is out of range: offset and length have 64 "
				   "bits", text);
	if (!range->length || range->offset % page || range->length % page)
		return usage_error(verb,
				   "--range %s cannot be exported: offset and length must be "
				   "multiples of the page size, %llu, and the length not zero",
				   text, (unsigned long long)page);
	args->nr_ranges++;
	return EXIT_OK;
}

int buffer_args_option(struct buffer_args *args, const struct verb *verb, int c, const char *value)
{
	switch (c) {
	case 'd':
		if (args->device)
			return usage_error(verb, "-d was given twice: the command uses one device");
		args->device = value;
		return EXIT_OK;
	case OPT_BAR:
		return parse_bar(args, verb, value);
	case OPT_BIND:
		args->options.flags |= TPHBUF_OPEN_BIND;
		return EXIT_OK;
	case OPT_RANGE:
		return parse_range(args, verb, value);
	case OPT_SYSROOT:
		args->options.sysroot = value;
		return EXIT_OK;
	case OPT_VF_TOKEN:
		args->options.vf_token = value;
		return EXIT_OK;
	case OPT_WC:
		args->flags |= TPHBUF_EXPORT_WC;
		return EXIT_OK;
	default:
		return -1;
	}
}

int buffer_args_complete(const struct buffer_args *args, const struct verb *verb)
{
	if (!args->device)
		return usage_error(verb, "no device: -d and a PCI address such as 0000:00:03.0 are "
				   "required");
	if (!args->bar_given)
		return usage_error(verb, "no BAR: --bar is required");
	return EXIT_OK;
}
