/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of tphbuf-trace and what they share. */
#ifndef TRACE_COMMAND_H
#define TRACE_COMMAND_H

#include "filter.h"
#include "phases.h"
#include "reader.h"

enum exit_code {
	EXIT_OK		= 0,
	EXIT_FAILED =
		1, /* the trace is broken, or the two traces differ, or nothing can be written */
	EXIT_USAGE	= 2,
};

/**
 * struct command - a subcommand
 * @name: as typed
 * @usage: all of its help
 * @run: gets the arguments from its name on; returns the exit code
 */
struct command {
	const char *name;
	const char *usage;
	int (*run)(int argc, char **argv);
};

extern const struct command command_print, command_count, command_convert, command_compare,
	command_page;

/* "tphbuf-trace: ..." to standard error. */
__attribute__((format(printf, 1, 2)))
void error_line(const char *format, ...);

/* The help for 'h', or the line for the '?' or ':' of getopt_long(); an exit code. */
int option_other(const struct command *command, int c, char **argv);

/* A value or argument that cannot be; EXIT_USAGE. */
__attribute__((format(printf, 2, 3)))
int usage_error(const struct command *command, const char *format, ...);

/* The line for a @value that filter_option() refuses for the option @c; EXIT_USAGE. */
int filter_error(const struct command *command, int c, const char *value);

/**
 * struct input - a trace that is read for a subcommand
 * @path: for messages
 * @reader: the trace
 * @phases: divides it
 * @phase: of the last record
 * @start: time of the first TLP, 0 before
 * @seen: TLPs so far
 */
struct input {
	const char *path;
	struct reader *reader;
	struct phases phases;
	int phase;
	uint64_t start;
	uint64_t seen;
};

/* Opens, or says why not; an exit code. SIGINT and SIGTERM end an input that follows its file. */
int input_open(struct input *input, const char *path, bool follow);

/* 1 and a record, 0 at the end, or -EXIT_FAILED after a message. */
int input_next(struct input *input, struct record *record);

/* Name of the phase that the last record belongs to, NULL outside. */
const char *input_phase(const struct input *input);

/* Says what is missing from a trace that was read to its end; an exit code. */
int input_close(struct input *input);

#endif
