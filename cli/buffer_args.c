// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "buffer_args.h"
#include "message.h"
#include "number.h"

int not_a_number(const struct verb *verb, const char *option, const char *text)
{
	return usage_error(verb, "%s \"%s\" is no number: digits are expected, or 0x and hex "
			   "digits; give such a number", option, text);
}

static int parse_bar(struct buffer_args *args, const struct verb *verb, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, "--bar", text);
	if (ret || value >= TPHBUF_NR_BARS)
		return usage_error(verb, "--bar %s is out of range: a function has BARs 0 to 5; "
				   "give one of them", text);
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
		return usage_error(verb, "too many ranges: at most %d fit on the command line; "
				   "join those that are neighbours", BUFFER_MAX_RANGES);
	range = &args->ranges[args->nr_ranges];
	ret = range_parse(text, &range->offset, &range->length);
	if (ret == -EINVAL)
		return usage_error(verb, "--range \"%s\" is no range: OFFSET:LENGTH is expected; "
				   "give one such as 0:1M or 0x10000:64K", text);
	if (ret)
		return usage_error(verb, "--range %s is out of range: offset and length have 64 "
				   "bits; give smaller numbers", text);
	if (!range->length || range->offset % page || range->length % page)
		return usage_error(verb, "--range %s cannot be exported: offset and length have to "
				   "be multiples of the page size, %llu, and the length not zero; "
				   "give such numbers", text, (unsigned long long)page);
	args->nr_ranges++;
	return EXIT_OK;
}

int buffer_args_option(struct buffer_args *args, const struct verb *verb, int c, const char *value)
{
	switch (c) {
	case 'd':
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
		return usage_error(verb, "no device given: there is nothing to export; give -d and "
				   "a PCI address such as 0000:00:03.0");
	if (!args->bar_given)
		return usage_error(verb, "no BAR given: a device has several; give --bar and its "
				   "number");
	return EXIT_OK;
}
