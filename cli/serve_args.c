// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of serve: a device, and its buffers one after the other. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "message.h"
#include "number.h"
#include "option.h"
#include "serve_args.h"

enum { OPT_ANYONE = OPT_OF_VERB, OPT_BUFFER, OPT_GROUP, OPT_MAX_CLIENTS, OPT_MAX_PER_USER,
       OPT_SOCKET, OPT_USER };

static const struct option long_options[] = {
	BUFFER_LONG_OPTIONS,
	TAG_LONG_OPTIONS,
	{ "anyone", no_argument, NULL, OPT_ANYONE },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "help", no_argument, NULL, 'h' },
	{ "max-clients", required_argument, NULL, OPT_MAX_CLIENTS },
	{ "max-per-user", required_argument, NULL, OPT_MAX_PER_USER },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "user", required_argument, NULL, OPT_USER },
	{ NULL, 0, NULL, 0 },
};

static int parse_limit(uint32_t *limit, const struct verb *verb, const char *option,
		       const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(verb, option, text);
	if (ret || !value || value > 1000000)
		return usage_error(verb, "%s %s is out of range: expected 1 to 1000000", option,
				   text);
	*limit = value;
	return EXIT_OK;
}

/* An id as a number; the largest one means "no id" to the kernel. */
static bool parse_id(const char *text, uint64_t *id)
{
	return !number_parse(text, id) && *id < UINT32_MAX;
}

static int parse_user(struct served_args *buffer, const struct verb *verb, const char *text)
{
	const struct passwd *entry = getpwnam(text);
	uint64_t id;

	if (buffer->nr_uids == SERVE_MAX_IDS)
		return usage_error(verb, "too many users of the buffer %s: at most %d are "
				   "accepted", buffer->name, SERVE_MAX_IDS);
	if (!entry && !parse_id(text, &id))
		return usage_error(verb, "--user \"%s\" is not a user: expected a name of "
				   "/etc/passwd, or a number", text);
	buffer->uids[buffer->nr_uids++] = entry ? entry->pw_uid : (uid_t)id;
	return EXIT_OK;
}

static int parse_group(struct served_args *buffer, const struct verb *verb, const char *text)
{
	const struct group *entry = getgrnam(text);
	uint64_t id;

	if (buffer->nr_gids == SERVE_MAX_IDS)
		return usage_error(verb, "too many groups of the buffer %s: at most %d are "
				   "accepted", buffer->name, SERVE_MAX_IDS);
	if (!entry && !parse_id(text, &id))
		return usage_error(verb, "--group \"%s\" is not a group: expected a name of "
				   "/etc/group, or a number", text);
	buffer->gids[buffer->nr_gids++] = entry ? entry->gr_gid : (gid_t)id;
	return EXIT_OK;
}

static int begin_buffer(struct serve_args *args, const struct verb *verb, const char *name)
{
	if (args->nr_buffers == TPHBUF_SERVER_MAX_OFFERS)
		return usage_error(verb, "too many buffers: a server offers at most %d",
				   TPHBUF_SERVER_MAX_OFFERS);
	for (size_t i = 0; i < args->nr_buffers; i++)
		if (!strcmp(args->buffers[i].name, name))
			return usage_error(verb, "--buffer %s was given twice", name);
	args->buffers[args->nr_buffers++].name = name;
	return check_buffer_name(verb, name);
}

/* Whether an option belongs to the buffer before it. */
static bool is_of_buffer(int c)
{
	static const int of_buffer[] = {
		OPT_ANYONE, OPT_BAR, OPT_GROUP, OPT_PH, OPT_RANGE, OPT_ST, OPT_ST_EXT, OPT_USER,
		OPT_WC,
	};

	for (size_t i = 0; i < sizeof(of_buffer) / sizeof(of_buffer[0]); i++)
		if (c == of_buffer[i])
			return true;
	return false;
}

static int parse_of_buffer(struct serve_args *args, const struct verb *verb, int c, char **argv)
{
	const char *given = argv[optind - 1];
	struct served_args *buffer;
	int code;

	if (!args->nr_buffers)
		return usage_error(verb, "%s stands before the first --buffer: options of a buffer "
				   "follow its name", optarg == given ? argv[optind - 2] : given);
	buffer = &args->buffers[args->nr_buffers - 1];
	switch (c) {
	case OPT_ANYONE:
		buffer->anyone = true;
		return EXIT_OK;
	case OPT_GROUP:
		return parse_group(buffer, verb, optarg);
	case OPT_USER:
		return parse_user(buffer, verb, optarg);
	default:
		code = tag_args_option(&buffer->tag, verb, c, optarg);
		return code >= 0 ? code :
				   buffer_args_option(&buffer->buffer, verb, c, optarg);
	}
}

static int serve_args_option(struct serve_args *args, const struct verb *verb, int c, char **argv)
{
	int code;

	if (is_of_buffer(c))
		return parse_of_buffer(args, verb, c, argv);
	code = buffer_args_option(&args->device, verb, c, optarg);
	if (code >= 0)
		return code;
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_BUFFER:
		return begin_buffer(args, verb, optarg);
	case OPT_MAX_CLIENTS:
		return parse_limit(&args->limits.max_clients, verb, "--max-clients", optarg);
	case OPT_MAX_PER_USER:
		return parse_limit(&args->limits.max_clients_per_uid, verb, "--max-per-user",
				   optarg);
	case OPT_SOCKET:
		args->socket = optarg;
		return EXIT_OK;
	default:
		return option_error(verb, c, argv);
	}
}

static int complete_buffer(const struct serve_args *args, struct served_args *buffer,
			   const struct verb *verb)
{
	buffer->buffer.device = args->device.device;
	buffer->buffer.options = args->device.options;
	if (!buffer->buffer.bar_given)
		return usage_error(verb, "the buffer %s has no BAR: --bar and its number must "
				   "follow --buffer", buffer->name);
	return tag_args_complete(&buffer->tag, verb);
}

static int serve_args_check(const struct serve_args *args, const struct verb *verb)
{
	int code = EXIT_OK;

	if (!args->device.device)
		return usage_error(verb, "no device: -d and a PCI address such as 0000:00:03.0 are "
				   "required");
	if (!args->socket && !listener_is_given())
		return usage_error(verb, "no socket: --socket and a path are required, unless "
				   "systemd has opened the socket");
	if (!args->nr_buffers)
		return usage_error(verb, "no buffer: --buffer and a name are required");
	for (size_t i = 0; i < args->nr_buffers && !code; i++)
		code = complete_buffer(args, &args->buffers[i], verb);
	return code;
}

int serve_args_parse(struct serve_args *args, const struct verb *verb, int argc, char **argv)
{
	int c, code;

	*args = (struct serve_args) { .device.options.vf_token = getenv(VF_TOKEN_VARIABLE) };
	if (!listener_is_given())
		args->socket = getenv(SOCKET_VARIABLE);
	args->buffers = calloc(TPHBUF_SERVER_MAX_OFFERS, sizeof(*args->buffers));
	if (!args->buffers) {
		error_line("cannot begin to serve: %s", strerror(errno));
		return EXIT_FAILED;
	}
	while ((c = option_next(argc, argv, ":h" BUFFER_SHORT_OPTIONS, long_options)) >= 0) {
		code = serve_args_option(args, verb, c, argv);
		if (code || args->help)
			return code;
	}
	if (optind < argc)
		return usage_error(verb, "unexpected argument \"%s\": buffers are named with "
				   "--buffer", argv[optind]);
	return serve_args_check(args, verb);
}
