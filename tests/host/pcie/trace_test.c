// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: the text trace. Lines against docs/reference/trace-format.md, by character, whole
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
#include "trace/pcapng.h"
#include "trace_lines.h"

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
	trace_lines_plain(text);
	return text;
}

static struct trace *text_trace(int fd)
{
	return trace_create(&(struct trace_options){ .text = fd, .pcapng = -1 });
}

static void record(struct trace *trace, const struct tlp *tlp, int completer,
		   enum tlp_result result, const uint8_t *value)
{
	const struct tlp_outcome outcome = { .completer = completer, .result = result };

	trace_record(trace, tlp, &outcome, value);
}

static void test_lines(void)
{
	static const uint8_t value[] = { 0x07, 0x00, 0x00, 0x80 };
	struct tlp tlp = write256;
	int fd = make_file();
	struct trace *trace = text_trace(dup(fd));
	size_t size;

	record(trace, &tlp, 0x0020, TLP_OK, NULL);
	tlp.hint.extended = true;
	tlp.hint.ph = 0;
	record(trace, &tlp, 0x0020, TLP_REJECTED, NULL);
	tlp.hint.present = false;
	tlp.address = 0x12300000000;
	tlp.first_be = 0x8;
	tlp.last_be = 0x1;
	record(trace, &tlp, TRACE_RC, TLP_FAULT, NULL);
	tlp.type = TLP_MRD;
	tlp.requester = 0xffff;
	record(trace, &tlp, TRACE_NOBODY, TLP_UNSUPPORTED, NULL);
	tlp.requester = TRACE_RC;
	tlp.type = TLP_MWR;
	tlp.address = 0xfe00000c;
	tlp.length = 1;
	tlp.first_be = 0xf;
	tlp.last_be = 0;
	record(trace, &tlp, 0x0020, TLP_MALFORMED, value);
	tlp.first_be = 0x6;
	record(trace, &tlp, 0x0020, TLP_ABORT, value);
	is_str(contents(fd), "", "nothing is written before a flush");
	trace_flush(trace);
	is_str(contents(fd),
	       "1 00:05.0 -> 00:04.0 MWr32 0x00000000fea00100 len=256 th=1 ph=2 st=0x12 be=f/f "
	       "result=ok\n"
	       "2 00:05.0 -> 00:04.0 MWr32 0x00000000fea00100 len=256 th=1 ph=0 st-ext=0x0012 be=f/f "
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
	is_int(trace_destroy(trace).error, 0, "no error");
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
	struct trace *trace = text_trace(dup(fd));

	record(trace, &tlp, 0xffff, TLP_MALFORMED, value);
	trace_flush(trace);
	is_str(contents(fd),
	       "1 ff:1f.7 -> ff:1f.7 MWr64 0xfffffffffffffff8 len=8 th=1 ph=3 st-ext=0xffff be=f/f"
	       " value=0xff07060504030201 result=malformed\n", "the longest line");
	trace_destroy(trace);
	close(fd);
}

/* More than the buffer holds: all lines arrive, in order. */
static void test_many(void)
{
	enum { LINES = 20000 };
	int fd = make_file();
	struct trace *trace = text_trace(dup(fd));
	unsigned int expect = 1, number;
	struct trace_end end;
	char line[256];
	FILE *file;

	for (unsigned int i = 0; i < LINES; i++)
		record(trace, &write256, 0x0020, TLP_OK, NULL);
	end = trace_destroy(trace);
	ok(!end.error && !end.lost, "no error, nothing lost");
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
		trace = text_trace(fd);
		record(trace, &write256, 0x0020, TLP_OK, NULL);
		trace_flush(trace);
		record(trace, &write256, 0x0020, TLP_OK, NULL);
		is_int(trace_destroy(trace).error, -ENOSPC, "the first error is told at the end");
	}
	if (pipe(pipes))
		bail_out("pipe: %s", strerror(errno));
	close(pipes[0]);
	trace = text_trace(pipes[1]);
	record(trace, &write256, 0x0020, TLP_OK, NULL);
	is_int(trace_destroy(trace).error, -EPIPE, "a reader that went away");

	record(NULL, &write256, 0x0020, TLP_OK, NULL);
	trace_flush(NULL);
	is_int(trace_destroy(NULL).error, 0, "no trace is fine");
}

