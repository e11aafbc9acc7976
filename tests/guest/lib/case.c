// SPDX-License-Identifier: GPL-2.0-or-later
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

/* A case that hangs is a failure, not a run that does not end. */
#define CASE_SECONDS	120

/* Between a case, its threads and children, and the program. */
struct case_state {
	int failed;
	bool skipped;
	char reason[200];
};

static struct case_state *state;
static void (*undo_at_failure)(void);

void at_failure(void (*undo)(void))
{
	undo_at_failure = undo;
}

unsigned int limit(unsigned int seconds)
{
	const char *factor = getenv("TPHBUF_SLOWDOWN");

	return factor ? seconds * strtoul(factor, NULL, 10) : seconds;
}

void diag(const char *fmt, ...)
{
	char line[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/*
	 * One write a line: threads and children of a case share standard
	 * output.
	 */
	printf("# %s\n", line);
	fflush(stdout);
}

void skip_case(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(state->reason, sizeof(state->reason), fmt, ap);
	va_end(ap);
	state->skipped = true;
	fflush(stdout);
	_exit(0);
}

__attribute__((format(printf, 6, 0)))
static bool report(bool ok, bool fatal, const char *file, int line, const char *values,
		   const char *fmt, va_list ap)
{
	const char *base = strrchr(file, '/');
	char what[300];

	if (ok)
		return true;
	vsnprintf(what, sizeof(what), fmt, ap);
	__atomic_store_n(&state->failed, 1, __ATOMIC_RELAXED);
	diag("%s:%d: %s: %s", base ? base + 1 : file, line, what, values);
	if (fatal) {
		if (undo_at_failure)
			undo_at_failure();
		_exit(1);
	}
	return false;
}

bool check_true(bool ok, bool fatal, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(ok, fatal, file, line, "does not hold", fmt, ap);
	va_end(ap);
	return ok;
}

bool check_int(int64_t got, int64_t want, bool fatal, const char *file, int line,
	       const char *fmt, ...)
{
	char values[120];
	va_list ap;

	snprintf(values, sizeof(values), "got %lld (0x%llx), want %lld (0x%llx)", (long long)got,
		 (unsigned long long)got, (long long)want, (unsigned long long)want);
	va_start(ap, fmt);
	report(got == want, fatal, file, line, values, fmt, ap);
	va_end(ap);
	return got == want;
}

static const char *error_name(int64_t value, char *buf, size_t size)
{
	const char *name = value < 0 && value > -4096 ? strerrorname_np((int)-value) : NULL;

	if (name)
		snprintf(buf, size, "-%s", name);
	else
		snprintf(buf, size, "%lld", (long long)value);
	return buf;
}

bool check_error(int64_t got, int64_t want, bool fatal, const char *file, int line,
		 const char *fmt, ...)
{
	char values[120], a[40], b[40];
	va_list ap;

	snprintf(values, sizeof(values), "got %s, want %s", error_name(got, a, sizeof(a)),
		 error_name(want, b, sizeof(b)));
	va_start(ap, fmt);
	report(got == want, fatal, file, line, values, fmt, ap);
	va_end(ap);
	return got == want;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

static bool is_known(const char *name, const struct test_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(cases[i].name, name))
			return true;
	return false;
}

/* Whether the case passed; @state is filled. */
static bool run_case(const struct test_case *test)
{
	int status;
	pid_t pid;

	memset(state, 0, sizeof(*state));
	pid = fork();
	if (pid < 0) {
		diag("cannot fork");
		return false;
	}
	if (!pid) {
		alarm(limit(CASE_SECONDS));
		test->run();
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status)) {
		if (WTERMSIG(status) == SIGALRM)
			diag("took longer than %u s", limit(CASE_SECONDS));
		else
			diag("killed by signal %d", WTERMSIG(status));
		return false;
	}
	return !WEXITSTATUS(status) && !state->failed;
}

int run_cases(const struct test_case *cases, size_t count, int argc, char **argv,
	      void (*cleanup)(void))
{
	unsigned int planned = 0, number = 0, failed = 0;

	for (int a = 1; a < argc; a++) {
		if (!is_known(argv[a], cases, count)) {
			fprintf(stderr, "%s: no case \"%s\"\n", argv[0], argv[a]);
			return 2;
		}
	}
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (state == MAP_FAILED) {
		puts("Bail out! no memory");
		return 1;
	}

	for (size_t i = 0; i < count; i++)
		planned += is_wanted(cases[i].name, argc, argv);
	printf("1..%u\n", planned);
	fflush(stdout);

	for (size_t i = 0; i < count; i++) {
		bool passed;

		if (!is_wanted(cases[i].name, argc, argv))
			continue;
		passed = run_case(&cases[i]);
		failed += !passed;
		printf("%sok %u - %s", passed ? "" : "not ", ++number, cases[i].name);
		if (passed && state->skipped)
			printf(" # SKIP %s", state->reason);
		putchar('\n');
		fflush(stdout);
	}
	if (cleanup)
		cleanup();
	return failed ? 1 : 0;
}
