// SPDX-License-Identifier: GPL-2.0-or-later
/* read and write, which differ only in the direction. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "access_args.h"
#include "access_end.h"
#include "buffer.h"
#include "child.h"
#include "json_writer.h"
#include "message.h"
#include "progress.h"
#include "transfer.h"

/* The end of the file that is not the dma-buf. */
static const char *file_name(const struct access *access)
{
	if (access->args.file)
		return access->args.file;
	return access->store ? "standard input" : "standard output";
}

static int open_input(struct access *access)
{
	struct stat status;

	access->file = STDIN_FILENO;
	if (access->args.file)
		access->file = open(access->args.file, O_RDONLY | O_CLOEXEC);
	if (access->file < 0)
		return cannot_open(access->args.file, errno);
	if (!fstat(access->file, &status) && S_ISDIR(status.st_mode))
		return cannot_open(file_name(access), EISDIR);
	return EXIT_OK;
}

/* The file itself is opened when there is something to write to it, and may fail then too. */
static int check_output_file(const char *path)
{
	char folder[PATH_MAX];
	struct stat status;

	if (!stat(path, &status)) {
		if (S_ISDIR(status.st_mode))
			return cannot_open(path, EISDIR);
		return access(path, W_OK) ? cannot_open(path, errno) : EXIT_OK;
	}
	if (errno != ENOENT)
		return cannot_open(path, errno);
	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
		return cannot_open(path, ENAMETOOLONG);
	return access(dirname(folder), W_OK | X_OK) ? cannot_open(path, errno) : EXIT_OK;
}

/* How much input there is, UINT64_MAX when only its end will tell. */
static uint64_t input_size(const struct access *access)
{
	struct stat status;
	off_t at;

	if (!access->store || fstat(access->file, &status) || !S_ISREG(status.st_mode))
		return UINT64_MAX;
	at = lseek(access->file, 0, SEEK_CUR);
	/* Files of procfs say that they are empty. */
	if (at < 0 || !status.st_size)
		return UINT64_MAX;
	return at < status.st_size ? (uint64_t)(status.st_size - at) : 0;
}

/* Fills what is to be moved; what can be known to fail does so before anything is. */
static int plan(struct access *access, uint64_t size)
{
	const struct access_args *args = &access->args;
	uint64_t input = input_size(access);

	if (args->offset >= size)
		return usage_error(access->verb,
				   "--offset 0x%" PRIx64 " is beyond the end of the "
				   "dma-buf, which has 0x%" PRIx64 " bytes",
				   args->offset, size);
	access->length = size - args->offset;
	if (args->length_given && args->length > access->length)
		return usage_error(access->verb,
				   "--length 0x%" PRIx64 " is out of range: the dma-buf "
				   "has 0x%" PRIx64 " bytes from --offset on",
				   args->length, access->length);
	if (args->length_given)
		access->length = args->length;
	else if (input != UINT64_MAX && input > access->length)
		return usage_error(access->verb,
				   "%s does not fit: it has %" PRIu64 " bytes, and the "
				   "dma-buf has room for %" PRIu64,
				   file_name(access), input, access->length);
	if (args->length_given && input < args->length)
		return usage_error(access->verb, "%s is too short: it has %" PRIu64 " bytes, and "
				   "--length is %" PRIu64,
				   file_name(access), input, args->length);
	/* For the progress. */
	if (args->length_given || !access->store)
		access->total = access->length;
	else if (input != UINT64_MAX)
		access->total = input;
	return EXIT_OK;
}