static void test_speed(void)
{
	enum { LINES = 1000000 };
	struct trace *trace = text_trace(open("/dev/null", O_WRONLY | O_CLOEXEC));
	struct timespec start, end;
	double seconds;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (unsigned int i = 0; i < LINES; i++)
		record(trace, &write256, 0x0020, TLP_OK, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
#ifdef __SANITIZE_THREAD__
	skip(1, "%.3f s of CPU time, most of it ThreadSanitizer's", seconds);
#else
	ok(seconds < 1, "a million lines in %.3f s of CPU time", seconds);
#endif
	trace_destroy(trace);
}

/* Times are there and do not go back. */
static void test_times(void)
{
	unsigned long long before = time(NULL), first, second;
	int fd = make_file();
	struct trace *trace = text_trace(dup(fd));
	char *place;
	ssize_t n;

	record(trace, &write256, 0x0020, TLP_OK, NULL);
	record(trace, &write256, 0x0020, TLP_OK, NULL);
	trace_destroy(trace);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	place = strstr(text, " t=");
	first = place ? strtoull(place + 3, NULL, 10) : 0;
	place = place ? strstr(place + 3, " t=") : NULL;
	second = place ? strtoull(place + 3, NULL, 10) : 0;
	ok(first >= before * 1000000000 && first <= second, "nanoseconds since 1970: %llu, %llu",
	   first, second);
	close(fd);
}

static void test_mark(void)
{
	int fd = make_file();
	struct trace *trace = text_trace(dup(fd));
	char longest[300];

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	trace_mark(trace, "set st=0x12 ph=2");
	record(trace, &write256, 0x0020, TLP_OK, NULL);
	record(trace, &write256, 0x0020, TLP_OK, NULL);
	trace_mark(trace, longest);
	record(trace, &write256, 0x0020, TLP_OK, NULL);
	trace_destroy(trace);
	ok(strstr(contents(fd), "1 00:05.0 -> 00:04.0 MWr32 0x00000000fea00100 len=256 th=1 ph=2 "
		  "st=0x12 be=f/f mark=set%20st=0x12%20ph=2 result=ok\n2 "), "a mark, once");
	is_int((intmax_t)strspn(strstr(text, "mark=xxx") + 5, "x"), 199, "a mark that is cut");
	close(fd);
	trace_mark(NULL, "nothing");
}

/* All packets of a pcapng file; returns how many there are, -1 for a broken file. */
static int read_pcapng(int fd, struct record *records, int max)
{
	static uint8_t file[1 << 20];
	struct pcapng_state state = { 0 };
	ssize_t size = pread(fd, file, sizeof(file), 0), at = 0;
	int n = 0;

	while (at < size && n < max) {
		size_t block = pcapng_block_size(&state, file + at);
		int ret = block && at + (ssize_t)block <= size ?
			  pcapng_block(&state, file + at, block, &records[n]) : -1;

		if (ret < 0)
			return -1;
		n += ret;
		at += block;
	}
	return n;
}

static void test_pcapng(void)
{
	static const uint8_t header[] = {
		0x90, 0x43, 0x00, 0x00, 0x40, 0x01, 0x00, 0x40, 0x00, 0x28, 0x05, 0xff,
		0xfe, 0xa0, 0x01, 0x02,
	};
	struct trace_options options = { .text = -1, .payload = 8 };
	struct tlp tlp = write256;
	uint8_t payload[256];
	struct record got[4];
	int fd = make_file();
	struct trace *trace;

	for (unsigned int i = 0; i < sizeof(payload); i++)
		payload[i] = i;
	options.pcapng = dup(fd);
	trace = trace_create(&options);
	tlp.data = payload;
	tlp.hint.extended = true;
	tlp.hint.st = 0x4305;
	trace_mark(trace, "here");
	record(trace, &tlp, 0x0020, TLP_OK, NULL);
	tlp.requester = TRACE_RC;
	tlp.hint.present = false;
	record(trace, &tlp, TRACE_NOBODY, TLP_UNSUPPORTED, NULL);
	/* One that no link could carry is recorded as it is. */
	tlp.length = 0;
	record(trace, &tlp, 0x0020, TLP_MALFORMED, NULL);
	/* An access of the CPU has a value instead of a payload: two bytes from the second on. */
	tlp.data = NULL;
	tlp.length = 1;
	tlp.first_be = 0x6;
	tlp.last_be = 0;
	record(trace, &tlp, 0x0020, TLP_OK, payload + 1);
	is_int(trace_destroy(trace).error, 0, "no error");

	is_int(read_pcapng(fd, got, 4), 4, "four packets");
	ok(got[0].raw_size == sizeof(header) + 8 && got[0].raw_full == sizeof(header) + 256,
	   "eight bytes of the payload are kept");
	is_mem(got[0].raw, header, sizeof(header), "prefix and header");
	is_mem(got[0].raw + sizeof(header), payload, 8, "the payload that was kept");
	is_str(got[0].mark, "here", "the mark");
	is_int(got[0].completer, 0x20, "completer");
	is_hex(got[0].st, 0x4305, "steering tag");
	is_int(got[1].requester, PARTY_ROOT_COMPLEX, "root complex");
	is_int(got[1].completer, PARTY_NONE, "nobody");
	is_int(got[1].result, RESULT_UNSUPPORTED, "unsupported request");
	is_int((intmax_t)got[2].number, 3, "the malformed one");
	is_int(got[2].result, RESULT_MALFORMED, "is there");
	is_int(got[3].raw_size, 16, "the value is a payload of one DW");
	is_mem(got[3].raw + 12, ((uint8_t[]){ 0, 1, 2, 0 }), 4, "with the bytes in their places");
	is_hex(got[3].value, 0x0201, "value");
	close(fd);
}

/* What is in no file is counted: behind the limit, and for want of room in the ring. */
static void test_lost(void)
{
	struct trace_options options = { .pcapng = -1, .limit = 4000 };
	struct trace_end end;
	struct trace *trace;
	int fd = make_file(), pipes[2], lines = 0;
	unsigned int sent = 0;

	options.text = dup(fd);
	trace = trace_create(&options);
	for (unsigned int i = 0; i < 100; i++)
		record(trace, &write256, 0x0020, TLP_OK, NULL);
	end = trace_destroy(trace);
	contents(fd);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	ok(lseek(fd, 0, SEEK_END) <= 4000 && lines > 10, "the limit holds");
	is_int((intmax_t)end.lost + lines, 100, "what is not in the file is counted");
	close(fd);

	/* Nobody reads the pipe: the thread waits, recording does not. */
	if (pipe(pipes))
		bail_out("pipe: %s", strerror(errno));
	trace = text_trace(pipes[1]);
	for (sent = 0; sent < 1000000; sent++)
		record(trace, &write256, 0x0020, TLP_OK, NULL);
	close(pipes[0]);
	end = trace_destroy(trace);
	is_int(end.error, -EPIPE, "the reader went away");
	ok(end.lost > 100000 && end.lost <= sent, "%llu of %u were lost",
	   (unsigned long long)end.lost, sent);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_lines();
	test_longest_line();
	test_many();
	test_times();
	test_mark();
	test_pcapng();
	test_lost();
	test_errors();
	test_speed();
	return done_testing();
}
