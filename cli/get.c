// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf get: a command that inherits a dma-buf of a server. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tphbuf/connection.h>

#include "buffer_args.h"
#include "child.h"
#include "listener.h"
#include "message.h"
#include "number.h"
#include "option.h"
#include "verb.h"

#define DEFAULT_TIMEOUT_MS	(30 * 1000)

struct get_args {
	const char *socket;
	const char *name;
	int timeout_ms;
	char **command;		/* up to NULL */
	bool help;
};

/* What is watched while the command runs. */
struct watched {
	struct tphbuf_connection *connection;	/* NULL once the server has ended */
	const char *name;
};

enum { OPT_SOCKET = OPT_OF_VERB, OPT_TIMEOUT };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ NULL, 0, NULL, 0 },
};

static int parse_timeout(struct get_args *args, const char *text)
{
	uint64_t value;
	int ret = number_parse(text, &value);

	if (ret == -EINVAL)
		return not_a_number(&verb_get, "--timeout", text);
	if (ret || value > INT_MAX / 1000)
		return usage_error(&verb_get, "--timeout %s is out of range: expected 0 to %d "
				   "seconds", text, INT_MAX / 1000);
	args->timeout_ms = (int)value * 1000;
	return EXIT_OK;
}

static int get_option(struct get_args *args, int c, char **argv)
{
	switch (c) {
	case 'h':
		args->help = true;
		return EXIT_OK;
	case OPT_SOCKET:
		args->socket = optarg;
		return EXIT_OK;
	case OPT_TIMEOUT:
		return parse_timeout(args, optarg);
	default:
		return option_error(&verb_get, c, argv);
	}
}

static int parse_get(struct get_args *args, int argc, char **argv)
{
	int c, code;

	*args = (struct get_args) {
		.socket = getenv(SOCKET_VARIABLE),
		.timeout_ms = DEFAULT_TIMEOUT_MS,
	};
	/* Options end at the name: those behind it are the command's. */
	while ((c = option_next(argc, argv, "+:h", long_options)) >= 0) {
		code = get_option(args, c, argv);
		if (code || args->help)
			return code;
	}
	args->name = argv[optind];
	if (!args->name)
		return usage_error(&verb_get, "no buffer: the name of a buffer is required");
	if (check_buffer_name(&verb_get, args->name))
		return EXIT_USAGE;
	args->command = argv + optind + 1;
	if (args->command[0] && !strcmp(args->command[0], "--"))
		args->command++;
	if (!args->command[0])
		return usage_error(&verb_get, "no command: a command is required after \"--\"");
	if (!args->socket)
		return usage_error(&verb_get, "no socket: --socket and the path that \"tphbuf "
				   "serve\" listens on are required");
	return EXIT_OK;
}

static int fail_connect(const struct get_args *args, int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED) {
		error_line("cannot connect to %s: no server listens there; start \"tphbuf serve\", "
			   "or name its socket", args->socket);
		return EXIT_NO_DEVICE;
	}
	if (err == -EACCES) {
		error_line("cannot connect to %s: permission denied", args->socket);
		return EXIT_PERMISSION;
	}
	if (err == -EPROTOTYPE) {
		error_line("cannot connect to %s: the socket does not belong to \"tphbuf serve\"",
			   args->socket);
		return EXIT_FAILED;
	}
	error_line("cannot connect to %s: %s", args->socket, strerror(-err));
	return EXIT_FAILED;
}

