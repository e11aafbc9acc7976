/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a trace as a test compares them. */
#ifndef TESTS_TRACE_LINES_H
#define TESTS_TRACE_LINES_H

/*
 * Takes out of the lines what differs from run to run: times, and transaction tags, which count up.
 */
void trace_lines_plain(char *text);

#endif
