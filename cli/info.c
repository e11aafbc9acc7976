// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf info: what is known of a dma-buf that this process has inherited. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tphbuf/dmabuf.h>
#include <tphbuf/tag.h>

#include "child.h"
#include "json_writer.h"
#include "message.h"
#include "number.h"
#include "option.h"
#include "verb.h"

struct info_args {
	int fd;
	bool state;
	uint64_t offset;
	bool json;
	bool help;
};

/* All that there is to print. */
struct known {
	struct tphbuf_dmabuf_info info;
	bool tag_known;
	struct tphbuf_tag tag;
	bool state_known;
	enum tphbuf_state state;
};

enum { OPT_FD = 256, OPT_JSON, OPT_STATE };

static const struct option long_options[] = {
	{ "fd", required_argument, NULL, OPT_FD },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "state", required_argument, NULL, OPT_STATE },
	{ NULL, 0, NULL, 0 },
};

static int parse_info_fd(struct info_args *args, const char *source, const char *text)
{
	uint64_t value;

	if (number_parse(text, &value) || value > INT_MAX)
		return usage_error(&verb_info, "%s \"%s\" is not the number of a file descriptor",
				   source, text);
	args->fd = (int)value;
	return EXIT_OK;
}

static int parse_offset(struct info_args *args, const char *text)
{
	args->state = true;
	if (size_parse(text, &args->offset))
		return usage_error(&verb_info, "--state \"%s\" is not an offset: expected a number "
				   "of bytes", text);
	return EXIT_OK;
}

static int parse_option(struct info_args *args, int c, char **argv)
{
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_FD:
		return parse_info_fd(args, "--fd", optarg);
	case OPT_JSON:
		args->json = true;
		return EXIT_OK;
	case OPT_STATE:
		return parse_offset(args, optarg);
	default:
		return option_error(&verb_info, c, argv);
	}
}

static int parse_info(struct info_args *args, int argc, char **argv)
{
	const char *inherited = getenv(FD_VARIABLE);
	int c, code;

	*args = (struct info_args) { .fd = -1 };
	while ((c = option_next(argc, argv, ":h", long_options)) >= 0) {
		code = parse_option(args, c, argv);
		if (code || args->help)
			return code;
	}
	if (optind < argc)
		return usage_error(&verb_info, "unexpected argument \"%s\"", argv[optind]);
	if (args->fd >= 0)
		return EXIT_OK;
	if (!inherited)
		return usage_error(&verb_info, "no dma-buf: --fd and its number are required where "
				   FD_VARIABLE " is not set");
	return parse_info_fd(args, FD_VARIABLE, inherited);
}

/* Whether the environment is about this file, and what it says of the tag. */
static bool find_tag(int fd, struct tphbuf_tag *tag)
{
	const char *inherited = getenv(FD_VARIABLE), *st = getenv(ST_VARIABLE),
		   *st_ext = getenv(ST_EXT_VARIABLE), *ph = getenv(PH_VARIABLE);
	uint64_t value;

	*tag = (struct tphbuf_tag) { 0 };
	if (!inherited || number_parse(inherited, &value) || value != (uint64_t)fd)
		return false;
	return !(st && (number_parse(st, &value) || tphbuf_tag_set_st(tag, value))) &&
	       !(st_ext && (number_parse(st_ext, &value) || tphbuf_tag_set_st_ext(tag, value))) &&
	       !(ph && (number_parse(ph, &value) || tphbuf_tag_set_ph(tag, value)));
}

static int find_state(const struct info_args *args, struct known *known)
{
	int ret = tphbuf_dmabuf_state(args->fd, args->offset, &known->state);

	if (ret == -ERANGE)
		return usage_error(&verb_info, "--state %" PRIu64 " is out of range: the dma-buf "
				   "has %" PRIu64 " bytes", args->offset, known->info.size);
	if (ret == -EOPNOTSUPP) {
		error_line("cannot tell whether the dma-buf is revoked: the kernel does not let the "
			   "CPU map it; use a kernel with the tphbuf series");
		return EXIT_UNSUPPORTED;
	}
	if (ret) {
		error_line("cannot tell whether the dma-buf is revoked: %s", strerror(-ret));
		return EXIT_FAILED;
	}
	known->state_known = true;
	if (known->state == TPHBUF_STATE_USABLE)
		return EXIT_OK;
	error_line("the dma-buf is revoked: %s", known->state == TPHBUF_STATE_CLOSED ?
		   "its device has been closed; ask its owner for another one" :
		   "memory decoding is off, the device is in reset or in a low-power state, or its "
		   "owner has revoked it");
	return EXIT_NO_DEVICE;
}

