/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test Anything Protocol for unit tests: one program, one TAP stream on
 * standard output. Diagnostics go to standard output as well, as "# " lines in
 * front of the result that they explain.
 *
 *	int main(void)
 *	{
 *		is_int(add(1, 2), 3, "small numbers");
 *		return done_testing();
 *	}
 *
 * plan() up front is optional: with it, a program that ends early is a failure
 * even when it exits 0. Each check returns whether it passed. A program is one
 * translation unit as far as TAP is concerned: include this header in one .c
 * file only. Not for use from several threads at once.
 */
#ifndef TPHBUF_TESTS_TAP_H
#define TPHBUF_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_state {
	unsigned int run;
	unsigned int failed;
	unsigned int planned;
};

static struct tap_state tap_state;

/* Prints "# ..." and ends the line. */
__attribute__((format(printf, 1, 2), unused))
static void diag(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* Announces the number of checks; call it before the first one or not at all. */
__attribute__((unused))
static void plan(unsigned int count)
{
	tap_state.planned = count;
	printf("1..%u\n", count);
	fflush(stdout);
}

/* The whole program cannot run here: prints the reason and exits with success. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void plan_skip_all(const char *fmt, ...)
{
	va_list ap;

	fputs("1..0 # SKIP ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(0);
}

/* Ends the stream; the value is the exit code for main(). */
__attribute__((unused))
static int done_testing(void)
{
	if (!tap_state.planned)
		printf("1..%u\n", tap_state.run);
	else if (tap_state.planned != tap_state.run)
		diag("planned %u checks but ran %u", tap_state.planned, tap_state.run);
	if (tap_state.failed)
		diag("%u of %u checks failed", tap_state.failed, tap_state.run);
	fflush(stdout);
	return tap_state.failed || !tap_state.run ||
	       (tap_state.planned && tap_state.planned != tap_state.run);
}

/* The stream cannot go on: nothing after this point would mean anything. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void bail_out(const char *fmt, ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

__attribute__((format(printf, 4, 0)))
static bool tap_result(bool passed, const char *file, int line, const char *fmt, va_list ap)
{
	tap_state.run++;
	if (!passed) {
		tap_state.failed++;
		diag("at %s:%d", file, line);
	}
	printf("%sok %u - ", passed ? "" : "not ", tap_state.run);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	return passed;
}

__attribute__((format(printf, 4, 5), unused))
static bool tap_ok(bool passed, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_result(passed, file, line, fmt, ap);
	va_end(ap);
	return passed;
}

__attribute__((format(printf, 5, 6), unused))
static bool tap_is_int(intmax_t got, intmax_t want, const char *file, int line,
		       const char *fmt, ...)
{
	va_list ap;

	if (got != want)
		diag("got %" PRIdMAX ", want %" PRIdMAX, got, want);
	va_start(ap, fmt);
	tap_result(got == want, file, line, fmt, ap);
	va_end(ap);
	return got == want;
}

__attribute__((format(printf, 5, 6), unused))
static bool tap_is_hex(uintmax_t got, uintmax_t want, const char *file, int line,
		       const char *fmt, ...)
{
	va_list ap;

	if (got != want)
		diag("got 0x%" PRIxMAX ", want 0x%" PRIxMAX, got, want);
	va_start(ap, fmt);
	tap_result(got == want, file, line, fmt, ap);
	va_end(ap);
	return got == want;
}

__attribute__((format(printf, 5, 6), unused))
static bool tap_is_str(const char *got, const char *want, const char *file, int line,
		       const char *fmt, ...)
{
	bool same = got && want ? !strcmp(got, want) : got == want;
	va_list ap;

	if (!same) {
		diag("got  %s%s%s", got ? "\"" : "", got ? got : "NULL", got ? "\"" : "");
		diag("want %s%s%s", want ? "\"" : "", want ? want : "NULL", want ? "\"" : "");
	}
	va_start(ap, fmt);
	tap_result(same, file, line, fmt, ap);
	va_end(ap);
	return same;
}

__attribute__((format(printf, 6, 7), unused))
static bool tap_is_mem(const void *got, const void *want, size_t len, const char *file, int line,
		       const char *fmt, ...)
{
	const unsigned char *g = got, *w = want;
	size_t i = 0;
	va_list ap;

	while (i < len && g[i] == w[i])
		i++;
	if (i < len)
		diag("byte %zu of %zu: got 0x%02x, want 0x%02x", i, len, g[i], w[i]);
	va_start(ap, fmt);
	tap_result(i == len, file, line, fmt, ap);
	va_end(ap);
	return i == len;
}

/* Counts as passed and says why it did not run. */
__attribute__((format(printf, 2, 3), unused))
static void skip(unsigned int count, const char *fmt, ...)
{
	va_list ap;

	while (count--) {
		printf("ok %u # SKIP ", ++tap_state.run);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		putchar('\n');
	}
	fflush(stdout);
}

/* ok(condition, "what is right when it holds", ...) */
#define ok(condition, ...) tap_ok(!!(condition), __FILE__, __LINE__, __VA_ARGS__)
/* is_int(got, want, "what", ...): signed integers, errno values included */
#define is_int(got, want, ...) tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
/* is_hex(got, want, "what", ...): unsigned integers, shown in hex */
#define is_hex(got, want, ...) tap_is_hex((got), (want), __FILE__, __LINE__, __VA_ARGS__)
/* is_str(got, want, "what", ...): NULL equals NULL only */
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
/* is_mem(got, want, len, "what", ...): names the first byte that differs */
#define is_mem(got, want, len, ...) \
	tap_is_mem((got), (want), (len), __FILE__, __LINE__, __VA_ARGS__)

#endif