__attribute__((noreturn))
static void move_bytes(struct access *access, struct held_signals *held, int dmabuf, pid_t parent)
{
	const struct transfer transfer = {
		.store = access->store,
		.exact = access->args.length_given,
		.dmabuf = dmabuf,
		.file = access->store ? access->file : STDOUT_FILENO,
		.path = access->store ? NULL : access->args.file,
		.offset = access->args.offset,
		.length = access->length,
	};

	/* Nobody else would end this when the process that holds the device is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	child_release_signals(held);
	transfer_run(&transfer, access->state);
	_exit(EXIT_OK);
}

static void show(void *arg)
{
	struct access *access = arg;

	progress_show(&access->progress, transfer_done(access->state));
}

static int run_transfer(struct access *access, struct held_signals *held, int dmabuf)
{
	pid_t parent = getpid(), child;

	/* The child would not hear of it. */
	if (child_interrupted())
		return EXIT_FAILED;
	access->state = mmap(NULL, sizeof(*access->state), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	child = access->state == MAP_FAILED ? -1 : fork();
	if (child < 0) {
		error_line("cannot start a process: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (!child)
		move_bytes(access, held, dmabuf, parent);
	progress_start(&access->progress, access->verb->name, access->total);
	access->status = child_wait(held, child, show, access);
	access->microseconds = progress_end(&access->progress);
	access->done = transfer_done(access->state);
	return access_end(access, file_name(access));
}

/* With the dma-buf at hand. */
static int run_with_dmabuf(struct access *access, struct held_signals *held, int dmabuf,
			   uint64_t size)
{
	int code = plan(access, size);

	return code ? code : run_transfer(access, held, dmabuf);
}

static int run_with_device(struct access *access, struct held_signals *held)
{
	int code;

	if (access->args.fd >= 0)
		return run_with_dmabuf(access, held, access->args.fd, access->args.fd_size);
	code = buffer_open(&access->buffer, &access->args.buffer, NULL, access->verb);
	if (code)
		return code;
	snprintf(access->bdf, sizeof(access->bdf), "%s", tphbuf_device_bdf(access->buffer.dev));
	code = run_with_dmabuf(access, held, access->buffer.fd, access->buffer.size);
	buffer_close(&access->buffer, &access->args.buffer);
	return code;
}

static void access_print_json(const struct access *access)
{
	const struct access_args *args = &access->args;
	struct json_writer json;

	json_start(&json, stdout);
	json_object(&json, NULL);
	json_int(&json, "version", JSON_VERSION);
	json_string(&json, "device", access->bdf[0] ? access->bdf : NULL);
	if (args->fd < 0)
		json_int(&json, "bar", args->buffer.bar);
	else
		json_null(&json, "bar");
	json_int(&json, "offset", (int64_t)args->offset);
	json_int(&json, "bytes", (int64_t)access->done);
	json_int(&json, "microseconds", (int64_t)access->microseconds);
	if (args->fd < 0)
		json_bool(&json, "wc", args->buffer.flags & TPHBUF_EXPORT_WC);
	else
		json_null(&json, "wc");
	json_string(&json, "reason", tphbuf_reason_name(last_error()[0] && !last_reason() ?
							TPHBUF_REASON_SYSTEM : last_reason()));
	json_string(&json, "error", last_error()[0] ? last_error() : NULL);
	json_object_end(&json);
}

/* On standard output the bytes of the device leave no room for JSON, and are nothing to look at. */
static int check_output(const struct access *access)
{
	if (access->store || access->args.file)
		return EXIT_OK;
	if (access->args.json)
		return usage_error(access->verb,
				   "--json requires a file: the memory itself would go to "
				   "standard output");
	if (isatty(STDOUT_FILENO))
		return usage_error(access->verb,
				   "standard output is a terminal, and device memory is not "
				   "text: name a file, or use a pipe, to xxd for example");
	return EXIT_OK;
}

int access_run(const struct verb *verb, bool store, int argc, char **argv)
{
	struct access access = { .verb = verb, .store = store, .file = -1 };
	struct held_signals held;
	int code;

	code = access_args_parse(&access.args, verb, argc, argv);
	if (code)
		return code;
	if (access.args.help) {
		fputs(verb->usage, stdout);
		return EXIT_OK;
	}
	code = check_output(&access);
	if (code)
		return code;
	/* Before the device, which is reset when it is opened; from a FIFO it may take long. */
	if (store)
		code = open_input(&access);
	else if (access.args.file)
		code = check_output_file(access.args.file);
	if (!code) {
		child_hold_signals(&held);
		code = run_with_device(&access, &held);
		child_release_signals(&held);
	}
	if (access.args.json && code != EXIT_USAGE)
		access_print_json(&access);
	/* Otherwise a signal would come before what is to be printed. */
	fflush(stdout);
	return access.signalled ? child_exit_code(access.status) : code;
}