static void print_json(const struct known *known)
{
	struct json_writer json;

	json_start(&json, stdout);
	json_object(&json, NULL);
	json_int(&json, "version", JSON_VERSION);
	json_int(&json, "size", (int64_t)known->info.size);
	json_string(&json, "exporter", known->info.exporter[0] ? known->info.exporter : NULL);
	json_string(&json, "name", known->info.name[0] ? known->info.name : NULL);
	json_bool(&json, "tag_known", known->tag_known);
	if (known->tag.valid & TPHBUF_TAG_ST)
		json_int(&json, "st", known->tag.st);
	else
		json_null(&json, "st");
	if (known->tag.valid & TPHBUF_TAG_ST_EXT)
		json_int(&json, "st_ext", known->tag.st_ext);
	else
		json_null(&json, "st_ext");
	if (known->tag.valid)
		json_int(&json, "ph", known->tag.ph);
	else
		json_null(&json, "ph");
	json_string(&json, "state", known->state_known ? tphbuf_state_name(known->state) : NULL);
	json_object_end(&json);
}

/* Another process may have chosen the name: nothing in it is for the terminal. */
static void print_name(const char *name)
{
	printf("name      ");
	for (; *name; name++)
		putchar(isprint((unsigned char)*name) ? *name : '?');
	putchar('\n');
}

static void print_text(const struct known *known)
{
	printf("size      %" PRIu64 " bytes\n", known->info.size);
	if (known->info.exporter[0])
		printf("exporter  %s\n", known->info.exporter);
	if (known->info.name[0])
		print_name(known->info.name);
	if (!known->tag_known) {
		puts("tag       not known: the kernel does not report it");
	} else if (!known->tag.valid) {
		puts("tag       none");
	} else {
		printf("tag      ");
		if (known->tag.valid & TPHBUF_TAG_ST)
			printf(" st=0x%02x", known->tag.st);
		if (known->tag.valid & TPHBUF_TAG_ST_EXT)
			printf(" st-ext=0x%04x", known->tag.st_ext);
		printf(" ph=%u\n", known->tag.ph);
	}
	if (known->state_known)
		printf("state     %s\n", tphbuf_state_name(known->state));
}

static int run_info(int argc, char **argv)
{
	struct known known = { 0 };
	struct info_args args;
	int code;

	code = parse_info(&args, argc, argv);
	if (code)
		return code;
	if (args.help) {
		fputs(verb_info.usage, stdout);
		return EXIT_OK;
	}
	if (tphbuf_dmabuf_info(args.fd, &known.info))
		return usage_error(&verb_info, "file descriptor %d is not a dma-buf that this "
				   "process has inherited", args.fd);
	known.tag_known = find_tag(args.fd, &known.tag);
	if (args.state)
		code = find_state(&args, &known);
	if (code == EXIT_USAGE)
		return code;
	if (args.json)
		print_json(&known);
	else
		print_text(&known);
	return code;
}

const struct verb verb_info = {
	.name = "info",
	.summary = "describe a dma-buf that was inherited",
	.usage =
		"Usage: tphbuf info [--fd N] [--state OFFSET] [--json]\n"
		"\n"
		"Describe a dma-buf that the process has inherited from \"tphbuf exec\" or \"tphbuf get\":\n"
		"its size, exporter and name as the kernel reports them, the tag that was set, and with\n"
		"--state whether it is revoked.\n"
		"\n"
		"Options:\n"
		"      --fd N          file descriptor; TPHBUF_FD if not given\n"
		"      --state OFFSET  read the byte at OFFSET to find out whether the memory is\n"
		"                      accessible\n"
		"      --json          print a JSON object\n"
		"  -h, --help          print this text\n"
		"\n"
		"Exit status: 0, or 5 if --state finds that it is revoked; others as in tphbuf(1).\n",
	.run = run_info,
};
