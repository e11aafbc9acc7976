// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a trace through one buffer that always holds the record at hand as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "csv.h"
#include "pcapng.h"
#include "reader.h"
#include "text.h"

#define BUFFER_SIZE	(2 * PCAPNG_BLOCK_MAX)
#define FOLLOW_PAUSE_NS	(100 * 1000 * 1000)

enum format {
	FORMAT_UNKNOWN,
	FORMAT_TEXT,
	FORMAT_CSV,
	FORMAT_PCAPNG,
};

struct reader {
	int fd;
	bool follow;
	bool eof;
	bool cut;
	volatile sig_atomic_t stop;
	enum format format;
	struct pcapng_state pcapng;
	struct csv_state csv;
	uint64_t place;		/* lines or blocks taken so far */
	uint64_t last_number;
	uint64_t lost;
	size_t start;
	size_t end;
	char why[160];
	uint8_t buffer[BUFFER_SIZE];
};

int reader_open(struct reader **out, const char *path, bool follow)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	bool standard = !strcmp(path, "-");

	if (!reader)
		return -ENOMEM;
	reader->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
				open(path, O_RDONLY | O_CLOEXEC);
	if (reader->fd < 0) {
		int err = -errno;

		free(reader);
		return err;
	}
	reader->follow = follow;
	*out = reader;
	return 0;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	close(reader->fd);
	free(reader);
}

const char *reader_why(const struct reader *reader)
{
	return reader->why;
}

bool reader_cut(const struct reader *reader)
{
	return reader->cut;
}

uint64_t reader_lost(const struct reader *reader)
{
	return reader->lost;
}

bool reader_is_pcapng(const struct reader *reader)
{
	return reader->format == FORMAT_PCAPNG;
}

void reader_stop(struct reader *reader)
{
	reader->stop = 1;
}

/* Reads on behind what is there; 0, also at the end of the file, or -errno. */
static int fill(struct reader *reader)
{
	const struct timespec pause = { .tv_nsec = FOLLOW_PAUSE_NS };
	ssize_t n;

	if (reader->start) {
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	do {
		n = read(reader->fd, reader->buffer + reader->end, BUFFER_SIZE - reader->end);
		if (!n && reader->follow && !reader->stop)
			nanosleep(&pause, NULL);
	} while ((n < 0 && errno == EINTR && !reader->stop) ||
		 (!n && reader->follow && !reader->stop));
	if (n < 0 && !reader->stop) {
		int err = -errno;

		snprintf(reader->why, sizeof(reader->why), "cannot be read: %s", strerror(-err));
		return err;
	}
	if (n <= 0)
		reader->eof = true;
	else
		reader->end += n;
	return 0;
}

/* Has at least @bytes in the buffer, unless the file ends before. */
static int want(struct reader *reader, size_t bytes)
{
	int ret = 0;

	while (!ret && !reader->eof && reader->end - reader->start < bytes)
		ret = fill(reader);
	return ret;
}

static int bad(struct reader *reader, int err, const char *what)
{
	snprintf(reader->why, sizeof(reader->why), "%s %" PRIu64 ": %s",
		 reader->format == FORMAT_PCAPNG ? "block" : "line", reader->place, what);
	return err;
}

static int end_of_file(struct reader *reader)
{
	reader->cut = reader->end != reader->start;
	reader->start = reader->end;
	return 0;
}

/* 1 for a record, 0 for a line without one, or an error. */
static int read_line(struct reader *reader, const char *line, size_t len, struct record *record)
{
	int ret;

	reader->place++;
	if (reader->format == FORMAT_TEXT)
		return text_parse(record, line, len) ?
		       bad(reader, -EBADMSG, "is not a line of a trace of TLPs") : 1;
	ret = csv_line(&reader->csv, line, len, record);
	return ret < 0 ? bad(reader, ret, reader->csv.why) : ret;
}

static int next_line(struct reader *reader, struct record *record)
{
	const size_t max = reader->format == FORMAT_CSV ? CSV_LINE_MAX : TEXT_LINE_MAX;

	for (;;) {
		uint8_t *line = reader->buffer + reader->start;
		uint8_t *newline = memchr(line, '\n', reader->end - reader->start);
		int ret;

		if (newline) {
			reader->start += newline + 1 - line;
			ret = read_line(reader, (const char *)line, newline - line, record);
			if (ret)
				return ret;
			continue;
		}
		if (reader->end - reader->start > max)
			return bad(reader, -EBADMSG,
				   "the next line is too long for a trace of TLPs");
		if (reader->eof)
			return end_of_file(reader);
		ret = fill(reader);
		if (ret)
			return ret;
	}
}

static int next_block(struct reader *reader, struct record *record)
{
	for (;;) {
		size_t size;
		int ret = want(reader, 12);

		if (ret)
			return ret;
		if (reader->end - reader->start < 12)
			return end_of_file(reader);
		reader->place++;
		size = pcapng_block_size(&reader->pcapng, reader->buffer + reader->start);
		if (!size)
			return bad(reader, -EBADMSG, "its length is impossible");
		ret = want(reader, size);
		if (ret)
			return ret;
		if (reader->end - reader->start < size)
			return end_of_file(reader);
		ret = pcapng_block(&reader->pcapng, reader->buffer + reader->start, size, record);
		reader->start += size;
		if (ret == -EOPNOTSUPP)
			return bad(reader, ret, "holds packets that are not TLPs of a trace");
		if (ret < 0)
			return bad(reader, ret, "contradicts itself");
		if (ret)
			return ret;
	}
}

static int find_format(struct reader *reader)
{
	int ret = want(reader, 4);

	if (ret)
		return ret;
	if (reader->end >= 4 && !memcmp(reader->buffer, "\n\r\r\n", 4))
		reader->format = FORMAT_PCAPNG;
	else if (csv_is_header((const char *)reader->buffer, reader->end))
		reader->format = FORMAT_CSV;
	else
		reader->format = FORMAT_TEXT;
	return 0;
}

int reader_next(struct reader *reader, struct record *record)
{
	int ret = reader->format == FORMAT_UNKNOWN ? find_format(reader) : 0;

	if (ret)
		return ret;
	ret = reader->format == FORMAT_PCAPNG ? next_block(reader, record) :
						next_line(reader, record);
	if (ret == 1 && record->number) {
		if (reader->last_number && record->number > reader->last_number + 1)
			reader->lost += record->number - reader->last_number - 1;
		reader->last_number = record->number;
	}
	return ret;
}
