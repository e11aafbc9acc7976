/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test cases for the guest: each runs in a process of its own, so that what it
 * leaves open, mapped or broken is gone when it ends, and is one line of TAP. A
 * case passes when it ends without a failed expectation.
 *
 * expect_*() notes a failure and goes on, require_*() ends the case. Both print
 * what they got and what they wanted. They may be called from threads and
 * children of the case. All of them take a printf format that says what was
 * looked at.
 */
#ifndef TPHBUF_TESTS_CASE_H
#define TPHBUF_TESTS_CASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

/*
 * The program: runs the cases named in the arguments, or all of them, then
 * @cleanup (may be NULL) in the program's own process. The value is the exit
 * code for main().
 */
int run_cases(const struct test_case *cases, size_t count, int argc, char **argv,
	      void (*cleanup)(void));

/*
 * A limit in seconds, as it is on this kernel: TPHBUF_SLOWDOWN is how many times
 * as long everything may take on one that watches itself.
 */
unsigned int limit(unsigned int seconds);

/* Ends the case: it cannot run here. */
__attribute__((format(printf, 1, 2), noreturn))
void skip_case(const char *fmt, ...);

/*
 * Called in the process where a requirement failed, before that ends it: to let
 * go of what would keep it from ending.
 */
void at_failure(void (*undo)(void));

__attribute__((format(printf, 1, 2)))
void diag(const char *fmt, ...);

__attribute__((format(printf, 5, 6)))
bool check_true(bool ok, bool fatal, const char *file, int line, const char *fmt, ...);
__attribute__((format(printf, 6, 7)))
bool check_int(int64_t got, int64_t want, bool fatal, const char *file, int line,
	       const char *fmt, ...);
/* Negative errno values, shown by name; 0 and positive numbers as they are. */
__attribute__((format(printf, 6, 7)))
bool check_error(int64_t got, int64_t want, bool fatal, const char *file, int line,
		 const char *fmt, ...);

#define expect_true(ok, ...) check_true((ok), false, __FILE__, __LINE__, __VA_ARGS__)
#define require_true(ok, ...) check_true((ok), true, __FILE__, __LINE__, __VA_ARGS__)
#define expect_int(got, want, ...) check_int((got), (want), false, __FILE__, __LINE__, __VA_ARGS__)
#define require_int(got, want, ...) check_int((got), (want), true, __FILE__, __LINE__, __VA_ARGS__)
#define expect_error(got, want, ...) \
	check_error((got), (want), false, __FILE__, __LINE__, __VA_ARGS__)
#define require_error(got, want, ...) \
	check_error((got), (want), true, __FILE__, __LINE__, __VA_ARGS__)

#endif
