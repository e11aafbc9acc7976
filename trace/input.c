// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace as a subcommand reads it: messages, phases, signals. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "command.h"

static struct reader *following;

static void input_stop(int signal)
{
	(void)signal;
	reader_stop(following);
}

int input_open(struct input *input, const char *path, bool follow)
{
	const struct sigaction action = { .sa_handler = input_stop };
	int ret;

	memset(input, 0, sizeof(*input));
	input->path = path;
	phases_init(&input->phases);
	input->phase = PHASE_OUTSIDE;
	ret = reader_open(&input->reader, path, follow);
	if (ret) {
		error_line("cannot open %s: %s", path, strerror(-ret));
		return EXIT_FAILED;
	}
	if (follow) {
		following = input->reader;
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
	}
	return EXIT_OK;
}

int input_next(struct input *input, struct record *record)
{
	int ret = reader_next(input->reader, record);

	if (ret < 0) {
		error_line("%s: %s", input->path, reader_why(input->reader));
		return -EXIT_FAILED;
	}
	if (!ret)
		return 0;
	if (!input->seen++)
		input->start = record->time;
	input->phase = phases_step(&input->phases, record);
	return 1;
}

const char *input_phase(const struct input *input)
{
	return input->phase == PHASE_OUTSIDE ? NULL : input->phases.phase[input->phase].name;
}

int input_close(struct input *input)
{
	uint64_t lost = reader_lost(input->reader);
	int code = EXIT_OK;

	if (lost) {
		error_line("%s: %" PRIu64 " TLPs are missing, by their numbers", input->path, lost);
		code = EXIT_FAILED;
	}
	if (reader_cut(input->reader)) {
		error_line("%s: ends in the middle of a record; what follows is missing",
			   input->path);
		code = EXIT_FAILED;
	}
	reader_close(input->reader);
	return code;
}
