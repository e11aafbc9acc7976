// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the text trace. Lines against docs/trace-format.md character by character, whole
 * lines at every flush, and what happens when the file cannot be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pcie/trace.h"
#include "tap.h"

static const struct tlp write256 = {
	.type = TLP_MWR, .requester = 0x0028, .address = 0xfea00100, .length = 64,
	.first_be = 0xf, .last_be = 0xf,
	.hint = { .present = true, .ph = 2, .st = 0x12 },
};

static char text[4096];

static int make_file(void)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0)
		bail_out("memfd_create: %s", strerror(errno));
	return fd;
}

/* What is in the file now. */
static const char *contents(int fd)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_lines(void)
{
	static const uint8_t value[] = { 0x07, 0x00, 0x00, 0x80 };
	struct tlp tlp = write256;
	int fd = make_file();
	struct trace *trace = trace_create(dup(fd));
	size_t size;

	trace_record(trace, &tlp, 0x0020, TLP_OK, NULL);
	tlp.hint.extended = true;
	tlp.hint.ph = 0;
	trace_record(trace, &tlp, 0x0020, TLP_REJECTED, NULL);
	tlp.hint.present = false;
	tlp.address = 0x12300000000;
	tlp.first_be = 0x8;
	tlp.last_be = 0x1;
	trace_record(trace, &tlp, TRACE_RC, TLP_FAULT, NULL);
	tlp.type = TLP_MRD;
	tlp.requester = 0xffff;
	trace_record(trace, &tlp, TRACE_NOBODY, TLP_UNSUPPORTED, NULL);
	tlp.requester = TRACE_RC;
	tlp.type = TLP_MWR;
	tlp.address = 0xfe00000c;
	tlp.length = 1;
	tlp.first_be = 0xf;
	tlp.last_be = 0;
	trace_record(trace, &tlp, 0x0020, TLP_MALFORMED, value);
	tlp.first_be = 0x6;
	trace_record(trace, &tlp, 0x0020, TLP_ABORT, value);
	is_str(contents(fd), "", "nothing is written before a flush");
	trace_flush(trace);
	is_str(contents(fd),
	       "1 00:05.0 -> 00:04.0 MWr32 0x00000000fea00100 len=256 th=1 ph=2 st=0x12 be=f/f "
	       "result=ok\n"
	       "2 00:05.0 -> 00:04.0 MWr32 0x00000000fea00100 len=256 th=1 ph=0 st=0x0012 be=f/f "
	       "result=rejected\n"
	       "3 00:05.0 -> rc MWr64 0x0000012300000000 len=250 th=0 be=8/1 result=fault\n"
	       "4 ff:1f.7 -> - MRd64 0x0000012300000000 len=250 th=0 be=8/1 result=ur\n"
	       "5 rc -> 00:04.0 MWr32 0x00000000fe00000c len=4 th=0 be=f/0 value=0x80000007 "
	       "result=malformed\n"
	       "6 rc -> 00:04.0 MWr32 0x00000000fe00000c len=2 th=0 be=6/0 value=0x0007 "
	       "result=abort\n",
	       "one line of each kind");
	size = strlen(text);
	trace_flush(trace);
	is_int(strlen(contents(fd)), size, "a second flush adds nothing");
	is_int(trace_destroy(trace), 0, "no error");
	close(fd);
}

static void test_longest_line(void)
{
	static const uint8_t value[8] = { 1, 2, 3, 4, 5, 6, 7, 0xff };
	struct tlp tlp = {
		.type = TLP_MWR, .requester = 0xffff, .address = UINT64_MAX & ~7ull, .length = 2,
		.first_be = 0xf, .last_be = 0xf,
		.hint = { .present = true, .extended = true, .ph = 3, .st = 0xffff },
	};
	int fd = make_file();
	struct trace *trace = trace_create(dup(fd));

	trace_record(trace, &tlp, 0xffff, TLP_MALFORMED, value);
	trace_flush(trace);
	is_str(contents(fd),
	       "1 ff:1f.7 -> ff:1f.7 MWr64 0xfffffffffffffff8 len=8 th=1 ph=3 st=0xffff be=f/f"
	       " value=0xff07060504030201 result=malformed\n", "the longest line");
	trace_destroy(trace);
	close(fd);
}

/* More than the buffer holds: all lines arrive, in order, and every write ends with a line. */
static void test_many(void)
{
	enum { LINES = 20000 };
	int fd = make_file();
	struct trace *trace = trace_create(dup(fd));
	unsigned int expect = 1, number, broken = 0;
	char line[256];
	FILE *file;

	for (unsigned int i = 0; i < LINES; i++) {
		off_t size = lseek(fd, 0, SEEK_END);
		char last = '\n';

		trace_record(trace, &write256, 0x0020, TLP_OK, NULL);
		if (lseek(fd, 0, SEEK_END) != size &&
		    pread(fd, &last, 1, lseek(fd, 0, SEEK_END) - 1) == 1)
			broken += last != '\n';
	}
	is_int(broken, 0, "whole lines only, when the buffer is full as well");
	is_int(trace_destroy(trace), 0, "no error");
	lseek(fd, 0, SEEK_SET);
	file = fdopen(fd, "r");
	while (fgets(line, sizeof(line), file) && sscanf(line, "%u ", &number) == 1 &&
	       number == expect)
		expect++;
	is_int(expect, LINES + 1, "all lines, in order");
	fclose(file);
}

static void test_errors(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), pipes[2];
	struct trace *trace;

	if (fd < 0) {
		skip(1, "no /dev/full");
	} else {
		trace = trace_create(fd);
		trace_record(trace, &write256, 0x0020, TLP_OK, NULL);
		trace_flush(trace);
		trace_record(trace, &write256, 0x0020, TLP_OK, NULL);
		is_int(trace_destroy(trace), -ENOSPC, "the first error is told at the end");
	}
	signal(SIGPIPE, SIG_IGN);
	if (pipe(pipes))
		bail_out("pipe: %s", strerror(errno));
	close(pipes[0]);
	trace = trace_create(pipes[1]);
	trace_record(trace, &write256, 0x0020, TLP_OK, NULL);
	is_int(trace_destroy(trace), -EPIPE, "a reader that went away");

	trace_record(NULL, &write256, 0x0020, TLP_OK, NULL);
	trace_flush(NULL);
	is_int(trace_destroy(NULL), 0, "no trace is fine");
}

static void test_speed(void)
{
	enum { LINES = 1000000 };
	struct trace *trace = trace_create(open("/dev/null", O_WRONLY | O_CLOEXEC));
	struct timespec start, end;
	double seconds;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (unsigned int i = 0; i < LINES; i++)
		trace_record(trace, &write256, 0x0020, TLP_OK, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
	ok(seconds < 1, "a million lines in %.3f s of CPU time", seconds);
	trace_destroy(trace);
}

int main(void)
{
	test_lines();
	test_longest_line();
	test_many();
	test_errors();
	test_speed();
	return done_testing();
}