static int fail_get(const struct get_args *args, int err)
{
	switch (err) {
	case -ENOENT:
		error_line("cannot get %s: the server on %s offers no buffer of this name",
			   args->name, args->socket);
		return EXIT_NO_DEVICE;
	case -EACCES:
		error_line("cannot get %s: permission denied for user %u by the server on %s "
			   "(--user, --group)", args->name, geteuid(), args->socket);
		return EXIT_PERMISSION;
	case -EBUSY:
		error_line("cannot get %s: the server on %s has too many clients, in total or from "
			   "this user (--max-clients, --max-per-user)",
			   args->name, args->socket);
		return EXIT_BUSY;
	case -ETIMEDOUT:
		error_line("cannot get %s: the server on %s did not answer in %d s", args->name,
			   args->socket, args->timeout_ms / 1000);
		return EXIT_FAILED;
	case -ECONNRESET:
		error_line("cannot get %s: the server on %s has ended", args->name, args->socket);
		return EXIT_NO_DEVICE;
	case -EPROTO:
	case -EPROTONOSUPPORT:
		error_line("cannot get %s: %s is not the socket of a \"tphbuf serve\" of this "
			   "version", args->name, args->socket);
		return EXIT_FAILED;
	default:
		error_line("cannot get %s: %s", args->name, strerror(-err));
		return EXIT_FAILED;
	}
}

/* Says what the server tells while the command runs. */
static void get_watch(void *arg)
{
	struct watched *watched = arg;
	char name[TPHBUF_NAME_SIZE];
	int ret;

	if (!watched->connection)
		return;
	ret = tphbuf_connection_wait(watched->connection, 0, name);
	if (ret == -ETIMEDOUT)
		return;
	if (!ret)
		error_line("the buffer %s is revoked: its owner has withdrawn it, and all accesses "
			   "fail", name);
	else
		error_line("the server has ended: the buffer %s is revoked, or can be revoked without "
			   "notice", watched->name);
	tphbuf_connection_close(watched->connection);
	watched->connection = NULL;
}

static int run_command(const struct get_args *args, struct watched *watched,
		       const struct tphbuf_handover *handover)
{
	const struct child_buffer buffer = {
		.fd = handover->dmabuf_fd,
		.size = handover->size,
		.tag = handover->tag,
	};
	struct held_signals held;
	int status;

	child_hold_signals(&held);
	status = child_run(&held, args->command, &buffer, get_watch, watched);
	child_release_signals(&held);
	close(handover->dmabuf_fd);
	if (status < 0) {
		error_line("cannot start a process for %s: %s", args->command[0],
			   strerror(-status));
		return EXIT_FAILED;
	}
	return child_exit_code(status);
}

static int run_get(int argc, char **argv)
{
	struct tphbuf_handover handover;
	struct watched watched;
	struct get_args args;
	int code, ret;

	code = parse_get(&args, argc, argv);
	if (code)
		return code;
	if (args.help) {
		fputs(verb_get.usage, stdout);
		return EXIT_OK;
	}
	ret = tphbuf_connect(args.socket, &watched.connection);
	if (ret)
		return fail_connect(&args, ret);
	watched.name = args.name;
	ret = tphbuf_connection_get(watched.connection, args.name, args.timeout_ms, &handover);
	code = ret ? fail_get(&args, ret) : run_command(&args, &watched, &handover);
	tphbuf_connection_close(watched.connection);
	return code;
}

const struct verb verb_get = {
	.name = "get",
	.summary = "run a command with a buffer of \"tphbuf serve\"",
	.usage =
		"Usage: tphbuf get --socket PATH [--timeout SECONDS] NAME [--] COMMAND [ARGUMENT]...\n"
		"\n"
		"Request the buffer NAME on the server socket PATH, and run COMMAND, which inherits\n"
		"the file descriptor. Its number is in TPHBUF_FD, the size of the dma-buf in bytes in\n"
		"TPHBUF_SIZE, and the tag in TPHBUF_ST, TPHBUF_ST_EXT and TPHBUF_PH. A line on standard\n"
		"error reports that the owner has revoked the buffer.\n"
		"\n"
		"Options:\n"
		"      --socket PATH      socket of \"tphbuf serve\"; TPHBUF_SOCKET by default\n"
		"      --timeout SECONDS  how long to wait for the server; 30 by default\n"
		"  -h, --help             print this text\n"
		"\n"
		"The exit status is that of COMMAND; 126 if COMMAND cannot run, 127 if it is not found.\n",
	.run = run_get,
};
