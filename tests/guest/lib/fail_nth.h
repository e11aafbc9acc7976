/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lets the n-th allocation of a call fail, or its copy from or to the user: for
 * n = 1, 2, ... until fail_nth_done() is false. Needs the debug kernel.
 */
#ifndef TPHBUF_TESTS_FAIL_NTH_H
#define TPHBUF_TESTS_FAIL_NTH_H

#include <stdbool.h>

/* More allocations than any of the calls makes. */
#define FAIL_NTH_MANY	500u

/* For this thread, or the case ends. */
void fail_nth_open(void);

/*
 * The @n-th allocation from now on fails, or copy from or to the user. 0: none.
 */
void fail_nth(unsigned int n);

/* Whether the failure that fail_nth() armed has happened; it is disarmed. */
bool fail_nth_done(void);

/* What a call ends with that met one: -ENOMEM or -EFAULT. */
bool is_injected(int ret);

#endif
